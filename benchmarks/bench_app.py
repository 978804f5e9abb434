"""From a key press on the slider to the new picture, in real Chromium: our first page beside an empty one.

Run ``python benchmarks/bench_app.py`` at the root of the repository. Both servers run at the same time and take turns,
so that a slow moment of the machine falls on both. Prints medians and their ratio for several sequence lengths, the
time to the first picture, and what the heavy imports cost.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "browser")]

from app_server import CHROMIUM_ARGUMENTS, find_chromium, serving
from playwright.sync_api import Browser, Page, sync_playwright
from plotly.utils import PlotlyJSONEncoder

import lstm_explorer as lx
from lstm_explorer.exhibits.registry import EXHIBITS
from lstm_explorer.runs.direct import DirectRunner

LENGTHS = (100, 500, 2000)
MOVES = 30
BIASES = [0.25 * move for move in range(MOVES + 1)]
CHART_WIDTH = 858

# A chart is new when Plotly says that it drew other data; asked once a frame.
PRESS = """async (key) => {
    const chart = () => document.querySelector('.st-key-journey .js-plotly-plot');
    const seen = () => chart() && chart()._fullData && JSON.stringify(chart()._fullData.map(t => t.y ? t.y[0] : 0));
    const before = seen();
    const slider = document.querySelector('.st-key-forget_bias input[type=range]');
    slider.focus();
    const begin = performance.now();
    window.pressed = () => new Promise(done => {
        const look = () => seen() && seen() !== before ? done(performance.now() - begin) : requestAnimationFrame(look);
        requestAnimationFrame(look);
    });
}"""


def open_page(browser: Browser, url: str) -> Page:
    """Open a page and wait for its first picture."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(url)
    page.wait_for_selector(".st-key-journey .js-plotly-plot .main-svg", timeout=60_000)
    settled(page)
    return page


def settled(page: Page) -> None:
    """Wait until the script has run."""
    page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]", timeout=60_000)


def press(page: Page, key: str) -> float:
    """Move the slider by one key press and return the milliseconds to the new picture."""
    page.evaluate(PRESS, key)
    page.keyboard.press(key)
    milliseconds = page.evaluate("() => window.pressed()")
    settled(page)
    return float(milliseconds)


def peer_figures(length: int) -> str:
    """Return the figure that the first page draws at every bias of the moves, as JSON."""
    entry = EXHIBITS["journey"]
    figures = {}
    for bias in BIASES:
        exhibit = entry.build(DirectRunner(), lx.Settings(sequence_length=length, forget_bias=bias), entry.view())
        figures[bias] = exhibit.draw("light").to_plotly_json()
    return json.dumps(figures, cls=PlotlyJSONEncoder)


def measure(browser: Browser, length: int, folder: Path) -> None:
    """Print one row: medians of ours and of the peer, and their ratio."""
    figures = folder / f"{length}.json"
    figures.write_text(peer_figures(length), encoding="utf-8")
    # The width our chart has in a window of 1280 pixels.
    peer_environment = {"LSTM_EXPLORER_PEER_FIGURES": str(figures), "LSTM_EXPLORER_PEER_WIDTH": str(CHART_WIDTH)}
    with serving() as ours, serving("benchmarks/peer_app.py", peer_environment) as theirs:
        begin = time.perf_counter()
        page = open_page(browser, f"{ours}/?sequence_length={length}")
        cold = time.perf_counter() - begin
        begin = time.perf_counter()
        open_page(browser, f"{ours}/?sequence_length={length}").close()
        first = time.perf_counter() - begin
        begin = time.perf_counter()
        peer = open_page(browser, theirs)
        peer_cold = time.perf_counter() - begin
        # There and back again: a value seen before comes from the cache, so every move of ours is to a new bias.
        times = [(press(page, "ArrowRight"), press(peer, "ArrowRight")) for _ in range(MOVES)]
        page.close()
        peer.close()
    mine, other = (statistics.median(column) for column in zip(*times, strict=True))
    ratio = statistics.median(a / b for a, b in times)
    print(
        f"T = {length:5d}   ours {mine:6.0f} ms   empty page {other:6.0f} ms   ratio {ratio:.2f}   "
        f"first picture: cold server {cold:.1f} s (empty page {peer_cold:.1f} s), warm {first:.1f} s"
    )


def imports() -> None:
    """Print what the heavy imports cost, each in a fresh process."""
    for module in ("torch", "plotly.graph_objects", "pandas", "streamlit", "lstm_explorer"):
        code = f"import time; t = time.perf_counter(); import {module}; print(time.perf_counter() - t)"
        seconds = [
            float(
                subprocess.run(
                    [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
                ).stdout
            )
            for _ in range(3)
        ]
        print(f"import {module:22s} {statistics.median(seconds):5.2f} s")


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=CHROMIUM_ARGUMENTS)
        for length in LENGTHS:
            measure(browser, length, Path(folder))
        browser.close()
    imports()


if __name__ == "__main__":
    main()
