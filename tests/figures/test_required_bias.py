"""The figure of the required bias: closed form and measurement over the bias, with their answers on the level."""

import math
from dataclasses import replace

import numpy as np
import pytest

import lstm_explorer as lx
from lstm_explorer.figures.required_bias import plot_required_bias
from lstm_explorer.figures.theme import THEMES

SETTINGS = lx.Settings(sequence_length=20, hidden_size=6)
BIASES = tuple(np.arange(-4.0, 8.01, 0.5).tolist())


@pytest.mark.parametrize(("name", "gate", "state"), [("lstm", "forget", "cell"), ("gru", "update", "hidden")])
def test_both_curves_are_drawn_with_their_answers(name, gate, state):
    need = lx.required_bias(SETTINGS, lag=15, share=0.2, architecture=name)
    measured = lx.bias_map(SETTINGS, gate=gate, biases=BIASES, architecture=name)
    figure = plot_required_bias(need, measured, settings=SETTINGS)
    closed, total, *answers, chrono = figure.data
    sigma = 1 / (1 + np.exp(-np.array(BIASES)))
    np.testing.assert_allclose(closed.y, 15 * np.log10(sigma), rtol=1e-12)
    norms = getattr(measured, f"log10_{state}")[:, 0, :, 0].double().numpy()
    np.testing.assert_allclose(total.y, norms[:, 5] - norms[:, 20], rtol=1e-6)
    assert total.line.color == THEMES["light"].networks[name]
    formula, by_seed = answers
    assert (formula.x[0], by_seed.x) == (need.closed_form, tuple(sorted(need.each_seed)))
    assert {*formula.y, *by_seed.y} == {math.log10(0.2)}
    assert figure.layout.shapes[0].y0 == pytest.approx(math.log10(0.2))
    assert list(chrono.x) == [pytest.approx(bias) for bias in need.chrono]
    assert max(chrono.x) == pytest.approx(math.log(14))  # chrono's longest memory, 15 steps


def test_where_no_bias_suffices_none_is_marked():
    need = lx.required_bias(SETTINGS.replace(input_bias=5.0), lag=20, share=0.9, architecture="minlstm")
    measured = lx.bias_map(SETTINGS.replace(input_bias=5.0), biases=BIASES, architecture="minlstm")
    assert need.closed_form == math.inf
    figure = plot_required_bias(need, measured, settings=SETTINGS.replace(input_bias=5.0))
    assert not [trace.name for trace in figure.data if trace.name.startswith("formula")]


def test_every_range_that_explodes_is_shaded_and_nothing_between():
    need = lx.required_bias(SETTINGS, lag=15, share=0.2)
    measured = lx.bias_map(SETTINGS, biases=BIASES)
    rises = measured.log10_cell.clone()
    rises[:] = 0.0
    rises[[2, 3, 7, 8, 9], :, 5] = 2.0  # a hundred times, 15 steps back, at these biases only
    figure = plot_required_bias(need, replace(measured, log10_cell=rises), settings=SETTINGS)
    shaded = [(shape.x0, shape.x1) for shape in figure.layout.shapes if shape.type == "rect"]
    assert shaded == [(BIASES[2], BIASES[3]), (BIASES[7], BIASES[9])]
    assert [bool(shape.label.text) for shape in figure.layout.shapes if shape.type == "rect"] == [False, True]
