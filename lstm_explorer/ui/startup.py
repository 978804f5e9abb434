"""The work of a server process before its first page."""

from __future__ import annotations

import gc
import importlib
import threading

import streamlit as st
import threadpoolctl
import torch

from lstm_explorer.core.gradients.flow import gradient_flow
from lstm_explorer.locales import _

#: Slow imports, made before the freeze so that their objects are never walked by the garbage collector again.
_HEAVY = ("numpy", "pandas", "plotly.graph_objects", "torch")


@st.cache_resource(show_spinner=False)
def start_process() -> None:
    """Import what is heavy, keep torch to one thread, and take the imported objects out of garbage collection."""
    modules = {name: importlib.import_module(name) for name in _HEAVY}
    # On a shared two-core machine a second thread spins at barriers: a 2 ms call took up to 900 ms. NumPy's matrix
    # products have threads of their own.
    modules["torch"].set_num_threads(1)
    threadpoolctl.threadpool_limits(1)
    gc.collect()
    gc.freeze()


_compiled = threading.Event()


def compile_recurrences() -> None:
    """Compile what the first picture needs, with a message while it takes; the result is kept on disk."""
    if _compiled.is_set():
        return
    with st.spinner(_("The first start on this machine: the recurrences are compiled, once. It takes some seconds.")):
        for network in (torch.nn.LSTM(1, 1), torch.nn.RNN(1, 1)):
            gradient_flow(network, torch.zeros(1, 1, 1))
    _compiled.set()
