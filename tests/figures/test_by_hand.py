"""The figure of a cell set by hand holds the numbers of the run, and its sentences are computed from them."""

import math

import numpy as np
import pytest

from lstm_explorer.core.by_hand import Phase, run_by_hand
from lstm_explorer.figures.by_hand import plot_by_hand
from lstm_explorer.figures.theme import THEMES


def run(*phases):
    return run_by_hand([Phase(until=u, input=i, forget=f, output=o, value=g) for u, i, f, o, g in phases])


WRITE, CLOSED = (1, 1, 0.5, 1, 1), (30, 1, 0, 1, -1)
LEAKY = run(WRITE, (29, 0, 0.98, 0.6, 0), (60, 0, 0.9, 1, 0))
CUT = run(WRITE, (29, 0, 0.98, 0.6, 0), CLOSED, (60, 0, 0.9, 1, 0))


def trace(figure, name):
    (found,) = [one for one in figure.data if one.name.startswith(name)]
    return found


def texts(figure):
    return [annotation.text for annotation in figure.layout.annotations]


@pytest.mark.parametrize("one", [LEAKY, CUT], ids=["leaky", "cut"])
def test_traces_are_the_numbers_of_the_run(one):
    figure = plot_by_hand(one)
    drawn = {"cell state": one.cell, "hidden state": one.hidden}
    drawn |= {"gradient": np.where(np.isfinite(one.log10_gradient), one.log10_gradient, np.nan)}
    for name, expected in drawn.items():
        np.testing.assert_array_equal(trace(figure, name).y, expected)
        np.testing.assert_array_equal(trace(figure, name).x, np.arange(61))


@pytest.mark.parametrize("gate", ["forget", "input", "output"])
def test_a_lane_draws_its_gate_over_the_step_that_it_makes(gate):
    lane = trace(plot_by_hand(CUT), f"{gate} gate")
    np.testing.assert_array_equal(lane.y[1:], getattr(CUT, gate))
    # vertical first: the number at step t is drawn from t - 1 to t, so it needs a point at step 0, which has no gate
    assert (lane.line.shape, lane.x[0], lane.y[0], lane.text[0]) == ("vh", 0, getattr(CUT, gate)[0], "–")


def test_lanes_and_panels_do_not_overlap_and_share_the_time_axis():
    layout = plot_by_hand(LEAKY).layout
    domains = sorted(axis.domain for axis in (layout.yaxis, layout.yaxis2, layout.yaxis3, layout.yaxis4, layout.yaxis5))
    edges = [edge for domain in domains for edge in domain]
    assert edges == sorted(edges)
    assert {one.xaxis for one in plot_by_hand(LEAKY).data} == {None}


def test_theory_is_the_power_of_the_last_forget_gate_and_drawn_over_the_curve():
    figure = plot_by_hand(LEAKY)
    theory = figure.data[-1]
    steps = np.asarray(theory.x)
    assert (theory.line.color, theory.line.dash, theory.yaxis) == (THEMES["light"].theory, "dash", "y5")
    np.testing.assert_allclose(theory.y, (60 - steps) * math.log10(0.9), rtol=1e-12)
    np.testing.assert_allclose(theory.y[steps >= 29], LEAKY.log10_gradient[29:], rtol=1e-12)
    assert "f = 0.9" in theory.name.replace("last f", "f")


def test_where_no_gradient_arrives_is_a_gap_with_a_shade_and_a_note():
    figure = plot_by_hand(CUT)
    assert np.isnan(trace(figure, "gradient").y[:30]).all()
    assert trace(figure, "gradient").connectgaps is False
    (shade,) = figure.layout.shapes
    assert (shade.x0, shade.x1) == (-0.5, 29.5)
    assert "exactly 0 before step 30 (f = 0)" in texts(figure)


def test_nothing_is_marked_where_every_gradient_arrives():
    assert not plot_by_hand(LEAKY).layout.shapes


@pytest.mark.parametrize(("forget", "edge"), [(0.9, "top"), (1.0, "bottom")])
def test_the_note_keeps_away_from_the_curve_and_from_grid_lines(forget, edge):
    figure = plot_by_hand(run((1, 1, 0, 1, 1), (100, 0, forget, 1, 0)))
    (note,) = [one for one in figure.layout.annotations if one.text.startswith("exactly 0")]
    assert note.yanchor == edge
    assert note.bgcolor  # else a grid line would run through it


def test_a_gradient_that_dies_at_once_is_still_a_point():
    gradient = trace(plot_by_hand(run((9, 1, 0, 1, 1))), "gradient")
    assert gradient.mode == "markers"
    assert gradient.y[-1] == 0


def test_every_stretch_with_room_shows_its_gate():
    shown = texts(plot_by_hand(CUT))
    # forget 0.98 and 0.9, input 0 twice, output 0.6; not the single steps 1 and 30, where output 1 runs on to the end
    assert sorted(text for text in shown if text[0].isdigit()) == ["0", "0", "0.6", "0.9", "0.98", "1"]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_colours_are_those_of_the_theme(theme):
    figure, look = plot_by_hand(LEAKY, theme=theme), THEMES[theme]
    assert trace(figure, "cell state").line.color == look.networks["lstm"]
    assert trace(figure, "hidden state").line.color == look.text
    assert [trace(figure, f"{gate} gate").line.color for gate in ("forget", "input", "output")] == [
        look.gates[gate] for gate in ("forget", "input", "output")
    ]


def test_axes_say_what_they_show():
    layout = plot_by_hand(LEAKY).layout
    assert layout.yaxis.title.text == "state c<sub>t</sub>, h<sub>t</sub>"
    assert layout.yaxis5.title.text == "gradient dc<sub>60</sub>/dc<sub>t</sub>"
    assert layout.xaxis.title.text == "step t (◀ gradient)"
    assert layout.yaxis5.ticktext[-1] == "1"


@pytest.mark.parametrize("forget", [1e-3, 0.5, 1.0])
def test_gradient_axis_shows_every_number_and_never_less_than_three_decades(forget):
    one = run((1, 1, 1, 1, 1), (2000, 0, forget, 1, 0))
    low, high = plot_by_hand(one).layout.yaxis5.range
    assert low < min(one.log10_gradient[0], -3)
    assert high > 0


def test_a_short_run_has_whole_steps_on_its_axis():
    assert plot_by_hand(run(WRITE)).layout.xaxis.dtick == 1


def test_hovering_is_scientific():
    figure = plot_by_hand(run((1, 1, 1, 1, -1), (100, 0, 0.5, 0.3, 0)))
    mantissa, exponent = trace(figure, "gradient").customdata[1]
    assert mantissa * 10.0**exponent == pytest.approx(0.5**99, rel=1e-6, abs=0)
    assert trace(figure, "cell state").text[100] == "−1.58×10⁻³⁰"
    assert trace(figure, "input gate").text[1] == "1, writes i × g = −1"


def test_one_step_is_enough():
    figure = plot_by_hand(run(WRITE))
    assert list(trace(figure, "cell state").y) == [0, 1]
    assert list(trace(figure, "forget gate").x) == [0, 1]


def test_long_run_sends_little():
    assert len(plot_by_hand(run((1000, 1, 0.99, 1, 1), (2000, 0, 0.999, 1, 0))).to_json()) < 400_000
