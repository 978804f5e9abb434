"""The real app in real Chromium: a server, a page, and waiting on conditions (never on time)."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from app_server import CHROMIUM_ARGUMENTS, find_chromium, serving

REQUIRED = os.environ.get("LSTM_EXPLORER_REQUIRE_BROWSER") == "1"
SETTLED = """() => document.querySelector('[data-testid=stApp][data-test-script-state=notRunning]')
    && document.querySelector('h1') && !document.querySelector('[data-testid=stSkeleton]')"""


def _missing(reason: str) -> None:
    if REQUIRED:
        pytest.fail(f"LSTM_EXPLORER_REQUIRE_BROWSER=1, but {reason}", pytrace=False)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def browser():
    """One Chromium for the whole run."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        _missing("playwright is not installed: pip install -r requirements-dev.txt")
    path = find_chromium()
    if path is None:
        _missing("there is no Chromium: install it, or set BROWSER_PATH")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=CHROMIUM_ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def server(browser, tmp_path_factory) -> Iterator[str]:
    """Address of an app that every test of the run may share."""
    with serving(environment={"LSTM_EXPLORER_RUNS": str(tmp_path_factory.mktemp("runs"))}) as url:
        yield url


@pytest.fixture
def fresh_server(browser) -> Iterator[str]:
    """Address of an app that nobody has visited yet."""
    with serving() as url:
        yield url


@pytest.fixture
def page(browser):
    """A browser tab of its own, English unless a test says otherwise."""
    context = browser.new_context(locale="en-US", viewport={"width": 1280, "height": 800})
    context.set_default_timeout(30_000)
    yield context.new_page()
    context.close()


@pytest.fixture
def korean_page(browser):
    """A tab of a browser that asks for Korean."""
    context = browser.new_context(locale="ko-KR", viewport={"width": 390, "height": 844})
    context.set_default_timeout(30_000)
    yield context.new_page()
    context.close()


@pytest.fixture(scope="session")
def settled():
    """Wait until a page's run has ended and its widgets stand; no exception may be on it."""

    def wait(page) -> None:
        page.wait_for_function(SETTLED, timeout=90_000)  # the first page on a machine compiles, perhaps a busy one
        assert page.locator("[data-testid=stException]").count() == 0

    return wait


@pytest.fixture
def open_page(page):
    """Open a page from the menu of its group, as a reader does."""

    def open_(group: str, title: str) -> None:
        page.locator("[data-testid=stTopNavSection]").get_by_text(group, exact=True).click()
        page.locator("[data-testid=stTopNavDropdownLink]").get_by_text(title, exact=True).click()

    return open_
