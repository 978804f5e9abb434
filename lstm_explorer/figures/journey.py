"""The gradient's journey: unrolled networks as strips of steps, the curves beneath, and a play button."""

from __future__ import annotations

import base64
import functools
from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from lstm_explorer.figures.axes import FigureSpec, FlowAxes, evenly_spaced, log_ticks
from lstm_explorer.figures.curves import Series, TheoryLine, curve_trace, log_range, norm_title
from lstm_explorer.figures.names import network_name
from lstm_explorer.figures.theme import Theme, blended, faded, plain_template, theme_of
from lstm_explorer.locales import _

#: log10 of the ratio at which a cell is blank, and of that at which it has the explosion's full colour.
_BLANK, _FULL_EXPLOSION = -8.0, 4.0
#: Most cells of a strip (a longer one skips steps), and up to how many there are gaps between them.
_CELLS, _APART = 200, 130
#: Height of a strip and of the gap beneath it, in shares of the plot.
_STRIP, _GAP = 0.075, 0.03
_FRAMES = 20
_FRAME_MS = 120


def plot_journey(
    strips: Sequence[Series],
    *,
    beside: Sequence[Series] = (),
    theory: Sequence[TheoryLine] = (),
    theme: str = "light",
) -> go.Figure:
    """Draw unrolled networks as strips coloured by the gradient that reaches each step, above their curves.

    The play button moves a front from the loss at the right back to step 0. A frame changes the front and a curtain
    only, a few numbers; it plays in the browser without a rerun, and in an exported file.

    Args:
        strips: One strip and one curve each.
        beside: Further curves, without a strip.
        theory: Closed forms, drawn dashed and grey.
        theme: ``"light"`` or ``"dark"``.

    Returns:
        A figure whose upper part holds the strips; they share the time axis with the curves.

    Raises:
        ValueError: There is no strip, or no such theme.
    """
    return go.Figure(journey_spec(strips, beside=beside, theory=theory, theme=theme))


def journey_spec(
    strips: Sequence[Series],
    *,
    beside: Sequence[Series] = (),
    theory: Sequence[TheoryLine] = (),
    theme: str = "light",
) -> FigureSpec:
    """Return what :func:`plot_journey` draws as plain dicts: Plotly's objects take 20 ms at every move of a slider.

    Raises:
        ValueError: There is no strip, or no such theme.
    """
    if not strips:
        raise ValueError("nothing to draw: expected at least one strip.")
    look, axes = theme_of(theme), FlowAxes()
    everything = [*strips, *beside]
    last = int(strips[0].curve.steps[-1])
    low, high = log_range(everything)
    top = high + (high - low) / (1 / (len(strips) * (_STRIP + _GAP) + _GAP) - 1)  # room for the strips
    traces = [line.trace(last, (low, high), axes, look) for line in theory]
    traces += [curve_trace(one, axes, look) for one in [*beside, *strips]]
    moving = [len(traces), len(traces) + 1]
    return {
        "data": [*traces, _curtain(look), _fronts(everything, look)],
        "layout": {
            "template": plain_template(look.name),
            "height": 540,
            "hovermode": "x",
            "modebar": {"orientation": "v"},  # on a phone it would lie on the buttons
            "margin": {"l": 78, "r": 18, "t": 42, "b": 60},
            "legend": {"y": -0.14, "yanchor": "top"},
            "xaxis": {"title": {"text": _("step t")}, "range": [-0.5 - 0.01 * last, last + 0.5 + 0.01 * last]},
            "yaxis": {"title": {"text": norm_title(everything)}, "range": [low, top], **log_ticks(low, high)},
            "images": [_strip(one, row, last, look) for row, one in enumerate(strips)],
            "annotations": [*(_strip_name(one, row, look) for row, one in enumerate(strips)), *_ends(look)],
            "updatemenus": [_buttons(look)],
        },
        "frames": _frames(everything, last, moving),
    }


def strip_svg(series: Series, look: Theme) -> str:
    """Return one network unrolled in time, one rectangle per step; in units of steps, ``-0.5`` to ``T + 0.5``."""
    steps = evenly_spaced(series.curve.steps, _CELLS)
    log10 = series.curve.median[steps - series.curve.steps[0]]
    shades = np.where(log10 > _BLANK, np.minimum(log10, _FULL_EXPLOSION), _BLANK).round(2)
    last = int(steps[-1])
    stride = int(steps[1] - steps[0]) if len(steps) > 1 else 1
    width = stride * (0.86 if len(steps) <= _APART else 1.02)
    cells = "".join(
        f'<rect x="{at - width / 2:g}" width="{width:g}" height="1" '
        f'fill="{_cell_colour(shade, series.network, look.name)}"/>'
        for at, shade in zip(steps.tolist(), shades.tolist(), strict=True)
    )
    box = f"-0.5 0 {last + 1} 1"
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box}" preserveAspectRatio="none">{cells}</svg>'


