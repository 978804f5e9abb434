"""The exhibits of one network's gradient by path and of its weights: what they say is what is known of it."""

import math

import numpy as np
import pytest

import lstm_explorer as lx
from lstm_explorer.exhibits import paths as path_exhibits
from lstm_explorer.exhibits.biases_view import BiasesView
from lstm_explorer.figures.paths import by_lag, crossover_lag, factors
from lstm_explorer.figures.weights import plot_contributions, plot_weight_gradients
from lstm_explorer.runs.direct import DirectRunner
from lstm_explorer.ui.biases import PUZZLE

RUNNER = DirectRunner()


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


def test_the_keras_puzzle_first_sigma_of_one_then_the_other_path():
    flows = lx.path_flows(lx.Settings(**PUZZLE))
    total, alone = factors(flows.total), factors(flows.cell_alone)
    assert total[0] == pytest.approx(sigmoid(1), abs=0.02)  # the issue: 0.735
    assert np.median(total[len(total) // 2 : -1]) == pytest.approx(0.85, abs=0.02)  # the issue: 0.85
    np.testing.assert_allclose(alone, sigmoid(1), atol=0.02)
    lag = crossover_lag(flows)
    ratio = by_lag(flows.total) - by_lag(flows.cell_alone)
    assert ratio[lag] > math.log10(2) >= ratio[:lag].max()
    assert f"From {lag} steps back on" in path_exhibits.rates(RUNNER, lx.Settings(**PUZZLE), BiasesView()).summary


def test_weights_look_fine_while_states_do_not():
    exhibit = path_exhibits.weights(RUNNER, lx.Settings(sequence_length=200), BiasesView(weights_of="rnn"))
    table = exhibit.numbers().groupby(["quantity", "length"])["log10_norm"].max()
    assert table["hidden"].iloc[-1] - table["hidden"].iloc[0] < -40
    assert abs(table["weight_hh"].iloc[-1] - table["weight_hh"].iloc[0]) < 1.5
    assert len(exhibit.draw("light").data) == 2  # one block of weights, and the states
    found = lx.step_contributions(lx.Settings(sequence_length=9), architecture="gru")
    assert [trace.name for trace in plot_contributions(found).data] == ["reset gate r", "update gate z", "candidate n"]
    assert len(plot_weight_gradients(lx.weight_gradients(lx.Settings(), lengths=(3, 9)), theme="dark").data) == 5
