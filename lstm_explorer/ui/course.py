"""The parts of the page Lesson: where one is, the text, the figure with its controls, and the question."""

from __future__ import annotations

import re

import streamlit as st

from lstm_explorer.core.record import schema
from lstm_explorer.core.sources import SOURCES
from lstm_explorer.core.training.presets import PRESETS
from lstm_explorer.exhibits.exhibit import Exhibit
from lstm_explorer.exhibits.glossary import glossary, terms_in, with_hover
from lstm_explorer.exhibits.inside import InsideView, stages
from lstm_explorer.exhibits.lesson import CODES, Chapter, Guess, Words, chapters, filled
from lstm_explorer.exhibits.lesson_findings import Finding, build, written
from lstm_explorer.exhibits.lesson_view import SHOWN, LessonView, figure_of, read_answers
from lstm_explorer.exhibits.registry import EXHIBITS
from lstm_explorer.figures.guess import plot_guess
from lstm_explorer.figures.names import network_names
from lstm_explorer.locales import _, current_language, translated
from lstm_explorer.runs.job import Runner
from lstm_explorer.ui import address, session
from lstm_explorer.ui.controls import setting_choice, setting_slider, setting_subset
from lstm_explorer.ui.errors import shielded
from lstm_explorer.ui.figure import theme_name
from lstm_explorer.ui.toolbar import show_exhibit

#: Where on the page the terms stand.
_ANCHOR = "words"

_STYLE = """<style>
.st-key-lesson_question { border-left: 4px solid var(--primary-color, #0072B2); padding-left: 1rem; }
@media (min-width: 641px) {
  .st-key-lesson_parts .stColumn:has(.st-key-lesson_figure) { position: sticky; top: 4rem; align-self: flex-start; }
}
@media (max-width: 640px) {
  .st-key-lesson_parts .stColumn:has(.st-key-lesson_text),
  .st-key-lesson_parts .stColumn:has(.st-key-lesson_text) :has(> .st-key-lesson_text),
  .st-key-lesson_parts .stColumn:has(.st-key-lesson_text) :has(> * > .st-key-lesson_text) { display: contents; }
  .st-key-lesson_text, :has(> .st-key-lesson_text) { order: 1; }
  .st-key-lesson_parts .stColumn:has(.st-key-lesson_figure) { order: 2; }
  .st-key-lesson_question, :has(> .st-key-lesson_question) { order: 3; }
  .st-key-chapter_row > :first-child { flex: 1 0 100%; }
}
</style>"""

#: On a projector: larger letters, and nothing of the app's own but the lesson.
_PRESENTER = """<style>
html { font-size: 133%; }
.stAppHeader, .st-key-frame, .stMain h1, .st-key-lesson_figure [class*="_toolbar"] { display: none; }
.stMain .js-plotly-plot :is(.xtitle, .ytitle, .xtick text, .ytick text, .legendtext, .annotation-text) {
  font-size: 16px !important; }
.stMainBlockContainer { padding-top: 1rem; }
</style>"""


def presenter_style(view: LessonView) -> None:
    """Lay the page out, for a projector where the view asks for it."""
    st.html(_STYLE + (_PRESENTER if view.presenter else ""))


def words_of(chapter: Chapter) -> Words:
    """Return a chapter's words in the running language."""
    return chapter.words[current_language()]


def chapter_picker(view: LessonView) -> None:
    """Draw where the reader is: the chapters, how many are answered, and the way to the next."""
    at, answers = CODES.index(view.chapter), read_answers(view.answers)
    titles = {
        code: f"{number}. {words_of(chapter).title}{' ✓' if code in answers else ''}"
        for number, (code, chapter) in enumerate(chapters().items(), start=1)
    }
    # Arrow keys turn the pages of a presentation; elsewhere they belong to the sliders and to scrolling.
    keys = {"back": "Left", "next": "Right"} if view.presenter else {"back": None, "next": None}
    with st.container(horizontal=True, vertical_alignment="bottom", key="chapter_row"):
        # Streamlit sends a choice by its label, and takes one that has changed since for the choice itself: a widget
        # whose labels change is another one.
        key = f"chapter_{current_language()}_{len(answers)}"
        if st.session_state.get(key) != view.chapter:
            st.session_state[key] = view.chapter
        st.selectbox(
            _("Chapter {number} of {count}, {answered} answered").format(
                number=at + 1, count=len(CODES), answered=len(answers)
            ),
            CODES, format_func=titles.__getitem__, key=key, on_change=_go_to_chosen, args=(key,),
        )  # fmt: skip
        st.button(
            _("Previous"), key="chapter_back", icon=":material/chevron_left:", shortcut=keys["back"],
            disabled=at == 0, on_click=_go, args=(CODES[max(at - 1, 0)],),
        )  # fmt: skip
        st.button(
            _("Next chapter"), key="chapter_next", icon=":material/chevron_right:", shortcut=keys["next"],
            disabled=at == len(CODES) - 1, on_click=_go, args=(CODES[min(at + 1, len(CODES) - 1)],),
        )  # fmt: skip
    st.progress(len(answers) / len(CODES))


