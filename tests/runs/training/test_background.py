"""Training that outlives the page: what a page sees of it."""

from __future__ import annotations

import fcntl
import os

import pytest
import torch

import lstm_explorer as lx
from lstm_explorer.core import errors
from lstm_explorer.core.errors import ExplainedError, reason_of
from lstm_explorer.locales import use_language
from lstm_explorer.runs.training import background
from lstm_explorer.runs.training.store import State
from lstm_explorer.runs.training.worker import _DISK, Worker

SMALL = dict(sequence_length=6, hidden_size=4, batch_size=3, steps=8, measurements=4, samples=2)
PAIR = (lx.Training(architecture="rnn", **SMALL), lx.Training(architecture="lstm", **SMALL))


def test_a_group_is_trained_and_read(store):
    group = background.start(PAIR)
    waiting = background.status(group)
    assert (waiting.state, waiting.place, waiting.done, waiting.total) == ("waiting", 0, (0, 0), (8, 8))
    assert waiting.trainings == PAIR
    assert waiting.seconds_left > 0
    assert background.read(group) == [None, None]
    Worker(store).serve(idle=0.01)
    done = background.status(group)
    assert (done.state, done.done, done.message) == ("done", (8, 8), "")
    for training, run in zip(PAIR, background.read(group), strict=True):
        assert run.loss.tolist() == lx.train(training).loss.tolist()
        assert run.final_score == lx.train(training).final_score
    assert all(a is b for a, b in zip(background.read(group), background.read(group), strict=True))


def test_weights_of_every_measured_moment(store):
    group = background.start(PAIR)
    Worker(store).serve(idle=0.01)
    assert background.moments(group, 1) == PAIR[1].measured_at == (0, 2, 4, 6, 8)
    trained = lx.train(PAIR[1]).model.state_dict()
    last = background.weights(group, 1)
    assert last.keys() == trained.keys()
    assert all(torch.equal(last[name], trained[name]) for name in trained)
    early = lx.train(PAIR[1].replace(steps=4)).model.state_dict()["head.weight"]
    assert torch.equal(background.weights(group, 1, 4)["head.weight"], early)
    with pytest.raises(ExplainedError, match="after step 3: expected one of 0, 2, 4, 6, 8"):
        background.weights(group, 1, 3)
    store.group(group).weights(1, 4).write_bytes(b"nonsense")
    with pytest.raises(ExplainedError, match="cannot be read"):
        background.weights(group, 1, 4)


def test_the_reader_s_own_table_is_kept_with_the_group(store):
    group = background.start(PAIR, table=[[1.0, 2.0], [3.0, 4.0]])
    assert store.group(group).table().tolist() == [[1.0, 2.0], [3.0, 4.0]]


def test_who_waits_sees_the_place(store):
    first, second, third = (background.start(PAIR) for _ in range(3))
    assert [background.status(group).place for group in (first, second, third)] == [0, 1, 2]
    background.pause(second)
    assert [background.status(group).state for group in (first, second, third)] == ["waiting", "paused", "waiting"]
    assert background.status(third).place == 1
    background.resume(second)
    assert background.status(second).place == 2
    background.stop(first)
    background.remove(third)
    assert background.status(first).state == "stopped"
    assert background.status(second).place == 0


def test_what_nobody_trains_any_more_was_interrupted(store):
    group = background.start(PAIR)
    worker = Worker(store)
    worker.leaving = True  # as after SIGTERM: one step of the first network, and a checkpoint
    worker.train(store.group(group))
    assert background.status(group).state == "interrupted"
    assert background.status(group).done == (1, 0)
    background.resume(group)
    assert background.status(group).state == "waiting"
    Worker(store).serve(idle=0.01)
    assert background.status(group).state == "done"
    assert background.read(group)[0].loss.tolist() == lx.train(PAIR[0]).loss.tolist()


@pytest.mark.parametrize("name", ["", ".", "..", "../runs", "a" * 22, "/etc", "a/b", "x" * 500, None, 7, "a\n" * 11])
def test_what_is_no_group_is_refused(store, name):
    for use in (background.status, background.read, background.pause, background.resume, background.remove):
        with pytest.raises(ExplainedError, match="no such training"):
            use(name)


