"""One browser for all threads: right pictures, right messages, and nothing left behind."""

import asyncio
import contextlib
import os
import re
import signal
import struct
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from xml.etree import ElementTree

import kaleido
import plotly.graph_objects as go
import pytest

import lstm_explorer as lx
from lstm_explorer.export import images

REQUIRED = os.environ.get("LSTM_EXPLORER_REQUIRE_BROWSER") == "1"
needs_browser = pytest.mark.skipif(images.find_browser() is None and not REQUIRED, reason="there is no Chromium")
SIZE = {"width": 400, "height": 300}


def figure(title="one two three"):
    return go.Figure(data=[{"y": [1, 3, 2, 5]}], layout={"title": title, "template": "none"})


def media_box(pdf):
    return tuple(map(float, re.search(rb"/MediaBox\s*\[\s*0 0 ([\d.]+) ([\d.]+)", pdf).groups()))


def processes(kind=b""):
    """Return the living processes of this test's browsers: those that were given a folder in ours."""
    found = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                command = (entry / "cmdline").read_bytes()
                state = (entry / "stat").read_text().rpartition(")")[2].split()[0]
                if tempfile.gettempdir().encode() in command and kind in command and state != "Z":
                    found.add(int(entry.name))
    return found


def folders():
    return list(Path(tempfile.gettempdir()).iterdir())


def kill(kind=b""):
    for number in processes(kind):
        with contextlib.suppress(ProcessLookupError):
            os.kill(number, signal.SIGKILL)


def until(condition, seconds=10.0):
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    return condition()


@pytest.fixture(scope="module", autouse=True)
def alone(tmp_path_factory):
    """A temporary folder of our own, which names our browsers: nobody else's is counted or killed."""
    with pytest.MonkeyPatch.context() as patch:
        images.close()
        patch.setattr(tempfile, "tempdir", str(tmp_path_factory.mktemp("browsers")))
        yield
        images.close()


@needs_browser
def test_png_has_the_asked_pixels():
    png = images.render(figure(), format="png", scale=2, **SIZE)
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">II", png[16:24]) == (800, 600)


@needs_browser
def test_svg_holds_the_title_and_no_bitmap():
    svg = images.render(figure("a title of its own"), format="svg", **SIZE)
    root = ElementTree.fromstring(svg)
    assert (float(root.get("width")), float(root.get("height"))) == (400, 300)
    assert "a title of its own" in "".join(root.itertext())
    assert not root.findall(".//{*}image")


@needs_browser
def test_pdf_is_one_page_of_vectors_with_its_fonts_inside():
    pdf = images.render(figure(), format="pdf", **SIZE)
    assert pdf.startswith(b"%PDF-")
    assert len(re.findall(rb"/Type\s*/Page\b", pdf)) == 1
    assert b"/FontFile2" in pdf
    assert b"/Subtype /Image" not in pdf
    assert media_box(pdf) == pytest.approx((300, 225), abs=1)  # 400 x 300 CSS pixels, in points


@needs_browser
def test_a_picture_shows_no_buttons():
    drawn = figure()
    drawn.update_layout(updatemenus=[{"type": "buttons", "buttons": [{"label": "press me", "method": "skip"}]}])
    assert b"press me" not in images.render(drawn, format="svg", **SIZE)
    assert len(drawn.layout.updatemenus) == 1


@needs_browser
def test_twelve_threads_get_their_own_pictures_from_one_browser():
    titles = [f"title number {i:02d}" for i in range(12)]
    with ThreadPoolExecutor(12) as pool:
        drawn = list(pool.map(lambda title: images.render(figure(title), format="svg", **SIZE).decode(), titles))
    assert [re.findall(r"title number \d\d", svg) for svg in drawn] == [[title] for title in titles]
    assert len(processes(b"--headless") - processes(b"--type=")) <= 2  # the browser, and what started it


def killing(kind, times):
    """Return a ``calc_fig`` in which the browser, or only the page that draws, dies at work, so many times."""
    kills, calc_fig = iter([True] * times + [False] * 9), kaleido.Kaleido.calc_fig

    async def dying(browser, *given, **named):
        if next(kills):
            threading.Timer(0.02, kill, [kind]).start()
            await asyncio.sleep(30)
        return await calc_fig(browser, *given, **named)

    return dying


@needs_browser
@pytest.mark.parametrize("kind", [b"", b"--type=renderer"], ids=["browser", "page"])
def test_a_browser_killed_at_work_is_noticed_and_the_picture_still_comes(monkeypatch, kind):
    images.render(figure(), format="svg", **SIZE)
    first = processes()
    monkeypatch.setattr(kaleido.Kaleido, "calc_fig", killing(kind, times=1))
    start = time.monotonic()
    assert b"still here" in images.render(figure("still here"), format="svg", **SIZE)
    assert time.monotonic() - start < 15
    assert not first & processes()


@needs_browser
def test_a_browser_killed_between_two_pictures_is_replaced():
    images.render(figure(), format="svg", **SIZE)
    kill()
    assert b"the next" in images.render(figure("the next"), format="svg", **SIZE)


@needs_browser
def test_a_browser_killed_twice_is_given_up(monkeypatch):
    monkeypatch.setattr(kaleido.Kaleido, "calc_fig", killing(b"", times=2))
    with pytest.raises(images.ImageError, match="stopped twice"):
        images.render(figure(), format="svg", **SIZE)
    assert until(lambda: not processes() and not folders())


