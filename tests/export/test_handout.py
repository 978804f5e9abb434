"""A chapter on paper: text, formulas, figure, question, and on a page of its own the answer."""

from __future__ import annotations

import io
import os

import pytest
from pypdf import PdfReader

from lstm_explorer.exhibits.lesson import CODES, chapters
from lstm_explorer.exhibits.lesson_findings import build, find
from lstm_explorer.exhibits.lesson_view import LessonView
from lstm_explorer.export.handout import Handout, handout_html, handout_pdf, to_html
from lstm_explorer.export.images import find_browser
from lstm_explorer.locales import LANGUAGES, use_language
from lstm_explorer.runs.direct import DirectRunner

REQUIRED = os.environ.get("LSTM_EXPLORER_REQUIRE_BROWSER") == "1"
needs_browser = pytest.mark.skipif(find_browser() is None and not REQUIRED, reason="there is no Chromium")


def handout(code):
    chapter, runner = chapters()[code], DirectRunner()
    exhibit = build(runner, chapter, LessonView().at(code))
    return Handout(chapter, exhibit, find(runner, chapter), f"https://example.org/lesson?chapter={code}&x=1")


def test_html_has_the_words_the_live_figure_the_question_and_what_was_measured():
    page = handout_html(handout("turn")).decode().rpartition("<body>")[2]
    assert "<h1>The turn: an LSTM dies too</h1>" in page
    assert page.count("Plotly.newPlot(") == 1
    assert page.count("<li>More than left the loss: on the way back it grows.</li>") == 1
    before, answer = page.split("<section class='answer'>")
    assert "19×" not in before  # what is to be predicted
    assert "19× was measured" in answer
    assert "<li><strong>Bias</strong>." in page
    assert "Can, Krishnamurthy, Schwab (2020)" in page
    assert '<a href="https://example.org/lesson?chapter=turn&amp;x=1">' in page
    assert "<math" in page


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_sign_of_markdown_or_latex_is_left_on_paper(language):
    for code in CODES:
        words = chapters()[code].words[language]
        for text in (words.text, words.question, *words.options, *words.remarks, words.conclusion):
            html = to_html(text)
            assert not {sign for sign in ("$", "**", "](", "\\frac", "<merror") if sign in html}, html


@needs_browser
def test_pdf_has_the_answer_on_a_page_of_its_own():
    use_language("ko")
    try:
        pdf = PdfReader(io.BytesIO(handout_pdf(handout("forgetting"))))
    finally:
        use_language("en")
    pages = ["".join(page.extract_text().split()) for page in pdf.pages]
    assert len(pages) == 2
    assert "RNN은왜잊을까요?" in pages[0]
    assert "1.3×10⁻⁸" not in pages[0]
    assert "1.3×10⁻⁸" in pages[1]
