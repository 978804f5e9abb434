"""The journey: its frames run from the loss to step 0, its slider exchanges a network's curves, and it costs little."""

import numpy as np
import pytest

import lstm_explorer as lx
from lstm_explorer.core.gradients.summaries import summarise
from lstm_explorer.figures.curves import Series, TheoryLine
from lstm_explorer.figures.formatting import percent
from lstm_explorer.figures.journey import Slider, Stop, plot_journey


def journey(steps=40, forget_bias=5.0):
    settings = lx.Settings(sequence_length=steps, forget_bias=forget_bias)
    rnn, lstm = (lx.seed_flows(settings, architecture=name) for name in ("rnn", "lstm"))
    strips = [
        Series(name="RNN", network="rnn", curve=summarise(rnn)),
        Series(name="LSTM", network="lstm", curve=summarise(lstm, "cell")),
    ]
    return strips, plot_journey(strips)


def height(figure, log10):
    """Return where a norm lies, as a share of the plot's height: the axis of the strips."""
    low, top = figure.layout.yaxis.range
    assert figure.layout.yaxis2.overlaying == "y"
    assert tuple(figure.layout.yaxis2.range) == (0, 1)
    return (log10 - low) / (top - low)


def test_strips_lie_above_the_curves():
    strips, figure = journey(100)
    bases = sorted((shape.y0, shape.y1) for shape in figure.layout.shapes)
    assert bases[-1][1] == 1
    assert height(figure, max(one.curve.median.max() for one in strips)) < bases[0][0]
    assert all((shape.x0, shape.x1, shape.yref) == (-0.5, 100.5, "y2") for shape in figure.layout.shapes)
    assert figure.layout.yaxis.fixedrange  # zooming along it would part the strips from the curves
    assert figure.layout.yaxis2.fixedrange


def test_play_runs_from_the_loss_to_step_zero():
    _, figure = journey(2000)
    names = [int(frame.name) for frame in figure.frames]
    assert (names[0], names[-1]) == (2000, 0)
    assert names == sorted(names, reverse=True)
    assert len(names) <= 200
    curtain, front = figure.frames[10].data
    assert list(front.x) == [names[10]] * 2
    assert curtain.x[1] == names[10] - 0.5
    assert min(curtain.y) < 0 < 1 < max(curtain.y)  # on the edges it would not be drawn
    assert figure.layout.updatemenus[0].buttons[0].args[0] == figure.frames[10].group


def test_frames_move_the_curtain_and_the_front_and_nothing_else():
    _, figure = journey()
    assert {figure.data[index].name for index in figure.frames[0].traces} == {"curtain", "front"}


def slid(steps=40, at=1):
    """Return a figure with a slider over three biases, and what it should show at each."""
    biases = (0.0, 2.5, 5.0)
    strips, _ = journey(steps, biases[at])
    stops = []
    for bias in biases:
        flow = lx.seed_flows(lx.Settings(sequence_length=steps, forget_bias=bias), architecture="lstm")
        alone = Series(name="alone", network="lstm", curve=summarise(flow, "cell_path"), style="path")
        line = TheoryLine(name="theory", log10_rate=-0.1 * bias, about=("lstm", "cell_path"))
        own = Series(name="LSTM", network="lstm", curve=summarise(flow, "cell"))
        stops.append(Stop(label=f"{bias:g}", strip=own, beside=[alone], theory=[line]))
    every = np.concatenate([one.curve.median for stop in stops for one in (stop.strip, *stop.beside)])
    labels = tuple(stop.label for stop in stops)
    slider = Slider(title="bias", labels=labels, at=at, span=(every.min(), every.max()), stops=lambda: stops)
    beside, theory = stops[at].beside, (*_OF_RNN, *stops[at].theory)
    return stops, plot_journey(strips, beside=beside, theory=theory, slider=slider)


_OF_RNN = (TheoryLine(name="rnn's", log10_rate=-0.3, about=("rnn", "hidden")),)


@pytest.mark.parametrize("steps", [40, 500])
def test_the_slider_puts_every_curve_of_one_network_in_place_of_its_own(steps):
    stops, figure = slid(steps)
    assert figure.layout.sliders[0].active == 1
    for stop, step in zip(stops, figure.layout.sliders[0].steps, strict=True):
        (frame,) = [one for one in figure.frames if one.name == step.args[0][0]]
        moved = dict(zip(frame.traces, frame.data, strict=True))
        changed = {figure.data[index].name: trace for index, trace in moved.items()}
        for one in (stop.strip, *stop.beside):
            y = np.array(changed[one.name].y)
            x = np.array(changed[one.name].x if steps > 100 else one.curve.steps)
            assert len(x) <= 101
            assert x[-1] == steps
            np.testing.assert_allclose(y, one.curve.median[x], atol=6e-3)
        assert changed["theory"].y[0] == pytest.approx(
            stop.theory[0].log10_rate * (steps - changed["theory"].x[0]), abs=0.02
        )
        assert changed["strip name"].text[0].endswith(percent(stop.strip.curve.log10_ratio))
        assert {figure.data[index].name for index in moved} == {"strip", "theory", "alone", "LSTM", "strip name"}


def test_the_axis_has_room_for_every_position_of_the_slider():
    stops, figure = slid(100)
    low, _top = figure.layout.yaxis.range
    medians = [one.strip.curve.median for one in stops]
    assert low < min(median.min() for median in medians)
    highest = max(median.max() for median in medians)
    assert min(shape.y0 for shape in figure.layout.shapes) > height(figure, highest)


def test_every_frame_touches_both_axes_as_plotly_takes_away_what_is_on_one_that_it_does_not():
    for figure in (slid()[1], journey()[1]):
        for frame in figure.frames:
            assert {figure.data[index].yaxis for index in frame.traces} == {None, "y2"}


def test_a_move_of_a_slider_sends_little():
    # 2001 steps of two curves as numbers, not fifty copies of them
    assert len(journey(2000)[1].to_json()) < 300_000


def test_two_steps_are_enough():
    assert [frame.name for frame in journey(2)[1].frames] == ["2", "1", "0"]


def test_nothing_to_draw_is_refused():
    with pytest.raises(ValueError, match="at least one strip"):
        plot_journey([])
