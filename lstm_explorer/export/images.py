"""Figures as PNG, SVG and PDF, drawn by one Chromium that all threads of the server share.

Kaleido drives the browser on a private thread with its own event loop, one picture at a time, in the order of the
requests. (Kaleido's own ``start_sync_server`` hands concurrent users each other's pictures.) The browser is started on
demand and closed when idle; one that dies is detected at once, and its picture is drawn by the next.
"""

from __future__ import annotations

import asyncio
import atexit
import base64
import concurrent.futures
import contextlib
import logging
import os
import threading
import time
import warnings
from collections.abc import Callable, Coroutine
from typing import Any, Literal, TypeVar

import kaleido
import plotly.graph_objects as go
from choreographer.browsers.chromium import Chromium
from choreographer.errors import BrowserClosedError, BrowserFailedError, ChannelClosedError, TmpDirWarning

from lstm_explorer.core.errors import ExplainedError, reason_of
from lstm_explorer.export.vector import embed_fonts, embed_fonts_in_image, pdf_page
from lstm_explorer.locales import N_

ImageFormat = Literal["png", "svg", "pdf"]

#: The browser is closed after so many seconds without work: it holds some 500 MB.
IDLE_SECONDS = 60.0
#: Most pixels of an image. The browser takes 300 MB and 8 bytes for each: 400 MB here, and 800 MB for a poster at 4x.
MOST_PIXELS = 20_000_000
#: A picture takes at most so long, waiting for its turn and starting the browser included.
TIMEOUT_SECONDS = 60.0
_START_SECONDS, _STOP_SECONDS, _POLL_SECONDS = 25.0, 10.0, 0.05
_A4_INCHES = {"paperWidth": 8.27, "paperHeight": 11.69}

_NO_BROWSER = N_(
    "There is no Chrome or Chromium on this server, and pictures are drawn by one: expected one on the PATH (install "
    "chromium) or its path in the environment variable BROWSER_PATH, which is {named}."
)
_NOT_STARTED = N_("The browser {path} did not start: run it by hand with --headless to see why.")
_NO_ROOM = N_(
    "The browser needs a folder for its temporary files: {reason}. Make room, or set TMPDIR to one with room."
)
_NO_ANSWER = N_("The picture was not ready after {seconds:.0f} seconds: try again when the server is less busy.")
_LOST_TWICE = N_("The browser stopped twice while it drew: the server may be short of memory; try a smaller picture.")
_TOO_LARGE = N_(
    "This image would have {came:.0f} million pixels: expected at most {most:.0f} million, which this server has the "
    "memory for. Lower the resolution, or take SVG or PDF, which are sharp at any size."
)
_NOT_DRAWN = N_("The browser could not draw this: {reason}")

Result = TypeVar("Result")
Work = Callable[[kaleido.Kaleido], Coroutine[Any, Any, Result]]

# Both log a browser that was closed or lost as an error.
for _name in ("kaleido", "choreographer"):
    logging.getLogger(_name).setLevel(logging.CRITICAL)


class ImageError(ExplainedError):
    """A picture could not be made; the message says why and what to do, and can be translated."""


class _LostError(Exception):
    """The browser, or its page, was lost."""


def find_browser() -> str | None:
    """Return the path of a Chrome or Chromium: ``BROWSER_PATH``, a downloaded one, one on the path; or None."""
    path = os.environ.get("BROWSER_PATH") or Chromium.find_browser(skip_local=False)
    # os.path, as pathlib raises where a name is too long for any file.
    return str(path) if path and os.path.isfile(path) and os.access(path, os.X_OK) else None


