"""The session's record: what a page asks of it, and what a widget's callback changes."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Literal

import pytest

from lstm_explorer.core.record import Correction
from lstm_explorer.core.settings import Settings
from lstm_explorer.exhibits.view import View
from lstm_explorer.ui import session
from lstm_explorer.ui.session import merge


@dataclass(frozen=True, kw_only=True)
class Lab(View):
    """A view with one field."""

    scale: Literal["log", "linear"] = "log"


@pytest.fixture
def record(monkeypatch):
    """The record of a session that shows the page ``lab``; anything sent to the browser fails."""
    record = session.Session(page="lab", views={"lab": Lab()})
    monkeypatch.setattr(session, "current_session", lambda: record)
    monkeypatch.setattr(session, "st", None)
    return record


def test_merge_keeps_what_came_first_and_what_was_taken_last():
    first, second = Correction("sequence_length", "1e9", 100_000), Correction("sequence_length", "100000", 2000)
    assert merge([first], [second]) == (Correction("sequence_length", "1e9", 2000),)


def test_a_callback_changes_the_record_and_sends_nothing(record):
    """Anything sent from a callback lets Streamlit requeue a newer move behind it: a quick slider jumps back."""
    session.apply(forget_bias=2, scale="linear")
    session.apply_list("pin", ["a"])
    assert (record.settings.forget_bias, record.views["lab"].scale) == (2.0, "linear")
    assert session.current_list("pin") == ("a",)


def test_a_value_that_is_not_legal_changes_nothing(record):
    with pytest.raises(ValueError, match="hidden_size is 0: expected"):
        session.apply(hidden_size=0, scale="linear")
    assert (record.settings, record.views) == (Settings(), {"lab": Lab()})


def test_what_was_mended_stays_until_it_is_dismissed(record):
    session.report(Correction("lang", "xx", "en"))
    session.report(Correction("pin", "?", ""))
    assert [correction.name for correction in session.current_corrections()] == ["lang", "pin"]
    session.dismiss()
    assert session.current_corrections() == ()


def test_a_change_of_settings_takes_the_repairs_away_and_runs_the_whole_page(record, monkeypatch):
    reruns = []
    monkeypatch.setattr(session, "st", SimpleNamespace(rerun=lambda: reruns.append(record.corrections)))
    session.report(Correction("lang", "xx", "en"))
    session.apply(forget_bias=1)
    session.apply(forget_bias=2)
    assert reruns == [()]


def test_what_every_page_carries_is_set_and_taken_out(record):
    session.share("lang", "ko")
    assert record.shared == {"lang": "ko"}
    session.share("lang", None)
    session.share("lang", None)
    assert record.shared == {}
