"""The frame under AppTest, from the entry."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from lstm_explorer.ui.navigation import PAGES_FOLDER, pages

ROOT = Path(__file__).resolve().parents[2]


def app(**query: str) -> AppTest:
    at = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=60)
    at.query_params.update(query)
    return at


def texts(elements) -> str:
    return " ".join(str(element.value) for element in elements)


def test_every_file_in_pages_is_registered_under_its_own_name(monkeypatch):
    monkeypatch.setattr(st, "Page", lambda path, **options: (path, options))
    registered = [page for group in pages().values() for page in group]
    assert {path for path, _options in registered} == set(PAGES_FOLDER.glob("*.py"))
    assert all(path.stem == options["url_path"] for path, options in registered)


def test_groups_say_what_one_does_there(monkeypatch):
    monkeypatch.setattr(st, "Page", lambda path, **_options: path.stem)
    assert pages() == {
        "Learn": ["start", "lesson", "inside"],
        "Measure": ["gradients", "biases", "jacobians"],
        "Real networks": ["training", "sweeps", "your_network"],
        "Export": ["report"],
    }


def test_every_page_opens_through_the_guard():
    for path in PAGES_FOLDER.glob("*.py"):
        assert re.search(r"^open_page\(__file__[,)]", path.read_text(encoding="utf-8"), re.MULTILINE), path


@pytest.mark.parametrize("name", sorted(path.stem for path in PAGES_FOLDER.glob("*.py")))
def test_a_page_runs_without_an_exception(name):
    at = app().run()
    at.switch_page(f"pages/{name}.py").run()
    assert not at.exception
    assert not at.error
    assert at.title


def test_a_widget_writes_the_address_and_keeps_its_value_across_pages():
    at = app(forget_bias="2.5").run()
    assert at.slider(key="forget_bias").value == 2.5
    at.slider(key="forget_bias").set_value(4.0).run()
    assert at.query_params["forget_bias"] == "4.0"
    at.switch_page("pages/gradients.py").run()
    assert at.slider(key="forget_bias").value == 4.0


def test_a_linked_pair_moves_together():
    at = app().run()
    at.text_input(key="sequence_length").set_value("77").run()
    assert at.select_slider(key="sequence_length_slider").value == 77
    at.select_slider(key="sequence_length_slider").set_value(200).run()
    assert at.text_input(key="sequence_length").value == "200"
    assert at.query_params["sequence_length"] == "200"


def test_narrower_limits_of_a_page_are_said():
    at = app(forget_bias="9").run()
    assert "9: expected" in texts(at.warning)
    assert at.slider(key="forget_bias").value == 8.0
    at.button(key="dismiss_corrections").click().run()
    assert not at.warning


def test_markup_in_an_address_stays_text():
    at = app(dtype="[x](http://example.com) <b>").run()
    assert "\\[x\\]\\(http\\:\u2060//example\\.com\\) \\<b\\>" in texts(at.warning)


def test_language_follows_the_address():
    at = app(lang="ko").run()
    assert at.segmented_control(key="language").value == "ko"
    assert at.query_params["lang"] == "ko"
