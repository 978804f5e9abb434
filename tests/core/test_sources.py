"""The literature: every source that a docstring names exists, and none can be changed."""

import importlib
import inspect
import pkgutil
import re

import pytest

from lstm_explorer import core
from lstm_explorer.core.sources import SOURCES


def test_every_source_named_in_a_docstring_exists():
    modules = [
        importlib.import_module(found.name) for found in pkgutil.walk_packages(core.__path__, "lstm_explorer.core.")
    ]
    text = "\n".join(inspect.getsource(module) for module in modules)
    named = {key for line in re.findall(r"Source:\n\s+(.*)", text) for key in re.findall(r"\b[a-z]+\d{4,}\b", line)}
    assert named >= {"gers2000", "chen2018", "pascanu2013", "tallec2018"}
    assert named <= set(SOURCES)


def test_sources_cannot_be_changed_and_have_honest_addresses():
    with pytest.raises(TypeError, match="does not support item assignment"):
        SOURCES["new"] = SOURCES["le2015"]
    for key, source in SOURCES.items():
        assert str(source.year) in key or key == "keras16151"
        assert source.url.startswith("https://") or key == "gers2000"
