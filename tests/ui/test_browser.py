"""The scripts that run in the browser: complete, explained, and of no page (what they do: tests/browser)."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from lstm_explorer.ui import browser

SCRIPTS = sorted(Path(browser.__file__).with_name("scripts").glob("*.js"))
ASKED_FOR = {
    node.args[0].value
    for node in ast.walk(ast.parse(Path(browser.__file__).read_text(encoding="utf-8")))
    if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("_component", "_run")
    if isinstance(node.args[0], ast.Constant)
}


def test_every_script_is_asked_for_and_there():
    assert {path.stem for path in SCRIPTS} - {"once"} == ASKED_FOR


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_a_script_says_why_it_is_there_and_is_of_no_page(path):
    text = path.read_text(encoding="utf-8")
    assert text.startswith("// ")
    assert max(map(len, text.splitlines())) <= 120
    assert ".st-key-" not in text


@pytest.mark.parametrize("name", sorted(ASKED_FOR))
def test_a_script_is_one_module(name):
    text = browser.script(name)
    assert text.count("export default function") == 1
    assert text.count("function isNew(") == ("isNew(data.number)" in text)
