"""Figures on paper: the sheet, what stands on it, and that nothing only a screen can do is left."""

import re
from dataclasses import replace

import numpy as np
import pytest

import lstm_explorer as lx
from lstm_explorer.export.paper import SHEETS, Paper, on_paper, settings_line


@pytest.mark.parametrize("size", SHEETS)
@pytest.mark.parametrize("name", ["journey", "gradients", "units_lstm"])
def test_sheets_have_their_width_and_leave_the_picture_room(exhibit_of, name, size):
    figure, sheet = on_paper(exhibit_of(name), Paper(size=size, caption=True)), SHEETS[size]
    margin = figure.layout.margin
    assert figure.layout.width == sheet.width
    assert figure.layout.height - margin.t - margin.b >= 0.45 * sheet.height
    assert sheet.grows or figure.layout.height == sheet.height


@pytest.mark.parametrize(("size", "inches"), [("column", 3.5), ("page", 7.0), ("poster", 24.0)])
def test_paper_is_as_wide_as_it_says(size, inches):
    assert SHEETS[size].width * SHEETS[size].scale == pytest.approx(inches * 96)


def test_slides_are_16_to_9():
    assert SHEETS["slide"].width * 9 == SHEETS["slide"].height * 16


def test_buttons_and_frames_stay_on_the_screen(exhibit_of):
    figure = on_paper(exhibit_of("journey"), Paper())
    assert not figure.layout.updatemenus
    assert not figure.frames


def test_title_and_caption_are_there_when_asked_for(exhibit_of):
    exhibit = exhibit_of("gradients", lx.Settings(sequence_length=30, forget_bias=2.5))
    bare, full = on_paper(exhibit, Paper(title=False)), on_paper(exhibit, Paper(caption=True))
    assert bare.layout.title.text is None
    assert exhibit.title in full.layout.title.text
    assert any("forget bias 2.5" in note.text for note in full.layout.annotations)
    assert not any("forget_bias" in note.text for note in bare.layout.annotations)


def test_a_name_in_a_title_is_no_link(exhibit_of):
    exhibit = replace(exhibit_of("gradients"), title='<a href="http://a">b</a>')
    assert on_paper(exhibit, Paper()).layout.title.text == '<b>&lt;a href="http://a"&gt;b&lt;/a&gt;</b>'


def test_the_settings_line_names_what_is_no_default(exhibit_of):
    line = settings_line(exhibit_of("gradients", lx.Settings(sequence_length=30, num_layers=2), scale="linear"))
    assert line == "T = 30 steps, H = 32 units, 2 layers, first seed 0, seeds: 1"


def test_the_curves_are_the_screen_s(exhibit_of):
    exhibit = exhibit_of("gradients")
    for printed, shown in zip(on_paper(exhibit, Paper()).data, exhibit.draw("light").data, strict=True):
        np.testing.assert_array_equal(printed.y, shown.y)
        assert printed.line.color == shown.line.color


def test_paper_is_white_and_a_dark_sheet_is_not(exhibit_of):
    exhibit = exhibit_of("gradients")
    light, dark = (on_paper(exhibit, Paper(theme=theme)).layout for theme in ("light", "dark"))
    assert light.paper_bgcolor == light.plot_bgcolor == "#FFFFFF"
    assert dark.paper_bgcolor != "#FFFFFF"


@pytest.mark.parametrize("size", SHEETS)
def test_no_upright_title_is_taller_than_its_axis(exhibit_of, size):
    for name in ("journey", "gradients", "by_hand", "required_bias", "contributions", "paths"):
        figure = on_paper(exhibit_of(name), Paper(size=size, caption=True))
        plot = figure.layout.height - figure.layout.margin.t - figure.layout.margin.b
        for axis in figure.select_yaxes():
            low, high = axis.domain or (0, 1)
            words = re.sub("<(?!br)[^>]+>", "", axis.title.text or "").split("<br>")
            lines = [line for line in words if " " in line]  # a single word cannot be broken
            assert max(map(len, lines), default=0) * 7.4 <= max((high - low) * plot, 80)


def test_the_key_of_a_map_stands_above_it(exhibit_of):
    figure = on_paper(exhibit_of("bias_map"), Paper(size="page"))
    (key,) = [trace for trace in figure.data if trace.type == "scatter" and trace.marker.showscale]
    assert key.marker.colorbar.yanchor == "bottom"
    assert figure.layout.margin.t >= 50
