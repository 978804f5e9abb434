"""The lesson: from "why does an RNN forget?" to "which bias do I need?", a chapter and a question at a time."""

import streamlit as st

from lstm_explorer.exhibits.lesson import chapters
from lstm_explorer.exhibits.lesson_findings import find
from lstm_explorer.exhibits.lesson_view import LessonView
from lstm_explorer.locales import _
from lstm_explorer.ui.course import (
    chapter_controls,
    chapter_figure,
    chapter_picker,
    chapter_text,
    lab_link,
    presenter_style,
    question,
    sources,
    words,
)
from lstm_explorer.ui.errors import shielded
from lstm_explorer.ui.language import fragment
from lstm_explorer.ui.page import open_page
from lstm_explorer.ui.runner import CachedRunner
from lstm_explorer.ui.session import current_view
from lstm_explorer.ui.teaching import teaching
from lstm_explorer.ui.work import continue_work


@fragment
def lesson() -> None:
    """Draw the open chapter; reruns without the rest of the page."""
    view, runner = current_view(), CachedRunner()
    chapter, finding, exhibit = chapters()[view.chapter], None, None
    presenter_style(view)
    chapter_picker(view)
    with st.container(key="lesson_parts"):
        left, right = st.columns([5, 7], gap="medium")
    with left, st.container(key="lesson_text"):
        chapter_text(chapter)
    with right, st.container(key="lesson_figure"):
        chapter_controls(chapter, view)
        exhibit = chapter_figure(runner, chapter, view)
        lab_link(chapter, view)
    with shielded():
        finding = find(runner, chapter)
    with left, st.container(key="lesson_question"):
        question(chapter, view, finding)
    words(chapter)
    sources(chapter)
    teaching(runner, chapter, exhibit, finding)
    continue_work()


open_page(__file__, view=LessonView)
st.title(_("Lesson"))
lesson()