def chapter_text(chapter: Chapter) -> None:
    """Draw a chapter's title and text; its terms show their definition."""
    own = words_of(chapter)
    st.header(own.title, anchor=False)
    _markdown(own.text)


def chapter_figure(runner: Runner, chapter: Chapter, view: LessonView) -> Exhibit | None:
    """Draw a chapter's figure, as its controls were moved, and the way to it in the lab."""
    exhibit = None
    with shielded():
        if exhibit := build(runner, chapter, view):
            show_exhibit(exhibit)
    return exhibit


def chapter_controls(chapter: Chapter, view: LessonView) -> None:
    """Draw what the reader may move; most of it only once the question is answered, which it would answer."""
    free = bool(view.answer) or view.moved
    for name, control in chapter.controls.items():
        if free or control.early:
            _control(chapter, name)
    if not free:
        st.caption(_("Answer the question, and what changes this figure is yours to move."))


def lab_link(chapter: Chapter, view: LessonView) -> None:
    """Draw the way to a chapter's figure, as it stands, among all that can be changed about it."""
    settings, of = figure_of(chapter, view)
    st.link_button(
        _("Open this in the lab"), address.link_to(EXHIBITS[chapter.figure].page, settings, of),
        icon=":material/open_in_new:",
    )  # fmt: skip


def _control(chapter: Chapter, name: str) -> None:
    control = chapter.controls[name]
    if name == "stage" and isinstance(chapter.view, InsideView):
        names = {"all": _("all"), **stages(chapter.view.network)}
        setting_choice(name, _("Walk through the step"), names, side_by_side=len(names))
    elif name == "networks":
        setting_subset(name, _("Networks"), network_names(*control.options))
    elif name == "example":
        setting_choice(name, _("Task"), {code: translated(PRESETS[code].title) for code in control.options})
    else:
        setting_slider(name, _labels()[name], step=control.step, limits=control.limits)


def _labels() -> dict[str, str]:
    return {
        "sequence_length": _("Sequence length (steps)"),
        "recurrent_gain": _("Gain on weight_hh"),
        "forget_bias": _("Bias of the forget gate"),
        "input_bias": _("Bias of the input gate"),
        "output_bias": _("Bias of the output gate"),
        "update_bias": _("Bias of the update gate (minGRU)"),
        "share": _("Share that must survive"),
    }


def question(chapter: Chapter, view: LessonView, finding: Finding | None) -> None:
    """Draw the question; once it is answered, what was measured beside the answer, and why.

    Args:
        chapter: The chapter.
        view: With the reader's answer.
        finding: What was measured; None while it is not.
    """
    st.subheader(_("Predict first"), anchor=False)
    if finding is None:
        return
    own = words_of(chapter)
    _markdown(filled(own.question, finding.numbers))
    _answer_widget(chapter, own, view.answer)
    if not view.answer:
        _commit_buttons(chapter)
        return
    _verdict(chapter, own, view.answer, finding)
    st.button(_("Answer again"), key="reopen", type="tertiary", icon=":material/undo:", on_click=_reopen)
    _markdown(filled(own.conclusion, finding.numbers))
    if following := CODES[CODES.index(view.chapter) + 1 :]:
        st.button(
            _("Next chapter"), key="chapter_on", icon=":material/chevron_right:", on_click=_go, args=(following[0],)
        )


