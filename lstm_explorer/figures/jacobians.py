"""The singular values of the Jacobian's products over the lag: all directions at once, as a fan."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from lstm_explorer.core.jacobians.products import JacobianFlow
from lstm_explorer.core.kinds import checks_kinds
from lstm_explorer.figures.axes import FLOAT32_FLOOR, FlowAxes, evenly_spaced, log_ticks
from lstm_explorer.figures.curves import Series, TheoryLine, curve_trace
from lstm_explorer.figures.formatting import split
from lstm_explorer.figures.theme import Theme, blended, faded, template, theme_of
from lstm_explorer.locales import _

#: Most directions that have a line of their own, and most points of a line.
_LINES, _POINTS = 64, 400
_AGAINST_LAG = FlowAxes(against="lag")


@checks_kinds
def plot_jacobian_flow(
    flow: JacobianFlow,
    *,
    sample: int = 0,
    curves: Sequence[Series] = (),
    theory: Sequence[TheoryLine] = (),
    theme: str = "light",
) -> go.Figure:
    """Draw the singular values of d state_T / d state_t over the lag, with the loss's gradient among them.

    Args:
        flow: Of one direction; of a bidirectional network the forward one is drawn.
        sample: Which sample.
        curves: Further curves, relative to the last step, such as that of another page.
        theory: Closed forms, drawn dashed and grey.
        theme: ``"light"`` or ``"dark"``.

    Returns:
        A figure whose traces hold log10: the largest, the middle and the smallest singular value, all between them as
        one trace, and the gradient's norm relative to its own at the last step.

    Raises:
        TypeError: An argument is of another kind.
        ValueError: There is no such sample or theme.

    Example:
        >>> import lstm_explorer as lx, torch
        >>> flow = lx.jacobian_flow(torch.nn.GRU(2, 4), torch.randn(20, 1, 2))
        >>> [trace.name for trace in plot_jacobian_flow(flow).data if trace.showlegend is not False]
        ['all directions', 'the best kept direction', 'the middle one', 'this loss’s gradient']
    """
    look = theme_of(theme)
    values, gradient = of_sample(flow, sample)
    last = len(values) - 1
    lags = evenly_spaced(np.arange(last + 1), _POINTS)
    lags = lags if lags[0] == 0 else np.concatenate([[0], lags])
    colour = look.networks.get(flow.architecture, look.text)
    figure = go.Figure(
        layout={
            "template": template(look.name), "hovermode": "x", "height": 500, "legend": {"y": -0.17, "yanchor": "top"},
        }
    )  # fmt: skip
    span = _span(values, gradient, curves)
    traces = [_fan(values[lags], lags, colour, look)]
    middle = values.shape[1] // 2
    traces.append(_line(lags, values[lags, 0], _("the best kept direction"), colour=colour, width=1.6))
    if middle:
        traces.append(_line(lags, values[lags, middle], _("the middle one"), colour=colour, width=1.0, dash="longdash"))
    traces += [line.trace(last, span, _AGAINST_LAG, look) for line in theory]
    traces += [curve_trace(one, _AGAINST_LAG, look) for one in curves]
    if gradient is not None:
        traces.append(_line(lags, gradient[lags], _("this loss’s gradient"), colour=look.text, width=2.6))
    figure.add_traces(traces)
    figure.update_xaxes(title_text=_("lag: steps back (▶ gradient)"), range=[-0.015 * last, 1.015 * last])
    figure.update_yaxes(
        title_text=_("singular values of ds<sub>T</sub>/ds<sub>t</sub>"), range=list(span), **log_ticks(*span)
    )
    _mark_ends(figure, values, span, look)
    return figure


def of_sample(flow: JacobianFlow, sample: int = 0) -> tuple[NDArray[np.float64], NDArray[np.float64] | None]:
    """Return log10 by lag, of one sample and the forward direction: singular values, and the gradient's share.

    Raises:
        ValueError: There is no such sample.
    """
    values, gradient = flow.log10_singular_values, flow.log10_gradient
    if flow.directions == 2:
        values, gradient = values[0], None if gradient is None else gradient[0]
    if not 0 <= sample < values.shape[1]:
        raise ValueError(f"sample is {sample}: expected 0 to {values.shape[1] - 1}, the samples of this flow.")
    by_lag = values[:, sample].double().numpy()[::-1]
    if gradient is None or gradient[-1, sample] == -np.inf:  # the loss puts nothing on the last state
        return by_lag, None
    norms = gradient[:, sample].double().numpy()[::-1]
    return by_lag, norms - norms[0]


def _fan(values: NDArray[np.float64], lags: NDArray[np.int64], colour: str, look: Theme) -> dict[str, Any]:
    """Return all directions, at most so many of them, as one trace with gaps between its lines."""
    ranks = np.unique(np.linspace(0, values.shape[1] - 1, _LINES).round().astype(int))
    lines = np.concatenate([values[:, ranks], np.full((1, len(ranks)), np.nan)])
    return {
        "type": "scatter", "x": np.tile(np.append(lags.astype(float), np.nan), len(ranks)),
        "y": np.where(np.isfinite(lines), lines, np.nan).T.ravel(), "mode": "lines", "hoverinfo": "skip",
        "name": _("all directions"), "connectgaps": False,
        "line": {"color": faded(blended(colour, look.background, 0.8), 0.45), "width": 1},
    }  # fmt: skip


def _line(
    lags: NDArray[np.int64], log10: NDArray[np.float64], name: str, *, colour: str, width: float, dash: str = "solid"
) -> dict[str, Any]:
    return {
        "type": "scatter", "x": lags, "y": np.where(np.isfinite(log10), log10, np.nan), "mode": "lines", "name": name,
        "connectgaps": False, "line": {"color": colour, "width": width, "dash": dash},
        "customdata": split(log10).astype(np.float32),
        "hovertemplate": "%{customdata[0]:.2f}×10<sup>%{customdata[1]:d}</sup>",
    }  # fmt: skip


def _span(
    values: NDArray[np.float64], gradient: NDArray[np.float64] | None, curves: Sequence[Series]
) -> tuple[float, float]:
    """Return a range that shows the larger half of the directions, the gradient, and every further curve."""
    shown = [values[:, : values.shape[1] // 2 + 1].ravel(), *(one.curve.median for one in curves)]
    every = np.concatenate([*shown, *([] if gradient is None else [gradient])])
    finite = every[np.isfinite(every)]
    low, high = float(finite.min()), float(finite.max())
    low = min(low, high - 3.0)
    pad = 0.05 * (high - low)
    return low - pad, high + pad


def _mark_ends(figure: go.Figure, values: NDArray[np.float64], span: tuple[float, float], look: Theme) -> None:
    """Say how many directions go on below the axis, and where float32 ends."""
    beneath = int((values[-1] < span[0]).sum())
    at = {"xref": "paper", "xanchor": "right", "x": 0.99, "showarrow": False, "font": {"size": 11, "color": look.muted}}
    if beneath:
        text = _("{count} of {all} directions end below").format(count=beneath, all=values.shape[1])
        figure.add_annotation(
            text=text, y=0.0, yref="paper", yanchor="bottom", bgcolor=faded(look.background, 0.8), **at
        )
    if span[0] < FLOAT32_FLOOR < span[1]:
        figure.add_hline(y=FLOAT32_FLOOR, line={"color": look.muted, "width": 1, "dash": "longdash"})
        figure.add_annotation(text=_("float32 ends here"), y=FLOAT32_FLOOR, yanchor="bottom", **at)
