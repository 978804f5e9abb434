"""The app as the README starts it, and the browser that looks at it; for tests, screenshots and the benchmark."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM_ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


def find_chromium() -> str | None:
    """Return where a Chromium is: ``BROWSER_PATH``, else one on the path, else None."""
    names = ("chromium", "chromium-browser", "google-chrome", "chrome")
    return os.environ.get("BROWSER_PATH") or next(filter(None, map(shutil.which, names)), None)


@contextlib.contextmanager
def serving(script: str = "streamlit_app.py", environment: Mapping[str, str] | None = None) -> Iterator[str]:
    """Run a Streamlit script on a free port, until it answers; give its address."""
    with running(script, environment) as (url, _process):
        yield url


@contextlib.contextmanager
def running(
    script: str = "streamlit_app.py", environment: Mapping[str, str] | None = None, python: str = sys.executable
) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Run a Streamlit script under any Python; give its address and its process."""
    with started([python, "-m", "streamlit", "run", script], folder=ROOT, environment=environment) as app:
        yield app


@contextlib.contextmanager
def started(
    command: Sequence[str], *, folder: Path, environment: Mapping[str, str] | None = None
) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Run a command that takes Streamlit's options, in a folder; give the app's address and its process."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = ["--server.port", str(port), "--server.headless", "true"]
    process = subprocess.Popen(
        [*command, *options], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        env={**os.environ, **(environment or {})},
    )  # fmt: skip
    try:
        _wait_for_health(f"http://127.0.0.1:{port}", process)
        yield f"http://127.0.0.1:{port}", process
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
