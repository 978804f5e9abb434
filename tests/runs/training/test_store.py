"""The folder of runs: private, bounded in size and age."""

from __future__ import annotations

import os
import stat
import time

import pytest

import lstm_explorer as lx
from lstm_explorer.core.errors import ExplainedError
from lstm_explorer.runs.training import store as module
from lstm_explorer.runs.training.store import Order, State, Store, root

ONE = [lx.Training()]


def finished(store, *, age=0.0, size=10):
    group = store.add(ONE, None)
    group.write_state(State("done", 1, (1200,)))
    (group.folder / "0.parquet").write_bytes(bytes(size))
    os.utime(group.folder, (time.time() - age,) * 2)
    return group


def test_the_folder_is_private_and_a_setting_names_it(store, monkeypatch):
    assert stat.S_IMODE(store.folder.stat().st_mode) == 0o700
    assert root() == store.folder
    monkeypatch.delenv("LSTM_EXPLORER_RUNS")
    assert str(os.getuid()) in root().name


def test_a_folder_that_is_somebody_else_s_is_refused(tmp_path, monkeypatch):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with pytest.raises(OSError, match="LSTM_EXPLORER_RUNS"):
        Store(tmp_path / "link")
    monkeypatch.setattr(os, "getuid", lambda: 12345)
    with pytest.raises(OSError, match="not a folder of this user"):
        Store(tmp_path / "real")


def test_what_is_too_old_goes(store):
    old, new = finished(store, age=8 * 24 * 3600), finished(store)
    waiting = store.add(ONE, None)
    os.utime(waiting.folder, (0, 0))
    store.tidy()
    assert {group.id for group in store.groups()} == {new.id, waiting.id}
    assert not old.folder.exists()


def test_what_a_killed_process_left_half_done_goes(store):
    for name, age in (("half", 7200), ("being-made", 0)):
        (store.folder / f".{name}").mkdir()
        (store.folder / f".{name}" / "table.npy").write_bytes(b"...")
        os.utime(store.folder / f".{name}", (time.time() - age,) * 2)
    store.tidy()
    assert [path.name for path in store.folder.glob(".*")] == [".being-made"]


def test_what_is_too_much_goes_from_the_oldest_on(store, monkeypatch):
    groups = [finished(store, age=age, size=10_000) for age in (30, 20, 10)]
    waiting = store.add(ONE, None)
    monkeypatch.setattr(module, "MOST_BYTES", 30_000)
    store.tidy()
    assert {group.id for group in store.groups()} == {groups[1].id, groups[2].id, waiting.id}
    assert not list(store.folder.glob(".*"))


def test_what_is_trained_now_stays(store, monkeypatch):
    group = store.add(ONE, None)
    group.write_state(State("running", 1, (3,)))
    monkeypatch.setattr(module, "MOST_BYTES", 0)
    lock = store.lock()
    store.tidy()
    assert group.folder.exists()
    os.close(lock)
    store.tidy()
    assert not group.folder.exists()


def test_not_too_many_wait(store, monkeypatch):
    monkeypatch.setattr(module, "MOST_WAITING", 2)
    store.add(ONE, None)
    store.add(ONE, None)
    with pytest.raises(ExplainedError, match="2 trainings are waiting"):
        store.add(ONE, None)


def test_the_lock_is_one_s_alone(store):
    assert not store.held()
    lock = store.lock()
    assert store.held()
    assert store.lock() is None
    os.close(lock)
    assert not store.held()


def test_orders_are_numbered(store):
    group = store.add(ONE, None)
    assert (group.order.want, group.order.number) == ("run", 1)
    group.write_order("pause")
    assert (group.order.want, group.order.number) == ("pause", 2)
    (group.folder / "order.json").write_bytes(b"[]")
    assert group.order == Order("stop", 0)
    assert not group.runnable


def test_names_cannot_be_guessed(store):
    names = {store.add(ONE, None).id for _ in range(5)}
    assert len(names) == 5
    assert all(len(name) == 22 for name in names)


def test_a_place_in_the_queue_is_kept_when_the_clock_is_set_back(store, monkeypatch):
    first, second = store.add(ONE, None), store.add(ONE, None)
    monkeypatch.setattr(time, "time", lambda: 0.0)
    third = store.add(ONE, None)
    assert [group.id for group in store.waiting()] == [first.id, second.id, third.id]
    first.write_order("pause")
    first.write_order("run")
    assert [group.id for group in store.waiting()] == [second.id, third.id, first.id]
