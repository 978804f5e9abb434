"""Errors become one box for the reader, and tracebacks go to the log."""

from __future__ import annotations

import streamlit as st

from lstm_explorer.ui.errors import shielded


def _raise_from(module: str, error: Exception) -> None:
    exec("raise error", {"__name__": module, "error": error})


def test_the_shield_shows_the_message_of_the_core_and_hides_the_rest(monkeypatch, caplog):
    boxes: list[str] = []
    monkeypatch.setattr(st, "error", lambda text, **_options: boxes.append(text))
    for module, error in [
        ("lstm_explorer.core.settings", ValueError("hidden is 0")),
        ("torch.nn", ValueError("secret")),
        ("lstm_explorer.core.architectures.lstm", KeyError("secret")),
    ]:
        with shielded():
            _raise_from(module, error)
    assert boxes[0] == "hidden is 0"
    assert not any("secret" in box for box in boxes)
    assert [record.exc_info is not None for record in caplog.records] == [True, True]
