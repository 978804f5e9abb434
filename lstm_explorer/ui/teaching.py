"""What a teacher needs of the page Lesson: a projector, a link for the class, handouts, and answers as a table."""

from __future__ import annotations

import csv
import io
import re

import streamlit as st

from lstm_explorer.core.escape import cell
from lstm_explorer.exhibits.exhibit import Exhibit
from lstm_explorer.exhibits.lesson import CODES, Chapter, chapters, filled
from lstm_explorer.exhibits.lesson_findings import Finding, find, written
from lstm_explorer.exhibits.lesson_view import SHOWN, LessonView, read_answers
from lstm_explorer.export.handout import Handout, handout_html, handout_pdf
from lstm_explorer.export.images import find_browser
from lstm_explorer.locales import _, current_language
from lstm_explorer.runs.job import Runner
from lstm_explorer.ui import address, session
from lstm_explorer.ui.controls import setting_toggle
from lstm_explorer.ui.download import download_button


def teaching(runner: Runner, chapter: Chapter, exhibit: Exhibit | None, finding: Finding | None) -> None:
    """Draw the part for teachers.

    Args:
        runner: Measures what the answers are compared with.
        chapter: The open chapter.
        exhibit: Its figure, as it stands; None where it could not be measured.
        finding: What its question asks for; None where that could not be measured.
    """
    view: LessonView = session.current_view()
    setting_toggle("presenter", _("Presentation"), help=_("Large type, nothing else, and ← → turn the chapters."))
    if view.presenter:
        return
    with st.expander(_("For teachers"), icon=":material/school:", on_change="rerun", key="teaching_open") as opened:
        if not opened.open:
            return
        for_class = address.link_to("lesson", session.current_settings(), view.for_class())
        st.caption(_("This chapter with this figure, for a class; your answers are not in it:"))
        st.code(for_class, language=None, wrap_lines=True)
        with st.container(horizontal=True):
            if exhibit and finding:
                _handouts(Handout(chapter, exhibit, finding, for_class))
            download_button(
                _("My answers (CSV)"), "lstm-explorer-answers.csv", "text/csv",
                lambda: answers_csv(runner, view).encode("utf-8-sig"), key="answers_csv", disabled=not view.answers,
            )  # fmt: skip
        st.caption(_("Answers stand in the address of this page and nowhere else: no account, and nobody is counted."))


def _handouts(handout: Handout) -> None:
    name = f"lstm-explorer-{handout.chapter.code}"
    download_button(_("Handout (HTML)"), f"{name}.html", "text/html", lambda: handout_html(handout), key="handout_html")
    download_button(
        _("Handout (PDF)"), f"{name}.pdf", "application/pdf", lambda: handout_pdf(handout), key="handout_pdf",
        disabled=find_browser() is None,
    )  # fmt: skip


def answers_csv(runner: Runner, view: LessonView) -> str:
    """Return the answers as a table: chapter, question, answer, what was measured, and whether it is right.

    Args:
        runner: What measures.
        view: With the answers.
    """
    given, table = read_answers(view.answers), io.StringIO()
    writer = csv.writer(table)
    writer.writerow([_("chapter"), _("question"), _("answer"), _("measured"), _("right")])
    for code in (code for code in CODES if code in given):
        chapter, finding = chapters()[code], find(runner, chapters()[code])
        words, numbers = chapter.words[current_language()], finding.numbers if finding else {}
        row = [words.title, filled(words.question, numbers), *_compared(chapter, given[code], finding)]
        writer.writerow([cell(" ".join(_plain(text).split())) for text in row])
    return table.getvalue()


def _plain(text: str) -> str:
    """Return a text of a chapter as a spreadsheet shows it: without the marks of formulas."""
    return re.sub(r"[$*`]", "", text.replace(r"\approx", "≈"))


def _compared(chapter: Chapter, answer: str, finding: Finding | None) -> tuple[str, str, str]:
    """Return an answer, what was measured, and whether the one is the other, in words."""
    question, options = chapter.question, chapter.words[current_language()].options
    said = answer
    if answer == SHOWN:
        said = _("not answered")
    elif question.guess:
        said = written(float(answer), question.guess.unit)
    else:
        said = options[question.place(answer, 0.0)]
    if finding is None:
        return said, "", ""
    measured = finding.numbers["measured"] if question.guess else options[question.right(finding.value)]
    if answer == SHOWN:
        return said, measured, ""
    return said, measured, _("yes") if question.is_right(answer, finding.value) else _("no")
