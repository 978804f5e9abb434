"""Take the README's pictures: ``python tests/browser/screenshot.py``."""

from pathlib import Path

from app_server import CHROMIUM_ARGUMENTS, find_chromium, serving
from playwright.sync_api import sync_playwright

FOLDER = Path(__file__).parent
#: File -> address, and the height of the window.
PICTURES = {
    "start.png": ("/?lang=en", 860),
    "biases.png": ("/biases?forget_bias=2&num_seeds=5&lang=en", 1180),
    "lesson.png": ("/lesson?lang=en&chapter=bias&answers=bias_4.0", 1180),
    "jacobians.png": ("/jacobians?lang=en", 1480),
    "training.png": ("/training?lang=en", 1400),
    "sweeps.png": ("/sweeps?lang=en&at_beside=1&at_up=1&at_across=2", 1240),
    "your_network.png": ("/your_network?lang=en", 1180),
}


def main() -> None:
    """Start the app, open each page, and save what is seen."""
    with serving() as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=CHROMIUM_ARGUMENTS)
        for name, (address, height) in PICTURES.items():
            page = browser.new_page(viewport={"width": 1280, "height": height})
            page.goto(f"{url}{address}")
            page.wait_for_selector(".js-plotly-plot .main-svg")
            page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]")
            page.wait_for_function("() => document.fonts.status === 'loaded'")
            page.screenshot(path=FOLDER / name)
            page.close()
        browser.close()


if __name__ == "__main__":
    main()
