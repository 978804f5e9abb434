"""The digit as it is read, against the data set."""

from xml.etree import ElementTree

import pytest

import lstm_explorer as lx
from lstm_explorer.figures.digit import plot_digit


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_framed_pixel_is_the_step_s_and_the_ink_is_the_data_s(theme):
    settings = lx.Settings(input_kind="digit", digit=7, sequence_length=64)
    cells = ElementTree.fromstring(plot_digit(settings, step=11, theme=theme)).findall("{*}rect")
    pixels, frame = cells[:-1], cells[-1]
    assert len(pixels) == 64
    assert (int(frame.get("x")) // 12, int(frame.get("y")) // 12) == (2, 1)  # step 11: row 2, column 3
    ink = lx.make_inputs(settings)[:, 0, 0]
    darkest, blank = int(ink.argmax()), int(ink.argmin())
    assert pixels[darkest].get("fill") != pixels[blank].get("fill")
    assert {cell.get("fill") for cell, value in zip(pixels, ink, strict=True) if value == 0} == {
        pixels[blank].get("fill")
    }
    assert [cell.get("opacity") for cell in pixels].count("1.0") == 11
