"""The lesson under AppTest: every question answered right and wrong, and what a teacher takes along."""

from __future__ import annotations

import csv
import functools
import io
from pathlib import Path

from streamlit.testing.v1 import AppTest

import lstm_explorer.ui.teaching as teaching
from lstm_explorer.exhibits.lesson import CODES, chapters, filled
from lstm_explorer.exhibits.lesson_findings import find, written
from lstm_explorer.exhibits.lesson_view import LessonView, read_answers
from lstm_explorer.runs.direct import DirectRunner

ENTRY = Path(__file__).resolve().parents[2] / "streamlit_app.py"


def app(**query):
    at = AppTest.from_file(str(ENTRY), default_timeout=60)
    at.switch_page("pages/lesson.py")
    at.query_params.update(query)
    return settled(at.run())


def settled(at):
    assert not at.exception
    assert not at.error
    return at


@functools.cache
def found(code):
    return find(DirectRunner(), chapters()[code])


def text_of(query):
    return {name: texts[-1] if isinstance(texts, list) else texts for name, texts in query.items()}


def answers_to(code):
    """Return a right answer and a wrong one, as they are given on the page."""
    question, value = chapters()[code].question, found(code).value
    if question.guess is None:
        return tuple(next(one.code for one in question.options if question.is_right(one.code, value) is right)
                     for right in (True, False))  # fmt: skip
    guess = question.guess
    count = round((guess.high - guess.low) / guess.step)
    stops = [round(guess.low + index * guess.step, 6) for index in range(count + 1)]
    near = min(stops, key=lambda stop: abs(stop - value))
    return near, max(guess.low, guess.high, key=lambda end: abs(end - value))


def answer(at, code, given):
    widget = at.select_slider if chapters()[code].question.guess else at.radio
    settled(widget(key=f"answer_{code}_en").set_value(given).run())
    settled(at.button(key="check").click().run())


def remark(code, given):
    chapter, finding = chapters()[code], found(code)
    text = given if isinstance(given, str) else f"{given:g}"
    guess = chapter.question.guess
    numbers = {**finding.numbers, **({"guess": written(given, guess.unit)} if guess else {})}
    return filled(chapter.words["en"].remarks[chapter.question.place(text, finding.value)], numbers)


def test_every_question_answered_wrong_and_right_from_the_first_chapter_to_the_last():
    at = app()
    for code in CODES:
        assert at.selectbox[0].value == code
        assert chapters()[code].words["en"].text.split("](")[0] in " ".join(one.value for one in at.markdown)
        right, wrong = answers_to(code)
        answer(at, code, wrong)
        assert [box.value for box in at.info] == [remark(code, wrong)]
        settled(at.button(key="reopen").click().run())
        assert not at.info
        answer(at, code, right)
        assert [box.value for box in at.success] == [remark(code, right)]
        if code != CODES[-1]:
            settled(at.button(key="chapter_next").click().run())
    address = text_of(at.query_params)
    assert set(read_answers(address["answers"])) == set(CODES)
    again = app(**{**address, "chapter": "turn"})  # a reload, at another chapter
    assert [box.value for box in again.success] == [remark("turn", "more")]
    assert again.slider(key="forget_bias").value == 5.0
    assert "10 answered" in again.selectbox[0].label


def test_the_lesson_leaves_the_lab_alone_and_gives_no_answer_away_before_it_is_asked_for():
    at = app(chapter="turn")
    assert not [slider.key for slider in at.slider]
    settled(at.button(key="show").click().run())
    assert [box.value for box in at.info] == [remark("turn", "more")]
    settled(at.slider(key="input_bias").set_value(-5.0).run())
    assert text_of(at.query_params) == {"chapter": "turn", "answers": "turn_shown", "input_bias": "-5.0"}
    settled(at.button(key="chapter_back").click().run())
    assert [button.key for button in at.button if button.key == "check"]  # the next question is unanswered
    at.switch_page("pages/gradients.py").run()
    assert at.slider(key="forget_bias").value == 0.0


def test_a_teacher_takes_a_link_without_answers_and_a_table_with_them():
    at = app(chapter="turn", answers="turn_half~gate_12", lang="ko")
    assert ["곱은" in box.value for box in at.info] == [True]
    at.session_state["teaching_open"] = True
    settled(at.run())
    (link,) = [block.value for block in at.code]
    assert link == "/lesson?lang=ko&chapter=turn"  # as it opens: the answer's own settings would give it away
    settled(at.toggle(key="presenter").set_value(True).run())
    assert text_of(at.query_params)["presenter"] == "1"
    assert any("stAppHeader" in str(element.proto.body) for element in at.get("html"))
    view = LessonView(answers="turn_half~gate_12~bias_shown")
    rows = list(csv.reader(io.StringIO(teaching.answers_csv(DirectRunner(), view))))
    assert [row[2:] for row in rows] == [
        ["answer", "measured", "right"],
        ["12%", found("gate").numbers["measured"], "no"],
        [chapters()["turn"].words["en"].options[1], chapters()["turn"].words["en"].options[2], "no"],
        ["not answered", "2.25", ""],
    ]
