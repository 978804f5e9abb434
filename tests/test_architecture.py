"""Imports go one way, the core stays light, and the README tells the truth about the public API."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import lstm_explorer

ROOT = Path(__file__).resolve().parents[1]
#: Floors from the ground up; a module may import its own floor and those below it.
FLOORS = ["locales", "core", "runs", "figures", "exhibits", "export", "ui", "pages"]
SOURCES = sorted([*(ROOT / "lstm_explorer").glob("*/**/*.py"), *(ROOT / "pages").glob("*.py")])


def floor_of(path):
    parts = path.relative_to(ROOT).parts
    return "pages" if parts[0] == "pages" else parts[1]


def imported_modules(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_go_downwards_only(path):
    names = [name.split(".") for name in imported_modules(path)]
    floors = {parts[1] for parts in names if parts[0] == "lstm_explorer" and len(parts) > 1} & set(FLOORS)
    floors |= {"pages" for parts in names if parts[0] == "pages"}
    allowed = set(FLOORS[: FLOORS.index(floor_of(path)) + 1]) - {"pages"}
    assert floors <= allowed


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_streamlit_and_plotly_stay_on_their_floors(path):
    roots = {name.split(".")[0] for name in imported_modules(path)}
    forbidden = {
        "locales": {"streamlit", "plotly", "torch"},
        "core": {"streamlit", "plotly"},
        "runs": {"streamlit", "plotly"},
        "figures": {"streamlit"},
        "exhibits": {"streamlit"},
        "export": {"streamlit"},
    }
    assert not roots & forbidden.get(floor_of(path), set())


def test_importing_the_package_leaves_streamlit_and_plotly_out():
    code = "import sys, lstm_explorer; print(sorted({'streamlit', 'plotly'} & set(sys.modules)))"
    printed = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert printed.strip() == "[]"


def test_pages_and_core_files_stay_small():
    long_pages = {p.name: n for p in (ROOT / "pages").glob("*.py") if (n := len(p.read_text().splitlines())) > 120}
    long_core = {p.name: n for p in SOURCES if (n := len(p.read_text().splitlines())) > 350}
    assert not long_pages
    assert not long_core


def test_every_name_the_readme_uses_exists():
    used = set(re.findall(r"\blx\.(\w+)", (ROOT / "README.md").read_text(encoding="utf-8")))
    assert used
    assert used <= set(lstm_explorer.__all__)


def test_the_readme_example_prints_what_it_says():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    code = next(block for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL) if "to_frame" in block)
    printed = next(block for block in re.findall(r"```text\n(.*?)```", text, re.DOTALL) if "log10_norm" in block)
    *lines, last = code.strip().splitlines()
    scope = {}
    exec("\n".join(lines), scope)
    frame = eval(last, scope)
    assert list(frame.columns) == printed.split()[: len(frame.columns)]
    shown = [float(line.split()[-1]) for line in printed.strip().splitlines()[1:]]
    assert list(frame["log10_norm"]) == pytest.approx(shown, abs=1e-4)


def test_the_readme_has_the_two_commands():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "pip install -r requirements.txt && streamlit run streamlit_app.py" in text
    assert "pip install -r requirements-dev.txt && pytest" in text
