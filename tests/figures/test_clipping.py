"""What is drawn of clipping and truncation equals the numbers that went in; marks stand where the floats run out."""

from dataclasses import replace

import numpy as np
import pytest

import lstm_explorer as lx
from lstm_explorer.figures import Series, plot_clipping, plot_truncation
from lstm_explorer.figures.theme import THEMES

SETTINGS = lx.Settings(sequence_length=12, hidden_size=4, recurrent_gain=3.0)


def measured(settings=SETTINGS, **options):
    network, inputs = lx.build_network("rnn", settings), lx.make_inputs(settings)
    return lx.clipped_gradient(network, inputs, **options), lx.plain_backward(network, inputs)


def texts(figure):
    return [one.text for one in figure.layout.annotations]


@pytest.mark.parametrize("theme", THEMES)
def test_what_every_step_adds_is_drawn_over_its_lag_before_and_after(theme):
    found, backward = measured(clipping="value", clip_at=0.1)
    before, after = plot_clipping(found, backward, theme=theme).data
    np.testing.assert_allclose(before.y, found.log10_steps_before[0])
    np.testing.assert_allclose(after.y, found.log10_steps_after[0])
    assert list(before.x) == list(after.x) == list(range(11, -1, -1))
    assert (before.line.color, before.line.dash, after.line.dash) == (THEMES[theme].networks["rnn"], "solid", "dot")
    assert texts(plot_clipping(found, backward)) == []  # nothing ends near here


@pytest.mark.parametrize(
    ("changes", "at", "label", "line"),
    [
        ({"recurrent_gain": 8.0, "sequence_length": 300}, "overflows_at", "inf or NaN", "largest number of float32"),
        ({"sequence_length": 300}, "dies_at", "exactly 0", "smallest normal number of float32"),
    ],
)
def test_a_cross_marks_where_the_floats_run_out_and_lines_their_range(changes, at, label, line):
    found, backward = measured(SETTINGS.replace(hidden_size=32, **{"recurrent_gain": 1.0, **changes}))
    figure = plot_clipping(found, backward)
    cross = figure.data[2]
    step = getattr(backward, at)
    assert list(cross.x) == [300 - step]
    assert cross.y[0] == pytest.approx(found.log10_steps_before[0, step - 1].item())
    assert cross.name == f"float32: {label} from here on"
    assert line in texts(figure)
    numbers = np.finfo(np.float32)
    level = np.log10(float(numbers.max if at == "overflows_at" else numbers.tiny))
    assert any(shape.y0 == pytest.approx(level) for shape in figure.layout.shapes)


def test_what_dies_at_the_initial_state_is_marked_on_the_axis():
    found, backward = measured()
    cross = plot_clipping(found, replace(backward, dies_at=0)).data[2]
    assert (list(cross.x), cross.y[0]) == ([12], pytest.approx(found.log10_steps_before[0, 0].item()))


@pytest.mark.parametrize(("truncation", "lines"), [(5, [5]), (0, []), (13, [])])
def test_a_line_stands_where_the_states_are_detached(truncation, lines):
    network, inputs = lx.build_network("gru", SETTINGS), lx.make_inputs(SETTINGS)
    whole = Series(name="whole", network="gru", curve=lx.summarise(lx.gradient_flow(network, inputs)))
    cut = lx.summarise(lx.truncated_flow(network, inputs, truncation=truncation))
    figure = plot_truncation(
        [whole, Series(name="cut", network="gru", curve=cut, style="ghost")], truncation=truncation
    )
    assert [shape.x0 for shape in figure.layout.shapes if shape.x0 == shape.x1] == lines
    drawn = dict(zip(figure.data[1].x, figure.data[1].y, strict=True))
    assert {lag for lag, height in drawn.items() if np.isfinite(height)} == set(range(lines[0] if lines else 13))
    np.testing.assert_allclose(figure.data[0].y, whole.curve.median)
