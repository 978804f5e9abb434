"""The gradient's journey: unrolled networks as strips of steps, the curves beneath, and a play button."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from lstm_explorer.figures.gradients import (
    FlowAxes,
    Series,
    TheoryLine,
    curve_trace,
    every_so_often,
    log_range,
    log_ticks,
    norm_title,
)
from lstm_explorer.figures.theme import NETWORK_NAMES, Theme, blended, faded, template, theme_of
from lstm_explorer.locales import _

#: log10 of the share at which a strip is blank, and of the growth at which it is all explosion.
_BLANK, _FULL_EXPLOSION = -8.0, 4.0
#: Decades a colour stands for.
_LEVEL = 0.5
#: Cells a strip has at most (a longer network shows every so many steps), and up to how many they stand apart.
_CELLS, _APART = 200, 130
_FRAMES = 50
_FRAME_MS = 50


def plot_journey(
    strips: Sequence[Series],
    *,
    beside: Sequence[Series] = (),
    theory: Sequence[TheoryLine] = (),
    theme: str = "light",
) -> go.Figure:
    """Draw unrolled networks as strips coloured by the gradient that reaches each step, above their curves.

    The play button lets a front run from the loss at the right back to step 0; frames move the front and a curtain only,
    so they cost a few numbers each and play in the browser without a rerun, and in an exported file.

    Args:
        strips: One strip and one curve each.
        beside: Further curves, without a strip.
        theory: Closed forms, drawn dashed and grey.
        theme: ``"light"`` or ``"dark"``.

    Returns:
        A figure with a row a strip, then the curves; all share the time axis.

    Raises:
        ValueError: There is no strip, or no such theme.
    """
    if not strips:
        raise ValueError("nothing to draw: expected at least one strip.")
    look, axes = theme_of(theme), FlowAxes()
    rows = len(strips) + 1
    figure = make_subplots(rows, 1, shared_xaxes=True, vertical_spacing=0.035, row_heights=[0.1] * len(strips) + [1.0])
    figure.update_layout(template=template(look), height=520, hovermode="x", margin={"l": 60, "t": 46, "r": 18})
    for row, one in enumerate(strips, start=1):
        figure.add_traces(cells := _strip(one, look), rows=[row] * len(cells), cols=[1] * len(cells))
        figure.update_yaxes(
            tickvals=[0.5], ticktext=[NETWORK_NAMES[one.network]], ticks="", row=row, col=1, fixedrange=True, range=[0, 1],
            tickfont={"color": look.networks[one.network], "size": 13}, showgrid=False,
        )  # fmt: skip
        figure.update_xaxes(showticklabels=False, ticks="", showgrid=False, row=row, col=1)
    everything = [*strips, *beside]
    low, high = log_range(everything)
    last = int(strips[0].curve.steps[-1])
    for line in theory:
        figure.add_trace(line.trace(last, (low, high), axes, look), row=rows, col=1)
    for one in [*beside, *strips]:
        figure.add_trace(curve_trace(one, axes, look), row=rows, col=1)
    figure.update_yaxes(title_text=norm_title(everything), range=[low, high], row=rows, col=1, **log_ticks(low, high))
    figure.update_xaxes(range=[-0.5 - 0.01 * last, last + 0.5 + 0.01 * last])
    figure.update_xaxes(title_text=_("step t"), row=rows, col=1)
    _mark_the_ends(figure, look)
    _animate(figure, everything, (low, high), look)
    return figure


def _strip(series: Series, look: Theme) -> list[go.Scatter]:
    """Return one row of cells, a trace a colour; each colour is half a decade of the gradient.

    Filled outlines, not a heat map or bars: while frames play without a redraw, Plotly keeps scatter traces only.
    """
    steps = every_so_often(series.curve.steps, _CELLS)
    log10 = series.curve.median[steps - series.curve.steps[0]]
    levels = np.round(np.clip(np.nan_to_num(log10, neginf=_BLANK), _BLANK, _FULL_EXPLOSION) / _LEVEL) * _LEVEL
    stride = steps[1] - steps[0] if len(steps) > 1 else 1
    half = 0.5 * stride * (0.86 if len(steps) <= _APART else 1.0)
    return [
        go.Scatter(
            x=np.concatenate([[at - half, at + half, at + half, at - half, np.nan] for at in steps[levels == level]]),
            y=np.tile([0.0, 0.0, 1.0, 1.0, np.nan], int((levels == level).sum())),
            mode="lines",
            line={"width": 0},
            fill="toself",
            fillcolor=_cell_colour(float(level), series.network, look),
            name=series.name,
            hoverinfo="skip",
            showlegend=False,
        )
        for level in np.unique(levels)
    ]


def _cell_colour(level: float, network: str, look: Theme) -> str:
    """Return a cell's colour: blank where nothing arrives, full colour for all of it, another hue for more."""
    colour = look.networks[network]
    empty = blended(look.grid, look.background, 0.5)
    if level <= 0:
        return blended(colour, empty, (1.0 - level / _BLANK) ** 1.5)
    return blended(look.explosion, colour, level / _FULL_EXPLOSION)


