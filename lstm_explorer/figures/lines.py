"""Plain line charts on a logarithmic or linear axis, of named lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from lstm_explorer.figures.axes import FigureSpec, log_ticks
from lstm_explorer.figures.theme import plain_template, theme_of

#: Up to this many points are drawn with markers.
_FEW = 3


@dataclass(frozen=True, kw_only=True, eq=False)
class Line:
    """One line; on a logarithmic chart ``y`` is log10."""

    name: str
    x: NDArray[Any]
    y: NDArray[Any]
    colour: str
    dash: str = "solid"
    width: float = 2.4


def plot_lines(
    lines: Sequence[Line],
    *,
    x_title: str,
    y_title: str,
    theme: str,
    log: bool = True,
    lowest: float | None = None,
    x_axis: dict[str, Any] | None = None,
    height: int = 440,
    **layout: Any,
) -> go.Figure:
    """Draw named lines.

    Args:
        lines: At least one.
        x_title: Title of the axis.
        y_title: Title of the axis.
        theme: ``"light"`` or ``"dark"``.
        log: Whether ``y`` is log10 of what is drawn.
        lowest: Lower limit of the axis, in the units of ``y``; lines may leave it.
        x_axis: Further options of Plotly's x axis.
        height: In pixels.
        **layout: Further options of Plotly's layout, such as ``shapes``.

    Raises:
        ValueError: There is nothing to draw, or no such theme.
    """
    spec = lines_spec(
        lines, x_title=x_title, y_title=y_title, theme=theme, log=log, lowest=lowest, x_axis=x_axis, height=height,
        **layout,
    )  # fmt: skip
    return go.Figure(spec)


def lines_spec(
    lines: Sequence[Line],
    *,
    x_title: str,
    y_title: str,
    theme: str,
    log: bool = True,
    lowest: float | None = None,
    x_axis: dict[str, Any] | None = None,
    height: int = 440,
    **layout: Any,
) -> FigureSpec:
    """Return what :func:`plot_lines` draws, as plain dicts.

    Raises:
        ValueError: There is nothing to draw, or no such theme.
    """
    if not lines:
        raise ValueError("nothing to draw: expected at least one line.")
    look = theme_of(theme)
    low, high = _span(lines, lowest)
    y_axis = {"range": [low, high], **(log_ticks(low, high, 6) if log else {})}
    return {
        "data": [
            {
                "type": "scatter", "x": line.x, "y": np.where(np.isfinite(line.y), line.y, np.nan), "name": line.name,
                "mode": "lines" if len(line.x) > _FEW else "lines+markers",
                "line": {"color": line.colour, "dash": line.dash, "width": line.width},
                "hovertemplate": "10<sup>%{y:.2f}</sup>" if log else "%{y:.3f}", "connectgaps": False,
            }
            for line in lines
        ],
        "layout": {
            "template": plain_template(look.name), "height": height, "hovermode": "x",
            "margin": {"l": 78, "r": 18, "t": 20, "b": 60}, "legend": {"y": -0.2, "yanchor": "top"},
            "xaxis": {"title": {"text": x_title}, **(x_axis or {})}, "yaxis": {"title": {"text": y_title}, **y_axis},
            **layout,
        },
    }  # fmt: skip


def _span(lines: Sequence[Line], lowest: float | None) -> tuple[float, float]:
    values = np.concatenate([np.asarray(line.y, dtype=float).ravel() for line in lines])
    values = values[np.isfinite(values)]
    if not values.size:
        return -1.0, 1.0
    low, high = float(values.min()), float(values.max())
    if lowest is not None:
        low = max(low, min(lowest, high - 1.0))
    pad = 0.05 * max(high - low, 0.1)
    return low - pad, high + pad
