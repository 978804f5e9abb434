"""The process that trains: killed, paused and resumed it gives bit for bit the run at once."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import time

import pytest

import lstm_explorer as lx
from lstm_explorer.runs.training import background, worker
from lstm_explorer.runs.training.store import Store
from lstm_explorer.runs.training.worker import Worker
from tests.runs.training.test_files import assert_same

SMALL = dict(sequence_length=6, hidden_size=4, batch_size=3, steps=8, measurements=4, samples=2)
LONG = SMALL | {"steps": 1200, "measurements": 20}


def wait(condition, seconds=60):
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.02)


@pytest.fixture
def processes(tmp_path, monkeypatch):
    """A folder in which real processes train; they are ended after the test."""
    monkeypatch.setenv("LSTM_EXPLORER_RUNS", str(tmp_path))
    monkeypatch.setattr(background, "_started", [])
    started, have = [], background._have_a_worker

    def noting(store):
        have(store)
        started.extend(one for one, _at in background._started if one not in started)

    monkeypatch.setattr(background, "_have_a_worker", noting)
    yield started
    for process in started:
        process.terminate()
        process.wait(20)


def test_paused_killed_and_resumed_is_the_run_at_once(processes):
    trainings = [lx.Training(**LONG)]
    group = background.start(trainings)
    wait(lambda: min(background.status(group).done) > 20)
    running = background.status(group)
    assert running.state == "running"
    assert running.seconds_left > 0
    background.pause(group)
    wait(lambda: background.status(group).state == "paused")
    kept = background.status(group).done
    background.resume(group)
    wait(lambda: min(background.status(group).done) > max(kept))
    (first,) = processes
    os.killpg(first.pid, signal.SIGKILL)
    first.wait()
    assert background.status(group).state == "interrupted"
    assert len(background.read(group)[0].loss) > kept[0]
    background.resume(group)
    wait(lambda: background.status(group).state == "done")
    for training, run in zip(trainings, background.read(group), strict=True):
        assert_same(run, lx.train(training))
    last = processes[-1]
    assert last is not first
    last.terminate()  # an idle process leaves at once, without a word
    assert last.wait(20) == 0
    assert (Store().folder / "worker.log").read_text() == ""


def test_curves_grow_together_and_orders_are_followed_between_pieces(store, monkeypatch):
    group = store.group(background.start([lx.Training(architecture=name, **SMALL) for name in ("rnn", "gru")]))
    seen, advance = [], worker.Member.advance

    def noting(member):
        advance(member)
        seen.append((member.which, member.step))
        if len(seen) == 4:
            background.stop(group.id)

    monkeypatch.setattr(worker.Member, "advance", noting)
    Worker(store).train(group)
    assert seen == [(0, 1), (1, 1), (0, 2), (1, 2)]
    assert background.status(group.id).state == "stopped"
    assert [len(run.loss) for run in background.read(group.id)] == [2, 2]


def test_a_removed_group_is_left_alone(store, monkeypatch):
    group = store.group(background.start([lx.Training(**SMALL)]))
    other = background.start([lx.Training(**SMALL)])
    advance = worker.Member.advance

    def removing(member):
        advance(member)
        with contextlib.suppress(ValueError):
            background.remove(group.id)

    monkeypatch.setattr(worker.Member, "advance", removing)
    Worker(store).serve(idle=0.01)
    assert not group.folder.exists()
    assert background.status(other).state == "done"


def test_a_full_disk_is_a_failure_that_can_be_resumed(store):
    group = background.start([lx.Training(**SMALL | {"hidden_size": 64})])
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4000, before[1]))
    try:
        Worker(store).serve(idle=0.01)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    seen = background.status(group)
    assert seen.state == "failed"
    assert seen.message.startswith("What was trained cannot be kept: File too large.")
    background.resume(group)
    Worker(store).serve(idle=0.01)
    assert background.status(group).state == "done"


def test_where_not_even_a_failure_can_be_written_it_counts_as_stopped(store):
    group = background.start([lx.Training(**SMALL)])
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, before[1]))
    try:
        Worker(store).serve(idle=0.01)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert background.status(group).state == "stopped"
    background.resume(group)
    Worker(store).serve(idle=0.01)
    assert background.status(group).state == "done"
    assert not store.group(group).resume(0).exists()


@pytest.mark.parametrize(
    ("error", "message"),
    [(MemoryError(), "not enough memory"), (ValueError("no rows"), "no rows"), (ZeroDivisionError(), "ZeroDivision")],
)
def test_a_group_that_fails_takes_no_other_along(store, monkeypatch, error, message):
    groups = [background.start([lx.Training(seed=seed, **SMALL)]) for seed in (0, 1)]
    advance = worker.Member.advance

    def failing(member):
        if member.training.seed == 0:
            raise error
        advance(member)

    monkeypatch.setattr(worker.Member, "advance", failing)
    Worker(store).serve(idle=0.01)
    assert [background.status(group).state for group in groups] == ["failed", "done"]
    assert message in background.status(groups[0]).message


def test_it_ends_when_it_is_idle_and_when_another_is_there(store):
    began = time.monotonic()
    Worker(store).serve(idle=0.1)
    assert time.monotonic() - began < 5
    lock = store.lock()
    assert worker.main([str(store.folder)]) == 0
    os.close(lock)


def test_what_a_killed_worker_left_is_interrupted_for_the_next(store):
    group = store.group(background.start([lx.Training(**SMALL)]))
    group.write_state(worker.State("running", 1, (3,)))
    lock = store.lock()  # the next worker is there
    Worker(store)
    assert background.status(group.id).state == "interrupted"
    os.close(lock)