def render(
    figure: go.Figure, *, format: ImageFormat, width: int, height: int, scale: float = 1.0, title: str = ""
) -> bytes:
    """Draw a figure at rest, without its buttons; SVG and PDF with their fonts inside.

    Args:
        figure: What to draw; it is not changed.
        format: ``"png"``, ``"svg"`` or ``"pdf"``.
        width: In CSS pixels.
        height: In CSS pixels.
        scale: Size of the result for each CSS pixel: pixels of a PNG, CSS pixels of a drawing.
        title: Of a PDF, as its reader shows it.

    Returns:
        The file.

    Raises:
        ImageError: It has too many pixels; there is no browser, it did not start, did not answer in time, or was lost
            twice.
        ValueError: The format is none of the three.
    """
    if format not in ("png", "svg", "pdf"):
        raise ValueError(f"format is {format!r}: expected 'png', 'svg' or 'pdf'.")
    pixels = width * height * scale**2
    if format == "png" and pixels > MOST_PIXELS:
        raise ImageError(_TOO_LARGE, {"came": pixels / 1e6, "most": MOST_PIXELS / 1e6})
    if format == "pdf":
        page = pdf_page(drawing(figure, width=width, height=height, scale=scale), width * scale, height * scale, title)
        return _print(page, pageRanges="1")
    drawn = _drawn(figure, format, width, height, scale)
    return embed_fonts(drawn) if format == "svg" else drawn


def drawing(figure: go.Figure, *, width: int, height: int, scale: float = 1.0) -> str:
    """Draw a figure as SVG without fonts inside, for a document that this browser prints: it has them anyway.

    Fonts inside a drawing that is itself an image come after the page was printed, and its words are then missing.

    Args:
        figure: What to draw; it is not changed.
        width: In CSS pixels.
        height: In CSS pixels.
        scale: CSS pixels of the drawing for each of these.

    Raises:
        ImageError: As :func:`render`.
    """
    return _drawn(figure, "pdf", width, height, scale).decode()


def _drawn(figure: go.Figure, format: ImageFormat, width: int, height: int, scale: float) -> bytes:
    """Return a figure at rest as PNG, or as SVG."""
    spec = figure.to_plotly_json()
    still = {**spec["layout"], "updatemenus": [], "sliders": []}  # a button on paper is of no use
    if format == "svg":  # an image inside the drawing cannot use the drawing's fonts
        images = spec["layout"].get("images", ())
        still["images"] = [{**image, "source": embed_fonts_in_image(image["source"])} for image in images]
    picture = {"data": spec["data"], "layout": still}
    options = {"format": "png" if format == "png" else "svg", "width": width, "height": height, "scale": scale}
    return _shared_browser.run(lambda browser: browser.calc_fig(picture, opts=options))


def print_pdf(html: str) -> bytes:
    """Print a self-contained HTML document to the A4 pages of a PDF; its scripts do not run, and nothing is fetched.

    Args:
        html: With its styles and pictures inside. Its own ``@page`` sizes and margins come first.

    Raises:
        ImageError: As :func:`render`.
    """
    return _print(html, **_A4_INCHES)


def close() -> None:
    """Close the browser now; a later picture starts a new one."""
    _shared_browser.close()


def is_open() -> bool:
    """Tell whether the browser is running."""
    return _shared_browser.browser is not None


def _print(html: str, **options: Any) -> bytes:
    async def printed(browser: kaleido.Kaleido) -> bytes:
        tab = await browser.create_tab("")
        try:
            await _block_network(tab)
            await _command(tab, "Emulation.setScriptExecutionDisabled", value=True)
            frame = (await _command(tab, "Page.getFrameTree"))["frameTree"]["frame"]["id"]
            await _command(tab, "Page.setDocumentContent", frameId=frame, html=html)
            page = await _command(tab, "Page.printToPDF", printBackground=True, preferCSSPageSize=True, **options)
            return base64.b64decode(page["data"])
        finally:
            await browser.close_tab(tab.target_id)

    return _shared_browser.run(printed)


async def _block_network(tab: Any) -> None:
    """Block all network requests of a page, to this machine too."""
    await _command(tab, "Network.enable")
    await _command(tab, "Network.setBlockedURLs", urls=["http://*", "https://*", "ws://*", "wss://*"])


async def _command(tab: Any, method: str, **params: Any) -> dict[str, Any]:
    answer = await tab.send_command(method, params=params)
    if "error" in answer:
        raise ImageError(_NOT_DRAWN, {"reason": answer["error"]["message"]})
    return dict(answer["result"])


