"""How a figure is shown: what a page gives and a report does not."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from lstm_explorer.core.settings import Settings
from lstm_explorer.exhibits.inside import InsideView, diagram
from lstm_explorer.exhibits.journey import journey
from lstm_explorer.exhibits.view import View
from lstm_explorer.runs.direct import DirectRunner
from lstm_explorer.ui import figure, report_editor, toolbar
from lstm_explorer.ui.report import Item

SHORT = Settings(sequence_length=6, hidden_size=4)


@pytest.fixture
def shown(monkeypatch):
    """What was sent to the browser, and for how long it was waited, in order."""
    sent: list[object] = []
    monkeypatch.setattr(figure.time, "sleep", sent.append)
    monkeypatch.setattr(figure, "draw", lambda drawings, **options: sent.append(options))
    for name in ("plotly_chart", "markdown", "caption"):
        monkeypatch.setattr(figure.st, name, lambda *_things, name=name, **_options: sent.append(name))
    monkeypatch.setattr(toolbar, "show_toolbar", lambda exhibit: sent.append("toolbar"))
    return sent


def edit(item: Item) -> None:
    """Show an item of a report."""
    exhibit = item.build(DirectRunner())
    assert exhibit is not None
    report_editor.show_figure(exhibit, key="item_0")


def test_on_a_page_what_stands_around_a_redrawn_chart_comes_a_moment_later(shown):
    toolbar.show_exhibit(journey(DirectRunner(), SHORT, View()))
    assert shown == ["plotly_chart", 0.06, "markdown", "caption", "toolbar"]


def test_a_report_waits_for_nothing(shown):
    edit(Item(figure="journey", settings=SHORT))
    assert shown == ["plotly_chart", "markdown", "caption"]


def test_a_drawing_is_moved_by_the_slider_that_its_page_names(shown):
    exhibit = diagram(DirectRunner(), SHORT, InsideView(step=2))
    toolbar.show_exhibit(exhibit, slider="step")
    toolbar.show_exhibit(exhibit)
    selectors = [one["slider"] for one in shown if isinstance(one, dict)]
    assert selectors == [".st-key-step input[type=range]", ""]


def test_what_is_sent_of_a_chart_is_the_exhibit_s_own_figure(monkeypatch):
    charts = []
    monkeypatch.setattr(figure.st, "context", SimpleNamespace(theme=SimpleNamespace(type="dark")))
    monkeypatch.setattr(figure.st, "plotly_chart", lambda chart, **options: charts.append((chart, options)))
    exhibit = journey(DirectRunner(), SHORT, View())
    figure.show_figure(exhibit, key="journey")
    ((chart, options),) = charts
    assert chart.to_dict()["layout"]["template"] == exhibit.spec("dark")["layout"]["template"]
    assert (options["key"], options["alt"], options["theme"]) == ("journey", exhibit.alt, None)


def test_a_script_that_draws_says_so():
    assert "draws the curves" in toolbar._about("py", whole=True)
    assert "draws" not in toolbar._about("py", whole=False)
