"""What a server process does once, before the first page is drawn."""

from __future__ import annotations

import gc
import importlib

import streamlit as st
import threadpoolctl

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
