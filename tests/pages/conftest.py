"""Every AppTest is a server of its own to Streamlit, which has not seen our navigation yet."""

import threading

import pytest

from lstm_explorer.ui import navigation


@pytest.fixture(autouse=True)
def fresh_process(monkeypatch):
    """Let each test begin as the first visitor of a process, so that a deep link goes through the entry."""
    monkeypatch.setattr(navigation, "_routed", threading.Event())
