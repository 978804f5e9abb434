"""The gradient's journey: unrolled networks as strips of steps, the curves beneath, and a play button."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import plotly.graph_objects as go

from lstm_explorer.core.kinds import checks_kinds
from lstm_explorer.figures.axes import FigureSpec, FlowAxes, evenly_spaced, log_ticks
from lstm_explorer.figures.curves import Series, TheoryLine, curve_trace, log_range, norm_title
from lstm_explorer.figures.strips import (
    ON_STRIPS,
    strip_base,
    strip_gaps,
    strip_name,
    strip_shapes,
    strip_traces,
    strip_words,
)
from lstm_explorer.figures.theme import Theme, faded, plain_template, theme_of
from lstm_explorer.locales import _

#: Height of a strip and of the gap beneath it, in shares of the plot.
_STRIP, _GAP = 0.085, 0.03
_FRAMES = 20
_FRAME_MS = 120
#: Group of the frames that the play button runs through; the slider's are named after its labels.
_PLAY = "play"
#: Most points of a curve that the slider moves.
_POINTS = 101
#: The axis goes down this far, log10, for a curve that only the slider brings.
_DEEPEST = -30.0


@dataclass(frozen=True, eq=False, kw_only=True)
class Stop:
    """A position of the slider inside the figure.

    Attributes:
        label: As the slider writes it.
        strip: The curve of the strip that moves; it has the name of one of the figure's strips.
        beside: Those of the curves beside it.
        theory: Those of the closed forms.
    """

    label: str
    strip: Series
    beside: Sequence[Series] = ()
    theory: Sequence[TheoryLine] = ()


@dataclass(frozen=True, eq=False, kw_only=True)
class Slider:
    """A slider inside the figure: what it says, its positions, and where it stands.

    Attributes:
        title: What it moves.
        labels: Its positions, in order.
        at: Index of the position that the figure shows.
        span: The smallest and the largest log10 of all positions.
        stops: Makes the positions; most moves need only their labels.
    """

    title: str
    labels: tuple[str, ...]
    at: int
    span: tuple[float, float]
    stops: Callable[[], Sequence[Stop]]


class _Parts(NamedTuple):
    """The traces of a journey, those that the slider moves and those that the play button does, and where they lie."""

    still: list[dict[str, Any]]
    moving: list[dict[str, Any]]
    over: list[dict[str, Any]]
    axis: tuple[float, float]
    spans: list[tuple[float, float]]


@checks_kinds
def plot_journey(
    strips: Sequence[Series],
    *,
    beside: Sequence[Series] = (),
    theory: Sequence[TheoryLine] = (),
    slider: Slider | None = None,
    theme: str = "light",
) -> go.Figure:
    """Draw unrolled networks as strips coloured by the gradient that reaches each step, above their curves.

    The play button moves a front from the loss at the right back to step 0, and the slider exchanges the curves of one
    network; both play in the browser without a rerun, and in an exported file.

    Args:
        strips: One strip and one curve each.
        beside: Further curves, without a strip.
        theory: Closed forms, drawn dashed and grey.
        slider: Curves for other settings of the last strip's network, and where the slider stands.
        theme: ``"light"`` or ``"dark"``.

    Returns:
        A figure whose upper part holds the strips; they share the time axis with the curves.

    Raises:
        TypeError: An argument is of another kind.
        ValueError: There is no strip, or no such theme.
    """
    return go.Figure(journey_spec(strips, beside=beside, theory=theory, slider=slider, theme=theme))


def journey_spec(
    strips: Sequence[Series],
    *,
    beside: Sequence[Series] = (),
    theory: Sequence[TheoryLine] = (),
    slider: Slider | None = None,
    theme: str = "light",
    frames: Any = None,
) -> FigureSpec:
    """Return what :func:`plot_journey` draws as plain dicts: Plotly's objects take 20 ms at every move of a slider.

    Args:
        strips: As in :func:`plot_journey`, like the others.
        beside: Further curves.
        theory: Closed forms.
        slider: Curves for other settings.
        theme: ``"light"`` or ``"dark"``.
        frames: What :func:`journey_frames` returned, in any form; made anew by default.

    Raises:
        ValueError: There is no strip, or no such theme.
    """
    look, everything = theme_of(theme), [*strips, *beside]
    parts = _parts(strips, beside, theory, slider, look)
    (low, high), last = parts.axis, int(strips[0].curve.steps[-1])
    above = len(strips) * (_STRIP + _GAP) + _GAP
    return {
        "data": [*parts.still, *parts.moving, *parts.over],
        "layout": {
            "template": plain_template(look.name),
            "height": 535 if slider else 480,
            "hovermode": "x",
            "modebar": {"orientation": "v"},  # on a phone it would lie on the buttons
            "margin": {"l": 78, "r": 18, "t": 42, "b": 180 if slider else 98},
            "legend": {"yref": "container", "y": 0.0, "yanchor": "bottom"},
            "xaxis": {
                "title": {"text": _("step t"), "standoff": 4},
                "range": [-0.5 - 0.01 * last, last + 0.5 + 0.01 * last],
            },
            # Fixed: the strips lie above the curves.
            "yaxis": {
                "title": {"text": norm_title(everything)}, "range": [low, high + (high - low) / (1 / above - 1)],
                "fixedrange": True, **log_ticks(low, high),
            },
            "yaxis2": {"overlaying": "y", "range": [0, 1], "fixedrange": True, "visible": False},
            "shapes": [shape for span in parts.spans for shape in strip_base(last, span, look)],
            "annotations": _ends(look),
            "updatemenus": [_buttons(look)],
            "sliders": [_slider(slider, look, look.networks[strips[-1].network])] if slider else [],
        },
        "frames": journey_frames(strips, beside=beside, theory=theory, slider=slider) if frames is None else frames,
    }  # fmt: skip


def journey_frames(
    strips: Sequence[Series],
    *,
    beside: Sequence[Series] = (),
    theory: Sequence[TheoryLine] = (),
    slider: Slider | None = None,
) -> list[dict[str, Any]]:
    """Return the frames of :func:`journey_spec`, of the play button and of the slider.

    They depend on the slider's positions, and on the curves at its own not at all.

    Raises:
        ValueError: There is no strip.
    """
    still, moving, over, _axis, spans = _parts(strips, beside, theory, slider, theme_of("light"))
    before = len(still) + len(moving)
    frames = _play_frames(int(strips[0].curve.steps[-1]), [before + len(over) - 2, before + len(over) - 1])
    if slider:
        frames += _slider_frames(slider.stops(), spans[-1], list(range(len(still), before)))
    return frames


def _parts(
    strips: Sequence[Series], beside: Sequence[Series], theory: Sequence[TheoryLine], slider: Slider | None, look: Theme
) -> _Parts:
    if not strips:
        raise ValueError("nothing to draw: expected at least one strip.")
    axes, last, own = FlowAxes(), int(strips[0].curve.steps[-1]), strips[-1]
    low, high = _range([*strips, *beside], slider)
    spans = [_span(row) for row in range(len(strips))]
    moved = [line for line in theory if line.about[0] == own.network]
    still = [trace for one, span in zip(strips[:-1], spans, strict=False) for trace in strip_traces(one, span, look)]
    still += [line.trace(last, (low, high), axes, look) for line in theory if line not in moved]
    still += [_named_by_strip(one, axes, look) for one in strips[:-1]]
    still += [strip_name(one, span, look) for one, span in zip(strips[:-1], spans, strict=False)]
    moving = strip_traces(own, spans[-1], look)
    moving += [line.trace(last, (low, high), axes, look) for line in moved]
    moving += [*(curve_trace(one, axes, look) for one in beside), _named_by_strip(own, axes, look)]
    moving.append(strip_name(own, spans[-1], look))
    over = [strip_gaps(last, spans, look), _curtain(look), _front(look)]
    return _Parts(still, moving, over, (low, high), spans)


def _named_by_strip(series: Series, axes: FlowAxes, look: Theme) -> dict[str, Any]:
    """Return a curve that its strip names already: on a phone, every name less leaves room for the others."""
    return {**curve_trace(series, axes, look), "showlegend": False}


def _range(everything: Sequence[Series], slider: Slider | None) -> tuple[float, float]:
    """Return one range of the axis of norms for every position of the slider.

    In whole decades: else it would be a little different at most of them, and the axis would tremble.
    """
    low, high = log_range(everything)
    if slider:
        low, high = min(low, max(slider.span[0], _DEEPEST)), max(high, slider.span[1])
        return math.floor(low), math.ceil(high)
    return low, high


def _span(row: int) -> tuple[float, float]:
    """Return the lower and the upper edge of a strip, as shares of the plot's height."""
    upper = 1.0 - row * (_STRIP + _GAP)
    return upper - _STRIP, upper


