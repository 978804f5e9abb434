"""Named curves and closed forms: what is drawn is the curve's own numbers, as far as the axis shows them."""

import math
from dataclasses import replace

import numpy as np
import pytest

import lstm_explorer as lx
from lstm_explorer.core.gradients.summaries import Curve, summarise
from lstm_explorer.figures.axes import FlowAxes
from lstm_explorer.figures.curves import Series, TheoryLine, curve_trace, log_range, norm_title, series_of
from lstm_explorer.figures.theme import THEMES

LIGHT = THEMES["light"]


def curve(median, quantity="hidden", relative=True):
    log10 = np.asarray(median, dtype=float)
    steps = np.arange(len(log10))
    return Curve(quantity=quantity, steps=steps, median=log10, lower=log10, upper=log10, runs=1, relative=relative)


def one(median, **options):
    quantity, relative = options.pop("quantity", "hidden"), options.pop("relative", True)
    return Series(name="mine", network="gru", curve=curve(median, quantity, relative), **options)


def test_theory_falls_from_one_at_the_last_step_by_its_rate():
    line = TheoryLine(name="half", log10_rate=math.log10(0.5), about=("lstm", "cell_path"))
    np.testing.assert_allclose(10 ** line.log10_at(np.arange(5)), [1, 0.5, 0.25, 0.125, 0.0625])
    assert line.half_life == pytest.approx(1)
    assert TheoryLine(name="double", log10_rate=math.log10(2), about=("rnn", "hidden")).half_life == pytest.approx(-1)
    assert TheoryLine(name="level", log10_rate=0.0, about=("rnn", "hidden")).half_life == math.inf


def test_theory_of_a_closed_gate_is_one_at_the_last_step_and_zero_before():
    log10 = TheoryLine(name="shut", log10_rate=-math.inf, about=("lstm", "cell_path")).log10_at(np.arange(3))
    assert log10.tolist() == [0, -math.inf, -math.inf]


def test_theory_is_drawn_inside_the_axis_only():
    line = TheoryLine(name="tenth", log10_rate=-1.0, about=("rnn", "hidden"))
    trace = line.trace(9, (-4.5, 0.0), FlowAxes(), LIGHT)
    assert trace["x"].tolist() == [5, 6, 7, 8, 9]
    assert trace["y"].tolist() == [-4, -3, -2, -1, 0]
    assert line.trace(9, (-4.5, 0.0), FlowAxes(against="lag"), LIGHT)["x"].tolist() == [4, 3, 2, 1, 0]


def test_a_curve_has_its_network_s_colour_and_its_style_s_dash():
    assert curve_trace(one([0.0, -1.0]), FlowAxes(), LIGHT)["line"] == {"color": "#009E73", "width": 2.6}
    assert curve_trace(one([0.0], style="path"), FlowAxes(), LIGHT)["line"]["dash"] == "dot"


def test_pinned_curves_of_one_network_are_told_apart_without_colours_too():
    pins = [curve_trace(replace(one([0.0], style="ghost"), variant=at), FlowAxes(), LIGHT) for at in range(8)]
    assert len({(pin["line"]["dash"], pin["marker"]["symbol"]) for pin in pins}) == 8
    assert len({pin["marker"]["symbol"] for pin in pins}) == 8
    assert len({pin["line"]["color"] for pin in pins}) == 3


def test_labels_stand_at_the_step_that_reads_them():
    trace = curve_trace(one([-2.0, -1.0, 0.0], reads=("a", "b")), FlowAxes(), LIGHT)
    assert trace["text"] == ["", "a", "b"]  # step 0 reads nothing
    np.testing.assert_allclose(trace["customdata"][0], [1, -2])


def test_the_axis_shows_every_finite_number_and_never_less_than_three_decades():
    low, high = log_range([one([-np.inf, -40.0, 2.0, np.nan])])
    assert low < -40 < 2 < high
    low, high = log_range([one([-0.5, 0.0])])
    assert high - low == pytest.approx(3.3)
    assert log_range([one([-np.inf])]) == pytest.approx((-3.15, 0.15))


def test_the_axis_names_the_gradient_and_what_it_is_relative_to():
    assert norm_title([one([0.0])]) == "surviving share of ‖dL/dh<sub>t</sub>‖"
    assert norm_title([one([0.0]), one([0.0], quantity="cell")]) == "surviving share"
    both = [one([0.0], relative=False), one([0.0], quantity="cell_path", relative=False)]
    assert norm_title(both) == "gradient norm ‖dL/dh<sub>t</sub>‖, ‖dL/dc<sub>t</sub>‖"


@pytest.mark.parametrize(("name", "quantities"), [("lstm", ["hidden", "cell", "cell_path"]), ("gru", ["hidden"])])
def test_a_flow_has_a_curve_for_each_of_its_gradients(name, quantities):
    settings = lx.Settings(sequence_length=5, hidden_size=3)
    flow = lx.gradient_flow(lx.build_network(name, settings), lx.make_inputs(settings))
    series = series_of(flow)
    assert [each.curve.quantity for each in series] == quantities
    for each in series:
        np.testing.assert_array_equal(each.curve.median, summarise(flow, each.curve.quantity).median)
