"""The spectra are drawn as they are, and say what they mean in steps."""

import math

import numpy as np
import pytest
import torch

from lstm_explorer.figures import plot_lyapunov_exponents
from lstm_explorer.figures.exponents import exponents_table

EXPONENTS = {"rnn": torch.tensor([-0.5, -1.0]), "lstm": torch.tensor([0.1, 0.0, -math.log(10), -math.inf])}


def test_each_network_has_its_own_line_from_the_best_kept_direction_on():
    rnn, lstm = plot_lyapunov_exponents(EXPONENTS).data
    assert (rnn.name, lstm.name) == ("RNN", "LSTM")
    assert np.allclose(rnn.x, [25, 75])
    assert np.allclose(rnn.y, [-0.5, -1.0])
    assert np.isnan(lstm.y[3])
    assert list(lstm.customdata) == [
        "ten times as much after 23 steps", "it stays as it is", "a tenth is left after 1.0 steps", "nothing is left",
    ]  # fmt: skip


def test_what_is_not_on_the_axis_is_counted():
    figure = plot_lyapunov_exponents({"rnn": torch.tensor([0.0, -1.0, -50.0]), "lstm": EXPONENTS["lstm"]})
    assert any(note.text == "directions below the axis: 2" for note in figure.layout.annotations)
    assert not any(
        "below the axis" in note.text for note in plot_lyapunov_exponents({"rnn": EXPONENTS["rnn"]}).layout.annotations
    )


def test_the_edge_is_a_line_at_zero():
    figure = plot_lyapunov_exponents(EXPONENTS)
    assert [shape.y0 for shape in figure.layout.shapes] == [0.0]
    low, high = figure.layout.yaxis.range
    assert low < -math.log(10) < 0.1 < high


@pytest.mark.parametrize(
    ("exponents", "message"),
    [
        ({}, "nothing to draw"),
        ({"rnn": torch.zeros(2, 3)}, r"have shape \(2, 3\): expected \(S,\)"),
        ({"elman": torch.zeros(2)}, "architecture is 'elman'"),
    ],
)
def test_what_cannot_be_drawn_is_said(exponents, message):
    with pytest.raises(ValueError, match=message):
        plot_lyapunov_exponents(exponents)


def test_the_table_has_a_row_for_each_direction():
    table = exponents_table(EXPONENTS)
    assert table["architecture"].tolist() == ["rnn"] * 2 + ["lstm"] * 4
    assert table["rank"].tolist() == [1, 2, 1, 2, 3, 4]
    assert np.allclose(table["exponent"][:3], [-0.5, -1.0, 0.1])