def _slider_frames(stops: Sequence[Stop], span: tuple[float, float], moving: list[int]) -> list[dict[str, Any]]:
    """Return a frame per position: the strip, the closed forms, the curves, and how much arrives."""
    frames = []
    for stop in stops:
        last = int(stop.strip.curve.steps[-1])
        data = [
            *strip_shapes(stop.strip, span),
            *(_straight(line, last) for line in stop.theory),
            *(_points(one) for one in [*stop.beside, stop.strip]),
            {"text": strip_words(stop.strip)},
        ]
        frames.append({"name": _frame_name(stop.label), "data": data, "traces": moving})
    return frames


def _frame_name(label: str) -> str:
    return f"at {label}"  # a bare 5 would be the play button's frame at step 5


def _points(series: Series) -> dict[str, Any]:
    """Return a curve in as many points as a screen shows."""
    curve = series.curve
    steps = evenly_spaced(curve.steps, _POINTS)
    heights = curve.median[steps - curve.steps[0]]
    rounded = np.round(heights, 2).astype(object)
    rounded[~np.isfinite(heights)] = None
    x = {"x": steps.tolist()} if len(steps) < len(curve.steps) else {}  # else they stay as they are
    return {**x, "y": rounded.tolist(), "customdata": None, "hovertemplate": "10<sup>%{y:.2f}</sup>"}


