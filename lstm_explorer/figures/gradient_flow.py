"""Gradient norms along time: curves, a journey through the unrolled networks, and a heat map over units."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from lstm_explorer.core.gradients.flow import GradientFlow
from lstm_explorer.core.gradients.summaries import Curve, Quantity, summarise
from lstm_explorer.figures.formatting import split
from lstm_explorer.figures.theme import NETWORK_NAMES, Theme, faded, template, theme_of
from lstm_explorer.locales import _

Style = Literal["solid", "path", "ghost"]

#: A figure as plain dicts, Plotly's ``data``, ``layout`` and ``frames``; ``go.Figure`` takes it and checks it.
FigureSpec = dict[str, Any]

#: Below this a float32 has no normal number left, and ``loss.backward()`` starts to return zeros.
FLOAT32_FLOOR = float(np.log10(np.finfo(np.float32).tiny))
#: Beyond this a float64 has no number left to draw on a linear axis.
_LARGEST_LINEAR = 300.0
_STYLES: dict[Style, dict[str, Any]] = {
    "solid": {"width": 2.6},
    "path": {"width": 1.8, "dash": "dot"},
    "ghost": {"width": 1.4, "dash": "dashdot"},
}


@dataclass(frozen=True, eq=False, kw_only=True)
class Series:
    """A named curve of one network.

    Attributes:
        name: As the legend writes it.
        network: ``"rnn"``, ``"lstm"`` or ``"gru"``; it decides the colour.
        curve: What is drawn.
        style: ``"solid"`` for a total, ``"path"`` for the cell path beside its total, ``"ghost"`` for a pinned curve.
        reads: What is read at each step, for hovering; empty, or one label a step from step 1 on.
    """

    name: str
    network: str
    curve: Curve
    style: Style = "solid"
    reads: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class TheoryLine:
    """A closed form: a constant factor a step, from 1 at the last step.

    Attributes:
        name: As the legend writes it.
        log10_rate: log10 of the factor a step.
        about: The network and the quantity it is a theory of.
        dash: Plotly's name of the dashes.
    """

    name: str
    log10_rate: float
    about: tuple[str, Quantity]
    dash: str = "dash"

    @property
    def half_life(self) -> float:
        """Steps in which it halves; negative where it grows."""
        return -math.log10(2) / self.log10_rate if self.log10_rate else math.inf

    def log10_at(self, lag: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return log10 of the factor after so many steps back: 0 at none, whatever the rate."""
        return np.multiply(self.log10_rate, lag, where=lag > 0, out=np.zeros(len(lag)))

    def trace(self, last: int, span: tuple[float, float], axes: FlowAxes, look: Theme) -> dict[str, Any]:
        """Return the line from the last step back, as far as it stays inside a span of log10 values."""
        lag = np.arange(last + 1)[::-1]
        log10 = self.log10_at(lag)
        inside = (log10 >= span[0]) & (log10 <= max(span[1], 0.0))
        return {
            "type": "scatter",
            "x": (last - lag if axes.against == "step" else lag)[inside],
            "y": values(log10[inside], axes),
            "name": self.name,
            "mode": "lines",
            "line": {"color": look.theory, "width": 1.6, "dash": self.dash},
            "customdata": split(log10[inside]).astype(np.float32),
            "hovertemplate": "%{customdata[0]:.2f}×10<sup>%{customdata[1]:d}</sup>",
        }


@dataclass(frozen=True, kw_only=True)
class FlowAxes:
    """How a gradient flow is laid out.

    Attributes:
        against: ``"step"``, as the lesson draws it, or ``"lag"``, steps back from the last one.
        scale: ``"log"`` or ``"linear"``.
    """

    against: Literal["step", "lag"] = "step"
    scale: Literal["log", "linear"] = "log"


