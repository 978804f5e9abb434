"""Under every figure: export it as an image, a page, data or a script; copy its address; add it to the report."""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from lstm_explorer.exhibits.exhibit import Exhibit
from lstm_explorer.exhibits.words import caption
from lstm_explorer.export.figure_script import has_figure_script
from lstm_explorer.export.files import FORMATS, ExportOptions, FileFormat, file_name, has_script, make, resolutions
from lstm_explorer.export.images import find_browser
from lstm_explorer.export.paper import Paper, Size
from lstm_explorer.locales import _
from lstm_explorer.ui import address, report, uploads
from lstm_explorer.ui.browser import copy
from lstm_explorer.ui.download import download_button
from lstm_explorer.ui.figure import show_figure, theme_name
from lstm_explorer.ui.language import fragment


def show_exhibit(
    exhibit: Exhibit, *, slider: str = "", head_start: bool = False, words: DeltaGenerator | None = None
) -> None:
    """Draw a figure and its toolbar, as every page does.

    Args:
        exhibit: The exhibit to draw.
        slider: Key of the page's slider that moves the drawing in the browser.
        head_start: Whether the figure is the one that the page's sliders redraw; it is then sent first.
        words: Where the summary stands; beneath the figure by default.
    """
    show_figure(exhibit, key=exhibit.name, slider=slider, head_start=head_start, words=words)
    show_toolbar(exhibit)


# No fragment of its own: only what is opened is one. Where a run of the page's fragment ends and the next begins before
# the browser was sent all of it, Streamlit drops the rest, but not what belongs to fragments inside. A toolbar whose
# figure was dropped is then for a place that the browser does not have, and the whole page goes blank.
def show_toolbar(exhibit: Exhibit) -> None:
    """Draw the toolbar; an opened part reruns alone, and no file is made before its button is clicked."""
    with st.container(horizontal=True, key=f"{exhibit.name}_toolbar", gap="small"):
        with st.popover(
            _("Download"), icon=":material/download:", on_change="rerun", key=f"{exhibit.name}_download"
        ) as download:
            if download.open:
                _download(exhibit)
        with st.popover(_("Link"), icon=":material/link:", on_change="rerun", key=f"{exhibit.name}_link") as link:
            if link.open:
                _link(exhibit.name)
        _report_button(exhibit)


@fragment
def _link(key: str) -> None:
    """Draw the address of exactly this view, and a button that copies it."""
    st.caption(_("The address of exactly this view:"))
    st.code(address.link(), language=None, wrap_lines=True)
    if st.button(_("Copy"), icon=":material/content_copy:", type="primary", key=f"{key}_copy"):
        copy(address.link(), key=f"{key}_copied")
        st.caption(_("Copied."))


@fragment
def _download(exhibit: Exhibit) -> None:
    """Draw the choice of a format, its options, and the button."""
    key = exhibit.name
    chosen: FileFormat = st.segmented_control(
        _("Format"), [one for one in FORMATS if one != "py" or has_script(exhibit)],
        format_func=_format_names().__getitem__, default="png", required=True,
        key=f"{key}_format",
    )  # fmt: skip
    st.caption(_about(chosen, whole=has_figure_script(exhibit)))
    options = _options(key, chosen)
    missing = FORMATS[chosen].drawn and find_browser() is None
    if missing:
        st.info(
            _(
                "This server has no browser to draw with. The camera in the figure's own bar saves an SVG drawing, "
                "made by your browser; HTML, data and scripts work as ever."
            ),
            icon=":material/no_photography:",
        )
    table = uploads.current_table()
    rows = table.values if table else None
    download_button(
        _("Download {name}").format(name=_format_names()[chosen]),
        file_name(exhibit, options),
        FORMATS[chosen].mime,
        lambda: make(exhibit, options, table=rows),
        key=f"{key}_file",
        disabled=missing,
    )
    st.caption(_("A caption to paste:"))
    st.code(caption(exhibit), language=None, wrap_lines=True)


def _options(key: str, chosen: FileFormat) -> ExportOptions:
    """Draw the options of a format and return what was chosen."""
    if chosen not in ("png", "svg", "pdf", "html"):
        return ExportOptions(format=chosen)
    size: Size = "slide"
    scale = 2.0
    if FORMATS[chosen].drawn:
        size = st.selectbox(
            _("Size"), list(_sizes()), format_func=_sizes().__getitem__, key=f"{key}_size", persist_state="session"
        )
    if chosen == "png":
        scale = st.segmented_control(
            _("Resolution"), resolutions(size), format_func="{:g}×".format, default=2.0, required=True,
            key=f"{key}_{size}_scale",
        )  # fmt: skip
    dark = st.toggle(_("Dark"), value=theme_name() == "dark" and chosen == "html", key=f"{key}_dark")
    title = st.toggle(_("Title"), value=True, key=f"{key}_title")
    caption = st.toggle(_("A line with the settings"), key=f"{key}_caption")
    paper = Paper(size=size, theme="dark" if dark else "light", title=title, caption=caption)
    return ExportOptions(format=chosen, paper=paper, scale=scale)


def _report_button(exhibit: Exhibit) -> None:
    """Draw the button that adds this view to the report, or removes it."""
    item = report.item_of(exhibit)
    inside = report.contains(item)
    full = not inside and len(report.current().items) >= report.MOST_ITEMS
    st.button(
        _("In the report") if inside else _("Add to report"),
        icon=":material/check:" if inside else ":material/note_add:",
        key=f"{exhibit.name}_report", on_click=report.toggle, args=(item,), disabled=full,
        help=_("The page Report collects views, and exports them together. Click again to remove it."),
    )  # fmt: skip


def _format_names() -> dict[FileFormat, str]:
    return {
        "png": "PNG", "svg": "SVG", "pdf": "PDF", "html": "HTML", "csv": "CSV", "parquet": "Parquet", "json": "JSON",
        "py": _("Script"),
    }  # fmt: skip


def _about(chosen: FileFormat, *, whole: bool) -> str:
    """Say what a format is for; whether a script is of the whole figure."""
    about = {
        "png": _("An image of pixels, for slides and messages."),
        "svg": _("A drawing, sharp at any size, with its fonts inside."),
        "pdf": _("A drawing for LaTeX and print, with its fonts inside."),
        "html": _("The figure with everything that moves, in one file that works offline."),
        "csv": _("The numbers drawn, one row per curve and step, at full precision."),
        "parquet": _("The numbers drawn, for pandas, R or DuckDB: pd.read_parquet."),
        "json": _("Settings, results, versions and seed; the command line reads it back."),
        "py": _(
            "A PyTorch program that computes these numbers by hand, with plain cells, one step at a time; it prints "
            "them as CSV and, with matplotlib, draws the curves."
        )
        if whole
        else _("A short PyTorch program of this network's gradient by hand: plain cells, one step at a time."),
    }
    return about[chosen]


def _sizes() -> dict[Size, str]:
    return {
        "slide": _("Slide, 16:9"),
        "column": _("Paper column, 3.5 in wide"),
        "page": _("Page width, 7 in"),
        "poster": _("Poster, 24 × 18 in"),
    }
