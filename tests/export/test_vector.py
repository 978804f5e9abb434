"""Drawings that look the same elsewhere: fonts inside, heat maps with a pixel a cell."""

import base64
import io
import os
import re
import subprocess
import time
from urllib.parse import unquote
from xml.etree import ElementTree

import numpy as np
import plotly.graph_objects as go
import pytest

from lstm_explorer.export import images, vector
from lstm_explorer.export.files import ExportOptions, make
from lstm_explorer.export.paper import Paper
from lstm_explorer.figures.theme import FONT, template

REQUIRED = os.environ.get("LSTM_EXPLORER_REQUIRE_BROWSER") == "1"
needs_browser = pytest.mark.skipif(images.find_browser() is None and not REQUIRED, reason="there is no Chromium")
needs_fonts = pytest.mark.skipif(not vector._stack(FONT, 400) and not REQUIRED, reason="fontconfig finds no font")
FACE = re.compile(r"font-weight:(\d+);unicode-range:([^;]*);src:url\(data:font/woff2;base64,([^)]*)\)")


def svg_of(text, family=FONT):
    return f'<svg xmlns="http://www.w3.org/2000/svg"><text style="font-family: {family}">{text}</text></svg>'.encode()


def faces(svg):
    """Return weight and characters of every font in a drawing, as the fonts themselves say."""
    from fontTools.ttLib import TTFont

    found = []
    for weight, _, packed in FACE.findall(svg.decode()):
        with TTFont(io.BytesIO(base64.b64decode(packed))) as font:
            found.append((int(weight), "".join(sorted(map(chr, font.getBestCmap())))))
    return found


@needs_fonts
def test_a_drawing_carries_the_characters_it_uses():
    assert faces(vector.embed_fonts(svg_of("banana"))) == [(400, "abn")]


@needs_fonts
def test_bold_text_gets_a_bold_font():
    drawn = vector.embed_fonts(svg_of('ab<tspan style="font-weight:bold">cd</tspan>e'))
    assert sorted(faces(drawn)) == [(400, "abe"), (700, "cd")]


@needs_fonts
def test_korean_comes_from_a_font_that_has_it():
    if not any(ord("울") in vector._characters(path) for path in vector._stack(FONT, 400)):
        pytest.skip("no Korean font on this machine")
    assert "".join(sorted("".join(c for _, c in faces(vector.embed_fonts(svg_of("기울기 t")))))) == " t기울"


@needs_fonts
def test_text_asks_for_the_font_inside_first():
    drawn = vector.embed_fonts(svg_of("abc")).decode()
    assert f"style=\"font-family: '{vector.FAMILY}', system-ui" in drawn
    ElementTree.fromstring(drawn)


def test_without_fontconfig_a_drawing_stays_as_it_is(monkeypatch):
    vector._stack.cache_clear()
    monkeypatch.setenv("PATH", "/nowhere")
    assert vector.embed_fonts(svg_of("abc")) == svg_of("abc")
    vector._stack.cache_clear()


@needs_fonts
def test_embedding_is_small_and_quick_the_next_time():
    first = svg_of("gradient norm 0123456789")
    drawn = vector.embed_fonts(first)
    assert len(drawn) < len(first) + 12_000
    before = vector._packed.cache_info().misses
    start = time.perf_counter()
    assert vector.embed_fonts(first) == drawn
    assert time.perf_counter() - start < 0.05
    assert vector._packed.cache_info().misses == before


def board():
    z = np.indices((6, 8)).sum(0) % 2
    layout = {"template": template("light"), "margin": {"l": 0, "r": 0, "t": 0, "b": 0}}
    heatmap = go.Heatmap(z=z, showscale=False, colorscale=[[0, "#000000"], [1, "#FFFFFF"]])
    axes = {"xaxis": {"visible": False}, "yaxis": {"visible": False}}
    return go.Figure(data=[heatmap], layout={**layout, **axes})


@needs_browser
def test_a_heat_map_in_svg_has_a_pixel_a_cell_and_is_not_smoothed():
    svg = ElementTree.fromstring(images.render(board(), format="svg", width=336, height=252))
    image = svg.find(".//{*}image")
    packed = base64.b64decode(image.get("{http://www.w3.org/1999/xlink}href").split(",", 1)[1])
    assert (int.from_bytes(packed[16:20]), int.from_bytes(packed[20:24])) == (8, 6)
    assert "image-rendering: pixelated" in image.get("style")


@needs_browser
def test_a_heat_map_in_png_has_no_colour_between_its_cells():
    from PIL import Image

    png = images.render(board(), format="png", width=320, height=240, scale=2)
    with Image.open(io.BytesIO(png)) as picture:
        pixels = np.asarray(picture.convert("L"))
    assert set(np.unique(pixels)) == {0, 255}
    assert (pixels[40, ::80] == [255, 0] * 4).all() or (pixels[40, ::80] == [0, 255] * 4).all()


@needs_browser
def test_a_heat_map_in_pdf_stays_sharp(tmp_path):
    from PIL import Image

    path = tmp_path / "board.pdf"
    path.write_bytes(images.render(board(), format="pdf", width=320, height=240))
    try:
        subprocess.run(["pdftoppm", "-r", "300", "-png", "-singlefile", path, tmp_path / "board"], check=True)
    except FileNotFoundError:
        pytest.skip("pdftoppm (poppler-utils) is not installed")
    with Image.open(tmp_path / "board.png") as picture:
        pixels = np.asarray(picture.convert("L"))
    between = ((pixels > 20) & (pixels < 235)).mean()
    assert between < 0.02


@needs_fonts
@needs_browser
def test_a_drawing_inside_a_drawing_has_its_own_fonts(exhibit_of):
    drawn = make(exhibit_of("cell"), ExportOptions(format="svg", paper=Paper())).decode()
    (inner,) = re.findall(r'href="data:image/svg\+xml,([^"]*)"', drawn)
    svg = ElementTree.fromstring(unquote(inner))
    (style,) = svg.findall("{*}style")
    assert "@font-face" in style.text
    assert svg.get("font-family").startswith("'Explorer Sans'")
    letters = {c for text in svg.iter("{http://www.w3.org/2000/svg}text") for c in "".join(text.itertext())}
    covered = {int(c, 16) for c in re.findall(r"U\+([0-9A-F]+)", style.text)}
    assert {ord(c) for c in letters if c.isprintable()} <= covered | {0x20}


@pytest.fixture(autouse=True, scope="module")
def closed():
    yield
    images.close()
