"""Networks that learn: the loss, and over the same axis how much of its gradient reaches every lag."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import plotly.graph_objects as go

from lstm_explorer.core.architectures import architecture_named
from lstm_explorer.core.kinds import checks_kinds
from lstm_explorer.core.training.result import TrainingRun
from lstm_explorer.core.watching.watched import Watched
from lstm_explorer.figures.axes import FigureSpec, log_ticks
from lstm_explorer.figures.learners import Learner, Ranges, learners, measured_moments, ranges_of, scored_by_error
from lstm_explorer.figures.names import network_name
from lstm_explorer.figures.theme import Theme, plain_template, theme_of
from lstm_explorer.figures.training_traces import Panel, logarithmic, moved, moving_traces, still_traces
from lstm_explorer.figures.watched import plot_watched
from lstm_explorer.locales import _

#: Heights in pixels of the panels, of the gap beneath each, of the slider, and above and below all of them.
_HEIGHTS = {"loss": 176, "score": 82, "map": 70, "gate": 82, "norm": 82, "lags": 190}
_GAP, _SLIDER, _TOP, _BOTTOM = 30, 150, 46, 52
_FRAME_MS = 120


@checks_kinds
def plot_training(
    runs: Sequence[TrainingRun] | Watched,
    *,
    gradient: Literal["memory", "hidden", "cell_path"] = "memory",
    at: int | None = None,
    theme: str = "light",
) -> go.Figure:
    """Draw losses, held-out scores, and for each network a map of the gradient that arrives, with one cursor over all.

    The cursor is moved with the slider, and played with the button, in the browser and in an exported file.

    Args:
        runs: Of the same task and number of steps; those of one network beside each other. Of a training of one's own
            that was watched there are the maps alone, as :func:`plot_watched` draws them.
        gradient: ``"memory"``: with respect to the state that remembers; ``"hidden"``; ``"cell_path"``.
        at: Optimizer steps after which the cursor stands; the last measurement by default.
        theme: ``"light"`` or ``"dark"``.

    Returns:
        A figure with one frame for each measurement.

    Raises:
        TypeError: An argument is of another kind.
        ValueError: There is no run, or no such theme.

    Example:
        >>> import lstm_explorer as lx
        >>> run = lx.train(lx.Training(architecture="rnn", sequence_length=5, hidden_size=3, steps=4, measurements=2))
        >>> [frame.name for frame in plot_training([run]).frames]
        ['0', '2', '4']
    """
    if isinstance(runs, Watched):
        return plot_watched(runs, theme=theme)
    return go.Figure(training_spec(runs, gradient=gradient, at=at, theme=theme))


def training_spec(
    runs: Sequence[TrainingRun],
    *,
    gradient: str = "memory",
    at: int | None = None,
    theme: str = "light",
    playable: bool = True,
) -> FigureSpec:
    """Return what :func:`plot_training` draws, as plain dicts; without slider and frames where it is not playable.

    Raises:
        ValueError: There is no run, or no such theme.
    """
    if not runs:
        raise ValueError("nothing to draw: expected at least one run.")
    look, all_of_them = theme_of(theme), learners(runs, gradient)
    panels, height = _panels(all_of_them)
    ranges = ranges_of(all_of_them)
    still = [trace for panel in panels for trace in still_traces(panel, all_of_them, look)]
    moments = measured_moments(all_of_them)
    where = _index(moments, at)
    moving = [trace for panel in panels for trace in moving_traces(panel, all_of_them, ranges, moments[where], look)]
    axes: dict[str, Any] = {}
    for panel in panels:
        axes |= _axes(panel, all_of_them, ranges, panels, look)
    return {
        "data": [*still, *moving],
        "layout": {
            "template": plain_template(look.name),
            "height": height,
            "hovermode": "x",
            "margin": {"l": 74, "r": 78, "t": _TOP, "b": _BOTTOM},
            "legend": {"yref": "container", "y": 1.0, "yanchor": "top", "x": 0, "xanchor": "left"},
            "annotations": _titles(panels, all_of_them, height, look),
            "updatemenus": [_buttons(panels, look)] if playable else [],
            "sliders": [_slider(panels, moments, where, look)] if playable else [],
            **axes,
        },
        "frames": _frames(panels, all_of_them, ranges, moments, len(still)) if playable else [],
    }


def _panels(everyone: Sequence[Learner]) -> tuple[list[Panel], int]:
    """Return the panels from top to bottom with their places, and the height of the figure."""
    gated = any(architecture_named(one.network).memory_gate for one in everyone)
    kinds: list[tuple[str, Learner | None]] = [("loss", None), ("score", None), *(("map", one) for one in everyone)]
    kinds += [("gate", None)] * gated + [("norm", None), ("lags", None)]
    heights = [_HEIGHTS[kind] for kind, _one in kinds]
    gaps = [_GAP] * (len(kinds) - 2) + [_SLIDER]
    plot, panels, top = sum(heights) + sum(gaps), [], 0.0
    for number, ((kind, one), height) in enumerate(zip(kinds, heights, strict=True)):
        panels.append(Panel(kind, one, number + 1, (1 - (top + height) / plot, 1 - top / plot)))
        top += height + (gaps[number] if number < len(gaps) else 0)
    return panels, plot + _TOP + _BOTTOM


def _index(moments: Sequence[int], at: int | None) -> int:
    """Return the moment nearest to an optimizer step; the last for None."""
    return len(moments) - 1 if at is None else int(np.abs(np.asarray(moments) - at).argmin())


def _frames(
    panels: Sequence[Panel], everyone: Sequence[Learner], ranges: Ranges, moments: Sequence[int], first: int
) -> list[dict[str, Any]]:
    """Return a frame for each moment; ``first`` is the number of the first trace that the cursor moves."""
    frames = []
    for moment in moments:
        data = [part for panel in panels for part in moved(panel, everyone, ranges, moment)]
        frames.append({"name": str(moment), "data": data, "traces": list(range(first, first + len(data)))})
    return frames


# Axes, titles and controls.


def _axes(
    panel: Panel,
    everyone: Sequence[Learner],
    ranges: Ranges,
    panels: Sequence[Panel],
    look: Theme,
) -> dict[str, Any]:
    number, (low, high) = panel.axis, ranges[panel.kind]
    steps, last = everyone[0].first.training.steps, panels[-2] is panel
    x: dict[str, Any] = {"anchor": f"y{number}", "range": [0, steps], "showticklabels": last, "fixedrange": True}
    x |= {"title": {"text": _("optimizer step"), "standoff": 4}} if last else {}
    y: dict[str, Any] = {"anchor": f"x{number}", "domain": list(panel.domain), "range": [low, high], "fixedrange": True}
    if logarithmic(panel.kind, everyone):
        y |= {"type": "log", "exponentformat": "power", **(_few_ticks(low, high) if high - low < 1.2 else {"dtick": 1})}
    elif panel.kind == "map":
        lags = int(high)
        y |= {"tickvals": [0, lags // 2, lags], "showgrid": False, "title": {"text": _("lag")}}
        x |= {"showgrid": False}
    elif panel.kind == "lags":
        x |= {
            "range": [0, ranges["map"][1]],
            "showticklabels": True,
            "title": {"text": _("lag, in steps back from the loss"), "standoff": 4},
        }
        y |= {"title": {"text": _("surviving share")}, **log_ticks(low, high, 6)}
    else:
        y |= {"nticks": 4}
    return {f"xaxis{number}": x, f"yaxis{number}": y}


def _few_ticks(low: float, high: float) -> dict[str, Any]:
    """Return ticks at 1, 2 and 5 of each decade, written out: Plotly writes 0.2 as 2, and digits on each other."""
    decades = range(math.floor(low), math.ceil(high) + 1)
    values = [digit * 10.0**decade for decade in decades for digit in (1, 2, 5)]
    return {"tickvals": values, "ticktext": [f"{value:g}" for value in values]}


def _titles(panels: Sequence[Panel], everyone: Sequence[Learner], height: int, look: Theme) -> list[dict[str, Any]]:
    """Name every panel above its upper left corner, and the column of numbers beside the maps."""
    texts = {
        "loss": _("<b>Training loss</b>"),
        "score": _("<b>Error on held-out data</b>")
        if scored_by_error(everyone)
        else _("<b>Accuracy on held-out data</b>"),
        "gate": _("<b>How far the memory gate keeps</b>"),
        "norm": _("<b>Norm of the weights' gradient</b>"),
        "lags": _("<b>Arriving at the cursor, by lag</b>"),
    }
    symbols = {"hidden": "dL/dh", "cell": "dL/dc", "cell_path": _("dL/dc by the cell path alone")}
    named = []
    for panel in panels:
        text, colour = texts.get(panel.kind, ""), look.text
        if panel.learner:
            colour = look.networks[panel.learner.network]
            text = _("<b>{network}</b>: {symbol} arriving, by lag").format(
                network=network_name(panel.learner.network), symbol=symbols[panel.learner.quantity]
            )
        named.append((text, 0.0, "left", panel.domain[1], colour))
    return [
        {
            "text": text, "xref": "paper", "x": x, "xanchor": anchor, "yref": "paper", "y": y, "yanchor": "bottom",
            "showarrow": False, "font": {"size": 12, "color": colour}, "yshift": 1,
        }
        for text, x, anchor, y, colour in named
    ]  # fmt: skip


def _slider(panels: Sequence[Panel], moments: Sequence[int], where: int, look: Theme) -> dict[str, Any]:
    go_there = {"mode": "immediate", "frame": {"duration": 0, "redraw": False}, "transition": {"duration": 0}}
    return {
        "active": where, "x": 0, "len": 1.0, "y": panels[-2].domain[0], "yanchor": "top", "pad": {"t": 44, "b": 0},
        "currentvalue": {
            "prefix": _("at step "), "xanchor": "left", "font": {"size": 13, "color": look.text},
        },
        "bgcolor": look.grid, "activebgcolor": look.text, "bordercolor": look.muted, "tickcolor": look.muted,
        "font": {"color": "rgba(0,0,0,0)", "size": 1}, "ticklen": 0, "minorticklen": 0,
        "steps": [
            {"label": str(moment), "method": "animate", "args": [[str(moment)], go_there]} for moment in moments
        ],
    }  # fmt: skip


def _buttons(panels: Sequence[Panel], look: Theme) -> dict[str, Any]:
    play = {"frame": {"duration": _FRAME_MS, "redraw": False}, "transition": {"duration": 0}, "mode": "immediate"}
    stop = {"frame": {"duration": 0, "redraw": False}, "mode": "immediate"}
    return {
        "type": "buttons", "direction": "right", "showactive": False, "x": 1.0, "xanchor": "right",
        "y": panels[-2].domain[0], "yanchor": "top", "pad": {"t": 94, "b": 0}, "bgcolor": look.background,
        "bordercolor": look.grid, "font": {"size": 12},
        "buttons": [
            {"label": "▶ " + _("Play"), "method": "animate", "args": [None, play]},
            {"label": _("Pause"), "method": "animate", "args": [[None], stop]},
        ],
    }  # fmt: skip
