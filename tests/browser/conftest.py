"""The real app in real Chromium: a server, a page, and waiting on conditions (never on time)."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
REQUIRED = os.environ.get("LSTM_EXPLORER_REQUIRE_BROWSER") == "1"
SETTLED = """() => document.querySelector('[data-testid=stApp][data-test-script-state=notRunning]')
    && document.querySelector('h1') && !document.querySelector('[data-testid=stSkeleton]')"""


def _missing(reason: str) -> None:
    if REQUIRED:
        pytest.fail(f"LSTM_EXPLORER_REQUIRE_BROWSER=1, but {reason}", pytrace=False)
    pytest.skip(reason)


def chromium_path() -> str:
    names = ("chromium", "chromium-browser", "google-chrome", "chrome")
    found = os.environ.get("BROWSER_PATH") or next(filter(None, map(shutil.which, names)), None)
    if not found:
        _missing("there is no Chromium: install it, or set BROWSER_PATH")
    return str(found)


@contextlib.contextmanager
def serving() -> Iterator[str]:
    """Run the app as the README says, on a free port, until it answers."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "streamlit_app.py"]
    options = ["--server.port", str(port), "--server.headless", "true", "--server.fileWatcherType", "none"]
    process = subprocess.Popen([*command, *options], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait_for_health(f"http://127.0.0.1:{port}", process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=30)


def _wait_for_health(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{url}/_stcore/health", timeout=2) as answer:
            if answer.status == 200:
                return
    raise RuntimeError(f"the app did not start within 60 s (exit status {process.poll()})")


@pytest.fixture(scope="session")
def browser():
    """One Chromium for the whole run."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        _missing("playwright is not installed: pip install -r requirements-dev.txt")
    arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=chromium_path(), args=arguments)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def server(browser) -> Iterator[str]:
    """Address of an app that every test of the run may share."""
    with serving() as url:
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
        page.wait_for_function(SETTLED)
        assert page.locator("[data-testid=stException]").count() == 0

    return wait
