"""Results kept in the process: so many bytes, made once, and what fails is not kept."""

import threading

import numpy as np
import pytest

import lstm_explorer as lx
from lstm_explorer.ui import result_cache
from lstm_explorer.ui.result_cache import ResultCache, size_of


def test_a_result_is_made_once_while_it_is_kept():
    cache, made = ResultCache(), []
    for _again in range(3):
        assert cache.get("key", lambda: made.append(1) or (5,)) == (5,)
    assert made == [1]


def test_the_budget_is_in_bytes_and_the_least_recently_used_goes_first():
    cache = ResultCache(budget=30_000)
    for key in ("a", "b"):
        cache.get(key, lambda: np.zeros(1500))
    cache.get("a", lambda: pytest.fail("a is kept"))
    cache.get("c", lambda: np.zeros(1500))
    assert cache.held <= 30_000
    cache.get("a", lambda: pytest.fail("a was used last"))
    made = []
    cache.get("b", lambda: made.append(1) or np.zeros(1500))
    assert made


def test_a_result_beyond_the_budget_is_handed_out_and_not_kept():
    cache = ResultCache(budget=1000)
    assert cache.get("large", lambda: np.zeros(1000)).shape == (1000,)
    assert cache.held == 0


def test_who_asks_for_what_is_being_made_waits_for_it():
    cache, made, ready = ResultCache(), [], threading.Event()

    def make():
        ready.wait(5)
        made.append(1)
        return (1,)

    threads = [threading.Thread(target=cache.get, args=("key", make)) for _reader in range(5)]
    for thread in threads:
        thread.start()
    ready.set()
    for thread in threads:
        thread.join(5)
    assert made == [1]


def test_what_fails_is_made_again():
    cache = ResultCache()
    with pytest.raises(ZeroDivisionError):
        cache.get("key", lambda: 1 / 0)
    assert cache.get("key", lambda: (7,)) == (7,)


def test_a_results_size_is_that_of_its_numbers():
    flow = lx.seed_flows(lx.Settings(sequence_length=500, num_seeds=4), architecture="lstm")
    numbers = sum(
        tensor.nbytes for tensor in (flow.log10_hidden, flow.log10_cell, flow.log10_cell_path, flow.log10_inputs)
    )
    assert numbers <= size_of(flow) <= numbers + 10_000


def test_texts_count_too():
    assert size_of({"a": b"x" * 1000, "b": ["y" * 500]}) >= 1500


def test_what_nobody_asked_for_lately_is_dropped(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(result_cache.time, "monotonic", lambda: now[0])
    cache = ResultCache()
    for key in ("old", "asked again", "new"):
        cache.get(key, lambda: np.zeros(100))
    now[0] = 100.0
    cache.get("asked again", lambda: pytest.fail("it is kept"))
    cache.get("new", lambda: pytest.fail("it is kept"))
    cache.drop_unused(50)
    assert cache.held == 2 * size_of(np.zeros(100))
    made = []
    cache.get("old", lambda: made.append(1) or np.zeros(100))
    assert made


def test_of_what_went_for_want_of_room_nothing_stays():
    cache = ResultCache(budget=30_000)
    for key in range(9):
        cache.get(key, lambda: np.zeros(1500))
    cache.drop_unused(50)
    assert len(cache._used) == 2
