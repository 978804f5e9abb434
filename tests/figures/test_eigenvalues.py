"""Rings are the weights' eigenvalues, points the steps', and the circles have their radii."""

import numpy as np
import pytest
import torch
from torch import nn

import lstm_explorer as lx
from lstm_explorer.figures import plot_eigenvalues


def found(name, **sizes):
    torch.manual_seed(0)
    return lx.jacobian_eigenvalues(getattr(nn, name)(2, 4, **sizes), torch.randn(9, 2, 2))


def complex_of(trace):
    return np.asarray(trace.x) + 1j * np.asarray(trace.y)


def test_the_plain_rnn_has_one_ring_and_the_circle_of_its_largest_singular_value():
    eigenvalues = found("RNN")
    unit, largest, points, rings = plot_eigenvalues(eigenvalues, sample=1).data
    assert np.allclose(np.abs(complex_of(unit)), 1.0)
    assert np.allclose(np.abs(complex_of(largest)), float(eigenvalues.largest_singular_values["hidden"]))
    assert np.allclose(complex_of(points), eigenvalues.jacobians[:, 1].numpy().ravel())
    assert np.array_equal(points.marker.color, np.repeat(np.arange(1, 10), 4))
    assert np.allclose(complex_of(rings), eigenvalues.weight_hh["hidden"])


def test_gates_have_rings_in_their_own_colours():
    eigenvalues = found("LSTM", bidirectional=True)
    figure = plot_eigenvalues(eigenvalues, theme="dark")
    rings = [trace for trace in figure.data if trace.marker.symbol == "circle-open"]
    assert [trace.name for trace in rings] == [
        "weight_hh, input gate i", "weight_hh, forget gate f", "weight_hh, candidate g", "weight_hh, output gate o",
    ]  # fmt: skip
    assert len({trace.marker.color for trace in rings}) == 4
    assert np.allclose(complex_of(rings[1]), eigenvalues.weight_hh["forget"][0])
    assert not any("singular" in trace.name for trace in figure.data)


def test_both_axes_have_one_scale_and_show_all():
    layout = plot_eigenvalues(found("GRU")).layout
    assert layout.yaxis.scaleanchor == "x"
    assert layout.xaxis.range == layout.yaxis.range
    assert layout.xaxis.range[1] > 1


def test_a_large_cloud_is_thinned_by_whole_steps():
    rnn = nn.RNN(1, 16)
    points = plot_eigenvalues(lx.jacobian_eigenvalues(rnn, torch.randn(900, 1, 1))).data[2]
    steps, counts = np.unique(points.marker.color, return_counts=True)
    assert len(points.x) <= 6000
    assert (counts == 16).all()
    assert steps[-1] == 900


def test_a_sample_that_is_not_there_is_refused():
    with pytest.raises(ValueError, match="sample is 2: expected 0 to 1"):
        plot_eigenvalues(found("RNN"), sample=2)