def _straight(line: TheoryLine, last: int) -> dict[str, Any]:
    """Return the ends of a closed form: from the last step back to step 0, beyond the axis too."""
    return {"x": [0, last], "y": [round(line.log10_rate * last, 2), 0.0]}


def _slider(slider: Slider, look: Theme, colour: str) -> dict[str, Any]:
    go_there = {"mode": "immediate", "frame": {"duration": 0, "redraw": False}, "transition": {"duration": 0}}
    return {
        "active": slider.at, "x": 0, "len": 1.0, "y": -0.105, "yanchor": "top", "pad": {"t": 8, "b": 0},
        "currentvalue": {"prefix": f"{slider.title}: ", "xanchor": "left", "font": {"size": 14, "color": look.text}},
        "bgcolor": look.grid, "activebgcolor": colour,
        "bordercolor": look.muted, "tickcolor": look.muted, "font": {"color": look.muted, "size": 11},
        "ticklen": 3, "minorticklen": 2,
        "steps": [
            {"label": label, "method": "animate", "args": [[_frame_name(label)], go_there]}
            for label in slider.labels
        ],
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
        "type": "scatter", "x": [None], "y": [None], **ON_STRIPS, "mode": "lines", "line": {"width": 0},
        "fill": "toself", "fillcolor": faded(look.background, 0.93), "showlegend": False, "hoverinfo": "skip",
        "name": "curtain",
    }  # fmt: skip


def _front(look: Theme) -> dict[str, Any]:
    """Return the upright line at the front of the gradient; empty at rest."""
    # On the axis of the curves, as the curtain is on that of the strips: of an axis that a frame does not touch, Plotly
    # takes all traces away.
    return {
        "type": "scatter", "x": [None], "y": [None], "mode": "lines",
        "line": {"width": 2, "color": look.text}, "showlegend": False, "hoverinfo": "skip", "name": "front",
    }  # fmt: skip


def _play_frames(last: int, moving: list[int]) -> list[dict[str, Any]]:
    """Return the frames from the loss to step 0: the edge of the curtain, over the whole plot, and the front."""
    far = 1e6  # beyond every axis: of a curtain that ends on its edges, Plotly draws nothing
    frames = []
    for at in np.unique(np.linspace(0, last, min(last, _FRAMES) + 1).round().astype(int))[::-1].tolist():
        edge = at - 0.5
        curtain = {"x": [-far, edge, edge, -far], "y": [-far, -far, far, far]} if at else {"x": [None], "y": [None]}
        front = {"x": [at, at], "y": [-far, far]}
        frames.append({"name": str(at), "group": _PLAY, "data": [curtain, front], "traces": moving})
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
            {"label": "▶ " + _("Play"), "method": "animate", "args": [_PLAY, play]},
            {"label": _("Pause"), "method": "animate", "args": [[None], stop]},
        ],
    }  # fmt: skip
