"""Named curves of measured gradients, the closed forms beside them, and how both are drawn."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from lstm_explorer.core.escape import plotly
from lstm_explorer.core.gradients.result import GradientFlow
from lstm_explorer.core.gradients.summaries import Curve, Quantity, summarise
from lstm_explorer.figures.axes import FlowAxes, positions, values
from lstm_explorer.figures.formatting import split
from lstm_explorer.figures.names import network_name
from lstm_explorer.figures.theme import Theme, blended
from lstm_explorer.locales import _

Style = Literal["solid", "path", "ghost"]

_STYLES: dict[Style, dict[str, Any]] = {
    "solid": {"width": 2.6},
    "path": {"width": 1.8, "dash": "dot"},
    "ghost": {"width": 1.8},
}
#: Looks of pinned curves, one after another: dashes and marks tell them apart in print, and without colours.
_GHOSTS = (
    ("dash", "circle"), ("dot", "square"), ("dashdot", "diamond"), ("longdash", "triangle-up"),
    ("longdashdot", "cross"), ("dash", "x"), ("dot", "star"), ("dashdot", "hexagon"),
)  # fmt: skip
#: How far each third of them is mixed with the text's colour.
_SHADES = (0.0, 0.35, 0.65)
_MARKS = 9


@dataclass(frozen=True, eq=False, kw_only=True)
class Series:
    """A named curve of one network.

    Attributes:
        name: As the legend writes it, a plain text: what Plotly takes for markup in it is escaped there.
        network: Name of its architecture; it decides the colour.
        curve: What is drawn.
        style: ``"solid"`` for a total, ``"path"`` for the cell path beside its total, ``"ghost"`` for a pinned curve.
        reads: What is read at each step, for hovering; empty, or one label per step from step 1 on.
        variant: Which of the pinned curves it is, from 0; it decides dashes, marks and shade.
    """

    name: str
    network: str
    curve: Curve
    style: Style = "solid"
    reads: tuple[str, ...] = ()
    variant: int = 0

    def colour(self, look: Theme) -> str:
        """Return its colour: its network's, in a shade of its own where it is pinned."""
        own = look.networks[self.network]
        return blended(look.text, own, _SHADES[self.variant % len(_SHADES)]) if self.style == "ghost" else own


@dataclass(frozen=True, kw_only=True)
class TheoryLine:
    """A closed form: a constant factor per step, from 1 at the last step.

    Attributes:
        name: As the legend writes it.
        log10_rate: log10 of the factor per step.
        about: The architecture and the quantity that it predicts.
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
        """Return log10 of the factor over these lags: 0 at lag 0, whatever the rate."""
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


def series_of(flow: GradientFlow) -> list[Series]:
    """Name the curves of one flow: hidden state, cell state and cell path, relative to the last step."""
    names = {"hidden": _("hidden state"), "cell": _("cell state"), "cell_path": _("cell path alone")}
    quantities: list[Quantity] = ["hidden", "cell", "cell_path"] if flow.log10_cell is not None else ["hidden"]
    return [
        Series(
            name=f"{network_name(flow.architecture)}, {names[quantity]}",
            network=flow.architecture,
            curve=summarise(flow, quantity),
            style="path" if quantity == "cell_path" else "solid",
        )
        for quantity in quantities
    ]


def curve_trace(series: Series, axes: FlowAxes, look: Theme) -> dict[str, Any]:
    """Return the median of one series as a line."""
    style: dict[str, Any] = {"mode": "lines", "line": {"color": series.colour(look), **_STYLES[series.style]}}
    if series.style == "ghost":
        dash, symbol = _GHOSTS[series.variant % len(_GHOSTS)]
        style["line"]["dash"] = dash
        mark = {"symbol": symbol, "size": 8, "maxdisplayed": _MARKS, "color": series.colour(look)}
        style |= {"mode": "lines+markers", "marker": mark}
    return {
        "type": "scatter",
        "x": positions(series.curve, axes),
        "y": values(series.curve.median, axes),
        "name": plotly(series.name),
        **style,
        "legendgroup": series.name,
        "connectgaps": False,
        **hover(series.curve.median, series.reads, series.curve),
    }


def hover(log10: NDArray[np.float64], reads: tuple[str, ...], curve: Curve) -> dict[str, Any]:
    """Return the hover text of a curve: the number in scientific notation, and what was read at that step."""
    numbers = split(log10).astype(np.float32)  # hovering shows three digits
    template_ = "%{customdata[0]:.2f}×10<sup>%{customdata[1]:d}</sup>"
    if not reads:
        return {"customdata": numbers, "hovertemplate": template_}
    labels = ["", *reads] if curve.steps[0] == 0 else list(reads)
    return {"customdata": numbers, "text": labels, "hovertemplate": template_ + " · %{text}"}


def log_range(series: Iterable[Series]) -> tuple[float, float]:
    """Return the range of a log axis that shows every finite number, never less than three decades."""
    every = np.concatenate([np.concatenate([s.curve.lower, s.curve.upper]) for s in series])
    finite = every[np.isfinite(every)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (-3.0, 0.0)
    low = min(low, high - 3.0)
    pad = 0.05 * (high - low)
    return low - pad, high + pad


def norm_title(series: Sequence[Series]) -> str:
    """Return the title of the axis of norms: the quantity, and what it is relative to."""
    symbols = {"hidden": "h", "cell": "c", "cell_path": "c", "inputs": "x"}
    letters = list(dict.fromkeys(symbols[one.curve.quantity] for one in series))
    if not series[0].curve.relative:
        symbols_text = ", ".join(f"‖dL/d{letter}<sub>t</sub>‖" for letter in letters)
        return _("gradient norm {symbols}").format(symbols=symbols_text)
    if len(letters) > 1:
        return _("surviving share")
    return _("surviving share of {symbol}").format(symbol=f"‖dL/d{letters[0]}<sub>t</sub>‖")