def plot_gradient_flow(
    flow: GradientFlow | Sequence[Series],
    *,
    theory: Sequence[TheoryLine] = (),
    axes: FlowAxes = FlowAxes(),
    theme: str = "light",
) -> go.Figure:
    """Draw gradient norms along time.

    Args:
        flow: One measured flow (its hidden state, and for the LSTM its cell state and cell path), or named curves.
        theory: Closed forms, drawn dashed and grey.
        axes: Against step or lag, log or linear.
        theme: ``"light"`` or ``"dark"``.

    Returns:
        A figure whose traces hold log10 of the norm on a log axis, and the norm on a linear one.

    Raises:
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
    return figure


def series_of(flow: GradientFlow) -> list[Series]:
    """Name the curves of one flow: hidden state, cell state and cell path, relative to the last step."""
    names = {"hidden": _("hidden state"), "cell": _("cell state"), "cell_path": _("cell path alone")}
    quantities: list[Quantity] = ["hidden", "cell", "cell_path"] if flow.log10_cell is not None else ["hidden"]
    return [
        Series(
            name=f"{NETWORK_NAMES[flow.architecture]}, {names[quantity]}",
            network=flow.architecture,
            curve=summarise(flow, quantity),
            style="path" if quantity == "cell_path" else "solid",
        )
        for quantity in quantities
    ]


# Parts that the journey (figures/journey.py) draws with as well.


def curve_trace(series: Series, axes: FlowAxes, look: Theme) -> dict[str, Any]:
    """Return the median of one series as a line."""
    colour = look.networks[series.network]
    ghost = series.style == "ghost"
    return {
        "type": "scatter",
        "x": positions(series.curve, axes),
        "y": values(series.curve.median, axes),
        "name": series.name,
        "mode": "lines",
        "line": {"color": faded(colour, 0.6) if ghost else colour, **_STYLES[series.style]},
        "legendgroup": series.name,
        "connectgaps": False,
        **hover(series.curve.median, series.reads, series.curve),
    }


def hover(log10: NDArray[np.float64], reads: tuple[str, ...], curve: Curve) -> dict[str, Any]:
    """Return what hovering over a curve shows: the number in scientific notation, and what was read there."""
    numbers = split(log10).astype(np.float32)  # hovering shows three digits
    template_ = "%{customdata[0]:.2f}×10<sup>%{customdata[1]:d}</sup>"
    if not reads:
        return {"customdata": numbers, "hovertemplate": template_}
    labels = ["", *reads] if curve.steps[0] == 0 else list(reads)
    return {"customdata": numbers, "text": labels, "hovertemplate": template_ + " · %{text}"}


def positions(curve: Curve, axes: FlowAxes) -> NDArray[np.int64]:
    """Return where a curve's points lie on the time axis."""
    return curve.steps if axes.against == "step" else curve.steps[-1] - curve.steps


def values(log10: NDArray[np.floating[Any]], axes: FlowAxes) -> NDArray[np.float64]:
    """Return what is drawn upwards; what an axis cannot show (zero on a log axis) is a gap, marked elsewhere."""
    if axes.scale == "log":
        return np.where(np.isfinite(log10), log10, np.nan)
    with np.errstate(over="ignore"):
        return np.where(log10 < _LARGEST_LINEAR, 10.0 ** np.minimum(log10, _LARGEST_LINEAR), np.nan)


def log_ticks(low: float, high: float, most: int = 8) -> dict[str, list[Any]]:
    """Return round powers of ten between two log10 values, as tick values and texts.

    Example:
        >>> log_ticks(-24.0, 0.0)["ticktext"][:2]
        ['10<sup>-20</sup>', '10<sup>-15</sup>']
    """
    span = max(high - low, 1.0)
    step = next((s for s in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000) if span / s <= most), 2000)
    ticks = [tick for tick in range(step * int(np.ceil(low / step)), int(np.floor(high)) + 1, step)]
    return {"tickvals": ticks, "ticktext": ["1" if tick == 0 else f"10<sup>{tick}</sup>" for tick in ticks]}


