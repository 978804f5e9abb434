"""Maps over two things at once: how much of the gradient survives, over two gates' biases, or a bias and the length."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import plotly.graph_objects as go

from lstm_explorer.core.biases.grids import BiasGrid
from lstm_explorer.core.biases.norms import StateQuantity
from lstm_explorer.core.kinds import checks_kinds
from lstm_explorer.figures.axes import FigureSpec
from lstm_explorer.figures.bias_map import bias_title, memory_of
from lstm_explorer.figures.names import gate_name
from lstm_explorer.figures.surface import Surface, drawable
from lstm_explorer.figures.theme import Theme, plain_template, theme_of
from lstm_explorer.locales import _


@checks_kinds
def plot_bias_grid(
    grid: BiasGrid,
    *,
    quantity: StateQuantity | None = None,
    at: tuple[float, float] | None = None,
    theme: str = "light",
) -> go.Figure:
    """Draw a map of the biases of two gates, or of a bias and the sequence length.

    Args:
        grid: The map.
        quantity: What is mapped; the total by default.
        at: Bias and position of a mark for the reader's own network.
        theme: ``"light"`` or ``"dark"``.

    Returns:
        A figure. Over the forget and the input gate it also has the line on which their biases are opposites.

    Raises:
        TypeError: An argument is of another kind.
        ValueError: The architecture has no such quantity, or there is no such theme.
    """
    return go.Figure(bias_grid_spec(grid, quantity=quantity, at=at, theme=theme))


def bias_grid_spec(
    grid: BiasGrid,
    *,
    quantity: StateQuantity | None = None,
    at: tuple[float, float] | None = None,
    theme: str = "light",
) -> FigureSpec:
    """Return what :func:`plot_bias_grid` draws, as plain dicts.

    Raises:
        ValueError: The architecture has no such quantity, or there is no such theme.
    """
    look, by_length = theme_of(theme), grid.across == "length"
    positions = np.asarray(grid.positions)
    # Of lengths, the axis is their logarithm: an image on Plotly's own logarithmic axis would be stretched evenly.
    x = np.log10(positions) if by_length else positions
    ratios = drawable(grid.ratios(quantity or memory_of(grid.architecture)))
    colours = Surface(ratios, x, np.asarray(grid.biases), grid.architecture)
    across = (
        _("{n} steps").format(n="%{customdata[2]:.0f}")
        if by_length
        else gate_name(grid.across, grid.architecture) + " %{x:.2f}"
    )
    axis = {"tickvals": x.tolist(), "ticktext": [f"{length:g}" for length in grid.positions]} if by_length else {}
    title = _("sequence length (steps)") if by_length else bias_title(grid.across, grid.architecture)
    traces = colours.traces(look, across=across, beside=np.tile(positions, (len(grid.biases), 1))[..., None])
    if {grid.gate, grid.across} == {"forget", "input"}:
        traces.append(_opposite(grid, look))
    if at is not None:
        traces.append(_mark(at[0], math.log10(at[1]) if by_length else at[1], look))
    return {
        "data": traces,
        "layout": {
            "template": plain_template(look.name),
            "height": 560,
            "hovermode": "closest",
            "margin": {"l": 78, "r": 18, "t": 26, "b": 60},
            "legend": {"y": -0.14, "yanchor": "top"},
            "xaxis": {"title": {"text": title}, "range": colours.span(0), "showgrid": False, **axis},
            "yaxis": {
                "domain": [0.0, 0.93],
                "title": {"text": bias_title(grid.gate, grid.architecture)},
                "range": colours.span(1),
                "showgrid": False,
            },
            "images": [colours.image(look)],
            "annotations": colours.names(look),
        },
    }


def _opposite(grid: BiasGrid, look: Theme) -> dict[str, Any]:
    """Draw b_i = -b_f, the line of chrono initialisation, where it lies on the map."""
    low, high = max(grid.biases[0], -grid.positions[-1]), min(grid.biases[-1], -grid.positions[0])
    return {
        "type": "scatter", "x": [-low, -high], "y": [low, high], "mode": "lines", "hoverinfo": "skip",
        "name": "b_i = −b_f", "line": {"color": look.gates["forget"], "width": 3},
    }  # fmt: skip


def _mark(bias: float, x: float, look: Theme) -> dict[str, Any]:
    return {
        "type": "scatter", "x": [x], "y": [bias], "mode": "markers", "name": _("your settings"), "hoverinfo": "skip",
        "cliponaxis": False,
        "marker": {"symbol": "x", "size": 14, "color": look.text, "line": {"width": 2, "color": look.background}},
    }  # fmt: skip
