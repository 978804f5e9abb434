"""The server's memory: what nobody looks at is dropped, and free memory goes back to the system."""

import threading
from types import SimpleNamespace

import pytest

from lstm_explorer.ui import tidying


class Notes(list):
    """What this test asked for: an app that another test started has a thread that tidies too."""

    def append(self, note):
        if threading.current_thread() is threading.main_thread():
            super().append(note)


@pytest.fixture
def library(monkeypatch):
    """The C library, which only takes notes."""
    asked = Notes()
    noting = SimpleNamespace(mallopt=lambda *pair: asked.append(pair), malloc_trim=lambda pad: asked.append(pad))
    monkeypatch.setattr(tidying.ctypes, "CDLL", lambda name: noting)
    return asked


def test_threads_share_few_pools_and_large_arrays_have_pages_of_their_own(library):
    tidying.limit_pools()
    assert library == [(-8, 2), (-3, 1_000_000)]


def test_another_c_library_has_no_such_options(monkeypatch):
    monkeypatch.setattr(tidying.ctypes, "CDLL", lambda name: SimpleNamespace())
    tidying.limit_pools()
    tidying.tidy()


def test_unused_results_and_pieces_are_dropped_before_memory_is_given_back(library, monkeypatch):
    monkeypatch.setattr(tidying, "RESULTS", SimpleNamespace(drop_unused=lambda seconds: library.append("results")))
    monkeypatch.setattr(tidying, "drop_unused_pieces", lambda seconds: library.append("pieces"))
    tidying.tidy()
    assert library == ["results", "pieces", 0]
