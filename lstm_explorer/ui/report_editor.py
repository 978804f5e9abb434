"""The report page's parts: a title, an editor for every item, and the exports."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from lstm_explorer.export.images import find_browser
from lstm_explorer.export.report import Entry, report_html, report_pdf, report_zip
from lstm_explorer.locales import _
from lstm_explorer.runs.job import Runner
from lstm_explorer.ui import report, uploads
from lstm_explorer.ui.download import download_button
from lstm_explorer.ui.errors import shielded
from lstm_explorer.ui.figure import show_figure


def title_editor() -> None:
    """Draw the box for the report's name."""
    _text_box("report_title", report.current().title)
    st.text_input(
        _("Title of the report"), key="report_title", max_chars=report.LONGEST_TITLE,
        placeholder=_("Report"), on_change=_set_title,
    )  # fmt: skip


def item_editor(runner: Runner, index: int, item: report.Item) -> Entry | None:
    """Draw one item: its title, its place, its figure and its note; return it, where it could be measured."""
    exhibit = None
    with st.container(border=True, key=f"item_{index}"):
        title = st.container()
        _place_buttons(index)
        with shielded():
            exhibit = item.build(runner)
        with title:
            _text_box(f"item_title_{index}", item.title)
            st.text_input(
                _("{number}. Title").format(number=index + 1), key=f"item_title_{index}",
                max_chars=report.LONGEST_TITLE, placeholder=exhibit.title if exhibit else "",
                on_change=_annotate, args=(index,),
            )  # fmt: skip
        if exhibit:
            show_figure(exhibit, key=f"item_{index}_{exhibit.name}")
        _text_box(f"item_note_{index}", item.note)
        st.text_area(
            _("Note"), key=f"item_note_{index}", max_chars=report.LONGEST_NOTE, height=90,
            placeholder=_("What does it show? What do you conclude?"), on_change=_annotate, args=(index,),
        )  # fmt: skip
    return Entry(item.title, item.note, exhibit) if exhibit else None


def export_controls(entries: Sequence[Entry]) -> None:
    """Draw the three exports of the whole report."""
    title, browser = report.current().title, find_browser() is not None
    table = uploads.current_table()
    rows = table.values if table else None
    with st.container(horizontal=True, vertical_alignment="center", key="report_exports"):
        download_button(
            _("One page (HTML)"), "lstm-explorer-report.html", "text/html",
            lambda: report_html(title, entries), key="report_html", disabled=not entries,
        )  # fmt: skip
        download_button(
            _("Pages (PDF)"), "lstm-explorer-report.pdf", "application/pdf",
            lambda: report_pdf(title, entries), key="report_pdf", disabled=not entries or not browser,
        )  # fmt: skip
        download_button(
            _("Everything (ZIP)"), "lstm-explorer-report.zip", "application/zip",
            lambda: report_zip(title, entries, table=rows, images=browser), key="report_zip", disabled=not entries,
        )  # fmt: skip
    if not browser:
        st.caption(_("This server has no browser to draw with: no PDF, and no images in the ZIP."))


def _place_buttons(index: int) -> None:
    last = len(report.current().items) - 1
    with st.container(horizontal=True):
        st.button(
            _("Up"), key=f"item_up_{index}", icon=":material/arrow_upward:", disabled=index == 0,
            on_click=report.move, args=(index, -1),
        )  # fmt: skip
        st.button(
            _("Down"), key=f"item_down_{index}", icon=":material/arrow_downward:", disabled=index == last,
            on_click=report.move, args=(index, 1),
        )  # fmt: skip
        st.button(_("Remove"), key=f"item_out_{index}", icon=":material/delete:", on_click=report.remove, args=(index,))


def _text_box(key: str, text: str) -> None:
    """Give a box the report's text, where it shows another: items move, the boxes stay."""
    if st.session_state.get(key) != text:
        st.session_state[key] = text


def _set_title() -> None:
    report.set_title(st.session_state["report_title"].strip())


def _annotate(index: int) -> None:
    title, note = (st.session_state[f"item_{part}_{index}"].strip() for part in ("title", "note"))
    report.annotate(index, title=title, note=note)