def _mark_the_ends(figure: go.Figure, look: Theme) -> None:
    common: dict[str, Any] = {
        "yref": "paper", "y": 1.0, "yanchor": "bottom", "showarrow": False, "xref": "paper",
        "font": {"size": 12, "color": look.muted},
    }  # fmt: skip
    figure.add_annotation(text=_("step 0"), x=0.0, xanchor="left", **common)
    figure.add_annotation(text=_("◀ loss"), x=1.0, xanchor="right", **common)
    figure.update_layout(legend={"y": -0.16, "yanchor": "top"}, margin={"b": 60})


def _animate(figure: go.Figure, series: Sequence[Series], span: tuple[float, float], look: Theme) -> None:
    """Add a curtain over what the gradient has not reached, fronts on the curves, frames and the buttons."""
    rows = len(figure._grid_ref)  # type: ignore[attr-defined]
    curtains = []
    for row in range(1, rows + 1):
        figure.add_trace(_curtain(look), row=row, col=1)
        curtains.append(len(figure.data) - 1)
    figure.add_trace(
        go.Scatter(
            x=[None], y=[None], mode="markers", showlegend=False, hoverinfo="skip",
            marker={"size": 11, "color": [look.networks[one.network] for one in series], "line": {"width": 2, "color": look.background}},
        ),
        row=rows, col=1,
    )  # fmt: skip
    moving = [*curtains, len(figure.data) - 1]
    last = int(series[0].curve.steps[-1])
    fronts = np.unique(np.linspace(0, last, min(last, _FRAMES) + 1).round().astype(int))[::-1]
    heights = [(0.0, 1.0)] * (rows - 1) + [span]
    figure.frames = [
        go.Frame(name=str(front), data=_frame(int(front), series, heights, look), traces=moving) for front in fronts
    ]
    figure.update_layout(updatemenus=[_buttons(look)])


def _curtain(look: Theme) -> go.Scatter:
    return go.Scatter(
        x=[None], y=[None], mode="lines", line={"width": 0}, fill="toself", fillcolor=faded(look.background, 0.93),
        showlegend=False, hoverinfo="skip",
    )  # fmt: skip


def _frame(front: int, series: Sequence[Series], heights: list[tuple[float, float]], look: Theme) -> list[go.Scatter]:
    left, right = -1e6, front - 0.5
    data = [
        go.Scatter(x=[left, right, right, left] if front else [None], y=[low, low, high, high] if front else [None])
        for low, high in heights
    ]
    reached = [float(one.curve.median[front - one.curve.steps[0]]) for one in series]
    data.append(go.Scatter(x=[front] * len(series), y=[y if np.isfinite(y) else None for y in reached]))
    return data


def _buttons(look: Theme) -> dict[str, Any]:
    play = {"frame": {"duration": _FRAME_MS, "redraw": False}, "transition": {"duration": 0}, "mode": "immediate"}
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
