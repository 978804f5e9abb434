"""The journey: its strips hold the numbers of the curves, its frames run from the loss to step 0 and cost little."""

import base64
from xml.etree import ElementTree

import numpy as np
import pytest

import lstm_explorer as lx
from lstm_explorer.core.gradients.summaries import summarise
from lstm_explorer.figures.curves import Series
from lstm_explorer.figures.journey import plot_journey
from lstm_explorer.figures.theme import THEMES

LIGHT = THEMES["light"]


def journey(steps=40, forget_bias=5.0):
    settings = lx.Settings(sequence_length=steps, forget_bias=forget_bias)
    rnn, lstm = (lx.seed_flows(settings, architecture=name) for name in ("rnn", "lstm"))
    strips = [
        Series(name="RNN", network="rnn", curve=summarise(rnn)),
        Series(name="LSTM", network="lstm", curve=summarise(lstm, "cell")),
    ]
    return strips, plot_journey(strips)


def cells(figure, row):
    """Return centre and colour of every cell of a strip."""
    svg = ElementTree.fromstring(base64.b64decode(figure.layout.images[row].source.split(",", 1)[1]))
    return [(float(c.get("x")) + float(c.get("width")) / 2, c.get("fill")) for c in svg]


def brightness(colour):
    return sum(int(colour[i : i + 2], 16) for i in (1, 3, 5))


def test_strip_has_a_cell_a_step_on_the_time_axis_of_the_curves():
    _, figure = journey()
    np.testing.assert_allclose([centre for centre, _ in cells(figure, 0)], np.arange(41))
    image = figure.layout.images[0]
    assert (image.x, image.sizex, image.xref) == (-0.5, 41, "x")


def test_cell_is_full_where_all_arrives_and_fades_as_the_gradient_does():
    strips, figure = journey()
    colours = [colour for _, colour in cells(figure, 0)]
    assert colours[-1] == LIGHT.networks["rnn"]
    order = np.argsort(-strips[0].curve.median)
    shades = [brightness(colours[step]) for step in order]
    assert shades == sorted(shades)
    blank = {colours[step] for step in np.flatnonzero(strips[0].curve.median < -8)}
    assert len(blank) == 1


def test_cell_turns_to_another_colour_where_more_arrives_than_left():
    strips, figure = journey(100)
    assert strips[1].curve.median[0] > 1
    assert cells(figure, 1)[0][1] != LIGHT.networks["lstm"]
    assert brightness(cells(figure, 1)[0][1]) < brightness(LIGHT.networks["lstm"])


def test_long_strip_shows_every_so_many_steps_and_always_the_last():
    _, figure = journey(2000)
    centres = [round(centre) for centre, _ in cells(figure, 0)]
    assert len(centres) <= 200
    assert centres[-1] == 2000


def test_frames_run_from_the_loss_to_step_zero_and_carry_the_fronts():
    strips, figure = journey(2000)
    names = [int(frame.name) for frame in figure.frames]
    assert (names[0], names[-1]) == (2000, 0)
    assert names == sorted(names, reverse=True)
    assert len(names) <= 200
    fronts = figure.frames[10].data[-1]
    assert list(fronts.x) == [names[10]] * 2
    assert list(fronts.y) == [one.curve.median[names[10]] for one in strips]
    assert figure.frames[10].data[0].x[1] == names[10] - 0.5


def test_frames_move_the_curtain_and_the_fronts_and_nothing_else():
    _, figure = journey()
    assert {figure.data[index].name for index in figure.frames[0].traces} == {"curtain", "fronts"}


def test_a_move_of_a_slider_sends_little():
    # 2001 steps of two curves as numbers, not fifty copies of them
    assert len(journey(2000)[1].to_json()) < 300_000


def test_two_steps_are_enough():
    assert [frame.name for frame in journey(2)[1].frames] == ["2", "1", "0"]


def test_nothing_to_draw_is_refused():
    with pytest.raises(ValueError, match="at least one strip"):
        plot_journey([])
