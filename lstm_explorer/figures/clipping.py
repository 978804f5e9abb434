"""What every step adds to the weights' gradient, before and after clipping; and a gradient that is cut."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
import torch
from numpy.typing import NDArray

from lstm_explorer.core.gradients.clipping import ClippedGradient
from lstm_explorer.core.gradients.plain import PlainBackward
from lstm_explorer.core.kinds import checks_kinds
from lstm_explorer.figures.axes import FlowAxes
from lstm_explorer.figures.curves import Series
from lstm_explorer.figures.gradient_flow import plot_gradient_flow
from lstm_explorer.figures.lines import Line, plot_lines
from lstm_explorer.figures.theme import Theme, blended, faded, theme_of
from lstm_explorer.locales import _

#: How far the curve after clipping is mixed with the text's colour: where it lies on the other, it is seen.
_SHADE = 0.5
#: Room beside the curves, as a share of the axis.
_PAD = 0.015


@checks_kinds
def plot_clipping(measured: ClippedGradient, backward: PlainBackward, *, theme: str = "light") -> go.Figure:
    """Draw what every step adds to the gradient of the last layer's weights, before and after clipping.

    A cross marks where an ordinary backward pass in the network's dtype turns to infinity or NaN, or to exactly 0.

    Args:
        measured: From :func:`lstm_explorer.clipped_gradient`; of a bidirectional network the forward direction is
            drawn.
        backward: From :func:`lstm_explorer.plain_backward`, of the same network.
        theme: ``"light"`` or ``"dark"``.

    Raises:
        TypeError: An argument is of another kind.
        ValueError: There is no such theme.
    """
    look = theme_of(theme)
    own = look.networks[measured.architecture]
    before, after = (norms[0].double().numpy() for norms in (measured.log10_steps_before, measured.log10_steps_after))
    lags = np.arange(len(before))[::-1]
    lines = [
        Line(name=_("without clipping"), x=lags, y=before, colour=own),
        Line(name=_("with clipping"), x=lags, y=after, colour=blended(look.text, own, _SHADE), dash="dot", width=3.0),
    ]
    figure = plot_lines(
        lines,
        x_title=_("lag: steps back (▶ gradient)"),
        y_title=_("what the step adds to the weights' gradient"),
        theme=theme,
        x_axis={"range": [-_PAD * len(before), (1 + _PAD) * len(before)]},
    )
    _add_range_of_floats(figure, backward, look)
    name, points = _dtype(backward), before[::-1]
    if backward.overflows_at is not None:
        text = _("{dtype}: inf or NaN from here on").format(dtype=name)
        _add_mark(figure, len(before) - backward.overflows_at, points, text, look)
    if backward.dies_at is not None:
        text = _("{dtype}: exactly 0 from here on").format(dtype=name)
        _add_mark(figure, len(before) - backward.dies_at, points, text, look)
    return figure


@checks_kinds
def plot_truncation(series: Sequence[Series], *, truncation: int, theme: str = "light") -> go.Figure:
    """Draw gradients over the lag, and where the states are detached nearest to the loss.

    Args:
        series: Named curves: the gradient as it is, and the one that is cut.
        truncation: Steps back at which the states are detached; 0 draws no line.
        theme: ``"light"`` or ``"dark"``.

    Raises:
        TypeError: An argument is of another kind.
        ValueError: There is nothing to draw, or no such theme.
    """
    figure, look = plot_gradient_flow(series, axes=FlowAxes(against="lag"), theme=theme), theme_of(theme)
    last = max(int(one.curve.steps[-1]) for one in series)
    if 0 < truncation <= last:
        figure.add_vline(x=truncation, line={"color": look.text, "width": 1.2, "dash": "dash"})
        figure.add_annotation(
            text=_("detached here"), x=truncation, y=1.0, yref="paper", yanchor="bottom", showarrow=False,
            xanchor="left" if truncation < last / 2 else "right", font={"size": 11, "color": look.text},
        )  # fmt: skip
    return figure


def _dtype(backward: PlainBackward) -> str:
    return str(backward.norm_hidden.dtype).removeprefix("torch.")


def _add_range_of_floats(figure: go.Figure, backward: PlainBackward, look: Theme) -> None:
    """Mark the largest and the smallest normal number of the dtype, where the axis has them."""
    numbers, (low, high) = torch.finfo(backward.norm_hidden.dtype), figure.layout.yaxis.range
    name = _dtype(backward)
    for number, text, side in (
        (numbers.max, _("largest number of {dtype}").format(dtype=name), "left"),
        (numbers.tiny, _("smallest normal number of {dtype}").format(dtype=name), "right"),
    ):
        level = float(np.log10(number))
        if low < level < high:
            figure.add_hline(y=level, line={"color": look.muted, "width": 1, "dash": "longdash"})
            figure.add_annotation(
                text=text, x=0.01 if side == "left" else 0.99, xanchor=side, xref="paper", y=level,
                yanchor="top" if side == "left" else "bottom", showarrow=False, bgcolor=faded(look.background, 0.8),
                font={"size": 11, "color": look.muted},
            )  # fmt: skip


def _add_mark(figure: go.Figure, lag: int, log10: NDArray[np.float64], text: str, look: Theme) -> None:
    """Mark a point of the curve, given by lag, with a cross, and a label on the side that the curve leaves free."""
    at = min(lag, len(log10) - 1)
    height = float(log10[at]) if np.isfinite(log10[at]) else figure.layout.yaxis.range[0]
    left, rises = lag > len(log10) / 2, height > log10[0]
    figure.add_trace(
        {
            "type": "scatter", "x": [lag], "y": [height], "mode": "markers", "name": text, "showlegend": False,
            "marker": {"symbol": "x", "size": 12, "color": look.explosion}, "cliponaxis": False, "hoverinfo": "name",
        }
    )  # fmt: skip
    figure.add_annotation(
        text=text, x=lag, y=height, showarrow=False, xanchor="right" if left else "left", bgcolor=look.background,
        opacity=0.85, yshift=18 if left == rises else -18, font={"size": 12, "color": look.explosion},
    )  # fmt: skip
