"""Lay a figure out for paper: its size, its title, a line with its settings, and room for its legend."""

from __future__ import annotations

import re
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
from lstm_explorer.figures.theme import PAPER, ThemeName, theme_of

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
#: Height of that key over the picture.
_KEY = 30
#: Plotly's markup in a title.
_TAG = re.compile(r"<[^>]+>")
#: A figure taller than this on screen has several panels, and needs more height on a sheet that may grow. One taller
#: than a sheet that may not is laid out on a larger sheet of the same shape, and drawn smaller.
_TALL, _TALLER = 600, 900


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
        A figure with a fixed width and height; multiply by :func:`scale_of` for CSS pixels.
    """
    figure, look = exhibit.draw(paper.theme), theme_of(paper.theme)
    sheet = _fitting(SHEETS[paper.size], figure.layout.height)
    figure.frames = ()
    figure.layout.updatemenus = ()
    if sheet.width < _KEY_FITS:
        figure.update_traces(marker_showscale=False, selector={"type": "scatter"})
    margin = {side: figure.layout.margin[side] or figure.layout.template.layout.margin[side] for side in "lrtb"}
    if paper.theme == "light":
        figure.update_layout(paper_bgcolor=PAPER, plot_bgcolor=PAPER)
    if any(getattr(trace.marker, "showscale", None) for trace in figure.data if trace.type == "scatter"):
        # On a low sheet the key's names would lie on the map.
        figure.update_traces(marker_colorbar_yanchor="bottom", selector={"type": "scatter", "marker_showscale": True})
        margin["t"] += _KEY
    lines = textwrap.wrap(settings_line(exhibit), int((sheet.width - 32) / _LETTER)) if paper.caption else []
    heading = textwrap.wrap(exhibit.title, int((sheet.width - 24) / _TITLE_LETTER)) if paper.title else []
    width = sheet.width - margin["l"] - margin["r"]
    axis, legend = 52 + _break_titles(figure, width), _lay_out_legend(figure, width)
    margin["t"] += _TITLE + 20 * (len(heading) - 1) if heading else 0
    margin["b"] = axis + 6 + legend + _LINE * len(lines)
    height = sheet.height
    if sheet.grows:
        panels = figure.layout.height if figure.layout.height > _TALLER else height * figure.layout.height / _TALL
        height = round(max(height, panels)) + legend + _LINE * len(lines)
    plot = height - margin["t"] - margin["b"]
    margin["l"] += _break_upright_titles(figure, plot)
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


def _fitting(sheet: Sheet, height: float) -> Sheet:
    """Return a sheet on which a figure so tall on screen has room."""
    times = height / sheet.height if height > _TALLER and not sheet.grows else 1.0
    return sheet if times <= 1 else sheet._replace(width=round(sheet.width * times), height=round(sheet.height * times))


def scale_of(figure: go.Figure, size: Size) -> float:
    """Return how many CSS pixels of a sheet one pixel of a figure's layout is.

    Args:
        figure: From :func:`on_paper`.
        size: The sheet.
    """
    sheet = SHEETS[size]
    return sheet.scale * sheet.width / figure.layout.width


def _title(lines: Sequence[str], colour: str) -> dict[str, object]:
    """Return a figure's title: at the left, over the picture. Plotly raises all lines by the height of those added."""
    text = f"<b>{'<br>'.join(map(plotly, lines))}</b>"
    return {"text": text, "x": 0.02, "xanchor": "left", "y": 1, "yref": "container", "yanchor": "top",
            "pad": {"t": 14 + 12 * (len(lines) - 1)}, "font": {"size": 16, "color": colour}}  # fmt: skip


def _break_titles(figure: go.Figure, width: float) -> int:
    """Break an axis title that is wider than the picture before its parenthesis; return the height that it needs."""
    text = figure.layout.xaxis.title.text or ""
    if _letters(text) * _AXIS_LETTER <= width:
        return 0
    figure.layout.xaxis.title.text = text.replace(" (", "<br>(", 1)
    return _LINE


def _break_upright_titles(figure: go.Figure, height: float) -> int:
    """Break titles of upright axes that are taller than their axis in two lines; return the width that these need."""
    broken = 0
    for axis in figure.select_yaxes():
        text, (low, high) = axis.title.text or "", axis.domain or (0.0, 1.0)
        spaces = [at for at, letter in enumerate(text) if letter == " "]
        if spaces and _letters(_without_tags(text)) * _AXIS_LETTER > (high - low) * height:
            middle = min(spaces, key=lambda at: abs(at - len(text) / 2))
            axis.title.text = f"{text[:middle]}<br>{text[middle + 1 :]}"
            broken = _LINE
    return broken


def _without_tags(text: str) -> str:
    return _TAG.sub("", text)


def _lay_out_legend(figure: go.Figure, width: float) -> int:
    """Put the legend's entries in one row or, where that is too long, in columns; return the height that they need."""
    letters = [_letters(trace.name) for trace in figure.data if trace.name and trace.showlegend is not False]
    if len(letters) < 2:
        return 0
    rows, entry = 1, max(letters) * _LETTER
    if sum(letters) * _LETTER + len(letters) * _SYMBOL > width:
        rows = -(-len(letters) // max(1, int(width // (entry + _SYMBOL))))
        figure.update_layout(legend={"entrywidth": entry, "entrywidthmode": "pixels"})
    return 19 * rows + 10


def _letters(text: str) -> int:
    """Return the width of a text in narrow letters."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)
