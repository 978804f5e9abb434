"""Curves in a few numbers, against hand-made flows."""

import math

import pytest
import torch

import lstm_explorer as lx
from lstm_explorer.core.gradients.result import GradientFlow
from lstm_explorer.core.gradients.summaries import summarise


def flow(rows, **others):
    """Return a flow of replicas with these log10 curves, one layer, one sample."""
    hidden = torch.tensor(rows, dtype=torch.float64)[:, None, :, None]
    fields = {"log10_cell": None, "log10_cell_path": None, "log10_inputs": hidden[:, 0, 1:]} | others
    return GradientFlow(architecture="rnn", log10_hidden=hidden, **fields)


def test_median_and_quartiles_are_over_replicas():
    curve = summarise(flow([[-5.0, 0.0], [-1.0, 0.0], [-3.0, 0.0], [-2.0, 0.0], [-4.0, 0.0]]))
    assert (curve.lower[0], curve.median[0], curve.upper[0]) == (-4.0, -3.0, -2.0)
    assert curve.runs == 5


def test_relative_divides_every_run_by_its_own_last_value():
    curve = summarise(flow([[-5.0, 2.0], [-5.0, 2.0], [-9.0, -2.0]]))
    assert list(curve.median) == [-7.0, 0.0]
    assert list(summarise(flow([[-5.0, 2.0]]), relative=False).median) == [-5.0, 2.0]


@pytest.mark.parametrize(
    ("ratio", "verdict"),
    [
        (-2.1, "vanishes"),
        (-1.9, "survives"),
        (0.0, "survives"),
        (0.9, "survives"),
        (1.1, "explodes"),
        (-math.inf, "vanishes"),
    ],
)
def test_verdict_has_its_thresholds_at_one_percent_and_ten_times(ratio, verdict):
    assert summarise(flow([[ratio, 0.0]])).verdict == verdict


def test_half_life_is_that_of_a_constant_factor():
    steps = 60
    for factor, expected in ((0.5, 1.0), (0.9, math.log(0.5) / math.log(0.9)), (2.0, -1.0)):
        curve = summarise(flow([[(steps - t) * math.log10(factor) for t in range(steps + 1)]]))
        assert curve.half_life == pytest.approx(expected)
    assert summarise(flow([[0.0, 0.0]])).half_life == math.inf
    assert summarise(flow([[-math.inf, 0.0]])).half_life == 0.0


@pytest.mark.parametrize(
    ("points", "steady", "turn"),
    [
        ([-4.0, -3.0, -2.0, -1.0, 0.0], True, None),
        ([-4.0, -3.5, -2.4, -1.0, 0.0], True, None),  # bends by an eighth of the fall
        ([-4.0, -4.0, -2.0, -1.0, 0.0], False, None),  # by a quarter
        ([-0.2, -0.15, -0.1, -0.05, 0.0], False, None),  # straight, but it has not halved once
        ([-0.4, -0.5, -1.2, -0.6, 0.0], False, 2),
        ([0.3, 0.9, 0.2, 0.1, 0.0], False, 1),
        ([-math.inf, -3.0, -2.0, -1.0, 0.0], False, None),
    ],
)
def test_a_half_life_is_for_a_curve_that_falls_at_one_rate(points, steady, turn):
    curve = summarise(flow([points]))
    assert (curve.steady, curve.turn) == (steady, turn)


def test_inputs_begin_at_step_one():
    curve = summarise(lx.seed_flows(lx.Settings(sequence_length=7), architecture="gru"), "inputs")
    assert list(curve.steps) == [1, 2, 3, 4, 5, 6, 7]


def test_what_a_flow_lacks_is_refused_by_name():
    rnn = lx.seed_flows(lx.Settings(sequence_length=5), architecture="rnn")
    with pytest.raises(ValueError, match="'cell': expected 'hidden' or 'inputs'; the RNN has no cell state"):
        summarise(rnn, "cell")
    with pytest.raises(ValueError, match="layer is 1: expected 0 to 0"):
        summarise(rnn, layer=1)
