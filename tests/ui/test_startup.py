"""What a server process does once: one thread, and recurrences compiled with a word of why."""

import contextlib
import gc
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest
import streamlit as st
import torch

from lstm_explorer.ui import startup


@pytest.fixture
def page(monkeypatch):
    page = SimpleNamespace(spinners=[], measured=[])

    def spinner(text):
        page.spinners.append(text)
        return contextlib.nullcontext()

    monkeypatch.setattr(startup, "st", SimpleNamespace(spinner=spinner))
    monkeypatch.setattr(startup, "_compiled", threading.Event())
    monkeypatch.setattr(startup, "gradient_flow", lambda network, inputs: page.measured.append(type(network).__name__))
    return page


def test_recurrences_are_compiled_once_and_the_wait_is_explained(page):
    try:
        startup.compile_recurrences()
        startup.compile_recurrences()
        assert gc.get_freeze_count() > 0
    finally:
        gc.unfreeze()
    assert page.measured == ["LSTM", "RNN"]
    assert len(page.spinners) == 1
    assert "compiled, once" in page.spinners[0]


def at_once(many, work):
    with ThreadPoolExecutor(many) as class_:
        list(class_.map(lambda _reader: work(), range(many)))


def test_a_class_that_comes_in_one_moment_compiles_once(page, monkeypatch):
    monkeypatch.setattr(
        startup, "gradient_flow", lambda network, inputs: (time.sleep(0.05), page.measured.append(type(network)))
    )
    try:
        at_once(8, startup.compile_recurrences)
    finally:
        gc.unfreeze()
    assert len(page.measured) == 2


def test_a_process_keeps_torch_to_one_thread(monkeypatch):
    monkeypatch.setattr(startup, "limit_pools", lambda: None)
    monkeypatch.setattr(startup, "keep_tidy", lambda: None)
    threads, thresholds = torch.get_num_threads(), gc.get_threshold()
    torch.set_num_threads(2)
    gc.set_threshold(700, 10, 10)  # Python's own
    startup._start.cache_clear()
    try:
        startup.start_process()
        assert torch.get_num_threads() == 1
        assert gc.get_freeze_count() > 0
        assert gc.get_threshold()[0] > 10 * 700
    finally:
        gc.unfreeze()
        gc.set_threshold(*thresholds)
        torch.set_num_threads(threads)


def test_a_class_that_comes_in_one_moment_starts_one_process(monkeypatch):
    started = []
    monkeypatch.setattr(startup, "limit_pools", lambda: time.sleep(0.05))
    monkeypatch.setattr(startup, "keep_tidy", lambda: started.append("thread"))
    startup._start.cache_clear()
    threads, thresholds = torch.get_num_threads(), gc.get_threshold()
    try:
        at_once(8, startup.start_process)
    finally:
        gc.unfreeze()
        gc.set_threshold(*thresholds)
        torch.set_num_threads(threads)
    assert started == ["thread"]


def test_a_visitor_who_clears_streamlits_caches_starts_nothing_again(monkeypatch):
    started = []
    monkeypatch.setattr(startup, "limit_pools", lambda: None)
    monkeypatch.setattr(startup, "keep_tidy", lambda: started.append("thread"))
    startup._start.cache_clear()
    threads, thresholds = torch.get_num_threads(), gc.get_threshold()
    try:
        for _visit in range(3):
            startup.start_process()
            st.cache_resource.clear()
            st.cache_data.clear()
    finally:
        gc.unfreeze()
        gc.set_threshold(*thresholds)
        torch.set_num_threads(threads)
    assert started == ["thread"]