@functools.cache  # about a thousand of them, and a move of a slider asks for hundreds
def _cell_colour(log10: float, network: str, theme: str) -> str:
    """Return a cell's colour: blank where nothing arrives, full where all does, another hue where more does."""
    look = theme_of(theme)
    colour, empty = look.networks[network], blended(look.grid, look.background, 0.5)
    if log10 <= 0:
        return blended(colour, empty, (1.0 - log10 / _BLANK) ** 1.5)
    return blended(look.explosion, colour, log10 / _FULL_EXPLOSION)


def _strip(series: Series, row: int, last: int, look: Theme) -> dict[str, Any]:
    # An image, not a heat map: while frames play without a redraw, Plotly takes all but scatters off the screen.
    return {
        "source": "data:image/svg+xml;base64," + base64.b64encode(strip_svg(series, look).encode()).decode(),
        "xref": "x", "x": -0.5, "sizex": last + 1, "yref": "paper", "y": _strip_top(row), "sizey": _STRIP,
        "sizing": "stretch", "layer": "below", "name": series.name,
    }  # fmt: skip


def _strip_top(row: int) -> float:
    return 1.0 - row * (_STRIP + _GAP)


def _strip_name(series: Series, row: int, look: Theme) -> dict[str, Any]:
    return {
        "text": f"<b>{network_name(series.network)}</b>", "x": -0.006, "xref": "paper", "xanchor": "right",
        "y": _strip_top(row) - _STRIP / 2, "yref": "paper", "yanchor": "middle", "showarrow": False,
        "font": {"color": look.networks[series.network], "size": 13},
    }  # fmt: skip


def _ends(look: Theme) -> list[dict[str, Any]]:
    """Name the two ends of the strips."""
    common = {
        "yref": "paper", "y": 1.01, "yanchor": "bottom", "showarrow": False, "xref": "paper",
        "font": {"size": 12, "color": look.muted},
    }  # fmt: skip
    return [
        {"text": _("step 0"), "x": 0.0, "xanchor": "left", **common},
        {"text": _("◀ loss"), "x": 1.0, "xanchor": "right", **common},
    ]


def _curtain(look: Theme) -> dict[str, Any]:
    """Return the trace that covers the steps the gradient has not reached; empty at rest."""
    return {
        "type": "scatter", "x": [None], "y": [None], "mode": "lines", "line": {"width": 0}, "fill": "toself",
        "fillcolor": faded(look.background, 0.93), "showlegend": False, "hoverinfo": "skip", "name": "curtain",
    }  # fmt: skip


def _fronts(series: Sequence[Series], look: Theme) -> dict[str, Any]:
    """Return the trace with one dot per curve at the front of the gradient; empty at rest."""
    return {
        "type": "scatter", "x": [None], "y": [None], "mode": "markers", "showlegend": False, "hoverinfo": "skip",
        "name": "fronts",
        "marker": {
            "size": 11,
            "color": [look.networks[one.network] for one in series],
            "line": {"width": 2, "color": look.background},
        },
    }  # fmt: skip


def _frames(series: Sequence[Series], last: int, moving: list[int]) -> list[dict[str, Any]]:
    """Return the frames from the loss to step 0: the edge of the curtain and the positions of the fronts."""
    far = 1e6  # beyond every axis: the curtain covers the strips above the curves too
    frames = []
    for front in np.unique(np.linspace(0, last, min(last, _FRAMES) + 1).round().astype(int))[::-1].tolist():
        edge = front - 0.5
        reached = [float(one.curve.median[front - one.curve.steps[0]]) for one in series]
        curtain = {"x": [-far, edge, edge, -far], "y": [-far, -far, far, far]} if front else {"x": [None], "y": [None]}
        fronts = {"x": [front] * len(series), "y": [y if np.isfinite(y) else None for y in reached]}
        frames.append({"name": str(front), "data": [curtain, fronts], "traces": moving})
    return frames


def _buttons(look: Theme) -> dict[str, Any]:
    # Plotly slides from frame to frame, so few are enough for a smooth run.
    slide = {"duration": _FRAME_MS, "easing": "linear"}
    play = {"frame": {"duration": _FRAME_MS, "redraw": False}, "transition": slide, "mode": "immediate"}
    stop = {"frame": {"duration": 0, "redraw": False}, "mode": "immediate"}
    return {
        "type": "buttons", "direction": "right", "showactive": False, "x": 0.5, "xanchor": "center", "y": 1.0,
        "yanchor": "bottom", "pad": {"b": 4, "t": 0}, "bgcolor": look.background, "bordercolor": look.grid,
        "font": {"size": 12},
        "buttons": [
            {"label": "▶ " + _("Play"), "method": "animate", "args": [None, play]},
            {"label": _("Pause"), "method": "animate", "args": [[None], stop]},
        ],
    }  # fmt: skip