@needs_browser
def test_a_browser_that_does_not_answer_is_told_and_replaced(monkeypatch):
    async def hanging(*given, **named):
        await asyncio.sleep(3600)

    images.render(figure(), format="svg", **SIZE)
    with monkeypatch.context() as patch:
        patch.setattr(images, "TIMEOUT_SECONDS", 0.5)
        patch.setattr(kaleido.Kaleido, "calc_fig", hanging)
        with pytest.raises(images.ImageError, match=r"not ready after 0 seconds"):
            images.render(figure(), format="svg", **SIZE)
    assert b"after all" in images.render(figure("after all"), format="svg", **SIZE)


def test_no_browser_is_told_at_once_with_the_mend(monkeypatch):
    monkeypatch.setenv("BROWSER_PATH", "/nowhere/chromium")
    assert images.find_browser() is None
    start = time.monotonic()
    with pytest.raises(images.ImageError, match=r"install chromium.*BROWSER_PATH, which is '/nowhere/chromium'"):
        images.render(figure(), format="png", **SIZE)
    assert time.monotonic() - start < 0.5


def test_a_program_that_is_no_browser_is_told_at_once(monkeypatch, tmp_path):
    program = tmp_path / "chromium"
    program.write_text("#!/bin/sh\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setenv("BROWSER_PATH", str(program))
    images.close()
    start = time.monotonic()
    with pytest.raises(images.ImageError, match=f"{program} did not start"):
        images.render(figure(), format="png", **SIZE)
    assert time.monotonic() - start < 5
    assert not images.is_open()
    assert not folders()


@needs_browser
def test_a_disk_without_room_is_told_and_the_next_picture_comes(monkeypatch, tmp_path):
    images.close()
    with monkeypatch.context() as patch:
        patch.setattr(tempfile, "tempdir", str(tmp_path / "not there"))
        with pytest.raises(images.ImageError, match="folder for its temporary files: No such file or directory"):
            images.render(figure(), format="svg", **SIZE)
    assert b"there is room" in images.render(figure("there is room"), format="svg", **SIZE)


@needs_browser
def test_a_figure_without_a_single_number_is_drawn(exhibit_of):
    dead = exhibit_of("gradients", lx.Settings(sequence_length=5, recurrent_gain=0.0, input_kind="zeros"))
    drawn = dead.draw("light")
    for trace in drawn.data:
        trace.y = [None] * len(trace.y)
    assert images.render(drawn, format="png", **SIZE).startswith(b"\x89PNG")


@needs_browser
def test_it_closes_when_idle_and_leaves_nothing(monkeypatch):
    monkeypatch.setattr(images, "IDLE_SECONDS", 0.6)
    images.render(figure(), format="svg", **SIZE)
    assert images.is_open()
    assert processes()
    assert until(lambda: not images.is_open() and not processes() and not folders())


@needs_browser
def test_nothing_is_fetched():
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_error(404)

        log_message = staticmethod(lambda *given: None)

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}"
        drawn = figure().add_layout_image(source=f"{address}/figure.png", x=0, y=1, sizex=1, sizey=1)
        images.render(drawn, format="svg", **SIZE)
        images.print_pdf(f'<img src="{address}/page.png"><script src="{address}/x.js"></script>')
        server.shutdown()
    assert asked == []


@needs_browser
def test_a_document_is_printed_on_its_paper_without_running_its_scripts():
    page = "<style>@page { size: A4 landscape }</style>"
    html = f"{page}<p>first</p><p style='break-before: page'>second</p><script>document.body.innerHTML = ''</script>"
    pdf = images.print_pdf(html)
    assert len(re.findall(rb"/Type\s*/Page\b", pdf)) == 2
    assert media_box(pdf) == pytest.approx((841.9, 595.3), abs=1)


@pytest.mark.parametrize("path", ["/nowhere/chromium", "/", "chromium", __file__, "x" * 5000, "\udcff"])
def test_what_is_no_program_is_no_browser(monkeypatch, path):
    monkeypatch.setenv("BROWSER_PATH", path)
    assert images.find_browser() is None


def test_an_unknown_format_is_refused():
    with pytest.raises(ValueError, match="format is 'gif': expected 'png', 'svg' or 'pdf'"):
        images.render(figure(), format="gif", **SIZE)


@needs_browser
def test_scale_is_of_pixels_and_of_paper():
    svg = images.render(figure(), format="svg", scale=0.5, **SIZE)
    assert float(ElementTree.fromstring(svg).get("width")) == pytest.approx(200)
    assert media_box(images.render(figure(), format="pdf", scale=0.5, **SIZE)) == pytest.approx((150, 112.5), abs=1)


def test_an_image_of_too_many_pixels_is_refused_before_a_browser_is_asked(monkeypatch):
    monkeypatch.setattr(images._shared_browser, "run", lambda work: b"drawn")
    with pytest.raises(images.ImageError, match="would have 64 million pixels: expected at most 20 million"):
        images.render(figure(), format="png", width=2304, height=1728, scale=4)
    assert images.render(figure(), format="png", width=2304, height=1728, scale=2) == b"drawn"
