"""A guess beside what was measured, on one line."""

from __future__ import annotations

import plotly.graph_objects as go

from lstm_explorer.figures.axes import log_ticks
from lstm_explorer.figures.theme import template, theme_of
from lstm_explorer.locales import _

#: Height in pixels.
_HEIGHT = 132


def plot_guess(
    guess: float, measured: float, *, ends: tuple[float, float], texts: tuple[str, str], powers: bool, theme: str
) -> go.Figure:
    """Draw a guess and the measured number on one line.

    Args:
        guess: What was guessed.
        measured: What was measured.
        ends: Of the line; it is longer where the measured number lies beyond.
        texts: The two numbers, as they are written.
        powers: Whether the numbers are log10 of what the ticks say.
        theme: ``"light"`` or ``"dark"``.

    Raises:
        ValueError: There is no such theme.
    """
    look = theme_of(theme)
    low, high = min(ends[0], measured), max(ends[1], measured)
    pad = 0.06 * (high - low)
    figure = go.Figure(layout={"template": template(look.name), "height": _HEIGHT, "showlegend": False})
    figure.add_shape(
        type="line", x0=guess, x1=measured, y0=0, y1=0, line={"color": look.muted, "width": 2, "dash": "dot"}
    )
    names = _("your guess: {number}").format(number=texts[0]), _("measured: {number}").format(number=texts[1])
    marks = [(guess, names[0], look.muted, "circle-open", 1), (measured, names[1], look.text, "diamond", -1)]
    for at, name, colour, symbol, side in marks:
        figure.add_scatter(
            x=[at], y=[0], mode="markers", name=name, hoverinfo="name",
            marker={"size": 15, "color": colour, "symbol": symbol, "line": {"width": 3, "color": colour}},
        )  # fmt: skip
        figure.add_annotation(
            x=at, y=0, text=name, showarrow=False, yshift=24 * side, font={"size": 14, "color": colour},
            xanchor=_side((at - low) / (high - low)),
        )  # fmt: skip
    figure.update_xaxes(range=[low - pad, high + pad], fixedrange=True, **(log_ticks(low, high) if powers else {}))
    figure.update_yaxes(visible=False, range=[-1, 1], fixedrange=True)
    figure.update_layout(margin={"l": 12, "r": 12, "t": 4, "b": 28})
    return figure


def _side(share: float) -> str:
    """Return which side of a text stands at its mark, so that none leaves the figure."""
    return "left" if share < 0.25 else "right" if share > 0.75 else "center"
