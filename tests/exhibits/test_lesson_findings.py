"""Every question has one right answer, which is measured, and every number in the words is one that was measured."""

from __future__ import annotations

import functools
import re

import pytest

from lstm_explorer.exhibits.lesson import CODES, chapters, filled
from lstm_explorer.exhibits.lesson_findings import build, find, written
from lstm_explorer.exhibits.lesson_view import LessonView, figure_of
from lstm_explorer.exhibits.registry import EXHIBITS
from lstm_explorer.locales import LANGUAGES
from lstm_explorer.runs.direct import DirectRunner


@functools.cache
def found(code):
    return find(DirectRunner(), chapters()[code])


@pytest.mark.parametrize("code", CODES)
def test_a_question_has_one_right_answer_and_it_is_not_where_the_slider_stands(code):
    question, finding = chapters()[code].question, found(code)
    if question.guess is None:
        right = [option.code for option in question.options if question.is_right(option.code, finding.value)]
        assert len(right) == 1
        return
    guess = question.guess
    assert guess.low <= finding.value <= guess.high
    assert not question.is_right(f"{guess.start:g}", finding.value)
    stops = [guess.low + index * guess.step for index in range(1 + round((guess.high - guess.low) / guess.step))]
    assert any(question.is_right(f"{stop:g}", finding.value) for stop in stops)
    assert question.place(f"{guess.low:g}", finding.value) in (0, 1)
    assert question.place(f"{guess.high:g}", finding.value) in (1, 2)


def test_the_right_options_are_not_all_in_one_place():
    places = [chapters()[code].question.right(found(code).value) for code in CODES if chapters()[code].question.options]
    assert len(set(places)) == 3
    assert max(map(places.count, places)) <= len(places) / 2


@pytest.mark.parametrize("code", CODES)
def test_all_numbers_in_the_words_are_measured(code):
    numbers = {**found(code).numbers, **({"guess": "1"} if chapters()[code].question.guess else {})}
    for language in LANGUAGES:
        words = chapters()[code].words[language]
        for text in (words.question, *words.options, *words.remarks, words.conclusion):
            assert not re.findall(r"(?<![\w}^_\\])\{(\w+)\}", filled(text, numbers))


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("vanishing", {"before": "2.6×10⁻²⁷", "measured": "446×"}),
        ("road", {"before": "0.50", "measured": "0.96"}),
        ("turn", {"measured": "19×", "theory": "51%"}),
        ("bias", {"before": "1.75", "measured": "2.25", "formula": "3.8"}),
        ("outlook", {"measured": "50%", "theory": "51%"}),
    ],
)
def test_the_story_is_as_it_is_told(code, said):
    assert {name: found(code).numbers[name] for name in said} == said


@pytest.mark.parametrize("code", CODES)
def test_every_control_changes_the_figure_and_the_lab_opens_the_same(code):
    chapter, runner = chapters()[code], DirectRunner()
    view = LessonView().at(code).answered("shown")
    before = build(runner, chapter, view)
    for name, control in chapter.controls.items():
        choices = {"stage": "update", "networks": ("gru",), "example": "blanks"}
        other = choices.get(name) or next(limit for limit in control.limits if limit != getattr(view, name))
        after = build(runner, chapter, view.replace(**{name: other}))
        assert (after.summary, after.alt) != (before.summary, before.alt), name
    _settings, of = figure_of(chapter, view)
    assert type(of) is EXHIBITS[chapter.figure].view
    assert (before.view, before.name) == (of, chapter.figure)


def test_numbers_are_written_in_their_unit():
    asked = {"power": -8.0, "percent": 60, "share": 0.5, "bias": 2.25}
    assert [written(value, unit) for unit, value in asked.items()] == ["1.0×10⁻⁸", "60%", "0.50", "2.25"]
