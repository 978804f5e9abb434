"""Axes of time and of norms: positions, values and ticks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from lstm_explorer.core.gradients.summaries import Curve

#: A figure as plain dicts, Plotly's ``data``, ``layout`` and ``frames``; ``go.Figure`` takes it and checks it.
FigureSpec = dict[str, Any]

#: Below this there is no normal float32 number, and ``loss.backward()`` starts to return zeros.
FLOAT32_FLOOR = float(np.log10(np.finfo(np.float32).tiny))
#: Beyond this there is no float64 number to draw on a linear axis.
LARGEST_LINEAR = 300.0


@dataclass(frozen=True, kw_only=True)
class FlowAxes:
    """The axes of a gradient flow.

    Attributes:
        against: ``"step"``, as the lesson draws it, or ``"lag"``, steps back from the last one.
        scale: ``"log"`` or ``"linear"``.
    """

    against: Literal["step", "lag"] = "step"
    scale: Literal["log", "linear"] = "log"


def positions(curve: Curve, axes: FlowAxes) -> NDArray[np.int64]:
    """Return where a curve's points lie on the time axis."""
    return curve.steps if axes.against == "step" else curve.steps[-1] - curve.steps


def values(log10: NDArray[np.floating[Any]], axes: FlowAxes) -> NDArray[np.float64]:
    """Return the values of the norm axis; NaN, a gap, where the axis cannot show them (zero on a log axis)."""
    if axes.scale == "log":
        return np.where(np.isfinite(log10), log10, np.nan)
    with np.errstate(over="ignore"):
        return np.where(log10 < LARGEST_LINEAR, 10.0 ** np.minimum(log10, LARGEST_LINEAR), np.nan)


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


def evenly_spaced(steps: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    """Return at most ``most`` evenly spaced steps; the last one is always among them.

    Example:
        >>> evenly_spaced(np.arange(10), 4)
        array([0, 3, 6, 9])
    """
    stride = -(-len(steps) // most)
    return steps[::-1][::stride][::-1]
