"""A map of the surviving gradient: its colours as an image, its contours as lines.

While a row of a map moves in the browser, Plotly redraws nothing but lines: so the colours are an image.
"""

from __future__ import annotations

import base64
import io
import math
from typing import Any, NamedTuple

import contourpy
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lstm_explorer.core.gradients.summaries import EXPLODES_ABOVE
from lstm_explorer.figures.axes import FLOAT32_FLOOR
from lstm_explorer.figures.formatting import split
from lstm_explorer.figures.theme import Theme, blended
from lstm_explorer.locales import _

#: log10 of the ratio at which the map is blank, and of that at which it has the explosion's full colour.
_BLANK, _FULL_EXPLOSION = -8.0, 2.0
#: Values are clipped to this range of log10: no contour lies beyond.
_LOWEST, _HIGHEST = -60.0, 30.0
#: Pixels of the image.
_PIXELS = (320, 240)
_EXPLODES = math.log10(EXPLODES_ABOVE)


class Level(NamedTuple):
    """A contour: log10 of the ratio, its name, how it is drawn, and the place of its name as a share of the width."""

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


class Surface:
    """A map as an image with contours: numbers ``z`` over ``x`` and ``y``, both ascending but not always even."""

    def __init__(self, z: NDArray[np.float32], x: NDArray[Any], y: NDArray[Any], architecture: str) -> None:
        """Keep the numbers, and prepare the contours."""
        self._z, self._architecture = z, architecture
        self._x, self._y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
        self._filled = np.nan_to_num(z, nan=_LOWEST).astype(np.float64)
        # A single row, the first of a map that is still being measured, has no contours.
        self._contours = contourpy.contour_generator(self._x, self._y, self._filled) if min(z.shape) > 1 else None

    def span(self, axis: int) -> list[float]:
        """Return the range of the x axis (0) or the y axis (1)."""
        at = (self._x, self._y)[axis]
        pad = 0.012 * max(float(at[-1] - at[0]), 1e-6)
        return [float(at[0]) - pad, float(at[-1]) + pad]

    def image(self, look: Theme) -> dict[str, Any]:
        """Return the colours as an image that fills the map."""
        columns, rows = _PIXELS
        even = _resampled(_resampled(self._filled, self._y, rows).T, self._x, columns).T
        stops = np.array([position for position, _colour in colour_scale(self._architecture, look)])
        colours = np.array([_rgb(colour) for _position, colour in colour_scale(self._architecture, look)])
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

    def traces(self, look: Theme, *, across: str, beside: NDArray[Any] | None = None) -> list[dict[str, Any]]:
        """Return the invisible heat map for hovering, the key to the colours, and the contours."""
        bias = _("bias")
        numbers = split(self._z).astype(np.float32)
        if beside is not None:
            numbers = np.concatenate([numbers, beside], axis=-1)
        pointed = {
            "type": "heatmap", "x": self._x, "y": self._y, "z": self._z, "opacity": 0, "showscale": False, "name": "",
            "hoverongaps": False, "customdata": numbers,
            "hovertemplate": f"{across}<br>{bias} %{{y:.2f}}<br>"
            "<b>%{customdata[0]:.2f}×10<sup>%{customdata[1]:d}</sup></b><extra></extra>",
        }  # fmt: skip
        return [pointed, self.key(look), *(self._contour(level, look) for level in levels())]

    def key(self, look: Theme) -> dict[str, Any]:
        """Return the key to the colours."""
        return {
            "type": "scatter", "x": [None], "y": [None], "mode": "markers", "showlegend": False, "hoverinfo": "skip",
            "marker": {
                "color": [0], "cmin": _BLANK, "cmax": _FULL_EXPLOSION, "showscale": True,
                "colorscale": [list(stop) for stop in colour_scale(self._architecture, look)],
                "colorbar": {
                    "orientation": "h", "thickness": 10, "x": 0.5, "len": 0.96, "y": 1.0, "yanchor": "top",
                    "ypad": 0, "xpad": 0, "outlinewidth": 0, "ticklabelposition": "outside top",
                    "tickvals": [-8, -4, -2, 0, 1], "tickangle": 0,
                    "ticktext": ["10<sup>−8</sup>", "10<sup>−4</sup>", "1%", "1", "10×"],
                },
            },
        }  # fmt: skip

    def names(self, look: Theme) -> list[dict[str, Any]]:
        """Return the contours' names, each on its line; that of the explosion in its middle, where there is room."""
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
        """Return the position moved inside, so that a name is not cut at the map's edge."""
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


def _resampled(table: NDArray[np.float64], at: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """Return rows at evenly spaced positions, interpolated between the two nearest."""
    if len(at) == 1:
        return np.repeat(table, count, axis=0)
    wanted = np.linspace(at[0], at[-1], count)
    above = np.clip(np.searchsorted(at, wanted), 1, len(at) - 1)
    share = ((wanted - at[above - 1]) / (at[above] - at[above - 1]))[:, None]
    return (1 - share) * table[above - 1] + share * table[above]


def colour_scale(architecture: str | None, look: Theme) -> list[tuple[float, str]]:
    """Return the colour scale from 10^-8 to 100: blank, the network's colour where all survives, another hue above.

    Args:
        architecture: The network; None where several are drawn together.
        look: The theme.
    """
    colour, blank = (
        look.networks[architecture] if architecture else look.muted,
        blended(look.grid, look.background, 0.5),
    )
    span = _FULL_EXPLOSION - _BLANK
    rising = [(-_BLANK * share / span, blended(colour, blank, share**1.5)) for share in (0.0, 0.25, 0.5, 0.75, 1.0)]
    edge = (_EXPLODES - _BLANK) / span
    return [*rising, (edge, colour), (edge, blended(look.explosion, colour, 0.6)), (1.0, look.explosion)]


def _rgb(colour: str) -> tuple[int, ...]:
    return tuple(int(colour[i : i + 2], 16) for i in (1, 3, 5))


def _label(text: str, x: float, y: float, *, color: str, bgcolor: str) -> dict[str, Any]:
    return {
        "text": text, "x": x, "y": y, "showarrow": False, "font": {"color": color, "size": 12},
        "bgcolor": bgcolor, "borderpad": 2, "opacity": 0.9,
    }  # fmt: skip


def drawable(log10: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return values for drawing: NaN is a gap, and values far beyond every axis are clipped."""
    return np.where(np.isnan(log10), np.nan, np.clip(log10, _LOWEST, _HIGHEST)).astype(np.float32)
