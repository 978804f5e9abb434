"""Install the package as a stranger does, and use it from an empty folder: the core alone first, then with the app.

Run ``python tests/browser/install.py``; CI does. It builds the wheel from a copy of the repository, checks that nothing
stayed behind, and installs it into a fresh virtual environment, in the versions that ``requirements.txt`` pins. It ends
with an error where something does not run, or comes that nobody asked for.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from app_server import CHROMIUM_ARGUMENTS, ROOT, find_chromium, started
from deploy import environment, say, settled, visit_by_link
from playwright.sync_api import Browser, sync_playwright

#: What no copy needs: history, and what tools left.
LEFT = shutil.ignore_patterns(".git", ".*cache", ".venv", "__pycache__", "build", "dist", "*.egg-info")
#: The background of .streamlit/config.toml's light theme, as a browser names it.
BACKGROUND = "rgb(252, 252, 251)"


def main() -> None:
    """Build, install, use."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        place = Path(folder)
        wheel = build(place)
        python = environment(place / "venv")
        elsewhere = place / "elsewhere"
        elsewhere.mkdir()
        install(python, str(wheel))
        use_core(python, elsewhere)
        install(python, f"{wheel}[app]")
        use_figures(python, elsewhere)
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=CHROMIUM_ARGUMENTS)
        use_app(python, elsewhere, browser)
        browser.close()


def build(place: Path) -> Path:
    """Return the wheel of a copy of the repository, once it holds every file of the package and of the app."""
    shutil.copytree(ROOT, place / "copy", ignore=LEFT)
    command = [sys.executable, "-m", "pip", "wheel", "-qq", "--no-deps", "--wheel-dir", str(place), "."]
    subprocess.run(command, cwd=place / "copy", check=True)
    (wheel,) = place.glob("*.whl")
    package = [path for path in (ROOT / "lstm_explorer").rglob("*") if path.is_file()]
    expected = {path.relative_to(ROOT).as_posix() for path in package if path.parent.name != "__pycache__"}
    app = [ROOT / "streamlit_app.py", ROOT / ".streamlit/config.toml", *(ROOT / "pages").glob("*.py")]
    expected |= {f"lstm_explorer/app/{path.relative_to(ROOT).as_posix()}" for path in app}
    came = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    if came != expected:
        raise SystemExit(f"the wheel lacks {sorted(expected - came)} and has {sorted(came - expected)} too much.")
    say(f"{wheel.name}: {len(came)} files, {wheel.stat().st_size:,} bytes")
    return wheel


def install(python: Path, what: str) -> None:
    """Install into the environment, in the versions that are pinned."""
    # Not compiled: of what torch brings, little is imported here.
    command = [str(python), "-m", "pip", "install", "-qq", "--disable-pip-version-check", "--no-compile"]
    subprocess.run([*command, "--constraint", str(ROOT / "requirements.txt"), what], check=True)
    say(f"installed {what.rpartition('/')[2]}")


def use_core(python: Path, folder: Path) -> None:
    """Run the README's example, with the core alone; what needs more says in one line what to install."""
    *lines, last = readme("python")[0].strip().splitlines()
    shown = next(block for block in readme("text") if "log10_norm" in block)
    printed = said(python, folder, "-c", "\n".join([*lines, f"print(({last.split('  #')[0]}).to_string(index=False))"]))
    expect("the README's example", printed.split(), shown.split())
    modules = "plotly streamlit kaleido pyarrow"
    listed = f"from importlib.util import find_spec; print([m for m in '{modules}'.split() if find_spec(m)])"
    expect("what came with the core", said(python, folder, "-c", listed), "[]")
    expect("help", said(python, folder, "-m", "lstm_explorer", "--help").split()[:2], ["usage:", "lstm-explorer"])
    missing = 'plotly is not installed: pip install "lstm-explorer[{}]"'
    for name in ("export", "app"):
        line = f"lstm-explorer {name}: error: {missing.format(name)}"
        expect(name, command(python, folder, name).stderr.strip(), line)
    failed = subprocess.run(
        [python, "-c", "import lstm_explorer.figures"], cwd=folder, capture_output=True, text=True
    ).stderr.strip()
    expect("figures", failed.splitlines()[-1].partition("Error: ")[2], missing.format("figures"))


def use_figures(python: Path, folder: Path) -> None:
    """Draw from Python, and export by the command."""
    example, figures = readme("python")[:2]
    said(python, folder, "-c", f"{example}\n{figures}")
    expect("the README's figure", (folder / "flow.html").read_bytes()[:15], b"<!doctype html>")
    for kind, begins in {"svg": b"<svg", "csv": b"\xef\xbb\xbf"}.items():
        done = command(python, folder, "export", "--sequence-length", "20", "--out", f"figure.{kind}")
        data = (folder / f"figure.{kind}").read_bytes() if done.returncode == 0 else done.stderr.encode()
        expect(f"lstm-explorer export, {kind}", data[: len(begins)], begins)


def use_app(python: Path, folder: Path, browser: Browser) -> None:
    """Start the app, open every page by its address, and look whether our configuration was read."""
    with started([str(python.with_name("lstm-explorer")), "app"], folder=folder) as (url, _process):
        visit_by_link(browser, url)
        page = browser.new_page(color_scheme="light")
        page.goto(url)
        settled(page)
        colour = page.locator("[data-testid=stApp]").evaluate("app => getComputedStyle(app).backgroundColor")
        expect("the theme", colour, BACKGROUND)
        page.close()


def readme(language: str) -> list[str]:
    """Return the README's blocks in a language, in order."""
    return re.findall(rf"```{language}\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)


def command(python: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run ``lstm-explorer`` in a folder."""
    program = str(python.with_name("lstm-explorer"))
    return subprocess.run([program, *arguments], cwd=folder, capture_output=True, text=True)


def said(python: Path, folder: Path, *arguments: str) -> str:
    """Return what the environment's Python prints in a folder."""
    done = subprocess.run([str(python), *arguments], cwd=folder, stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout.strip()


def expect(what: str, came: object, expected: object) -> None:
    """End with an error where something is not as expected."""
    if came != expected:
        raise SystemExit(f"{what}: expected {expected!r}, came {came!r}.")
    say(f"{what}: as expected")


if __name__ == "__main__":
    main()
