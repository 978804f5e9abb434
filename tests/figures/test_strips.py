"""A strip holds the numbers of its curve: one level per cell, the network's colour where all arrives."""

import numpy as np
import pytest

from lstm_explorer.core.gradients.summaries import Curve
from lstm_explorer.figures.curves import Series
from lstm_explorer.figures.strips import level_of, strip_gaps, strip_name, strip_traces
from lstm_explorer.figures.theme import THEMES

LIGHT = THEMES["light"]
SPAN = (1.0, 2.0)


def series(log10, network="rnn"):
    median = np.asarray(log10, dtype=float)
    steps = np.arange(len(median))
    curve = Curve(quantity="hidden", steps=steps, median=median, lower=median, upper=median, runs=1, relative=True)
    return Series(name=network, network=network, curve=curve)


def colours(one):
    """Return the colour of every step; None where the strip is blank."""
    found = dict.fromkeys(one.curve.steps.tolist())
    for trace in strip_traces(one, SPAN, LIGHT):
        corners = [x for x in trace["x"] if x is not None]
        for left, right in zip(corners[::4], corners[1::4], strict=True):
            for step in range(round(left + 0.5), round(right + 0.5)):
                assert found[step] is None  # no step has two colours
                found[step] = trace["fillcolor"]
    return list(found.values())


def brightness(colour):
    return sum(int(colour[i : i + 2], 16) for i in (1, 3, 5)) if colour else 3 * 256


def test_every_step_has_the_level_of_its_ratio():
    edges = [-9.0, -8.0, -7.6, -0.51, -0.5, -0.1, 0.0, 1e-9, 0.5, 1.5, 99.0, -np.inf, np.nan]
    assert level_of(np.array(edges)).tolist() == [-1, 0, 0, 14, 15, 15, 15, 15, 16, 17, 19, -1, -1]


def test_a_cell_fades_as_the_gradient_does_and_is_blank_below_the_smallest():
    one = series(np.linspace(-12, 0, 121))
    shades = [brightness(colour) for colour in colours(one)]
    assert shades == sorted(shades, reverse=True)
    assert len(set(shades)) == 17
    assert [colour is None for colour in colours(one)] == (one.curve.median < -8).tolist()


def test_a_cell_turns_to_another_colour_where_more_arrives_than_left():
    grown, full = colours(series([3.0, 1.5, 0.2, 0.0], "lstm"))[:3], colours(series([0.0, 0.0], "lstm"))[0]
    assert len({*grown, full}) == 4
    assert brightness(grown[0]) < brightness(full)


def test_only_levels_move_so_that_every_strip_has_the_same_traces():
    assert len(strip_traces(series([0.0, 0.0]), SPAN, LIGHT)) == len(strip_traces(series([-9.0, 0.0]), SPAN, LIGHT))


@pytest.mark.parametrize(("last", "count"), [(2, 2), (129, 129), (130, 0)])
def test_cells_are_parted_where_there_is_room(last, count):
    assert np.isnan(strip_gaps(last, [SPAN], LIGHT)["x"]).sum() == count + 1


def test_beside_the_strip_stands_how_much_arrives():
    assert strip_name(series([-1.0, 0.0]), SPAN, LIGHT)["text"] == ["<b>RNN</b><br>10%"]
