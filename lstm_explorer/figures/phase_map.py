"""The map of where a network vanishes and where it explodes, with the edge between."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from lstm_explorer.core.jacobians.phase_maps import PhaseMap
from lstm_explorer.core.kinds import checks_kinds
from lstm_explorer.figures.axes import FigureSpec
from lstm_explorer.figures.bias_map import bias_title
from lstm_explorer.figures.exponents import factor_of_ten
from lstm_explorer.figures.names import gate_name
from lstm_explorer.figures.surface import Surface, drawable
from lstm_explorer.figures.theme import Theme, plain_template, theme_of
from lstm_explorer.locales import _

#: The colours say what is left of a change after so many steps.
STEPS = 100


@checks_kinds
def plot_phase_map(
    found: PhaseMap, *, at: tuple[float, float] | None = None, added: bool = False, theme: str = "light"
) -> go.Figure:
    """Draw the largest Lyapunov exponent over two settings.

    Args:
        found: As :func:`lstm_explorer.phase_map` returns it.
        at: Values of the first and of the second setting of a mark for the reader's own network.
        added: Whether a bias is what is added to that of a network of one's own.
        theme: ``"light"`` or ``"dark"``.

    Returns:
        A figure; its colours say what is left of a small change of the state after 100 steps, and its thick line is
        the edge, where the exponent is 0. The first setting runs upwards.

    Raises:
        TypeError: An argument is of another kind.
        ValueError: There is no such theme.

    Example:
        >>> import lstm_explorer as lx
        >>> across = {"recurrent_gain": (1, 3), "input_scale": (0.1, 1, 5)}
        >>> plot_phase_map(lx.phase_map(lx.Settings(), across=across)).layout.xaxis.title.text
        'input scale'
    """
    return go.Figure(phase_map_spec(found, at=at, added=added, theme=theme))


def phase_map_spec(
    found: PhaseMap, *, at: tuple[float, float] | None = None, added: bool = False, theme: str = "light"
) -> FigureSpec:
    """Return what :func:`plot_phase_map` draws, as plain dicts.

    Raises:
        ValueError: There is no such theme.
    """
    look, median = theme_of(theme), found.median
    rows, columns = (np.asarray(positions) for positions in found.positions)
    colours = Surface(drawable(median * STEPS / math.log(10)), columns, rows, found.architecture)
    titles = [axis_title(name, found.architecture, added=added) for name in found.axes]
    traces: list[dict[str, Any]] = [_pointed(median, rows, columns, titles), colours.key(look)]
    if min(median.shape) > 1:
        tenth = math.log(0.1)
        for level, name, colour, width, dash in (
            (tenth / 10, _("a tenth is left after 10 steps"), look.text, 1.2, "dot"),
            (tenth / STEPS, _("a tenth is left after 100 steps"), look.text, 1.4, "dash"),
            (0.0, _("the edge: exponent 0"), look.explosion, 3.4, "solid"),
        ):
            line = {"color": colour, "width": width, "dash": dash}
            traces.append(_contour(median, rows, columns, level, name, line))
    if found.edge is not None and len(found.edge):
        traces.append(_theory(found.edge, look))
    if at is not None and rows[0] <= at[0] <= rows[-1] and columns[0] <= at[1] <= columns[-1]:
        traces.append(_mark(at, look))
    return {
        "data": traces,
        "layout": {
            "template": plain_template(look.name), "height": 580, "hovermode": "closest",
            "margin": {"l": 70, "r": 18, "t": 26, "b": 60}, "legend": {"y": -0.14, "yanchor": "top"},
            "xaxis": {"title": {"text": titles[1]}, "range": colours.span(0), "showgrid": False},
            "yaxis": {"domain": [0.0, 0.93], "title": {"text": titles[0]}, "range": colours.span(1), "showgrid": False},
            "images": [colours.image(look)],
        },
    }  # fmt: skip


def axis_title(name: str, architecture: str, *, added: bool = False) -> str:
    """Return how an axis is called: a gain, the input scale, or the bias of a gate."""
    if name == "recurrent_gain":
        return _("gain on weight_hh")
    if name == "input_scale":
        return _("input scale")
    gate = name.removesuffix("_bias")
    if added:
        return _("added to the bias of the {gate}").format(gate=gate_name(gate, architecture))
    return bias_title(gate, architecture)


def _pointed(
    median: NDArray[np.float64], rows: NDArray[np.float64], columns: NDArray[np.float64], titles: list[str]
) -> dict[str, Any]:
    """Return the invisible heat map for pointing and clicking."""
    words = [[factor_of_ten(float(value)) if not math.isnan(value) else "" for value in row] for row in median]
    return {
        "type": "heatmap", "x": columns, "y": rows, "z": median, "opacity": 0, "showscale": False, "name": "",
        "hoverongaps": False, "customdata": words,
        "hovertemplate": f"{titles[0]} %{{y:.2f}}<br>{titles[1]} %{{x:.2f}}<br><b>λ = %{{z:.3f}}</b><br>"
        "%{customdata}<extra></extra>",
    }  # fmt: skip


def _contour(
    median: NDArray[np.float64],
    rows: NDArray[np.float64],
    columns: NDArray[np.float64],
    level: float,
    name: str,
    line: dict[str, Any],
) -> dict[str, Any]:
    return {
        "type": "contour", "x": columns, "y": rows, "z": np.where(np.isfinite(median), median, np.nan),
        "contours": {"start": level, "end": level, "size": 1.0, "coloring": "none"}, "showscale": False,
        "line": line, "hoverinfo": "skip", "name": name, "showlegend": True, "connectgaps": False,
    }  # fmt: skip


def _theory(edge: NDArray[np.float64], look: Theme) -> dict[str, Any]:
    return {
        "type": "scatter", "x": edge[:, 1], "y": edge[:, 0],
        "mode": "lines", "name": _("theory, mean field: the edge"), "hoverinfo": "skip", "connectgaps": False,
        "line": {"color": look.theory, "width": 2, "dash": "dash"},
    }  # fmt: skip


def _mark(at: tuple[float, float], look: Theme) -> dict[str, Any]:
    return {
        "type": "scatter", "x": [at[1]], "y": [at[0]], "mode": "markers", "name": _("your settings"),
        "hoverinfo": "skip", "cliponaxis": False,
        "marker": {"symbol": "x", "size": 14, "color": look.text, "line": {"width": 2, "color": look.background}},
    }  # fmt: skip
