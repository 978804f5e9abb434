"""A bar in a terminal, lines now and then elsewhere."""

from __future__ import annotations

import sys

import pytest

from lstm_explorer.export import progress_bar
from lstm_explorer.export.progress_bar import ProgressBar


def test_where_there_is_no_terminal_only_the_last_line_is_certain(capsys):
    bar = ProgressBar()
    for done in (1, 2):
        bar.show("sweep", done, 2, "0 failed", seconds_left=61.0 * (2 - done), last=done == 2)
    assert capsys.readouterr().err == f"sweep [{'#' * 24}] 2/2, 0 failed, 0:00 left\n"


@pytest.mark.parametrize("terminal", [True, False])
def test_it_is_shown_as_often_as_one_can_read(capsys, monkeypatch, terminal):
    now = [0.0]
    monkeypatch.setattr(progress_bar.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal)
    bar = ProgressBar()
    for step in range(1, 101):
        now[0] += 0.125
        bar.show("sweep", step, 100, "", seconds_left=0)
    shown = capsys.readouterr().err
    assert shown.count("left") == (100 if terminal else 2)
    assert shown.count("\n") == (0 if terminal else 2)
    assert shown.count("\r") == (100 if terminal else 0)