def _answer_widget(chapter: Chapter, own: Words, answer: str) -> None:
    """Draw the options, or the slider of a guess; what was answered stays, and can no longer be moved."""
    key, guess = _key(chapter), chapter.question.guess
    given = answer not in ("", SHOWN)
    if guess is None:
        if given:
            st.session_state[key] = answer
        texts = dict(zip((option.code for option in chapter.question.options), own.options, strict=True))
        st.radio(
            _("Your answer"), list(texts), index=None, format_func=texts.__getitem__, key=key, disabled=bool(answer)
        )
    else:
        stops = _stops(guess)
        if given:
            st.session_state[key] = min(stops, key=lambda stop: abs(stop - float(answer)))
        else:
            st.session_state.setdefault(key, guess.start)
        st.select_slider(
            _("Your guess"), stops, format_func=lambda stop: written(stop, guess.unit), key=key, disabled=bool(answer)
        )


def _stops(guess: Guess) -> list[float]:
    count = round((guess.high - guess.low) / guess.step)
    return [round(guess.low + index * guess.step, 6) for index in range(count + 1)]


def _commit_buttons(chapter: Chapter) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            _("Check"), key="check", type="primary", on_click=_commit, args=(_key(chapter),),
            disabled=st.session_state.get(_key(chapter)) is None,
        )  # fmt: skip
        st.button(_("Show it without a guess"), key="show", type="tertiary", on_click=_show)


def _verdict(chapter: Chapter, own: Words, answer: str, finding: Finding) -> None:
    """Draw whether the answer is what was measured, and the remark about it."""
    if answer == SHOWN:
        st.info(shown(chapter, own, finding), icon=":material/lightbulb:")
        return
    guess = chapter.question.guess
    numbers = {**finding.numbers, **({"guess": written(float(answer), guess.unit)} if guess else {})}
    remark = filled(own.remarks[chapter.question.place(answer, finding.value)], numbers)
    if chapter.question.is_right(answer, finding.value):
        st.success(remark, icon=":material/check_circle:")
    else:
        st.info(remark, icon=":material/lightbulb:")
    if guess:
        figure = plot_guess(
            float(answer), finding.value, ends=(guess.low, guess.high), texts=(numbers["guess"], numbers["measured"]),
            powers=guess.unit == "power", theme=theme_name(),
        )  # fmt: skip
        st.plotly_chart(figure, theme=None, width="stretch", key="guess", config={"displayModeBar": False})


def shown(chapter: Chapter, own: Words, finding: Finding) -> str:
    """Return what was measured, to a reader who did not answer."""
    if chapter.question.guess:
        return _("{number} was measured.").format(number=finding.numbers["measured"])
    return filled(own.remarks[chapter.question.right(finding.value)], finding.numbers)


def words(chapter: Chapter) -> None:
    """Draw the terms that a chapter links to, where a link leads that was pressed."""
    own, known = words_of(chapter), glossary(current_language())
    codes = terms_in("\n".join([own.text, own.question, own.conclusion]))
    if codes:
        st.subheader(_("Words"), anchor=_ANCHOR)
        st.markdown("\n".join(f"- {known[code]}" for code in codes))


def sources(chapter: Chapter) -> None:
    """Draw the sources of a chapter."""
    st.subheader(_("Sources"), anchor=False)
    named = [SOURCES[key] for key in chapter.sources]
    st.markdown(
        "\n".join(
            f"- {one.authors} ({one.year}). {f'[{one.title}]({one.url})' if one.url else one.title}, {one.where}"
            for one in named
        )
    )


def _markdown(text: str) -> None:
    # A word joiner: a particle stays in the line of the formula that it belongs to.
    joined = re.sub(r"(?<=\S)\$(?=[가-힣])", "$\u2060", text)
    st.markdown(with_hover(joined, current_language(), anchor=_ANCHOR))


def _key(chapter: Chapter) -> str:
    return f"answer_{chapter.code}_{current_language()}"


def _take(view: LessonView) -> None:
    session.apply(**{name: getattr(view, name) for name in schema(LessonView)})


def _go(code: str) -> None:
    _take(session.current_view().at(code))


def _go_to_chosen(key: str) -> None:
    _go(st.session_state[key])


def _commit(key: str) -> None:
    value = st.session_state[key]
    _take(session.current_view().answered(value if isinstance(value, str) else f"{value:g}"))


def _show() -> None:
    _take(session.current_view().answered(SHOWN))


def _reopen() -> None:
    _take(session.current_view().reopened())
