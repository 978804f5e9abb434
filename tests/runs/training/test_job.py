"""A training run as a job: done in pieces it is the run at once."""

from __future__ import annotations

import pytest
import torch

import lstm_explorer as lx
from lstm_explorer.runs.direct import DirectRunner
from lstm_explorer.runs.experiment import OwnTable
from lstm_explorer.runs.training.job import TrainingJob
from tests.runs.training.test_files import assert_same

SMALL = dict(sequence_length=6, hidden_size=4, batch_size=3, steps=8, measurements=4, samples=2)


@pytest.mark.parametrize("architecture", ["rnn", "lstm"])
def test_pieces_are_the_run_at_once(architecture, monkeypatch):
    job = TrainingJob(training=lx.Training(architecture=architecture, **SMALL))
    seen = []
    runner = DirectRunner(on_progress=lambda job, done, total: seen.append((job.unit, done, total)))
    monkeypatch.setattr("lstm_explorer.runs.direct._WORK_BETWEEN_REPORTS", 3.5 * job.work)
    run, whole = runner.run(job), lx.train(job.training)
    assert seen == [("steps", 0, 8), ("steps", 3, 8), ("steps", 6, 8)]
    assert_same(run, whole)
    for name, tensor in whole.model.state_dict().items():
        assert torch.equal(run.model.state_dict()[name], tensor)
    assert sum(values.size for values in (run.loss, run.gradient_norm, run.log10_hidden)) < job.result_numbers


def test_equal_jobs_are_equal_and_say_what_is_trained():
    training = lx.Training(hidden_size=5)
    job = TrainingJob(training=training, table=OwnTable.of([[1.0]]))
    assert job == TrainingJob(training=training)
    assert job.experiment.settings.hidden_size == 5
    assert job.experiment.settings.input_size == 2
    assert job.work > TrainingJob(training=training.replace(sequence_length=10)).work