def every_so_often(steps: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    """Return evenly spaced steps, at most so many; the last one is always among them.

    Example:
        >>> every_so_often(np.arange(10), 4)
        array([0, 3, 6, 9])
    """
    stride = -(-len(steps) // most)
    return steps[::-1][::stride][::-1]


def log_range(series: Iterable[Series]) -> tuple[float, float]:
    """Return the range of a log axis that shows every finite number, never less than three decades."""
    every = np.concatenate([np.concatenate([s.curve.lower, s.curve.upper]) for s in series])
    finite = every[np.isfinite(every)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (-3.0, 0.0)
    low = min(low, high - 3.0)
    pad = 0.05 * (high - low)
    return low - pad, high + pad


def _series_traces(series: Series, axes: FlowAxes, look: Theme) -> list[dict[str, Any]]:
    curve = series.curve
    traces: list[dict[str, Any]] = []
    if curve.runs > 1 and series.style != "ghost":
        at = positions(curve, axes)
        traces.append(
            {
                "type": "scatter",
                "x": np.concatenate([at, at[::-1]]),
                "y": np.concatenate([values(curve.upper, axes), values(curve.lower, axes)[::-1]]),
                "fill": "toself",
                "fillcolor": faded(look.networks[series.network], 0.16),
                "line": {"width": 0},
                "hoverinfo": "skip",
                "showlegend": False,
                "legendgroup": series.name,
                "name": _("{name}, quartiles").format(name=series.name),
            }
        )
    return [*traces, curve_trace(series, axes, look)]


def _lay_out_time(figure: go.Figure, series: Sequence[Series], axes: FlowAxes) -> None:
    last = max(int(one.curve.steps[-1]) for one in series)
    pad = 0.015 * last
    if axes.against == "lag":
        figure.update_xaxes(title_text=_("lag: steps back from the last one (the gradient travels to the right)"))
    else:
        figure.update_xaxes(title_text=_("step t (the gradient travels from the loss, right, back to step 0, left)"))
    figure.update_xaxes(range=[-pad, last + pad])


def _lay_out_norm(figure: go.Figure, series: Sequence[Series], axes: FlowAxes, look: Theme) -> None:
    title = norm_title(series)
    if axes.scale == "linear":
        figure.update_yaxes(title_text=title, rangemode="tozero", exponentformat="power")
        if any((one.curve.median >= _LARGEST_LINEAR).any() for one in series):
            figure.add_annotation(_note(_("numbers above 10<sup>300</sup> have no place on a linear axis"), 1.0, look))
        return
    low, high = log_range(series)
    figure.update_yaxes(title_text=title, range=[low, high], **log_ticks(low, high))
    if low < FLOAT32_FLOOR < high:
        figure.add_hline(y=FLOAT32_FLOOR, line={"color": look.muted, "width": 1, "dash": "longdash"})
        figure.add_annotation(
            text=_("float32 ends here"), x=0.01, xref="paper", y=FLOAT32_FLOOR, yanchor="bottom", showarrow=False,
            font={"size": 11, "color": look.muted},
        )  # fmt: skip
    if any(np.isneginf(one.curve.median).any() for one in series):
        figure.add_annotation(_note(_("gaps: the gradient is exactly 0, below every tick"), 0.0, look))


def norm_title(series: Sequence[Series]) -> str:
    """Return the title of the axis of norms: the quantity, and what it is relative to."""
    symbols = {"hidden": "h", "cell": "c", "cell_path": "c", "inputs": "x"}
    letters = list(dict.fromkeys(symbols[one.curve.quantity] for one in series))
    if not series[0].curve.relative:
        symbols_text = ", ".join(f"‖dL/d{letter}<sub>t</sub>‖" for letter in letters)
        return _("gradient norm {symbols}").format(symbols=symbols_text)
    return _("gradient norm, relative to the last step")


def _note(text: str, y: float, look: Theme) -> dict[str, Any]:
    return {
        "text": text, "x": 0.99, "xref": "paper", "xanchor": "right", "y": y, "yref": "paper",
        "yanchor": "top" if y > 0.5 else "bottom", "showarrow": False, "font": {"size": 11, "color": look.muted},
    }  # fmt: skip
