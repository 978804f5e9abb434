"""Hostile addresses in process, by all that reads them: no exception, no long wait, nothing illegal taken over.

``LSTM_EXPLORER_HOSTILE=100000 pytest tests/hostile`` tries as many; without it there are as many as take some seconds.
"""

from __future__ import annotations

import contextlib
import gc
import itertools
import os
import time
from types import SimpleNamespace
from urllib.parse import urlencode

import pytest
import streamlit as st
from addresses import VIEWS, mutated
from streamlit.runtime.state.query_params import _parse_query_string

from lstm_explorer.core.record import schema
from lstm_explorer.locales import use_language
from lstm_explorer.ui import address, language, page, report, session
from lstm_explorer.ui.pins import PARAMETER, PINS, current_pins
from lstm_explorer.ui.startup import _GARBAGE

TRIED = int(os.environ.get("LSTM_EXPLORER_HOSTILE", "600"))
#: Seconds that one address may take, on a machine with other work.
PATIENCE = 0.1 if "LSTM_EXPLORER_HOSTILE" in os.environ else 1.0


class Tab:
    """A tab of a browser: Streamlit's state and address, and what is drawn about the address."""

    def __init__(self, monkeypatch) -> None:
        self.query, self.drawn, self.state = {}, [], {}
        monkeypatch.setattr(st, "session_state", self.state)
        monkeypatch.setattr(st, "query_params", self)
        monkeypatch.setattr(st, "context", SimpleNamespace(locale="en", url="http://app/x"))
        monkeypatch.setattr(st, "warning", lambda text, **_: self.drawn.append(text))
        monkeypatch.setattr(st, "button", lambda *_, **__: False)
        monkeypatch.setattr(st, "container", lambda **_: contextlib.nullcontext())
        monkeypatch.setattr(address, "get_script_run_ctx", lambda: None)
        monkeypatch.setattr(page, "require_entry", lambda: None)

    def __iter__(self):
        return iter(self.query)

    def get_all(self, name: str) -> list[str]:
        return self.query[name]

    def from_dict(self, new) -> None:
        self.query = dict(new)

    def open(self, name: str, query: str) -> None:
        """Open a page in a new session."""
        self.state.clear()
        self.go(name, query)

    def go(self, name: str, query: str) -> None:
        """Run a page as the entry does."""
        self.drawn.clear()
        self.query = _parse_query_string(query)
        incoming = address.begin()
        language.begin(incoming)
        report.begin(incoming)
        lists = {PARAMETER: PINS} if name == "gradients" else address.NO_LISTS
        page.open_page(f"{name}.py", view=VIEWS[name], lists=lists)


@pytest.fixture
def tab(monkeypatch):
    usual = gc.get_threshold()
    gc.set_threshold(*_GARBAGE)  # as in the app: Python's own takes a tenth of a second for a bomb of lists
    yield Tab(monkeypatch)
    gc.set_threshold(*usual)
    use_language("en")


def check(tab: Tab, name: str) -> None:
    """What was read is legal, what is said is short, and the address that is written opens the same."""
    settings, view = session.current_settings(), session.current_view()
    for field, (low, high) in session.current_limits().items():
        value = getattr(view, field) if hasattr(view, field) else getattr(settings, field)
        assert low <= value <= high, field
    assert sum(map(len, tab.drawn)) < 20_000
    for text in tab.drawn:
        text.encode()
        assert "<" not in text.replace("\\<", "")
    made, pins = report.current(), current_pins()
    written = urlencode(tab.query, doseq=True)
    tab.open(name, written)
    assert tab.drawn == []
    assert (session.current_settings(), session.current_view()) == (settings, view)
    assert (report.current(), current_pins()) == (made, pins)


def test_no_address_does_harm(tab):
    slowest = 0.0
    for name, query in itertools.islice(mutated(20), TRIED):
        began = time.process_time()
        tab.open(name, query)
        took = time.process_time() - began
        assert took < PATIENCE, (name, query[:2000])
        slowest = max(slowest, took)
        check(tab, name)
    print(f"{TRIED} addresses, the slowest took {1000 * slowest:.0f} ms")  # noqa: T201


@pytest.mark.parametrize("first", VIEWS)
def test_what_one_page_says_of_an_address_does_no_harm_on_the_next(tab, first):
    query = urlencode({name: "\0" for name in schema(VIEWS[first])} | {"forget_bias": "x"})
    for then in VIEWS:
        tab.open(first, query)
        assert tab.drawn
        tab.go(then, "")
        assert not tab.drawn or then == first


def test_every_page_is_attacked():
    pages = {path.stem for path in (page.Path(page.__file__).parents[2] / "pages").glob("*.py")}
    assert set(VIEWS) == pages
    assert all(schema(view) is not None for view in VIEWS.values())
