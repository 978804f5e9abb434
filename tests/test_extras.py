"""An installation that lacks an extra says which line installs it."""

import re
import tomllib
from pathlib import Path

import pytest

from lstm_explorer import extras
from lstm_explorer.extras import MODULES, MissingExtraError, require

ROOT = Path(__file__).resolve().parents[1]
#: Name on PyPI, in lower case, where a module is imported under another.
NAMES = {"pillow": "PIL", "fonttools": "fontTools", "markdown-it-py": "markdown_it"}


@pytest.mark.parametrize("extra", MODULES)
def test_everything_is_installed_here(extra):
    require(extra)


@pytest.mark.parametrize(("extra", "module"), [("figures", "plotly"), ("export", "kaleido"), ("app", "streamlit")])
def test_what_is_missing_is_named_with_the_line_that_installs_it(monkeypatch, extra, module):
    monkeypatch.setattr(extras, "find_spec", lambda name: None if name == module else object())
    message = f'{module} is not installed: pip install "lstm-explorer[{extra}]"'
    with pytest.raises(MissingExtraError, match=re.escape(message)) as missing:
        require(extra)
    assert missing.value.name == module


def test_extras_are_those_of_the_package():
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    assert set(declared) == set(MODULES)
    for extra, requirements in declared.items():
        names = {re.match(r"[\w-]+", requirement)[0] for requirement in requirements} - {"lstm-explorer"}
        assert {NAMES.get(name, name) for name in names} <= set(MODULES[extra])
