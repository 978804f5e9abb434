"""Gradient norms over time: the figure of the page Gradient flow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from lstm_explorer.core.escape import plotly
from lstm_explorer.core.gradients.result import GradientFlow
from lstm_explorer.core.kinds import checks_kinds
from lstm_explorer.figures.axes import FLOAT32_FLOOR, LARGEST_LINEAR, FlowAxes, log_ticks, positions, values
from lstm_explorer.figures.curves import Series, TheoryLine, curve_trace, log_range, norm_title, series_of
from lstm_explorer.figures.theme import Theme, faded, template, theme_of
from lstm_explorer.locales import _

#: Least distance of two names at the ends of curves, as a share of the axis.
_NAMES_APART = 0.06


@checks_kinds
def plot_gradient_flow(
    flow: GradientFlow | Sequence[Series],
    *,
    theory: Sequence[TheoryLine] = (),
    axes: FlowAxes = FlowAxes(),  # noqa: B008 - frozen
    theme: str = "light",
) -> go.Figure:
    """Draw gradient norms over time.

    Args:
        flow: One measured flow (its hidden state, and for the LSTM its cell state and cell path), or named curves.
        theory: Closed forms, drawn dashed and grey.
        axes: Against step or lag, log or linear.
        theme: ``"light"`` or ``"dark"``.

    Returns:
        A figure whose traces hold log10 of the norm on a log axis, and the norm on a linear one.

    Raises:
        TypeError: An argument is of another kind.
        ValueError: There is nothing to draw, or no such theme.

    Example:
        >>> import lstm_explorer as lx
        >>> flow = lx.gradient_flow(lx.build_network("lstm", lx.Settings()), lx.make_inputs(lx.Settings()))
        >>> [trace.name for trace in plot_gradient_flow(flow).data]
        ['LSTM, hidden state', 'LSTM, cell state', 'LSTM, cell path alone']
    """
    series = series_of(flow) if isinstance(flow, GradientFlow) else list(flow)
    if not series:
        raise ValueError("nothing to draw: expected a flow or at least one named curve.")
    look = theme_of(theme)
    legend = {"y": -0.2, "yanchor": "top"}  # beneath: above, the chart's own buttons lie over it
    figure = go.Figure(layout={"template": template(look.name), "hovermode": "x", "height": 480, "legend": legend})
    last = max(int(one.curve.steps[-1]) for one in series)
    for line in theory:
        figure.add_trace(line.trace(last, log_range(series), axes, look))
    for one in series:
        figure.add_traces(_series_traces(one, axes, look))
    _lay_out_time(figure, series, axes)
    _lay_out_norm(figure, series, axes, look)
    if axes.scale == "log" and any(one.style == "ghost" for one in series):
        for name in _end_names(series, axes, look):
            figure.add_annotation(name)
    return figure


def _end_names(series: Sequence[Series], axes: FlowAxes, look: Theme) -> list[dict[str, Any]]:
    """Name every curve where it ends, far from the loss; names that would lie on each other are moved apart."""
    low, high = log_range(series)
    apart, against_step = _NAMES_APART * (high - low), axes.against == "step"
    ends = sorted(((float(one.curve.median[0]), one) for one in series), key=lambda end: end[0])
    names, free = [], low
    for height, one in ends:
        if not np.isfinite(height):
            continue
        at = max(height, free)
        free = at + apart
        names.append(
            {
                "text": plotly(one.name), "x": positions(one.curve, axes)[0], "y": at, "yanchor": "bottom",
                "xanchor": "left" if against_step else "right", "showarrow": False, "bgcolor": look.background,
                "opacity": 0.85, "borderpad": 1, "font": {"size": 12, "color": one.colour(look)},
            }
        )  # fmt: skip
    return names


def _series_traces(series: Series, axes: FlowAxes, look: Theme) -> list[dict[str, Any]]:
    curve = series.curve
    traces: list[dict[str, Any]] = []
    if curve.runs > 1:
        at = positions(curve, axes)
        traces.append(
            {
                "type": "scatter",
                "x": np.concatenate([at, at[::-1]]),
                "y": np.concatenate([values(curve.upper, axes), values(curve.lower, axes)[::-1]]),
                "fill": "toself",
                "fillcolor": faded(series.colour(look), 0.1 if series.style == "ghost" else 0.16),
                "line": {"width": 0},
                "hoverinfo": "skip",
                "showlegend": False,
                "legendgroup": series.name,
                "name": _("{name}, quartiles").format(name=plotly(series.name)),
            }
        )
    return [*traces, curve_trace(series, axes, look)]


def _lay_out_time(figure: go.Figure, series: Sequence[Series], axes: FlowAxes) -> None:
    last = max(int(one.curve.steps[-1]) for one in series)
    pad = 0.015 * last
    if axes.against == "lag":
        figure.update_xaxes(title_text=_("lag: steps back (▶ gradient)"))
    else:
        figure.update_xaxes(title_text=_("step t (◀ gradient)"))
    figure.update_xaxes(range=[-pad, last + pad])


def _lay_out_norm(figure: go.Figure, series: Sequence[Series], axes: FlowAxes, look: Theme) -> None:
    title = norm_title(series)
    if axes.scale == "linear":
        figure.update_yaxes(title_text=title, rangemode="tozero", exponentformat="power")
        if any((one.curve.median >= LARGEST_LINEAR).any() for one in series):
            figure.add_annotation(_note(_("numbers above 10<sup>300</sup> have no place on a linear axis"), 1.0, look))
        return
    low, high = log_range(series)
    figure.update_yaxes(title_text=title, range=[low, high], **log_ticks(low, high))
    if low < FLOAT32_FLOOR < high:
        figure.add_hline(y=FLOAT32_FLOOR, line={"color": look.muted, "width": 1, "dash": "longdash"})
        figure.add_annotation(
            text=_("float32 ends here"), x=0.99, xanchor="right", xref="paper", y=FLOAT32_FLOOR, yanchor="bottom",
            showarrow=False,
            font={"size": 11, "color": look.muted},
        )  # fmt: skip
    if any(np.isneginf(one.curve.median).any() for one in series):
        figure.add_annotation(_note(_("gaps: the gradient is exactly 0, below every tick"), 0.0, look))


def _note(text: str, y: float, look: Theme) -> dict[str, Any]:
    return {
        "text": text, "x": 0.99, "xref": "paper", "xanchor": "right", "y": y, "yref": "paper",
        "yanchor": "top" if y > 0.5 else "bottom", "showarrow": False, "font": {"size": 11, "color": look.muted},
    }  # fmt: skip
