"""Maps of a gate's bias: how much of the gradient survives, over bias and steps back, another gate's bias, or length.

Under the map of bias and steps stands the curve of one of its rows. A slider inside the figure moves the row, without a
rerun of the page and in an exported page too. While it moves, Plotly redraws nothing but lines: so the colours are an
image, and the contours are lines.
"""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import contourpy
import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from PIL import Image

from lstm_explorer.core import theory
from lstm_explorer.core.bias_grids import BiasGrid
from lstm_explorer.core.biases import BiasMap, StateQuantity
from lstm_explorer.core.settings import Settings
from lstm_explorer.core.summaries import EXPLODES_ABOVE
from lstm_explorer.figures.gradients import FLOAT32_FLOOR, FigureSpec, every_so_often, log_ticks
from lstm_explorer.figures.inside import gate_name
from lstm_explorer.figures.theme import NETWORK_NAMES, Theme, blended, template, theme_of
from lstm_explorer.locales import _

#: Blank below this log10 of the ratio, as the strips of the first page are; another hue from 1 up, full at this.
_BLANK, _FULL_EXPLOSION = -8.0, 2.0
#: What is drawn of a number that runs to 10^-1740: no contour lies beyond, and the curves' axis ends before.
_LOWEST, _HIGHEST, _CURVES_END = -60.0, 30.0, -16.0
#: Most columns of a map, and the pixels of its image.
_COLUMNS, _PIXELS = 160, (320, 240)
_EXPLODES = math.log10(EXPLODES_ABOVE)

#: Gates that multiply the old state: their bias alone says what one path keeps.
_KEEPING = {"lstm": "forget", "gru": "update"}


class Level(NamedTuple):
    """A contour: log10 of the ratio, its name, how it is drawn, and how far to the right its name stands."""

    log10: float
    name: str
    dash: str
    width: float
    at: float


def levels() -> list[Level]:
    """Return the contours that every map has."""
    return [
        Level(_EXPLODES, f"{EXPLODES_ABOVE:g}×", "solid", 3.0, 0.9),
        Level(math.log10(1 / math.e), "1/e", "solid", 1.8, 0.78),
        Level(-3.0, "10<sup>−3</sup>", "dash", 1.5, 0.64),
        Level(-6.0, "10<sup>−6</sup>", "dot", 1.5, 0.5),
        Level(FLOAT32_FLOOR, _("float32 ends"), "longdashdot", 1.5, 0.72),
    ]


