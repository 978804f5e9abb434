"""The map of a sweep: who learns, and how soon, over two settings, side by side for a third."""

from __future__ import annotations

import math
import types
from collections.abc import Mapping
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from lstm_explorer.core.kinds import checks_kinds
from lstm_explorer.figures.axes import FigureSpec
from lstm_explorer.figures.formatting import percent
from lstm_explorer.figures.setting_names import setting_title, value_title
from lstm_explorer.figures.surface import colour_scale
from lstm_explorer.figures.theme import Theme, blended, colour_at, faded, plain_template, readable_on, theme_of
from lstm_explorer.locales import N_, _, translated
from lstm_explorer.runs.sweeps.pooled import SweepMap

Place = tuple[int, int, int]

#: Between two maps that stand side by side, in columns.
_GAP = 0.4
#: More columns than this have no room for numbers.
_NUMBERS_UP_TO = 28
#: What is mapped -> its words.
_WORDS: Mapping[str, str] = types.MappingProxyType(
    {
        "learnt": N_("share of the runs that learn"),
        "learnt_at": N_("optimizer steps until it is learnt"),
        "score": N_("score on held-out data"),
        "loss": N_("loss at the end"),
        "log10_share_before": N_("share of the gradient that survives before training"),
        "log10_share_after": N_("share of the gradient that survives after training"),
        "log10_share": N_("share of the gradient that arrives at the first step"),
        "largest_exponent": N_("largest Lyapunov exponent (nats per step)"),
    }
)


@checks_kinds
def plot_sweep_map(found: SweepMap, *, picked: Place | None = None, theme: str = "light") -> go.Figure:
    """Draw a map of a sweep.

    Args:
        found: As :func:`lstm_explorer.sweep_map` returns it.
        picked: Indices of a cell that is marked: side by side, upwards, to the right.
        theme: ``"light"`` or ``"dark"``.

    Returns:
        A figure; a cell is coloured the more fully the better it is: more runs that learn, fewer steps until then, more
        of the gradient. It is crossed out where every run failed, and blank where none was done yet.

    Raises:
        TypeError: An argument is of another kind.
        ValueError: There is no such theme.
    """
    return go.Figure(sweep_map_spec(found, picked=picked, theme=theme))


def sweep_map_spec(found: SweepMap, *, picked: Place | None = None, theme: str = "light") -> FigureSpec:
    """Return what :func:`plot_sweep_map` draws, as plain dicts.

    Raises:
        ValueError: There is no such theme.
    """
    look = theme_of(theme)
    many, rows, columns = found.numbers.shape
    _beside, up, across = found.places
    every = [_left(found, one) + column for one in range(many) for column in range(columns)]
    marks = [_mark(found, picked, look)] if picked is not None else []
    names = [_name(found, one, look) for one in range(many)] if found.beside else []
    return {
        "data": [draw(found, one, look) for draw in (_cells, _labels) for one in range(many)],
        "layout": {
            "template": plain_template(look.name), "height": max(210, 100 + rows * 46), "hovermode": "closest",
            "margin": {"l": 50, "r": 4, "t": 34, "b": 62}, "showlegend": False, "dragmode": False,
            "xaxis": {
                "title": {"text": setting_title(found.across)}, "tickvals": every, "showgrid": False,
                "ticktext": [value_title(found.across, value) for value in across] * many, "ticks": "",
                "range": [-0.55, every[-1] + 0.55],
            },
            "yaxis": {
                "title": {"text": setting_title(found.up) if found.up else ""}, "tickvals": list(range(rows)),
                "ticktext": [value_title(found.up, value) for value in up] if found.up else [""], "showgrid": False,
                "ticks": "", "range": [-0.55, rows - 0.45],
            },
            "annotations": names, "shapes": [*_failures(found, look), *marks],
        },
    }  # fmt: skip


