"""Plain line charts: the lines' own numbers, gaps where there is none, and an axis that shows them."""

import numpy as np
import pytest

from lstm_explorer.figures.lines import Line, plot_lines


def line(y, name="one"):
    return Line(name=name, x=np.arange(len(y)), y=np.asarray(y, dtype=float), colour="#123456")


def chart(*lines, **options):
    return plot_lines(lines, x_title="x (steps)", y_title="norm", theme="light", **options)


def test_lines_are_drawn_as_they_are_and_zeros_are_gaps():
    drawn = chart(line([-3.0, -np.inf, 0.5, 0.0]), line([1.0] * 4, "two"))
    np.testing.assert_array_equal(drawn.data[0].y, [-3.0, np.nan, 0.5, 0.0])
    assert drawn.data[0].connectgaps is False
    assert [trace.name for trace in drawn.data] == ["one", "two"]
    assert (drawn.layout.xaxis.title.text, drawn.layout.yaxis.title.text) == ("x (steps)", "norm")


def test_few_points_are_marked():
    assert chart(line([0.0] * 3)).data[0].mode == "lines+markers"
    assert chart(line([0.0] * 4)).data[0].mode == "lines"


def test_the_axis_shows_all_numbers_down_to_its_lower_limit():
    low, high = chart(line([-100.0, 2.0])).layout.yaxis.range
    assert low < -100 < 2 < high
    low, high = chart(line([-100.0, 2.0]), lowest=-40.0).layout.yaxis.range
    assert -43 < low < -40
    low, high = chart(line([-100.0, -90.0]), lowest=-40.0).layout.yaxis.range
    assert low < -90 < high  # the limit never hides every line


def test_a_logarithmic_axis_has_powers_of_ten():
    assert chart(line([-4.0, 0.0])).layout.yaxis.ticktext[-1] == "1"
    assert chart(line([-4.0, 0.0]), log=False).layout.yaxis.ticktext is None
    assert chart(line([-np.inf])).layout.yaxis.range == (-1.0, 1.0)


def test_no_line_is_refused():
    with pytest.raises(ValueError, match="nothing to draw: expected at least one line"):
        chart()