def test_a_group_elsewhere_is_not_followed(store, tmp_path):
    group = background.start(PAIR)
    (store.folder / group).rename(tmp_path / "elsewhere")
    (store.folder / group).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ExplainedError, match="no such training"):
        background.read(group)


@pytest.mark.parametrize("file", ["group.json", "state.json", "0.parquet"])
def test_damaged_files_are_a_failure_of_this_group_alone(store, file):
    damaged, whole = background.start(PAIR[:1]), background.start(PAIR[:1])
    Worker(store).serve(idle=0.01)
    for content in (b"", b"[]", b"\xff\x00nonsense", b'{"name": "done", "done": 3}'):
        (store.folder / damaged / file).write_bytes(content)
        seen = background.status(damaged)
        assert seen.state == "failed"
        assert "damaged" in seen.message
        assert background.status(whole).state == "done"
    later = background.start(PAIR[:1])
    Worker(store).serve(idle=0.01)
    assert background.status(later).state == "done"
    background.remove(damaged)


def test_what_the_system_says_is_translated_and_names_no_folder(store, monkeypatch):
    monkeypatch.setattr(errors, "translated", str.upper)
    group = store.group(background.start(PAIR[:1]))
    group.write_state(State("failed", 1, (0,), problem=(_DISK, {"reason": reason_of(OSError(28, "", "/srv/x"))})))
    assert "kept: NO SPACE LEFT ON DEVICE. Free" in background.status(group.id).message
    for name in ("state.json", "0.parquet"):
        (group.folder / name).unlink(missing_ok=True)
        (group.folder / name).mkdir()
        background.stop(group.id)
        assert ": IS A DIRECTORY" in background.status(group.id).message
        (group.folder / name).rmdir()


def test_a_damaged_checkpoint_is_a_failure_with_a_message(store):
    group = background.start(PAIR)
    worker = Worker(store)
    worker.leaving = True
    worker.train(store.group(group))
    store.group(group).resume(0).write_bytes(b"nonsense")
    background.resume(group)
    Worker(store).serve(idle=0.01)
    seen = background.status(group)
    assert seen.state == "failed"
    assert seen.message.startswith("The files from which this training would go on are damaged")


def test_what_a_task_refuses_is_said(store):
    group = background.start([lx.Training(**SMALL)])
    document = (store.folder / group / "group.json").read_text().replace('"adding"', '"copies"')
    (store.folder / group / "group.json").write_text(document)
    Worker(store).serve(idle=0.01)
    assert background.status(group).state == "failed"
    assert "not legal: task" in background.status(group).message


def test_what_is_too_much_never_starts(store):
    with pytest.raises(ValueError, match="lstm-explorer train"):
        background.start([lx.Training(steps=1_000_000)])
    assert store.groups() == []


def test_messages_are_in_the_reader_s_language(store):
    group = background.start(PAIR)
    (store.folder / group / "group.json").write_bytes(b"[]")
    use_language("ko")
    try:
        assert isinstance(background.status(group).message, str)
    finally:
        use_language("en")


def test_only_one_process_is_started(tmp_path, monkeypatch):
    started = []

    class Process:
        def __init__(self, command, *, pass_fds, **options):
            started.append(os.dup(pass_fds[0]))  # what a child inherits

        returncode = None

        def poll(self):
            return self.returncode

    monkeypatch.setenv("LSTM_EXPLORER_RUNS", str(tmp_path))
    monkeypatch.setattr(background, "_started", [])
    monkeypatch.setattr(background.subprocess, "Popen", Process)
    background.prepare()
    background.prepare()
    group = background.start(PAIR)
    assert background.status(group).state == "waiting"
    assert len(started) == 1
    fcntl.flock(started[0], fcntl.LOCK_UN)  # the child ends
    background.status(group)
    assert len(started) == 2
    fcntl.flock(started[1], fcntl.LOCK_UN)
    Process.returncode = 1  # it cannot even start
    background.status(group)
    assert len(started) == 2
    Process.returncode = -9  # it was killed
    background.status(group)
    assert len(started) == 3
    for lock in started:
        os.close(lock)
