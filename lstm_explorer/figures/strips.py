"""A network unrolled in time as a strip of cells, coloured by the gradient that reaches each step.

The colours are levels, and each level is one filled line: that is all that Plotly moves while a slider is dragged.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_explorer.figures.curves import Series
from lstm_explorer.figures.formatting import percent
from lstm_explorer.figures.names import network_name
from lstm_explorer.figures.theme import Theme, blended

#: The axis of the strips is the plot's height, whatever the norms: what frames move depends on no range.
ON_STRIPS = {"yaxis": "y2"}
#: log10 of the ratio at which a cell is blank, and of that at which it has the explosion's full colour.
_BLANK, _FULL_EXPLOSION = -8.0, 4.0
#: Lower edges of the levels: half decades up to 1, whole ones above. The last level has no upper edge.
_EDGES = np.array([*np.arange(_BLANK, 0.0, 0.5), *np.arange(0.0, _FULL_EXPLOSION)])
#: A median within this of 1 has kept all: rounding alone is no explosion.
_ROUNDING = 1e-6
#: Up to how many steps there are gaps between the cells, and their width in steps.
_APART, _GAP = 130, 0.14


def strip_traces(series: Series, span: tuple[float, float], look: Theme) -> list[dict[str, Any]]:
    """Return a strip as one filled line per level.

    Args:
        series: Its median decides the colours.
        span: Where the strip lies: its lower and its upper edge, as shares of the plot's height.
        look: The theme.
    """
    return [
        {
            "type": "scatter", **shape, **ON_STRIPS, "mode": "lines", "line": {"width": 0}, "fill": "toself",
            "fillcolor": colour, "showlegend": False, "hoverinfo": "skip", "name": "strip",
        }
        for shape, colour in zip(strip_shapes(series, span), _colours(series.network, look), strict=True)
    ]  # fmt: skip


def strip_shapes(series: Series, span: tuple[float, float]) -> list[dict[str, list[float | None]]]:
    """Return the outline of every level: the steps whose gradient lies in it, as rectangles; what frames move."""
    curve = series.curve
    levels = level_of(curve.median - curve.median[-1])
    runs: list[list[tuple[float, float]]] = [[] for _edge in _EDGES]
    first = 0
    for level, group in itertools.groupby(levels.tolist()):
        last = first + len(list(group)) - 1
        if level >= 0:
            runs[level].append((float(curve.steps[first]) - 0.5, float(curve.steps[last]) + 0.5))
        first = last + 1
    return [_rectangles(of_level, span) for of_level in runs]


def level_of(log10: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the level of each ratio, from 0; -1 where the cell is blank."""
    close = np.where(np.abs(log10) < _ROUNDING, -_ROUNDING, log10)
    return np.searchsorted(_EDGES, np.nan_to_num(close, nan=-np.inf), side="right") - 1


def strip_base(last: int, span: tuple[float, float], look: Theme) -> list[dict[str, Any]]:
    """Return the blank strip beneath the levels."""
    return [
        {
            "type": "rect", "x0": -0.5, "x1": last + 0.5, "y0": span[0], "y1": span[1], "yref": ON_STRIPS["yaxis"],
            "line": {"width": 0}, "fillcolor": _blank(look), "layer": "below",
        }
    ]  # fmt: skip


def strip_gaps(last: int, spans: Sequence[tuple[float, float]], look: Theme) -> dict[str, Any]:
    """Return the gaps that part the cells of all strips; none in a long strip."""
    edges = np.arange(1, last + 1) - 0.5 if last < _APART else np.empty(0)
    gaps = [_rectangles([(edge - _GAP / 2, edge + _GAP / 2) for edge in edges.tolist()], span) for span in spans]
    return {
        "type": "scatter", **{axis: np.array([at for gap in gaps for at in gap[axis]], float) for axis in ("x", "y")},
        **ON_STRIPS, "mode": "lines", "line": {"width": 0}, "fill": "toself", "fillcolor": look.background,
        "showlegend": False, "hoverinfo": "skip", "name": "gaps",
    }  # fmt: skip


def strip_name(series: Series, span: tuple[float, float], look: Theme) -> dict[str, Any]:
    """Return the network's name, and how much arrives, to the left of its strip."""
    left, last = float(series.curve.steps[0]), float(series.curve.steps[-1])
    # Just inside the axis: Plotly drops a text whose point is outside.
    return {
        "type": "scatter", "x": [left - 0.5 - 0.0099 * last], "y": [(span[0] + span[1]) / 2], **ON_STRIPS,
        "mode": "text",
        "text": strip_words(series), "textposition": "middle left", "cliponaxis": False, "showlegend": False,
        "hoverinfo": "skip", "textfont": {"color": look.networks[series.network], "size": 13}, "name": "strip name",
    }  # fmt: skip


def strip_words(series: Series) -> list[str]:
    """Return what is written beside a strip."""
    return [f"<b>{network_name(series.network)}</b><br>{percent(series.curve.log10_ratio)}"]


def _rectangles(runs: Sequence[tuple[float, float]], span: tuple[float, float]) -> dict[str, list[float | None]]:
    low, high = span
    x: list[float | None] = [None]
    y: list[float | None] = [None]
    for left, right in runs:
        x += [left, right, right, left, None]
        y += [low, low, high, high, None]
    return {"x": x, "y": y}


def _colours(network: str, look: Theme) -> list[str]:
    """Return the colour of every level: from blank to the network's own, then towards the explosion's."""
    own, blank = look.networks[network], _blank(look)
    below = [blended(own, blank, (1.0 - (edge + 0.5) / _BLANK) ** 1.5) for edge in _EDGES[_EDGES < 0]]
    above = [blended(look.explosion, own, (edge + 1.0) / _FULL_EXPLOSION) for edge in _EDGES[_EDGES >= 0]]
    return [*below, *above]


def colour_scale(network: str, look: Theme) -> list[tuple[float, str]]:
    """Return the strips' colours as a scale of log10 of the surviving share, from blank to the full explosion."""
    colours = list(zip(_EDGES.tolist(), _colours(network, look), strict=True))
    above = [(edge + 1.0, colour) for edge, colour in colours if edge >= 0]
    return [*(pair for pair in colours if pair[0] < 0), (0.0, look.networks[network]), *above]


def _blank(look: Theme) -> str:
    return blended(look.grid, look.background, 0.5)