def total_of(architecture: str) -> StateQuantity:
    """Return the state whose total derivative a map is about: the cell where there is one."""
    return "cell" if architecture == "lstm" else "hidden"


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
        bias: The row that the cursor stands on, the nearest there is; the middle one by default.
        theme: ``"light"`` or ``"dark"``.

    Returns:
        A figure with one frame a bias, and a slider that goes to them.

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
    """Return what :func:`plot_bias_map` draws, as plain dicts."""
    look, row, biases = theme_of(theme), row_of(measured.biases, bias), np.asarray(measured.biases)
    rows: dict[str, NDArray[np.float64]] = {name: measured.ratios(name)[:, ::-1] for name in quantities(measured)}
    lag = every_so_often(np.arange(next(iter(rows.values())).shape[1]), _COLUMNS)
    rows = {name: table[:, lag] for name, table in rows.items()}
    if (closed := closed_form(measured, settings, lag)) is not None:
        rows["theory"] = closed
    mapped = measured.ratios(quantity or total_of(measured.architecture))[:, ::-1][:, lag]
    colours = _Colours(_drawn(mapped), lag, biases, measured.architecture)
    fixed = colours.traces(look, across=_("{lag} steps back").format(lag="%{x}"))
    low, high = _range(rows.values())
    return {
        "data": [*fixed, _cursor(lag, biases[row], look), *_curves(rows, row, lag, measured.architecture, look)],
        "layout": {
            "template": template(look.name),
            "height": 780,
            "hovermode": "closest",
            "margin": {"l": 78, "r": 18, "t": 62, "b": 100},
            "legend": {"y": -0.11, "yanchor": "top"},
            "xaxis": {
                "anchor": "y2", "title": {"text": _("steps back from the loss")}, "range": colours.span(0),
                "showgrid": False,
            },
            "yaxis": {
                "domain": [0.46, 1.0], "range": colours.span(1), "showgrid": False,
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
                "data": [{"y": [one, one]}, *({"y": _drawn(table[at])} for table in rows.values())],
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
        at: Bias and position of a mark: where the reader's own network stands.
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
    ratios = _drawn(grid.ratios(quantity or total_of(grid.architecture)))
    colours = _Colours(ratios, x, np.asarray(grid.biases), grid.architecture)
    across = (
        _("{n} steps").format(n="%{customdata:.0f}")
        if by_length
        else gate_name(grid.across, grid.architecture) + " %{x:.2f}"
    )
    axis = {"tickvals": x.tolist(), "ticktext": [f"{length:g}" for length in grid.positions]} if by_length else {}
    title = _("sequence length (steps)") if by_length else bias_title(grid.across, grid.architecture)
    traces = colours.traces(look, across=across, customdata=np.tile(positions, (len(grid.biases), 1)))
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
            "margin": {"l": 78, "r": 18, "t": 62, "b": 60},
            "legend": {"y": -0.14, "yanchor": "top"},
            "xaxis": {"title": {"text": title}, "range": colours.span(0), "showgrid": False, **axis},
            "yaxis": {
                "title": {"text": bias_title(grid.gate, grid.architecture)},
                "range": colours.span(1),
                "showgrid": False,
            },
            "images": [colours.image(look)],
            "annotations": colours.names(look),
        },
    )


def row_of(biases: Sequence[float], bias: float | None) -> int:
    """Return the row nearest to a bias; the middle one where none is asked for."""
    if bias is None:
        return len(biases) // 2
    return int(np.abs(np.asarray(biases) - bias).argmin())


def quantities(measured: BiasMap) -> list[StateQuantity]:
    """Return what is drawn of one row: the total, and the cell path where there is one."""
    return ["cell", "cell_path"] if measured.architecture == "lstm" else ["hidden"]


def closed_form(measured: BiasMap, settings: Settings, lag: NDArray[np.int64]) -> NDArray[np.float64] | None:
    """Return what the bias of the gate that keeps says of every row, ``(N, lags)``; None where it says nothing."""
    keeping = _KEEPING[measured.architecture]
    if settings.recurrent_init == "chrono" or settings.loss == "every" or settings.num_layers > 1:
        return None
    own = getattr(settings, f"{keeping}_bias")
    biases = measured.biases if measured.gate == keeping else [own] * len(measured.biases)
    return theory.log10_cell_path(np.asarray(biases)[:, None], lag)


def bias_title(gate: str, architecture: str) -> str:
    """Return the title of an axis of biases."""
    return _("bias of the {gate}").format(gate=gate_name(gate, architecture))


class _Colours:
    """A map as an image with contours: numbers ``z`` over ``x`` and ``y``, both ascending but not always even."""

    def __init__(self, z: NDArray[np.float32], x: NDArray[Any], y: NDArray[Any], architecture: str) -> None:
        self._z, self._x, self._y, self._architecture = (
            z,
            np.asarray(x, dtype=float),
            np.asarray(y, dtype=float),
            architecture,
        )
        self._filled = np.nan_to_num(z, nan=_LOWEST).astype(np.float64)
        # One row alone, the first of a map that is still being measured, has no contours.
        self._contours = contourpy.contour_generator(self._x, self._y, self._filled) if min(z.shape) > 1 else None

    def span(self, axis: int) -> list[float]:
        """Return the range of the x axis (0) or the y axis (1)."""
        at = (self._x, self._y)[axis]
        pad = 0.012 * max(float(at[-1] - at[0]), 1e-6)
        return [float(at[0]) - pad, float(at[-1]) + pad]

    def image(self, look: Theme) -> dict[str, Any]:
        """Return the colours as an image that fills the map."""
        columns, rows = _PIXELS
        even = _evenly(_evenly(self._filled, self._y, rows).T, self._x, columns).T
        stops = np.array([position for position, _colour in _scale(self._architecture, look)])
        colours = np.array([_rgb(colour) for _position, colour in _scale(self._architecture, look)])
        share = (even - _BLANK) / (_FULL_EXPLOSION - _BLANK)
        pixels = np.stack([np.interp(share, stops, channel) for channel in colours.T], axis=-1)
        buffer = io.BytesIO()
        Image.fromarray(pixels[::-1].round().astype(np.uint8)).save(buffer, "PNG", compress_level=1)
        x, y = self._x, self._y
        return {
            "source": "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode(),
            "xref": "x", "x": x[0], "sizex": x[-1] - x[0], "yref": "y", "y": y[-1], "sizey": y[-1] - y[0],
            "sizing": "stretch", "layer": "below",
        }  # fmt: skip

    def traces(self, look: Theme, *, across: str, customdata: NDArray[Any] | None = None) -> list[dict[str, Any]]:
        """Return what is pointed at, the key to the colours, and the contours."""
        bias = _("bias")
        pointed = {
            "type": "heatmap", "x": self._x, "y": self._y, "z": self._z, "opacity": 0, "showscale": False, "name": "",
            "hoverongaps": False, "customdata": customdata,
            "hovertemplate": f"{across}<br>{bias} %{{y:.2f}}<br><b>10<sup>%{{z:.2f}}</sup></b><extra></extra>",
        }  # fmt: skip
        return [pointed, _key(self._architecture, look), *(self._contour(level, look) for level in levels())]

    def names(self, look: Theme) -> list[dict[str, Any]]:
        """Return the contours' names, each on its line; that of the explosion in its midst, where there is room."""
        names = []
        rows, columns = np.nonzero(self._filled > _EXPLODES)
        named = len(rows) > 0.01 * self._z.size
        if named:
            x, y = float(np.median(self._x[columns])), float(np.median(self._y[rows]))
            words = _("explodes: over {times:g}×").format(times=EXPLODES_ABOVE)
            names.append(
                _label(f"<b>{words}</b>", self._inside(x, 0.14), y, color=look.background, bgcolor=look.explosion)
            )
        for level in levels()[1 if named else 0 :]:
            points = [point for line in self._lines(level) for point in line]
            if not points:
                continue
            wanted = self._x[0] + level.at * (self._x[-1] - self._x[0])
            x, y = min(points, key=lambda point: abs(point[0] - wanted))
            names.append(_label(level.name, self._inside(x, 0.07), y, color=look.text, bgcolor=look.background))
        return names

    def _inside(self, x: float, margin: float) -> float:
        """Return where a name stands, so that it is not cut at the map's edge."""
        low, high = (self._x[0] + share * (self._x[-1] - self._x[0]) for share in (margin, 1 - margin))
        return float(np.clip(x, low, high))

    def _lines(self, level: Level) -> list[NDArray[np.float64]]:
        lines: Any = self._contours.lines(level.log10) if self._contours else []
        return list(lines)

    def _contour(self, level: Level, look: Theme) -> dict[str, Any]:
        gap = np.array([[np.nan, np.nan]])
        points = np.concatenate([gap, *(part for line in self._lines(level) for part in (line, gap))])
        return {
            "type": "scatter", "x": points[:, 0], "y": points[:, 1], "mode": "lines", "name": level.name,
            "showlegend": False, "hoverinfo": "skip", "connectgaps": False,
            "line": {
                "color": look.explosion if level.log10 > 0 else look.text, "width": level.width, "dash": level.dash,
            },
        }  # fmt: skip


def _evenly(table: NDArray[np.float64], at: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """Return rows at evenly spaced positions, each between the two nearest given ones."""
    if len(at) == 1:
        return np.repeat(table, count, axis=0)
    wanted = np.linspace(at[0], at[-1], count)
    above = np.clip(np.searchsorted(at, wanted), 1, len(at) - 1)
    share = ((wanted - at[above - 1]) / (at[above] - at[above - 1]))[:, None]
    return (1 - share) * table[above - 1] + share * table[above]


def _scale(architecture: str, look: Theme) -> list[tuple[float, str]]:
    """Return blank, the network's colour where all survives, and another hue for more."""
    colour, blank = look.networks[architecture], blended(look.grid, look.background, 0.5)
    all_of_it = -_BLANK / (_FULL_EXPLOSION - _BLANK)
    rising = [(share * all_of_it, blended(colour, blank, share**1.5)) for share in (0.0, 0.25, 0.5, 0.75, 1.0)]
    return [*rising, (1.0, look.explosion)]


def _rgb(colour: str) -> tuple[int, ...]:
    return tuple(int(colour[i : i + 2], 16) for i in (1, 3, 5))


def _key(architecture: str, look: Theme) -> dict[str, Any]:
    return {
        "type": "scatter", "x": [None], "y": [None], "mode": "markers", "showlegend": False, "hoverinfo": "skip",
        "marker": {
            "color": [0], "cmin": _BLANK, "cmax": _FULL_EXPLOSION, "showscale": True,
            "colorscale": [list(stop) for stop in _scale(architecture, look)],
            "colorbar": {
                "orientation": "h", "thickness": 10, "x": 0.5, "len": 0.96, "y": 1.01, "yanchor": "bottom",
                "ypad": 0, "xpad": 0, "outlinewidth": 0, "ticklabelposition": "outside top",
                "tickvals": [-8, -6, -4, -2, 0, 2], "tickangle": 0,
                "ticktext": ["≤10<sup>−8</sup>", "10<sup>−6</sup>", "10<sup>−4</sup>", "1 %", "1", "≥100×"],
            },
        },
    }  # fmt: skip


def _label(text: str, x: float, y: float, *, color: str, bgcolor: str) -> dict[str, Any]:
    return {
        "text": text, "x": x, "y": y, "showarrow": False, "font": {"color": color, "size": 12},
        "bgcolor": bgcolor, "borderpad": 2, "opacity": 0.9,
    }  # fmt: skip


def _cursor(lag: NDArray[np.int64], bias: float, look: Theme) -> dict[str, Any]:
    return {
        "type": "scatter", "x": [int(lag[0]), int(lag[-1])], "y": [float(bias)] * 2, "mode": "lines+markers",
        "name": _("the row beneath"), "hoverinfo": "skip", "line": {"color": look.text, "width": 2},
        "marker": {"symbol": ["triangle-right", "triangle-left"], "size": 12, "color": look.text},
        "cliponaxis": False, "showlegend": False,
    }  # fmt: skip


def _curves(
    rows: dict[str, NDArray[np.float64]], row: int, lag: NDArray[np.int64], architecture: str, look: Theme
) -> list[dict[str, Any]]:
    network = NETWORK_NAMES[architecture]
    total = _("{network}, total").format(network=network)
    names = {
        "cell": total,
        "hidden": total,
        "cell_path": _("{network}, cell path alone").format(network=network),
        "theory": _("theory, σ(b)ᵏ"),
    }
    styles = {"cell_path": {"width": 2.4, "dash": "dot"}, "theory": {"width": 1.6, "dash": "dash"}}
    return [
        {
            "type": "scatter", "x": lag, "y": _drawn(table[row]), "yaxis": "y2", "mode": "lines", "name": names[name],
            "line": {
                "color": look.theory if name == "theory" else look.networks[architecture],
                **styles.get(name, {"width": 3}),
            },
            "hovertemplate": "%{x}: 10<sup>%{y:.2f}</sup>", "connectgaps": False,
        }
        for name, table in rows.items()
    ]  # fmt: skip


def _opposite(grid: BiasGrid, look: Theme) -> dict[str, Any]:
    """Draw b_i = -b_f, chrono's line, as far as it lies on the map."""
    low, high = max(grid.biases[0], -grid.positions[-1]), min(grid.biases[-1], -grid.positions[0])
    return {
        "type": "scatter", "x": [-low, -high], "y": [low, high], "mode": "lines", "hoverinfo": "skip",
        "name": "b_i = −b_f", "line": {"color": look.gates["forget"], "width": 3},
    }  # fmt: skip


def _mark(bias: float, x: float, look: Theme) -> dict[str, Any]:
    return {
        "type": "scatter", "x": [x], "y": [bias], "mode": "markers", "name": _("your settings"), "hoverinfo": "skip",
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
    """Return one axis for all rows, so that nothing jumps while the row moves."""
    drawn = np.concatenate([_drawn(table).ravel() for table in tables])
    drawn = drawn[np.isfinite(drawn)]
    low, high = max(float(drawn.min(initial=-1.0)), _CURVES_END), float(drawn.max(initial=0.0))
    return low - 0.03 * (high - low), high + 0.06 * (high - low)


def _drawn(log10: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return what can be drawn: NaN is a gap, and what runs far off every axis ends there."""
    return np.where(np.isnan(log10), np.nan, np.clip(log10, _LOWEST, _HIGHEST)).astype(np.float32)
