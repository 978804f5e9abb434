"""How a figure is shown: what a page gives and a report does not."""

from __future__ import annotations

import json
from types import SimpleNamespace

import plotly.io
import pytest

from lstm_explorer.core.settings import Settings
from lstm_explorer.exhibits.biases import lag_map
from lstm_explorer.exhibits.biases_view import BiasesView
from lstm_explorer.exhibits.inside import InsideView, diagram
from lstm_explorer.exhibits.journey import journey
from lstm_explorer.exhibits.view import View
from lstm_explorer.locales import use_language
from lstm_explorer.runs.direct import DirectRunner
from lstm_explorer.ui import figure, report_editor, toolbar
from lstm_explorer.ui.report import Item
from lstm_explorer.ui.result_cache import ResultCache

SHORT = Settings(sequence_length=6, hidden_size=4)


class Remembering(DirectRunner):
    """Measures a job once, as the app does."""

    def __init__(self):
        super().__init__()
        self._done = {}

    def run(self, job):
        return self._done[job] if job in self._done else self._done.setdefault(job, super().run(job))


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
    toolbar.show_exhibit(journey(DirectRunner(), SHORT, View()), head_start=True)
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


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_what_stays_of_a_figure_is_written_once_and_the_whole_is_the_same(monkeypatch, theme):
    cache = ResultCache()
    monkeypatch.setattr(figure, "RESULTS", cache)
    runner, held = Remembering(), []
    for bias in (1.0, 2.0, 1.0):
        exhibit = lag_map(runner, SHORT.replace(forget_bias=bias), BiasesView())
        chart = figure._chart(exhibit, theme)
        whole = figure._Unchecked(exhibit.spec(theme))
        sent, drawn = (json.loads(plotly.io.to_json(one, validate=False)) for one in (chart, whole))
        assert sent == drawn
        assert chart.to_dict()["layout"]["height"] == exhibit.draw(theme).layout.height  # Streamlit reads it
        held.append(cache.held)
    assert 1000 < held[0] == held[1] == held[2]


def test_a_figure_s_still_part_is_one_of_its_measurement_theme_and_language(monkeypatch):
    keys = []
    monkeypatch.setattr(figure, "RESULTS", SimpleNamespace(get=lambda key, make: keys.append(key) or make()))
    runner = Remembering()
    for settings, view in [
        (SHORT, BiasesView()),
        (SHORT.replace(forget_bias=3.0), BiasesView()),
        (SHORT.replace(input_bias=1.0), BiasesView()),
        (SHORT, BiasesView(path="cell_path")),
    ]:
        figure._chart(lag_map(runner, settings, view), "light")
    figure._chart(lag_map(runner, SHORT, BiasesView()), "dark")
    use_language("ko")
    try:
        figure._chart(lag_map(runner, SHORT, BiasesView()), "light")
    finally:
        use_language("en")
    assert keys[0] == keys[1]
    assert len(set(keys)) == 5


def test_a_script_that_draws_says_so():
    assert "draws the curves" in toolbar._about("py", whole=True)
    assert "draws" not in toolbar._about("py", whole=False)
