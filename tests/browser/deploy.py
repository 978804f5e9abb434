"""Deploy the app as a host does, visit every page, export every format, and measure the server's memory.

Run ``python tests/browser/deploy.py``; CI does. The server runs in a fresh virtual environment with nothing but what
``requirements.txt`` brings; Chromium and Playwright are the visitor's. It ends with an error where a page fails, a file
is not what it says it is, or the server outgrows a small host.
"""

from __future__ import annotations

import io
import json
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from app_server import CHROMIUM_ARGUMENTS, ROOT, find_chromium, running
from playwright.sync_api import Browser, Page, sync_playwright

#: What Streamlit Community Cloud guaranteed at the least when this was written, in MB.
MOST_MB = 690

#: Format as its button reads -> how its file is known.
FORMATS: Mapping[str, Callable[[bytes], bool]] = {
    "PNG": lambda data: data.startswith(b"\x89PNG"),
    "SVG": lambda data: b"<svg" in data[:500] and b"@font-face" in data,
    "PDF": lambda data: data.startswith(b"%PDF"),
    "HTML": lambda data: data.startswith(b"<!DOCTYPE html>") and len(data) > 3_000_000,
    "CSV": lambda data: b"log10_median" in data[:500],
    "Parquet": lambda data: data.startswith(b"PAR1"),
    "JSON": lambda data: bool(json.loads(data)["results"]),
    "Script": lambda data: b"import torch" in data,
}
REPORT: Mapping[str, Callable[[bytes], bool]] = {
    "report_html": lambda data: data.startswith(b"<!DOCTYPE html>"),
    "report_pdf": lambda data: data.startswith(b"%PDF"),
    "report_zip": lambda data: "README.txt" in zipfile.ZipFile(io.BytesIO(data)).namelist(),
}


def main() -> None:
    """Deploy, visit, export, measure."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        python = install(Path(folder))
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=CHROMIUM_ARGUMENTS)
        with running(python=str(python)) as (url, process):
            say(f"after start: server {resident(process.pid)} MB")
            visit_by_link(browser, url)
            visit_by_navigation(browser, url)
            say(f"after every page: server {resident(process.pid)} MB")
            export_formats(browser, url)
            export_report(browser, url)
            server, helpers = resident(process.pid), sum(map(proportional, children(process.pid)))
            say(f"after every export: server {server} MB, its browser {helpers} MB more")
        browser.close()
    if server > MOST_MB:
        raise SystemExit(f"the server takes {server} MB: expected at most {MOST_MB}.")


def environment(folder: Path) -> Path:
    """Return the Python of a new virtual environment."""
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    return folder / "bin" / "python"


def install(folder: Path) -> Path:
    """Return the Python of a new virtual environment with the app's requirements."""
    python = environment(folder)
    command = [str(python), "-m", "pip", "install", "-qq", "--disable-pip-version-check", "--no-compile"]
    subprocess.run([*command, "-r", "requirements.txt"], cwd=ROOT, check=True)
    return python


def pages() -> list[str]:
    """Return the names of the pages, which are their addresses."""
    return sorted(path.stem for path in (ROOT / "pages").glob("*.py"))


def visit_by_link(browser: Browser, url: str) -> None:
    """Open each page by its address, in a browser that has seen none; the first meets a server that nobody visited."""
    for name in pages():
        page = browser.new_page()
        page.goto(f"{url}/{name}")
        settled(page)
        say(f"deep link {name}: {page.locator('h1').first.inner_text()}")
        page.close()


def visit_by_navigation(browser: Browser, url: str) -> None:
    """Click through the navigation."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(url)
    settled(page)
    groups = page.locator("[data-testid=stTopNavSection]")
    for group in range(groups.count()):
        groups.nth(group).click()
        links = page.locator("[data-testid=stTopNavDropdownLink]")
        links.first.wait_for()
        for name in links.all_inner_texts():
            if not links.first.is_visible():
                groups.nth(group).click()
            links.get_by_text(name, exact=True).click()
            settled(page)
            say(f"navigation, {name}: {page.locator('h1').first.inner_text()}")
    page.close()


def export_formats(browser: Browser, url: str) -> None:
    """Download the first figure in every format."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(url)
    settled(page)
    page.locator(".st-key-journey_download button").first.click()
    for name, is_one in FORMATS.items():
        page.get_by_role("radio", name=name, exact=True).click()
        settled(page)
        page.get_by_role("button", name=f"Download {name}").wait_for()
        check(name, download(page, "journey_file"), is_one)
    page.close()


def export_report(browser: Browser, url: str) -> None:
    """Collect a figure of each page and download the report in its three forms."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    for path, figure in (("", "journey"), ("gradients", "gradients")):
        page.goto(f"{url}/{path}?{page.url.partition('?')[2]}")
        settled(page)
        page.locator(f".st-key-{figure}_report button").first.click()
        page.get_by_role("button", name="In the report").first.wait_for()
        settled(page)
    page.goto(f"{url}/report?{page.url.partition('?')[2]}")
    settled(page)
    for key, is_one in REPORT.items():
        check(key, download(page, key), is_one)
    page.close()


def download(page: Page, key: str) -> bytes:
    """Click a download button and return the file."""
    with page.expect_download(timeout=90_000) as caught:
        page.locator(f".st-key-{key} button").first.click()
    data = Path(caught.value.path()).read_bytes()
    settled(page)
    return data


def settled(page: Page) -> None:
    """Wait until the page's run has ended; no exception may be on it."""
    page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]", timeout=90_000)
    page.wait_for_selector("h1", timeout=90_000)
    if page.locator("[data-testid=stException]").count():
        raise SystemExit(f"{page.url} shows an exception: {page.locator('[data-testid=stException]').inner_text()}")


def check(name: str, data: bytes, is_one: Callable[[bytes], bool]) -> None:
    """End with an error where a file is not of its kind."""
    if not is_one(data):
        raise SystemExit(f"{name} is no {name}: {data[:200]!r}")
    say(f"export {name}: {len(data):,} bytes")


def resident(pid: int) -> int:
    """Return the resident memory of a process in MB (Linux)."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) // 1024


def proportional(pid: int) -> int:
    """Return the memory of a process in MB, what it shares with others counted by its share; 0 if it has just ended."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) // 1024


def children(pid: int) -> list[int]:
    """Return all descendants of a process; none if it has just ended."""
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        own = [int(child) for task in tasks for child in (task / "children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []
    return own + [grandchild for child in own for grandchild in children(child)]


def say(text: str) -> None:
    """Write a line of the record."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
