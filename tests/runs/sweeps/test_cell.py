"""A cell's key says what is measured: the same for the same numbers, another for others, on every machine."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

import lstm_explorer as lx
from lstm_explorer.runs.experiment import Experiment, OwnTable
from lstm_explorer.runs.measurements import Flow, Map, Required
from lstm_explorer.runs.sweeps.cell import cells_of, described, key_of
from lstm_explorer.runs.training.job import TrainingJob

ONE = Experiment(architecture="lstm", settings=lx.Settings(sequence_length=9))


def key(job):
    return key_of(described(job))


def test_a_key_is_of_what_is_read_and_of_nothing_else():
    facts = described(TrainingJob(training=lx.Training(forget_bias=1)))
    assert facts == {"measure": "TrainingJob"} | dataclasses.asdict(lx.Training(forget_bias=1))
    assert key_of(facts) == key_of(dict(reversed(facts.items())))
    rnn, other = cells_of([lx.Training(architecture="rnn", forget_bias=bias) for bias in (0, 1)])
    assert rnn.key == other.key
    assert key(Flow(experiment=ONE)) == key(Flow(experiment=ONE.replace(update_bias=3.0)))


def test_whatever_differs_makes_another_key():
    csv = Experiment(architecture="lstm", settings=lx.Settings(input_kind="csv", input_size=2))
    tables = [dataclasses.replace(csv, table=OwnTable.of(np.full((4, 2), number))) for number in (0, 1)]
    jobs = [
        Flow(experiment=ONE), Flow(experiment=ONE, units=True), Flow(experiment=ONE.replace(seed=1)),
        Flow(experiment=dataclasses.replace(ONE, architecture="gru")),
        *(Flow(experiment=one) for one in (csv, *tables)),
        Map(experiment=ONE, gate="forget", biases=(0.0,)), Map(experiment=ONE, gate="input", biases=(0.0,)),
        Map(experiment=ONE, gate="forget", biases=(0.0, 1.0)), Required(experiment=ONE, lag=5, share=0.5),
        *(TrainingJob(training=lx.Training(seed=seed)) for seed in (0, 1)),
    ]  # fmt: skip
    assert len({key(job) for job in jobs}) == len(jobs)


def test_what_varies_is_what_differs():
    cells = cells_of([lx.Training(seed=1), lx.Training(seed=2, forget_bias=1)])
    assert [cell.varies for cell in cells] == [{"seed": 1, "forget_bias": 0.0}, {"seed": 2, "forget_bias": 1.0}]
    mixed = cells_of([lx.Training(), Flow(experiment=ONE)])
    assert [cell.varies["measure"] for cell in mixed] == ["TrainingJob", "Flow"]
    assert mixed[1].varies["task"] is None


def test_a_longer_cell_takes_longer():
    short, long = cells_of([lx.Training(steps=10), lx.Training(steps=1000)])
    assert long.seconds > 50 * short.seconds > 0


@pytest.mark.parametrize("wrong", [3, "lstm", lx.Settings(), Flow, None])
def test_what_is_no_job_is_refused(wrong):
    with pytest.raises(TypeError, match=r"jobs holds .*: expected a Grid, or a list of jobs"):
        cells_of([wrong])
