"""A cell shows its number, is coloured by it, is found where it is drawn, and is crossed out where all failed."""

import math

import numpy as np
import pytest

import lstm_explorer as lx
from lstm_explorer.figures import plot_sweep_map
from lstm_explorer.figures.sweep_map import number_words, place_at, value_words
from lstm_explorer.figures.theme import colour_at, theme_of
from lstm_explorer.runs.sweeps.pooled import VALUES
from lstm_explorer.runs.sweeps.table import from_bytes
from tests.sweep_tables import run, runs, written


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    return from_bytes(written(tmp_path_factory.mktemp("sweep"), runs()))


def maps(figure):
    return [trace for trace in figure.data if trace.type == "heatmap"]


def test_numbers_in_cells_can_be_read(table):
    found = lx.sweep_map(table)
    for theme in ("light", "dark"):
        figure = plot_sweep_map(found, theme=theme)
        labels = [trace for trace in figure.data if trace.type == "scatter"]
        look = theme_of(theme)
        assert [list(trace.text) for trace in labels] == [["1/3", "0/3"] * 2, ["3/3", "0/3", "3/3", "3/3"]]
        for cells, trace in zip(maps(figure), labels, strict=True):
            for share, ink in zip(np.array(cells.z).ravel(), trace.textfont.color, strict=True):
                other = ({look.text, look.background} - {ink}).pop()
                ground = colour_at(cells.colorscale, share)
                assert contrast(ink, ground) >= max(contrast(other, ground), 3.5)


def contrast(one, other):
    bright, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def luminance(colour):
    parts = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4) @ (0.2126, 0.7152, 0.0722)


def test_every_cell_says_how_many_learn_and_is_as_full(table):
    found = lx.sweep_map(table)
    figure = plot_sweep_map(found)
    assert [np.array(trace.z).tolist() for trace in maps(figure)] == found.numbers.tolist()
    assert [[list(row) for row in trace.text] for trace in maps(figure)] == [
        [["1/3", "0/3"]] * 2, [["3/3", "0/3"], ["3/3", "3/3"]],
    ]  # fmt: skip
    hover = maps(figure)[1].customdata[1][1]
    for words in ("network: LSTM", "bias of the forget gate: 2", "sequence length T (steps): 20", "100%", "3 of 3"):
        assert words in hover
    assert [note.text for note in figure.layout.annotations] == ["<b>RNN</b>", "<b>LSTM</b>"]
    assert figure.layout.xaxis.title.text == "sequence length T (steps)"
    assert figure.layout.yaxis.title.text == "bias of the forget gate"
    assert list(figure.layout.xaxis.ticktext) == ["10", "20"] * 2


def test_fewer_steps_are_fuller_and_never_is_blank(table):
    figure = plot_sweep_map(lx.sweep_map(table, "learnt_at"))
    rnn, lstm = (np.array(trace.z) for trace in maps(figure))
    assert (rnn == 0).all()
    assert lstm[0, 0] == lstm[1, 1] == 1.0
    assert lstm[0, 1] == 0
    assert maps(figure)[1].text[0][1] == "–"
    assert "not learnt" in maps(figure)[1].customdata[0][1]


def test_a_share_has_the_colours_of_the_other_maps(table):
    figure = plot_sweep_map(lx.sweep_map(table, "log10_share_before"))
    assert maps(figure)[1].z[1][0] == pytest.approx((8 + 2 - 2 - 1 / 9) / 10)
    assert maps(figure)[0].z[0][0] == 0  # 10^-11
    assert maps(figure)[0].text[0][0] == "−11"


@pytest.mark.parametrize("axes", [None, ("", "sequence_length", ""), ("seed", "forget_bias", "sequence_length")])
def test_a_point_leads_to_its_cell_and_no_other(table, axes):
    found = lx.sweep_map(table, axes=axes)
    figure = plot_sweep_map(found, picked=(0, 0, 1))
    for one, trace in enumerate(maps(figure)):
        for row, y in enumerate(trace.y):
            for column, x in enumerate(trace.x):
                for shift in (-0.4, 0.0, 0.4):
                    assert place_at(found, x + shift, y + shift) == (one, row, column)
    assert place_at(found, -2, 0) is None
    assert place_at(found, 0, len(maps(figure)[0].y) + 1) is None
    (mark,) = figure.layout.shapes
    assert (mark.x0 + mark.x1) / 2 == maps(figure)[0].x[1]


def test_failures_are_crossed_out_and_what_is_not_done_is_blank(tmp_path):
    rows = run("rnn", 10, 0.0, 0, None, -1.0, error="no memory")
    figure = plot_sweep_map(lx.sweep_map(from_bytes(written(tmp_path, rows))))
    assert len(figure.layout.shapes) == 2
    assert all(np.isnan(np.array(trace.z, dtype=float)).all() for trace in maps(figure))


def test_every_value_has_words():
    assert len({value_words(name) for name in VALUES}) == len(VALUES)
    assert number_words("learnt", 0.5) == "50%"
    assert number_words("learnt_at", math.inf) == "not learnt"
    assert number_words("log10_share", -30.0) == "1.0×10⁻³⁰"
    assert number_words("largest_exponent", math.nan) == "–"
