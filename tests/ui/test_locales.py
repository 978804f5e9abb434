"""Every visible string has its Korean, and the compiled catalogue is the written one."""

from __future__ import annotations

import ast
import io
import re
import string
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from lstm_explorer import locales
from lstm_explorer.locales import LANGUAGES, _, current_language, use_language

pofile = pytest.importorskip("babel.messages.pofile", reason="Babel is not installed: requirements-dev.txt")

ROOT = Path(__file__).resolve().parents[2]
SOURCES = [
    ROOT / "streamlit_app.py",
    *sorted((ROOT / "pages").glob("**/*.py")),
    *sorted((ROOT / "lstm_explorer").glob("**/*.py")),
]
CODES = sorted(set(LANGUAGES) - {"en"})


def po_path(code: str) -> Path:
    return Path(locales.__file__).parent / code / "LC_MESSAGES" / "lstm_explorer.po"


def catalogue(code: str):
    with po_path(code).open("rb") as file:
        return pofile.read_po(file, locale=code, domain="lstm_explorer")


def translated_calls(tree: ast.AST, names: tuple[str, ...] = ("_", "ngettext")) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names:
            yield node


def is_extractable(call: ast.Call) -> bool:
    count = 2 if call.func.id == "ngettext" else 1
    literals = [isinstance(arg, ast.Constant) and isinstance(arg.value, str) for arg in call.args[:count]]
    return not call.keywords and len(literals) == count and all(literals)


def messages() -> set[str]:
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in SOURCES]
    return {
        call.args[0].value
        for tree in trees
        for call in translated_calls(tree, ("_", "ngettext", "N_"))
        if is_extractable(call)
    }


def placeholders(text: str) -> set[str]:
    return {name for _literal, name, _format, _conversion in string.Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_only_literals_are_translated(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    wrong = [call.lineno for call in translated_calls(tree) if not is_extractable(call)]
    assert not wrong, f"{path}: _() takes one literal; pass values to .format() afterwards (lines {wrong})"


@pytest.mark.parametrize(
    "path", [path for path in SOURCES if "lstm_explorer" in path.parts[len(ROOT.parts) :]], ids=lambda path: path.name
)
def test_nothing_is_translated_at_import(path):
    """A module is imported once, for readers of every language."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    inside = {
        id(call)
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for part in (node.body if isinstance(node.body, list) else [node.body])
        for call in translated_calls(part)
    }
    wrong = [call.lineno for call in translated_calls(tree) if id(call) not in inside]
    assert not wrong, f"{path}: translated when the module is imported (lines {wrong})"


@pytest.mark.parametrize("code", CODES)
def test_every_string_has_a_translation(code):
    known = catalogue(code)
    missing = sorted(text for text in messages() if text not in known or not known[text].string)
    assert not missing, f"not in {po_path(code)} (lstm_explorer/locales/__init__.py says how to update it): {missing}"


@pytest.mark.parametrize("code", CODES)
def test_no_translation_is_fuzzy_or_left_over(code):
    written = [message for message in catalogue(code) if message.id]
    assert not [message.id for message in written if message.fuzzy]
    ids = {message.id[0] if isinstance(message.id, tuple) else message.id for message in written}
    assert ids - messages() == set()


@pytest.mark.parametrize("code", CODES)
def test_placeholders_are_the_same(code):
    for message in catalogue(code):
        if message.id:
            ids = message.id if isinstance(message.id, tuple) else (message.id,)
            strings = message.string if isinstance(message.string, tuple) else (message.string,)
            for text in strings:
                assert placeholders(text) == placeholders(ids[-1]), message.id


@pytest.mark.parametrize("code", CODES)
def test_bold_text_is_closed_where_markdown_sees_it(code):
    """Two stars after a sign and before a letter close nothing: a Korean particle joins without a space."""
    for message in catalogue(code):
        parts = str(message.string).split("**") if message.id else []
        for inside, after in zip(parts[1::2], parts[2::2], strict=False):
            assert not (re.search(r"([^\w\s}]|%\})$", inside) and re.match(r"\w", after)), message.string


@pytest.mark.parametrize("code", CODES)
def test_the_compiled_catalogue_is_fresh(code):
    from babel.messages.mofile import write_mo

    fresh = io.BytesIO()
    write_mo(fresh, catalogue(code))
    assert po_path(code).with_suffix(".mo").read_bytes() == fresh.getvalue(), (
        "run: pybabel compile -D lstm_explorer -d lstm_explorer/locales"
    )


def test_the_language_belongs_to_the_context():
    heard: list[str] = []
    before = current_language()
    try:
        use_language("ko")
        thread = threading.Thread(target=lambda: heard.append(_("Language")))
        thread.start()
        thread.join()
        assert (_("Language"), heard) == ("언어", ["Language"])
    finally:
        use_language(before)


def test_an_unknown_language_is_refused():
    with pytest.raises(ValueError, match="language is 'xx': expected one of 'en', 'ko'"):
        use_language("xx")