def place_at(found: SweepMap, x: float, y: float) -> Place | None:
    """Return the cell at a point of the figure; None between two maps.

    Args:
        found: What is drawn.
        x: Position on its horizontal axis.
        y: Position on its vertical axis.
    """
    many, rows, columns = found.numbers.shape
    one = int((x + 0.5) // (columns + _GAP))
    column, row = round(x - one * (columns + _GAP)), round(y)
    inside = 0 <= one < many and 0 <= column < columns and 0 <= row < rows
    return (one, row, column) if inside else None


def number_words(value: str, number: float) -> str:
    """Return a number of a map as it is written: a share, optimizer steps, or a gradient's share.

    Args:
        value: What is mapped.
        number: The number; NaN where there is none.
    """
    if math.isnan(number):
        return "–"
    if value == "learnt":
        return f"{100 * number:.0f}%"
    if value == "learnt_at":
        return _("not learnt") if math.isinf(number) else f"{number:.0f}"
    return percent(number) if value.startswith("log10_") else f"{number:.3g}".replace("-", "−")


def value_words(value: str) -> str:
    """Return what is mapped, in words."""
    return translated(_WORDS[value])


def _left(found: SweepMap, one: int) -> float:
    """Return where a map that stands side by side begins."""
    return float(one * (found.numbers.shape[2] + _GAP))


def _cells(found: SweepMap, one: int, look: Theme) -> dict[str, Any]:
    numbers = found.numbers[one]
    rows, columns = numbers.shape
    network = found.networks[one]
    hover = [[_hover(found, (one, row, column)) for column in range(columns)] for row in range(rows)]
    short = [[_short(found, (one, row, column)) for column in range(columns)] for row in range(rows)]
    return {
        "type": "heatmap", "x": _left(found, one) + np.arange(columns, dtype=float), "y": np.arange(rows, dtype=float),
        "z": np.where(found.runs[one] > 0, _fullness(found)[one], np.nan), "zmin": 0, "zmax": 1,
        "showscale": False, "xgap": 2, "ygap": 2, "customdata": hover, "text": short, "name": "",
        "colorscale": _scale(found, network, look),
        "hovertemplate": "%{customdata}<extra></extra>", "hoverongaps": False,
    }  # fmt: skip


def _labels(found: SweepMap, one: int, look: Theme) -> dict[str, Any]:
    """Return the numbers in the cells, each in what can be read there, where there is room for them."""
    many, rows, columns = found.numbers.shape
    has_room = many * (columns + _GAP) <= _NUMBERS_UP_TO
    places = [(one, row, column) for row in range(rows) for column in range(columns) if has_room]
    stops = _scale(found, found.networks[one], look)
    full = np.nan_to_num(_fullness(found))
    return {
        "type": "scatter", "mode": "text", "hoverinfo": "skip", "name": "",
        "x": [_left(found, one) + column for _one, _row, column in places], "y": [row for _one, row, _column in places],
        "text": [_short(found, at) for at in places],
        "textfont": {
            "size": 12 if many * columns < 8 else 10,
            "color": [readable_on(colour_at(stops, float(full[at])), look) for at in places],
        },
    }  # fmt: skip


def _scale(found: SweepMap, network: str | None, look: Theme) -> list[list[Any]]:
    """Return the colours from blank to full."""
    if found.value.startswith("log10_"):
        return [list(stop) for stop in colour_scale(network, look)]
    blank = blended(look.grid, look.background, 0.5)
    colour = look.networks[network] if network else look.muted
    return [[0.0, blank], [1.0, blended(colour, look.background, 0.92)]]


def _fullness(found: SweepMap) -> NDArray[np.float64]:
    """Return how fully every cell is coloured, 0 to 1: the better, the fuller."""
    numbers = found.numbers
    if found.value == "learnt":
        return numbers
    if found.value.startswith("log10_"):
        return np.clip((numbers + 8) / 10, 0, 1)
    finite = np.isfinite(numbers)
    if found.value in ("learnt_at", "loss"):  # fewer is better, by factors
        numbers = -np.log(np.where(finite, np.maximum(numbers, 1e-12), 1.0))
    if not finite.any():
        return np.where(np.isnan(found.numbers), np.nan, 0.0)
    low, high = numbers[finite].min(), numbers[finite].max()
    spread = (numbers - low) / (high - low) if high > low else np.ones_like(numbers)
    return np.where(finite, 0.15 + 0.85 * spread, np.where(np.isnan(found.numbers), np.nan, 0.0))


def _short(found: SweepMap, at: Place) -> str:
    """Return what stands in a cell."""
    number = float(found.numbers[at])
    if not found.runs[at]:
        return ""
    if found.value == "learnt":
        return f"{found.learnt[at]}/{found.runs[at]}"
    if found.value == "learnt_at":
        return "–" if not math.isfinite(number) else f"{number:.0f}" if number < 1000 else f"{number / 1000:.1f}k"
    if found.value.startswith("log10_"):
        return "0" if number == -math.inf else f"{number:.0f}".replace("-0", "0").replace("-", "−")
    return f"{number:.2g}".replace("-", "−")


def _hover(found: SweepMap, at: Place) -> str:
    names = zip((found.beside, found.up, found.across), found.places, at, strict=True)
    lines = [f"{setting_title(name)}: {value_title(name, values[index])}" for name, values, index in names if name]
    lines.append(f"<b>{value_words(found.value)}: {number_words(found.value, float(found.numbers[at]))}</b>")
    if found.value in ("learnt", "learnt_at"):
        lines.append(_("{learnt} of {runs} runs learn").format(learnt=found.learnt[at], runs=found.runs[at]))
    if found.failed[at]:
        lines.append(_("failed: {count}").format(count=found.failed[at]))
    return "<br>".join(lines)


def _name(found: SweepMap, one: int, look: Theme) -> dict[str, Any]:
    """Return the name over a map that stands side by side."""
    value, columns, network = found.places[0][one], found.numbers.shape[2], found.networks[one]
    own = found.beside == "architecture"
    text = value_title(found.beside, value)
    return {
        "text": f"<b>{text if own else f'{setting_title(found.beside)}: {text}'}</b>", "showarrow": False,
        "x": _left(found, one) + (columns - 1) / 2, "xanchor": "center", "y": 1.0, "yref": "paper", "yanchor": "bottom",
        "font": {"color": look.networks[network] if own and network else look.text, "size": 13},
    }  # fmt: skip


def _failures(found: SweepMap, look: Theme) -> list[dict[str, Any]]:
    """Return a cross over every cell of which nothing but failures is there."""
    lines = []
    for one, row, column in np.argwhere((found.failed > 0) & (found.runs == 0)):
        x = _left(found, int(one)) + column
        for up in (-0.3, 0.3):
            lines.append(
                {
                    "type": "line", "x0": x - 0.3, "x1": x + 0.3, "y0": row - up, "y1": row + up,
                    "line": {"color": look.muted, "width": 2},
                }
            )  # fmt: skip
    return lines


def _mark(found: SweepMap, at: Place, look: Theme) -> dict[str, Any]:
    one, row, column = at
    x = _left(found, one) + column
    return {
        "type": "rect", "x0": x - 0.47, "x1": x + 0.47, "y0": row - 0.47, "y1": row + 0.47,
        "line": {"color": look.text, "width": 3}, "fillcolor": faded(look.text, 0.0),
    }  # fmt: skip
