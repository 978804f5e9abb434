"""What a cell comes to is what the core measures, as rows; an error is part of the answer."""

from __future__ import annotations

import pytest
import torch

import lstm_explorer as lx
from lstm_explorer.runs.experiment import Experiment
from lstm_explorer.runs.jacobians import Phases
from lstm_explorer.runs.measurements import Flow, Map, Theory
from lstm_explorer.runs.sweeps.cell import as_job
from lstm_explorer.runs.sweeps.measured import measured

SETTINGS = lx.Settings(sequence_length=12, hidden_size=4, num_seeds=3, forget_bias=1.5)
ONE = Experiment(architecture="lstm", settings=SETTINGS)


@pytest.mark.parametrize(("task", "lag"), [("adding", 12), ("copy", 20)])
def test_a_training_has_the_gradient_before_it_beside_its_outcome(task, lag):
    training = lx.Training(task=task, sequence_length=12, hidden_size=4, batch_size=3, steps=6, samples=2)
    run, found = lx.train(training), measured(as_job(training))
    assert [row["quantity"] for row in found.rows] == ["hidden", "cell", "cell_path"]
    first = len(run.log10_hidden[0]) - 1 - run.lag
    for row in found.rows:
        ratios = run.ratios(row["quantity"])
        assert (row["log10_share_before"], row["log10_share_after"]) == (ratios[0, first], ratios[-1, first])
        assert (row["score"], row["loss"]) == (run.final_score, run.loss.mean())
        assert (row["learnt_at"], row["lag"]) == (run.learnt_at, run.lag)
    assert found.seconds > 0
    assert found.error is None


def test_what_arrives_at_the_first_step():
    flow = lx.seed_flows(SETTINGS, architecture="lstm")
    rows = measured(Flow(experiment=ONE)).rows
    assert {row["quantity"]: row["log10_share"] for row in rows} == {
        name: pytest.approx(lx.summarise(flow, name).log10_ratio) for name in ("hidden", "cell", "cell_path")
    }
    assert {row["lag"] for row in rows} == {12}
    assert all(row["log10_share_lower"] <= row["log10_share"] <= row["log10_share_upper"] for row in rows)


def test_maps_are_one_row_a_point():
    rows = measured(Map(experiment=ONE, gate="forget", biases=(0.0, 2.0))).rows
    found = lx.bias_map(SETTINGS, biases=(0, 2))
    assert [(row["quantity"], row["forget_bias"]) for row in rows[:3]] == [("hidden", 0), ("hidden", 2), ("cell", 0)]
    assert [row["log10_share"] for row in rows[2:4]] == found.ratios("cell")[:, 0].tolist()
    across = ("recurrent_gain", (0.5, 1.5)), ("input_scale", (0.0, 1.0))
    rows = measured(Phases(experiment=ONE, rows=across[0], columns=across[1])).rows
    expected = lx.phase_map(SETTINGS.replace(num_seeds=1), across=dict(across), architecture="lstm").to_frame()
    assert [row["largest_exponent"] for row in rows] == expected["largest_exponent"].tolist()


@pytest.mark.parametrize(
    ("job", "message"),
    [
        (
            Map(experiment=Experiment(architecture="rnn", settings=SETTINGS), gate="forget", biases=(0.0,)),
            "expected one of 'lstm', 'gru'",
        ),
        (Theory(experiment=ONE), "TypeError: the job gives a list: expected one with a table"),
    ],
)
def test_an_error_is_part_of_the_answer(job, message):
    found = measured(job)
    assert found.rows == []
    assert message in found.error
    assert "\n" not in found.error


def test_one_thread():
    torch.set_num_threads(2)
    measured(Flow(experiment=ONE))
    assert torch.get_num_threads() == 1
