"""The program of a figure of curves: what it measures, and how Matplotlib draws what Plotly draws."""

from __future__ import annotations

import re
import types
from collections.abc import Mapping
from typing import Any

from lstm_explorer.core.escape import cell
from lstm_explorer.core.inputs import TableLike
from lstm_explorer.core.scripts import DrawnAxes, DrawnCurve, DrawnLine, to_figure_script
from lstm_explorer.exhibits.exhibit import Exhibit
from lstm_explorer.figures.curves import curve_trace, log_range, norm_title
from lstm_explorer.figures.theme import THEMES
from lstm_explorer.locales import _

#: A program has paper before it, not a screen.
_LOOK = THEMES["light"]
#: Plotly's dashes -> Matplotlib's.
_DASHES: Mapping[str, object] = types.MappingProxyType(
    {
        "solid": "-", "dash": "--", "dot": ":", "dashdot": "-.",
        "longdash": (0, (9, 3)), "longdashdot": (0, (9, 3, 1.5, 3)),
    }
)  # fmt: skip
#: Plotly's marks -> Matplotlib's.
_MARKS: Mapping[str, str] = types.MappingProxyType(
    {
        "circle": "o", "square": "s", "diamond": "D", "triangle-up": "^", "cross": "P", "x": "X", "star": "*",
        "hexagon": "h",
    }
)  # fmt: skip
#: Points of a column in print for each pixel on a screen, where a figure is about three times as wide.
_POINTS = 0.5


def has_figure_script(exhibit: Exhibit) -> bool:
    """Tell whether one program measures and draws the whole figure: where it shows curves."""
    return bool(exhibit.series)


def figure_script(exhibit: Exhibit, *, table: TableLike | None = None) -> str:
    """Return the program that prints the measured rows of the figure's table, and draws its curves.

    Args:
        exhibit: One with curves.
        table: The reader's own table, where an experiment reads it.

    Raises:
        ValueError: It would be too long.
    """
    curves = [
        DrawnCurve(
            name=cell(series.name), architecture=one.architecture, settings=one.settings,
            table=table if one.settings.input_kind == "csv" else None, quantity=series.curve.quantity,
            layer=series.curve.layer, relative=series.curve.relative,
            look=_look(curve_trace(series, exhibit.axes, _LOOK)),
        )
        for series, one in zip(exhibit.series, exhibit.measured, strict=True)
    ]  # fmt: skip
    dashed = {"color": _LOOK.theory, "linewidth": 1.6 * _POINTS}
    lines = [
        DrawnLine(name=line.name, log10_rate=line.log10_rate, look={**dashed, "linestyle": _DASHES[line.dash]})
        for line in exhibit.theory
    ]
    return to_figure_script(curves, _axes(exhibit), lines)


def _axes(exhibit: Exhibit) -> DrawnAxes:
    against = exhibit.axes.against
    return DrawnAxes(
        x=against,
        x_title=_("step t (◀ gradient)") if against == "step" else _("lag (steps back from the last one)"),
        y_title=re.sub("<sub>(.*?)</sub>", r"$_{\1}$", norm_title(exhibit.series)),
        y_range=log_range(exhibit.series),
        scale=exhibit.axes.scale,
    )


def _look(trace: Mapping[str, Any]) -> dict[str, object]:
    """Return how Plotly draws a curve in Matplotlib's words."""
    line, mark = trace["line"], trace.get("marker")
    look = {
        "color": line["color"], "linewidth": line["width"] * _POINTS, "linestyle": _DASHES[line.get("dash", "solid")],
    }  # fmt: skip
    if mark:
        every = 1 / (mark["maxdisplayed"] - 1)  # of the line's length
        look |= {"marker": _MARKS[mark["symbol"]], "markersize": mark["size"] * _POINTS, "markevery": every}
    return look
