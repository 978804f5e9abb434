"""The fan holds the singular values, and the gradient among them."""

import numpy as np
import pytest
import torch
from torch import nn

import lstm_explorer as lx
from lstm_explorer.figures import plot_jacobian_flow
from lstm_explorer.figures.curves import TheoryLine

torch.manual_seed(0)
GRU, INPUTS = nn.GRU(2, 5).double(), torch.randn(30, 2, 2, dtype=torch.float64)
FLOW = lx.jacobian_flow(GRU, INPUTS)


def named(figure):
    return {trace.name: trace for trace in figure.data}


def test_the_lines_are_the_singular_values_by_lag():
    traces = named(plot_jacobian_flow(FLOW, sample=1))
    by_lag = FLOW.log10_singular_values[:, 1].flip(0).numpy()
    for name, rank in (("the best kept direction", 0), ("the middle one", 2)):
        assert np.array_equal(traces[name].x, np.arange(31))
        assert np.allclose(traces[name].y, by_lag[:, rank])
    fan = np.asarray(traces["all directions"].y).reshape(5, 32)
    assert np.allclose(fan[:, :-1], by_lag.T)
    assert np.isnan(fan[:, -1]).all()
    gradient = FLOW.log10_gradient[:, 1].flip(0).numpy()
    assert np.allclose(traces["this loss’s gradient"].y, gradient - gradient[0])


def test_theory_is_dashed_and_stays_on_the_axis():
    line = TheoryLine(name="theory", log10_rate=-0.1, about=("gru", "hidden"))
    figure = plot_jacobian_flow(FLOW, theory=[line], theme="dark")
    assert named(figure)["theory"].line.dash == "dash"
    assert np.allclose(named(figure)["theory"].y, -0.1 * np.asarray(named(figure)["theory"].x))


def test_what_ends_below_the_axis_is_counted():
    lstm = lx.build_network("lstm", lx.Settings(hidden_size=8, forget_bias=3))
    flow = lx.jacobian_flow(lstm, lx.make_inputs(lx.Settings()))
    figure = plot_jacobian_flow(flow)
    low = figure.layout.yaxis.range[0]
    beneath = int((flow.log10_singular_values[0, 0] < low).sum())
    assert beneath
    assert any(f"{beneath} of 16 directions end below" in note.text for note in figure.layout.annotations)


def test_a_loss_that_puts_nothing_on_the_last_state_has_no_line():
    flow = lx.jacobian_flow(GRU, INPUTS, cotangent=torch.zeros(2, 5, dtype=torch.float64))
    assert "this loss’s gradient" not in named(plot_jacobian_flow(flow))
    assert "this loss’s gradient" not in named(plot_jacobian_flow(lx.jacobian_flow_of(torch.eye(3).expand(4, 1, 3, 3))))


def test_long_sequences_are_thinned_but_keep_their_ends():
    flow = lx.jacobian_flow(nn.RNN(1, 2), torch.randn(1001, 1, 1))
    best = named(plot_jacobian_flow(flow))["the best kept direction"]
    assert len(best.x) < 402
    assert (best.x[0], best.x[-1]) == (0, 1001)


def test_two_directions_and_samples_that_are_not_there():
    both = lx.jacobian_flow(nn.GRU(2, 3, bidirectional=True), INPUTS[:5].float())
    best = named(plot_jacobian_flow(both))["the best kept direction"]
    assert np.allclose(best.y, both.log10_singular_values[0, :, 0, 0].flip(0))
    with pytest.raises(ValueError, match="sample is 2: expected 0 to 1"):
        plot_jacobian_flow(FLOW, sample=2)
