"""Take the README's picture of the first page: ``python tests/browser/screenshot.py``."""

from pathlib import Path

from app_server import CHROMIUM_ARGUMENTS, find_chromium, serving
from playwright.sync_api import sync_playwright

TARGET = Path(__file__).with_name("start.png")


def main() -> None:
    """Start the app, open the first page at a forget bias of 2, and save what is seen."""
    with serving() as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=CHROMIUM_ARGUMENTS)
        page = browser.new_page(viewport={"width": 1280, "height": 860})
        page.goto(f"{url}/?forget_bias=2&lang=en")
        page.wait_for_selector(".js-plotly-plot .main-svg")
        page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]")
        page.wait_for_function("() => document.fonts.status === 'loaded'")
        page.screenshot(path=TARGET)
        browser.close()


if __name__ == "__main__":
    main()
