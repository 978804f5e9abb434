"""Where a reader is in the lesson: kept in the address, and nothing of it in the settings of the lab."""

from __future__ import annotations

import pytest

from lstm_explorer.core.record import schema
from lstm_explorer.core.settings import Settings
from lstm_explorer.exhibits.lesson import CODES, chapters
from lstm_explorer.exhibits.lesson_view import LessonView, figure_of, read_answers, write_answers
from lstm_explorer.exhibits.training_view import TrainingView


def through_address(view):
    parsed = LessonView.parse_query(view.to_query())
    assert parsed.corrections == ()
    return parsed.record


@pytest.mark.parametrize("code", CODES)
def test_a_chapter_opens_with_its_own_settings_and_a_short_address(code):
    view = LessonView().at(code)
    assert view.to_query() == ({} if code == CODES[0] else {"chapter": code})
    assert through_address(view) == view
    assert not view.moved
    for name, control in chapters()[code].controls.items():
        assert getattr(view, name) == control.start
        assert name in schema(LessonView)


def test_an_answer_moves_the_controls_and_stays_after_a_reload():
    view = LessonView().at("turn").answered("half")
    assert view.forget_bias == 5.0
    assert view.answer == "half"
    assert view.to_query() == {"chapter": "turn", "answers": "turn_half"}
    assert through_address(view) == view
    elsewhere = view.at("gate").answered("12")
    assert elsewhere.to_query()["answers"] == "gate_12~turn_half"
    assert elsewhere.at("turn") == elsewhere.replace(**view.replace(answers=elsewhere.answers).__dict__)
    assert elsewhere.reopened().answers == "turn_half"
    assert elsewhere.reopened().sequence_length == 10


def test_what_was_moved_stands_in_the_address_and_is_left_behind_in_the_next_chapter():
    view = LessonView().at("turn").answered("more").replace(input_bias=-5.0)
    assert view.moved
    assert view.to_query() == {"chapter": "turn", "answers": "turn_more", "input_bias": "-5.0"}
    assert through_address(view) == view
    assert view.at("gate").input_bias == 0.0
    assert view.at("gate").forget_bias == 3.0


def test_a_presentation_goes_on_in_the_next_chapter():
    assert LessonView(presenter=True).at("gate").presenter


def test_answers_are_written_and_read():
    answers = {"gate": "12", "forgetting": "-3.5", "turn": "shown"}
    assert write_answers(answers) == "forgetting_-3.5~gate_12~turn_shown"
    assert read_answers(write_answers(answers)) == answers
    assert read_answers("") == {}


@pytest.mark.parametrize(
    "text", ["gate", "gate_999", "nowhere_3", "turn_12", "gate_half", "gate_12;turn_half", "gate_12~<b>"]
)
def test_answers_that_nobody_can_give_are_corrected(text):
    with pytest.raises(ValueError, match="expected chapters and answers"):
        read_answers(text)
    (correction,) = LessonView.parse_query({"chapter": "gate", "answers": text}).corrections
    assert correction.name == "answers"


def test_the_figure_is_drawn_with_what_was_moved():
    chapter = chapters()["turn"]
    settings, of = figure_of(chapter, LessonView().at("turn").answered("half"))
    assert settings == Settings(num_seeds=5, forget_bias=5.0)
    assert of.networks == ("rnn", "lstm")
    settings, of = figure_of(chapters()["step"], LessonView().at("step").replace(stage="update"))
    assert (settings.output_bias, of.stage) == (0.0, "update")
    settings, of = figure_of(chapters()["learning"], LessonView().at("learning").replace(example="blanks"))
    assert of == TrainingView(task="digits", blank_steps=20, learning_rate=3e-3, steps=600, networks=("rnn",))
