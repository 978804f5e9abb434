"""A guess and what was measured, on one line."""

import pytest

from lstm_explorer.figures.guess import plot_guess


@pytest.mark.parametrize(("guess", "measured", "ends"), [(-3.0, -7.9, (-12.0, 0.0)), (60.0, 0.8, (0.0, 100.0))])
def test_both_numbers_stand_where_they_are(guess, measured, ends):
    figure = plot_guess(guess, measured, ends=ends, texts=("A", "B"), powers=ends[0] < 0, theme="dark")
    assert [trace.x for trace in figure.data] == [(guess,), (measured,)]
    assert [trace.name for trace in figure.data] == ["your guess: A", "measured: B"]
    low, high = figure.layout.xaxis.range
    assert low < min(guess, measured, ends[0])
    assert high > max(guess, measured, ends[1])
    assert ("10<sup>-12</sup>" in (figure.layout.xaxis.ticktext or ())) == (ends[0] < 0)


def test_a_number_beyond_the_line_makes_it_longer_and_texts_stay_inside():
    figure = plot_guess(1.0, 12.0, ends=(0.0, 8.0), texts=("A", "B"), powers=False, theme="light")
    assert figure.layout.xaxis.range[1] > 12
    assert [note.xanchor for note in figure.layout.annotations] == ["left", "right"]
