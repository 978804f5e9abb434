"""A group trained on a cluster: bit for bit the trainings here, whatever is lost, paused or killed on the way."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

import lstm_explorer as lx
from lstm_explorer.runs.training import background, rounds, worker
from lstm_explorer.runs.training.worker import Worker
from tests.runs.cluster.here import HereLink, Named
from tests.runs.training.test_files import assert_same

cluster_link = pytest.importorskip("lstm_explorer.runs.cluster.link", reason="the extra cluster is not installed")

SMALL = dict(sequence_length=6, hidden_size=4, batch_size=3, steps=12, measurements=4, samples=2)
PAIR = tuple(lx.Training(architecture=name, **SMALL) for name in ("rnn", "lstm"))


@pytest.fixture
def named(monkeypatch):
    """A cluster that answers at once, in this process."""
    named = Named(HereLink())
    monkeypatch.setattr(rounds, "scheduler", lambda: named)
    return named


def assert_trained_as_here(group, trainings=PAIR, table=None):
    seen = background.status(group)
    assert (seen.state, seen.message) == ("done", "")
    for which, (training, run) in enumerate(zip(trainings, background.read(group), strict=True)):
        here = lx.train(training, table=table)
        assert_same(run, here)
        assert background.moments(group, which) == training.measured_at
        kept, weights = background.weights(group, which), here.model.state_dict()
        assert all(torch.equal(kept[name], weights[name]) for name in weights)


def test_a_piece_goes_past_moments_whose_weights_are_kept(store, named):
    group = background.start(PAIR)
    Worker(store).serve(idle=0.01)
    assert_trained_as_here(group)
    stops = [arguments[3] for arguments in named.found.submitted if arguments[0] == PAIR[0]]
    assert stops == [(1,), (3, 6, 9, 12)]  # at first one step: the curve is there soon


def test_the_reader_s_own_table_goes_along(store, named):
    table = np.sin(np.arange(60.0)).reshape(-1, 1)
    training = lx.Training(task="csv", **SMALL | {"sequence_length": 5})
    group = background.start([training], table=table)
    Worker(store).serve(idle=0.01)
    assert_trained_as_here(group, [training], table)
    assert named.found.submitted


@pytest.mark.parametrize(
    ("error", "trouble"), [(cluster_link.LostError("gone"), "silent"), (cluster_link.FailedError("killed"), "unfit")]
)
def test_what_is_lost_on_the_way_goes_on_here(store, named, monkeypatch, error, trouble):
    monkeypatch.setattr(rounds, "_AWAY", 1e-6)
    group, take, seen = background.start(PAIR), worker.Member.take, []

    def lose(member, further):
        take(member, further)
        if member.step == 5:
            named.found.raises = error

    write = type(store.group(group)).write_state
    monkeypatch.setattr(worker.Member, "take", lose)
    monkeypatch.setattr(type(store.group(group)), "write_state", lambda *both: seen.append(both[1]) or write(*both))
    Worker(store).serve(idle=0.01)
    assert_trained_as_here(group)
    assert len(named.reasons) == 1
    assert seen[-1].trouble == trouble
    assert seen[-1].workers == 2
    assert background.status(group).trouble == ""  # of what is over nobody needs to know


def test_an_error_of_the_training_itself_is_not_the_cluster_s_fault(store, named, monkeypatch):
    named.found.raises = cluster_link.FailedError("no rows")

    def fails(member):
        raise ValueError("no rows")

    monkeypatch.setattr(worker.Member, "advance", fails)
    group = background.start(PAIR)
    Worker(store).serve(idle=0.01)
    assert "no rows" in background.status(group).message
    assert named.trouble == ""


def test_it_is_paused_while_pieces_are_under_way_and_goes_on_where_it_was(store, named, monkeypatch):
    monkeypatch.setattr(rounds, "_AWAY", 1e-6)
    group, answer = background.start(PAIR), named.found.answer

    def pausing(future, seconds=0.0):
        if len(named.found.submitted) >= 6:
            background.pause(group)
            named.found.held = True
        return answer(future, seconds)

    monkeypatch.setattr(named.found, "answer", pausing)
    Worker(store).serve(idle=0.01)
    assert background.status(group).state == "paused"
    assert all(0 < done < 12 for done in background.status(group).done)
    monkeypatch.setattr(named.found, "answer", answer)
    named.found.held = False
    background.resume(group)
    Worker(store).serve(idle=0.01)
    assert_trained_as_here(group)


def test_a_state_of_before_is_still_read(store):
    group = store.group(background.start(PAIR))
    document = {"name": "paused", "order": 1, "done": [3, 3], "left": 1.0, "problem": None}
    (group.folder / "state.json").write_text(json.dumps(document))
    assert (group.state.workers, group.state.trouble) == (0, "")
