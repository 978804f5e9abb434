"""The map holds the exponents, its edge is where they are 0, and theory's lies beside it."""

import math

import numpy as np
import pytest
import torch

from lstm_explorer.core.jacobians.phase_maps import PhaseMap
from lstm_explorer.figures import plot_phase_map

ROWS, COLUMNS = (0.0, 1.0, 2.0), (0.5, 1.0)
EXPONENTS = torch.tensor([[-1.0, -0.5], [0.0, math.nan], [1.0, -math.inf]], dtype=torch.float64)


def phase_map(edge=None, architecture="rnn", axes=("recurrent_gain", "input_scale")):
    return PhaseMap(
        architecture=architecture, axes=axes, positions=(ROWS, COLUMNS), exponents=EXPONENTS[..., None, None], edge=edge
    )


def named(figure):
    return {trace.name: trace for trace in figure.data if trace.name}


def test_pointing_says_the_exponent_and_what_it_means():
    (pointed,) = [trace for trace in plot_phase_map(phase_map()).data if trace.type == "heatmap"]
    assert np.array_equal(pointed.z, EXPONENTS.numpy(), equal_nan=True)
    assert (list(pointed.y), list(pointed.x)) == (list(ROWS), list(COLUMNS))
    assert pointed.customdata[1][0] == "it stays as it is"
    assert pointed.customdata[2][1] == "nothing is left"
    assert pointed.customdata[1][1] == ""


def test_the_contours_lie_at_their_exponents():
    contours = {trace.name: trace for trace in plot_phase_map(phase_map()).data if trace.type == "contour"}
    levels = {name: trace.contours.start for name, trace in contours.items()}
    assert levels == {
        "the edge: exponent 0": 0.0,
        "a tenth is left after 10 steps": pytest.approx(-math.log(10) / 10),
        "a tenth is left after 100 steps": pytest.approx(-math.log(10) / 100),
    }


def test_theory_and_the_readers_own_place_are_marked():
    edge = np.array([[1.0, 0.6], [1.5, 0.9]])
    traces = named(plot_phase_map(phase_map(edge), at=(2.0, 0.5)))
    theory, own = traces["theory, mean field: the edge"], traces["your settings"]
    assert np.allclose(np.stack([theory.y, theory.x], axis=1), edge)
    assert theory.line.dash == "dash"
    assert (own.y[0], own.x[0]) == (2.0, 0.5)
    assert "theory, mean field: the edge" not in named(plot_phase_map(phase_map(np.empty((0, 2)))))


def test_axes_are_called_what_they_are():
    layout = plot_phase_map(phase_map()).layout
    assert (layout.yaxis.title.text, layout.xaxis.title.text) == ("gain on weight_hh", "input scale")
    gated = phase_map(architecture="gru", axes=("update_bias", "recurrent_gain"))
    assert "update gate z" in plot_phase_map(gated).layout.yaxis.title.text
    assert plot_phase_map(gated, added=True).layout.yaxis.title.text == "added to the bias of the update gate z"
