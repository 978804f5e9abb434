"""Maps of a gate's bias: how much of the gradient survives, over bias and steps back, another gate's bias, or length.

Under the map of bias and steps is the curve of one of its rows. A slider inside the figure chooses the row, without a
rerun of the page, and in an exported page too.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, cast

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from lstm_explorer.core.architectures import architecture_named
from lstm_explorer.core.biases.grids import BiasGrid
from lstm_explorer.core.biases.maps import BiasMap, StateQuantity
from lstm_explorer.core.settings import Settings
from lstm_explorer.figures.axes import FigureSpec, evenly_spaced, log_ticks
from lstm_explorer.figures.names import gate_name, network_name
from lstm_explorer.figures.surface import Surface, drawable
from lstm_explorer.figures.theme import Theme, template, theme_of
from lstm_explorer.locales import _

#: Most columns of a map over the lag; lower end of the curves' axis, log10.
_COLUMNS, _CURVES_END = 160, -24.0


def plot_bias_map(
    measured: BiasMap,
    *,
    settings: Settings,
    quantity: StateQuantity | None = None,
    bias: float | None = None,
    theme: str = "light",
) -> go.Figure:
    """Draw a map of bias and lag, with the curve of one of its rows beneath.

    Args:
        measured: The map.
        settings: The experiment, for the closed form of each row.
        quantity: What is mapped; the total by default.
        bias: The nearest row is the one drawn as a curve; the middle one by default.
        theme: ``"light"`` or ``"dark"``.

    Returns:
        A figure with one frame per bias, and a slider over the frames.

    Raises:
        ValueError: The architecture has no such quantity, or there is no such theme.

    Example:
        >>> import lstm_explorer as lx
        >>> settings = lx.Settings(sequence_length=20)
        >>> figure = plot_bias_map(lx.bias_map(settings, biases=(0, 1, 2)), settings=settings, bias=1)
        >>> [frame.name for frame in figure.frames], figure.layout.sliders[0].active
        (['0', '1', '2'], 1)
    """
    return go.Figure(bias_map_spec(measured, settings=settings, quantity=quantity, bias=bias, theme=theme))


def bias_map_spec(
    measured: BiasMap,
    *,
    settings: Settings,
    quantity: StateQuantity | None = None,
    bias: float | None = None,
    theme: str = "light",
) -> FigureSpec:
    """Return what :func:`plot_bias_map` draws, as plain dicts.

    Raises:
        ValueError: The architecture has no such quantity, or there is no such theme.
    """
    look, row, biases = theme_of(theme), row_of(measured.biases, bias), np.asarray(measured.biases)
    rows: dict[str, NDArray[np.float64]] = {name: measured.ratios(name)[:, ::-1] for name in quantities(measured)}
    lag = evenly_spaced(np.arange(next(iter(rows.values())).shape[1]), _COLUMNS)
    rows = {name: table[:, lag] for name, table in rows.items()}
    if (closed := closed_form(measured, settings, lag)) is not None:
        rows["theory"] = closed
    mapped = measured.ratios(quantity or memory_of(measured.architecture))[:, ::-1][:, lag]
    colours = Surface(drawable(mapped), lag, biases, measured.architecture)
    fixed = colours.traces(look, across=_("{lag} steps back").format(lag="%{x}"))
    low, high = _range(rows.values())
    return {
        "data": [*fixed, _cursor(lag, biases[row], look), *_curves(rows, row, lag, measured.architecture, look)],
        "layout": {
            "template": template(look.name),
            "height": 780,
            "hovermode": "closest",
            "margin": {"l": 78, "r": 18, "t": 26, "b": 100},
            "legend": {"y": -0.11, "yanchor": "top"},
            "xaxis": {
                "anchor": "y2", "title": {"text": _("steps back from the loss")}, "range": colours.span(0),
                "showgrid": False,
            },
            "yaxis": {
                "domain": [0.46, 0.95], "range": colours.span(1), "showgrid": False,
                "title": {"text": bias_title(measured.gate, measured.architecture)},
            },
            "yaxis2": {
                "domain": [0.0, 0.29], "range": [low, high], "title": {"text": _("surviving share")},
                **log_ticks(low, high, 6),
            },
            "images": [colours.image(look)],
            "annotations": colours.names(look),
            "sliders": [_slider(measured, row, look)],
        },
        "frames": [
            {
                "name": f"{one:g}",
                "data": [
                    {"y": [one, one], "text": _row_text(one)},
                    *({"y": drawable(table[at])} for table in rows.values()),
                ],
                "traces": list(range(len(fixed), len(fixed) + 1 + len(rows))),
            }
            for at, one in enumerate(biases.tolist())
        ],
    }  # fmt: skip


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
    return go.Figure(
        data=traces,
        layout={
            "template": template(look.name),
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
    )


def memory_of(architecture: str) -> StateQuantity:
    """Return the state that remembers."""
    return cast(StateQuantity, architecture_named(architecture).memory)


def row_of(biases: Sequence[float], bias: float | None) -> int:
    """Return the row nearest to a bias; the middle one for None."""
    if bias is None:
        return len(biases) // 2
    return int(np.abs(np.asarray(biases) - bias).argmin())


def quantities(measured: BiasMap) -> list[StateQuantity]:
    """Return the quantities drawn for one row: the total, and the cell path where there is one."""
    path: list[StateQuantity] = [] if measured.log10_cell_path is None else ["cell_path"]
    return [memory_of(measured.architecture), *path]


def closed_form(measured: BiasMap, settings: Settings, lag: NDArray[np.int64]) -> NDArray[np.float64] | None:
    """Return the closed form of every row, ``(N, lags)``; None where there is none."""
    if settings.recurrent_init == "chrono" or settings.loss == "every" or settings.num_layers > 1:
        return None
    kept = kept_by_biases(measured, settings)
    return None if kept is None else np.multiply.outer(kept, lag)


def kept_by_biases(measured: BiasMap, settings: Settings) -> NDArray[np.float64] | None:
    """Return log10 of the factor per step by which the biases alone keep the memory, ``(N,)``."""
    record, count = architecture_named(measured.architecture), len(measured.biases)
    own = {gate.name: np.full(count, float(getattr(settings, f"{gate.name}_bias"))) for gate in record.gates}
    return record.log10_kept({**own, measured.gate: np.asarray(measured.biases)}) if record.log10_kept else None


def bias_title(gate: str, architecture: str) -> str:
    """Return the title of an axis of biases."""
    return _("bias of the {gate}").format(gate=gate_name(gate, architecture))


def _cursor(lag: NDArray[np.int64], bias: float, look: Theme) -> dict[str, Any]:
    return {
        "type": "scatter", "x": [int(lag[0]), int(lag[-1])], "y": [float(bias)] * 2, "mode": "lines+markers+text",
        "text": _row_text(float(bias)), "textposition": "top right", "textfont": {"color": look.text, "size": 12},
        "name": _("the row beneath"), "hoverinfo": "skip", "line": {"color": look.text, "width": 2},
        "marker": {"symbol": ["triangle-right", "triangle-left"], "size": 12, "color": look.text},
        "cliponaxis": False, "showlegend": False,
    }  # fmt: skip


def _row_text(bias: float) -> list[str]:
    return [f"<b>{bias:g}</b>", ""]


def _curves(
    rows: dict[str, NDArray[np.float64]], row: int, lag: NDArray[np.int64], architecture: str, look: Theme
) -> list[dict[str, Any]]:
    network = network_name(architecture)
    total = _("{network}, total").format(network=network)
    names = {
        "cell": total,
        "hidden": total,
        "cell_path": _("{network}, cell path alone").format(network=network),
        "theory": _("theory, by the biases alone"),
    }
    styles = {"cell_path": {"width": 2.4, "dash": "dot"}, "theory": {"width": 1.6, "dash": "dash"}}
    return [
        {
            "type": "scatter", "x": lag, "y": drawable(table[row]), "yaxis": "y2", "mode": "lines", "name": names[name],
            "line": {
                "color": look.theory if name == "theory" else look.networks[architecture],
                **styles.get(name, {"width": 3}),
            },
            "hovertemplate": "%{x}: 10<sup>%{y:.2f}</sup>", "connectgaps": False,
        }
        for name, table in rows.items()
    ]  # fmt: skip


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


def _slider(measured: BiasMap, row: int, look: Theme) -> dict[str, Any]:
    go_there = {"mode": "immediate", "frame": {"duration": 0, "redraw": False}, "transition": {"duration": 0}}
    return {
        "active": row, "x": 0, "len": 1.0, "y": 0.45, "yanchor": "top", "pad": {"t": 26, "b": 0},
        "currentvalue": {
            "prefix": _("the row's bias, moved in your browser: "), "xanchor": "left",
            "font": {"size": 13, "color": look.text},
        },
        "bgcolor": look.grid, "activebgcolor": look.networks[measured.architecture], "bordercolor": look.muted,
        "tickcolor": look.muted, "font": {"color": look.muted, "size": 11}, "ticklen": 3, "minorticklen": 2,
        "steps": [
            {"label": f"{one:g}", "method": "animate", "args": [[f"{one:g}"], go_there]} for one in measured.biases
        ],
    }  # fmt: skip


def _range(tables: Iterable[NDArray[np.float64]]) -> tuple[float, float]:
    """Return one range for all rows, so that the axis stays while the row changes."""
    every = np.concatenate([drawable(table).ravel() for table in tables])
    every = every[np.isfinite(every)]
    low, high = max(float(every.min(initial=-1.0)), _CURVES_END), float(every.max(initial=0.0))
    return low - 0.03 * (high - low), high + 0.06 * (high - low)
