"""The map of a gate's bias: how much of the gradient survives, over bias and steps back.

Under the map of bias and steps is the curve of one of its rows. A slider inside the figure chooses the row, without a
rerun of the page, and in an exported page too.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, cast

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from lstm_explorer.core.architectures import architecture_named
from lstm_explorer.core.biases.maps import BiasMap
from lstm_explorer.core.biases.norms import StateQuantity
from lstm_explorer.core.kinds import checks_kinds
from lstm_explorer.core.settings import Settings
from lstm_explorer.figures.axes import FigureSpec, evenly_spaced, log_ticks
from lstm_explorer.figures.names import gate_name, network_name
from lstm_explorer.figures.surface import Surface, drawable
from lstm_explorer.figures.theme import Theme, plain_template, theme_of
from lstm_explorer.locales import _

#: Most columns of a map over the lag; lower end of the curves' axis, log10.
_COLUMNS, _CURVES_END = 160, -24.0


@checks_kinds
def plot_bias_map(
    measured: BiasMap,
    *,
    settings: Settings | None,
    quantity: StateQuantity | None = None,
    bias: float | None = None,
    theme: str = "light",
) -> go.Figure:
    """Draw a map of bias and lag, with the curve of one of its rows beneath.

    Args:
        measured: The map.
        settings: The experiment, for the closed form of each row; None where the biases were added to those of a
            trained network, of which there is none.
        quantity: What is mapped; the total by default.
        bias: The nearest row is the one drawn as a curve; the middle one by default.
        theme: ``"light"`` or ``"dark"``.

    Returns:
        A figure with one frame per bias, and a slider over the frames.

    Raises:
        TypeError: An argument is of another kind.
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
    settings: Settings | None,
    quantity: StateQuantity | None = None,
    bias: float | None = None,
    theme: str = "light",
) -> FigureSpec:
    """Return what :func:`plot_bias_map` draws, as plain dicts.

    Raises:
        ValueError: The architecture has no such quantity, or there is no such theme.
    """
    still = bias_map_still(measured, settings=settings, quantity=quantity, theme=theme)
    return with_row(still, measured, settings=settings, bias=bias, theme=theme)


def bias_map_still(
    measured: BiasMap, *, settings: Settings | None, quantity: StateQuantity | None = None, theme: str = "light"
) -> FigureSpec:
    """Return the map without its row: what stays while the bias moves, and is nearly all of the figure.

    Raises:
        ValueError: The architecture has no such quantity, or there is no such theme.
    """
    look, biases = theme_of(theme), np.asarray(measured.biases)
    title = bias_title if settings else added_title
    rows, lag = _rows(measured, settings)
    mapped = measured.ratios(quantity or memory_of(measured.architecture))[:, ::-1][:, lag]
    colours = Surface(drawable(mapped), lag, biases, measured.architecture)
    fixed = colours.traces(look, across=_("{lag} steps back").format(lag="%{x}"))
    low, high = _range(rows.values())
    return {
        "data": fixed,
        "layout": {
            "template": plain_template(look.name),
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
                "title": {"text": title(measured.gate, measured.architecture)},
            },
            "yaxis2": {
                "domain": [0.0, 0.29], "range": [low, high], "title": {"text": _("surviving share")},
                **log_ticks(low, high, 6),
            },
            "images": [colours.image(look)],
            "annotations": colours.names(look),
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


def with_row(
    still: FigureSpec, measured: BiasMap, *, settings: Settings | None, bias: float | None = None, theme: str = "light"
) -> FigureSpec:
    """Return a map with its row: the cursor on it, its curves, and the slider's position.

    Args:
        still: From :func:`bias_map_still`.
        measured: The same map.
        settings: As in :func:`bias_map_still`.
        bias: The nearest row is taken; the middle one by default.
        theme: ``"light"`` or ``"dark"``.
    """
    look, row = theme_of(theme), row_of(measured.biases, bias)
    rows, lag = _rows(measured, settings, row)
    moving = [_cursor(lag, measured.biases[row], look), *_curves(rows, lag, measured.architecture, look)]
    layout = {**still["layout"], "sliders": [_slider(measured, row, look)]}
    return {**still, "data": [*still["data"], *moving], "layout": layout}


def _rows(
    measured: BiasMap, settings: Settings | None, row: int | None = None
) -> tuple[dict[str, NDArray[np.float64]], NDArray[np.int64]]:
    """Return the drawn quantities of every row, or of one, ``(N, lags)``, and the lags."""
    lag = evenly_spaced(np.arange(measured.log10_hidden.shape[2]), _COLUMNS)
    chosen = slice(None) if row is None else slice(row, row + 1)
    rows: dict[str, NDArray[np.float64]] = {
        name: measured.ratios(name)[chosen, ::-1][:, lag] for name in quantities(measured)
    }
    if (closed := closed_form(measured, settings, lag)) is not None:
        rows["theory"] = closed[chosen]
    return rows, lag


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


def closed_form(measured: BiasMap, settings: Settings | None, lag: NDArray[np.int64]) -> NDArray[np.float64] | None:
    """Return the closed form of every row, ``(N, lags)``; None where there is none."""
    if settings is None or settings.recurrent_init == "chrono" or settings.loss == "every" or settings.num_layers > 1:
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


def added_title(gate: str, architecture: str) -> str:
    """Return the title of an axis of biases that are added to a network's own."""
    return _("added to the bias of the {gate}").format(gate=gate_name(gate, architecture))


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
    rows: dict[str, NDArray[np.float64]], lag: NDArray[np.int64], architecture: str, look: Theme
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
            "type": "scatter", "x": lag, "y": drawable(table[0]), "yaxis": "y2", "mode": "lines", "name": names[name],
            "line": {
                "color": look.theory if name == "theory" else look.networks[architecture],
                **styles.get(name, {"width": 3}),
            },
            "hovertemplate": "%{x}: 10<sup>%{y:.2f}</sup>", "connectgaps": False,
        }
        for name, table in rows.items()
    ]  # fmt: skip


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
