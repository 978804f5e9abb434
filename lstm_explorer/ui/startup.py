"""The work of a server process before its first page."""

from __future__ import annotations

import functools
import gc
import importlib
import threading

import streamlit as st
import threadpoolctl
import torch

from lstm_explorer.core.gradients.flow import gradient_flow
from lstm_explorer.locales import _
from lstm_explorer.runs.scheduler import scheduler
from lstm_explorer.ui.tidying import keep_tidy, limit_pools

#: Slow imports, made before the freeze so that their objects are never walked by the garbage collector again.
_HEAVY = ("numpy", "pandas", "plotly.graph_objects", "torch", "lstm_explorer.exhibits.registry")
#: Objects between two looks for garbage: about those of a run. Python's own number makes it forty looks, and a sixth of
#: the run's time.
_GARBAGE = (20_000, 10, 20)


#: A class opens the page in one moment: what is done once has its lock, as a cache alone lets all of them begin.
_starting, _compiling = threading.Lock(), threading.Lock()
_compiled = threading.Event()


def start_process() -> None:
    """Import what is heavy, keep torch to one thread, and take the imported objects out of garbage collection."""
    with _starting:
        _start()


@functools.cache  # not Streamlit's cache: any visitor may have that cleared, and each time a thread would begin
def _start() -> None:
    limit_pools()
    modules = {name: importlib.import_module(name) for name in _HEAVY}
    # On a shared two-core machine a second thread spins at barriers: a 2 ms call took up to 900 ms. NumPy's matrix
    # products have threads of their own.
    modules["torch"].set_num_threads(1)
    threadpoolctl.threadpool_limits(1)
    gc.set_threshold(*_GARBAGE)
    _freeze()
    keep_tidy()
    if named := scheduler():
        named.link()  # begins to connect


def _freeze() -> None:
    """Take everything that is there out of garbage collection."""
    gc.collect()
    gc.freeze()


def compile_recurrences() -> None:
    """Compile what the first picture needs, with a message while it takes; the result is kept on disk."""
    if _compiled.is_set():
        return
    text = _("The first start on this machine: the recurrences are compiled, once. It takes some seconds.")
    with st.spinner(text), _compiling:
        _compile()


def _compile() -> None:
    if _compiled.is_set():  # by whom this reader waited for
        return
    for network in (torch.nn.LSTM(1, 1), torch.nn.RNN(1, 1)):
        gradient_flow(network, torch.zeros(1, 1, 1))
    _freeze()  # the compiler brought as many objects as all imports before it
    _compiled.set()