class _SharedBrowser:
    """The private thread with its event loop and its browser; work is done in the order of the requests."""

    def __init__(self) -> None:
        self.browser: kaleido.Kaleido | None = None
        self._crash: asyncio.Future[Any] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._starting = threading.Lock()
        self._turn = asyncio.Lock()
        self._worked = 0.0

    def run(self, work: Work[Result]) -> Result:
        """Do work in the browser, from any thread."""
        if find_browser() is None:
            raise ImageError(_NO_BROWSER, {"named": repr(os.environ.get("BROWSER_PATH", ""))})
        return self._wait(self._within_timeout(work), TIMEOUT_SECONDS + 2 * _STOP_SECONDS)

    def close(self) -> None:
        """Close the browser if there is one."""
        if self.browser:
            self._wait(self._stop(), 3 * _STOP_SECONDS)

    def _wait(self, coroutine: Coroutine[Any, Any, Result], seconds: float) -> Result:
        future = asyncio.run_coroutine_threadsafe(coroutine, self._running_loop())
        try:
            return future.result(seconds)
        except concurrent.futures.TimeoutError:
            future.cancel()
            raise ImageError(_NO_ANSWER, {"seconds": seconds}) from None

    def _running_loop(self) -> asyncio.AbstractEventLoop:
        with self._starting:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                threading.Thread(target=self._loop.run_forever, name="images", daemon=True).start()
                atexit.register(self.close)
            return self._loop

    async def _within_timeout(self, work: Work[Result]) -> Result:
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS), self._turn:
                return await self._with_one_retry(work)
        except TimeoutError:
            raise ImageError(_NO_ANSWER, {"seconds": TIMEOUT_SECONDS}) from None

    async def _with_one_retry(self, work: Work[Result]) -> Result:
        """Do work, and once more in a fresh browser if the first one was lost."""
        try:
            for _attempt in range(2):
                try:
                    return await self._unless_lost(work, await self._open())
                except _LostError:
                    await self._stop()
            raise ImageError(_LOST_TWICE, {})
        except asyncio.CancelledError:
            await self._stop()  # timed out: nobody waits for its result
            raise
        finally:
            self._worked = time.monotonic()
            asyncio.get_running_loop().call_later(IDLE_SECONDS, self._close_if_idle)

    async def _unless_lost(self, work: Work[Result], browser: kaleido.Kaleido) -> Result:
        """Do work while the browser lives."""
        task = asyncio.ensure_future(work(browser))
        try:
            while not task.done():
                await asyncio.wait({task}, timeout=_POLL_SECONDS)
                if browser.subprocess.poll() is not None or (self._crash and self._crash.done()):
                    raise _LostError
            return task.result()
        except (BrowserClosedError, BrowserFailedError, ChannelClosedError):
            raise _LostError from None
        finally:
            task.cancel()
            with contextlib.suppress(BaseException):
                await task

    async def _open(self) -> kaleido.Kaleido:
        """Return the browser, started if need be."""
        if self.browser and self.browser.subprocess.poll() is not None:
            await self._stop()
        if self.browser is None:
            path = find_browser() or ""
            try:
                async with asyncio.timeout(_START_SECONDS):
                    self.browser = kaleido.Kaleido(n=1, timeout=TIMEOUT_SECONDS, mathjax=False, path=path)
                    await self._prepare(self.browser)
            except (TimeoutError, BrowserClosedError, BrowserFailedError, ChannelClosedError):
                await self._stop()
                raise ImageError(_NOT_STARTED, {"path": path}) from None
            except OSError as error:  # no room, or a file system that cannot be written
                await self._stop()
                raise ImageError(_NO_ROOM, {"reason": reason_of(error)}) from None
        return self.browser

    async def _prepare(self, browser: kaleido.Kaleido) -> None:
        await browser.open()
        tab: Any = browser.get_tab()
        await _block_network(tab)
        await _command(tab, "Inspector.enable")
        self._crash = tab.subscribe_once("Inspector.targetCrashed")

    async def _stop(self) -> None:
        browser, self.browser, self._crash = self.browser, None, None
        if browser is None:
            return
        with warnings.catch_warnings(), contextlib.suppress(Exception):
            warnings.simplefilter("ignore", TmpDirWarning)  # warned while a dying process still writes
            await asyncio.wait_for(browser.close(), _STOP_SECONDS)

    def _close_if_idle(self) -> None:
        if self.browser and not self._turn.locked() and time.monotonic() - self._worked >= 0.99 * IDLE_SECONDS:
            self._closing = asyncio.ensure_future(self._close_in_turn())

    async def _close_in_turn(self) -> None:
        async with self._turn:
            await self._stop()


_shared_browser = _SharedBrowser()
