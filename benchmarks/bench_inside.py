"""From a key press on the step slider to the diagram's new numbers, in real Chromium, beside an empty fragment.

Run ``python benchmarks/bench_inside.py`` at the root of the repository. Both servers run at once and take turns.
"""

from __future__ import annotations

import statistics
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "browser")]

from app_server import CHROMIUM_ARGUMENTS, find_chromium, serving
from playwright.sync_api import Page, sync_playwright

MOVES = 30
PRESS = """([selector, word]) => {
    const seen = () => [...document.querySelectorAll(selector)].map(e => e.textContent).find(t => t.includes(word));
    const before = seen();
    document.querySelector('.st-key-step input[type=range]').focus();
    const begin = performance.now();
    window.pressed = new Promise(done => {
        const look = () => seen() && seen() !== before ? done(performance.now() - begin) : requestAnimationFrame(look);
        requestAnimationFrame(look);
    });
}"""


def press(page: Page, selector: str, word: str) -> float:
    """Move the slider by one key press and return the milliseconds to the new text."""
    page.evaluate(PRESS, [selector, word])
    page.keyboard.press("ArrowRight")
    milliseconds = page.evaluate("() => window.pressed")
    page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]")
    page.wait_for_timeout(150)  # the charts beneath are still being drawn
    return float(milliseconds)


def main() -> None:
    """Print medians and their ratio for several lengths."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=CHROMIUM_ARGUMENTS)
        with serving() as ours, serving("benchmarks/peer_fragment.py") as theirs:
            peer = browser.new_page(viewport={"width": 1280, "height": 900})
            peer.goto(theirs)
            peer.wait_for_selector(".st-key-step input[type=range]")
            for length, units in ((100, 32), (500, 64), (2000, 256)):
                page = browser.new_page(viewport={"width": 1280, "height": 900})
                page.goto(f"{ours}/inside?sequence_length={length}&hidden_size={units}")
                page.wait_for_selector(".drawing svg", timeout=60_000)
                page.wait_for_selector(".js-plotly-plot .main-svg", timeout=60_000)
                page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]")
                page.wait_for_timeout(1000)
                times = [
                    (press(page, ".drawing svg", "step"), press(peer, "[data-testid=stMarkdown]", "step"))
                    for _ in range(MOVES)
                ]
                mine, other = (statistics.median(column) for column in zip(*times, strict=True))
                ratio = statistics.median(a / b for a, b in times)
                print(
                    f"T = {length:4d}, H = {units:3d}: {mine:.0f} ms, empty fragment {other:.0f} ms, ratio {ratio:.2f}"
                )
                page.close()
        browser.close()


if __name__ == "__main__":
    main()
