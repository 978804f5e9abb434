"""Lay a figure out for paper: its size, its title, a line with its settings, and room for its legend."""

from __future__ import annotations

import textwrap
import types
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import plotly.graph_objects as go

from lstm_explorer.core.escape import plotly
from lstm_explorer.exhibits.exhibit import Exhibit
from lstm_explorer.exhibits.words import settings_line
from lstm_explorer.figures.theme import ThemeName, theme_of

Size = Literal["slide", "column", "page", "poster"]

#: Pixels of an inch, as browsers and SVG count them.
_INCH = 96.0
#: Room for the title over, and a line of the caption beneath the picture.
_TITLE, _LINE = 34, 17
#: Width of an average narrow letter at the legend's and the caption's size, and of a legend's line and gap.
_LETTER, _SYMBOL = 6.6, 46
#: The same at the titles' sizes.
_TITLE_LETTER, _AXIS_LETTER = 9.6, 7.4


class Sheet(NamedTuple):
    """A sheet: width and height of the layout in pixels, CSS pixels for each of them, and whether its height grows."""

    width: int
    height: int
    scale: float
    grows: bool


#: Laid out larger than they are and drawn smaller (or the other way round), so that letters fit the sheet.
SHEETS: Mapping[str, Sheet] = types.MappingProxyType(
    {
        "slide": Sheet(1280, 720, 1.0, grows=False),  # 16:9
        "column": Sheet(480, 350, 3.5 * _INCH / 480, grows=True),  # 3.5 in, letters of 7 pt
        "page": Sheet(760, 420, 7.0 * _INCH / 760, grows=True),  # 7 in, letters of 9 pt
        "poster": Sheet(1280, 960, 24.0 * _INCH / 1280, grows=False),  # 24 in by 18 in
    }
)
#: Pixels of width that a map's key to its colours needs; a narrower sheet leaves it out.
_KEY_FITS = 500
#: A figure taller than this on screen has several panels, and needs more height on a sheet that may grow.
_TALL = 600


@dataclass(frozen=True, kw_only=True)
class Paper:
    """The size, theme, title and caption of a figure on paper.

    Attributes:
        size: ``"slide"`` (16:9), ``"column"`` (3.5 in wide), ``"page"`` (7 in wide) or ``"poster"`` (24 in by 18 in).
        theme: ``"light"`` or ``"dark"``.
        title: Whether to write its title above it.
        caption: Whether to write its settings beneath it.
    """

    size: Size = "slide"
    theme: ThemeName = "light"
    title: bool = True
    caption: bool = False


def on_paper(exhibit: Exhibit, paper: Paper) -> go.Figure:
    """Return an exhibit's figure laid out for paper, without what only a screen can do.

    Args:
        exhibit: What is drawn.
        paper: Size, theme, title and caption.

    Returns:
        A figure with a fixed width and height; multiply by the sheet's ``scale`` for CSS pixels.
    """
    sheet, look = SHEETS[paper.size], theme_of(paper.theme)
    figure = exhibit.draw(paper.theme)
    figure.frames = ()
    figure.layout.updatemenus = ()
    if sheet.width < _KEY_FITS:
        figure.update_traces(marker_showscale=False, selector={"type": "scatter"})
    margin = {side: figure.layout.margin[side] or figure.layout.template.layout.margin[side] for side in "lrtb"}
    lines = textwrap.wrap(settings_line(exhibit), int((sheet.width - 32) / _LETTER)) if paper.caption else []
    heading = textwrap.wrap(exhibit.title, int((sheet.width - 24) / _TITLE_LETTER)) if paper.title else []
    width = sheet.width - margin["l"] - margin["r"]
    axis, legend = 52 + _break_titles(figure, width), _legend_height(figure, width)
    margin["t"] += _TITLE + 20 * (len(heading) - 1) if heading else 0
    margin["b"] = axis + 6 + legend + _LINE * len(lines)
    height = sheet.height
    if sheet.grows:
        height = round(height * max(1.0, figure.layout.height / _TALL)) + legend + _LINE * len(lines)
    plot = height - margin["t"] - margin["b"]
    figure.update_layout(width=sheet.width, height=height, margin=margin, autosize=False)
    figure.update_layout(legend={"yref": "paper", "y": -axis / plot, "yanchor": "top", "x": 0, "xanchor": "left"})
    if heading:
        figure.update_layout(title=_title(heading, look.text))
    if lines:
        figure.add_annotation(
            text="<br>".join(map(plotly, lines)), xref="paper", x=0, xanchor="left", yref="paper",
            y=-(margin["b"] - 8) / plot, yanchor="bottom", align="left", showarrow=False,
            font={"size": 11, "color": look.muted},
        )  # fmt: skip
    return figure


def _title(lines: Sequence[str], colour: str) -> dict[str, object]:
    """Return a figure's title: at the left, over the picture. Plotly raises all lines by the height of those added."""
    text = f"<b>{'<br>'.join(lines)}</b>"
    return {"text": text, "x": 0.02, "xanchor": "left", "y": 1, "yref": "container", "yanchor": "top",
            "pad": {"t": 14 + 12 * (len(lines) - 1)}, "font": {"size": 16, "color": colour}}  # fmt: skip


def _break_titles(figure: go.Figure, width: float) -> int:
    """Break an axis title that is wider than the picture before its parenthesis; return the height that it needs."""
    text = figure.layout.xaxis.title.text or ""
    if _letters(text) * _AXIS_LETTER <= width:
        return 0
    figure.layout.xaxis.title.text = text.replace(" (", "<br>(", 1)
    return _LINE


def _legend_height(figure: go.Figure, width: float) -> int:
    """Return the height that the legend will take beneath the picture: its entries flow like words."""
    names = [trace.name for trace in figure.data if trace.name and trace.showlegend is not False]
    if len(names) < 2:
        return 0
    rows, used = 1, 0.0
    for name in names:
        entry = _letters(name) * _LETTER + _SYMBOL
        if used and used + entry > width:
            rows, used = rows + 1, 0.0
        used += entry
    return 19 * rows + 10


def _letters(text: str) -> int:
    """Return the width of a text in narrow letters."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)
