"""The required bias: the surviving share over the bias, with the answers marked on the curves."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from lstm_explorer.core.biases.maps import BiasMap
from lstm_explorer.core.biases.required import RequiredBias
from lstm_explorer.core.gradients.summaries import EXPLODES_ABOVE
from lstm_explorer.core.kinds import checks_kinds
from lstm_explorer.core.settings import Settings
from lstm_explorer.figures.axes import FigureSpec
from lstm_explorer.figures.bias_map import bias_title, kept_by_biases, memory_of
from lstm_explorer.figures.formatting import percent
from lstm_explorer.figures.lines import Line, lines_spec
from lstm_explorer.figures.names import network_name
from lstm_explorer.figures.theme import Theme, faded, theme_of
from lstm_explorer.locales import _

#: Lower limit of the axis, log10.
_LOWEST = -12.0


@checks_kinds
def plot_required_bias(
    need: RequiredBias, measured: BiasMap, *, settings: Settings | None = None, theme: str = "light"
) -> go.Figure:
    """Draw the surviving share over the bias, measured and by closed form, with the required bias of each.

    Args:
        need: From :func:`lstm_explorer.required_bias`.
        measured: A map of the same gate and settings.
        settings: The experiment, for the biases of the other gates where the closed form depends on them.
        theme: ``"light"`` or ``"dark"``.

    Raises:
        TypeError: An argument is of another kind.
        ValueError: There is no such theme.
    """
    return go.Figure(required_bias_spec(need, measured, settings=settings, theme=theme))


def required_bias_spec(
    need: RequiredBias, measured: BiasMap, *, settings: Settings | None = None, theme: str = "light"
) -> FigureSpec:
    """Return what :func:`plot_required_bias` draws, as plain dicts.

    Raises:
        ValueError: There is no such theme.
    """
    look, biases = theme_of(theme), np.asarray(measured.biases)
    wanted, network = math.log10(need.share), network_name(measured.architecture)
    total = measured.ratios(memory_of(measured.architecture))[:, -1 - need.lag]
    kept = kept_by_biases(measured, settings or Settings())
    closed = (
        []
        if kept is None
        else [
            Line(
                name=_("closed form, by the biases alone"), x=biases, y=need.lag * kept, colour=look.theory, dash="dash"
            )
        ]
    )
    lines = [
        *closed,
        Line(name=_("{network}, measured total").format(network=network), x=biases, y=total,
             colour=look.networks[measured.architecture], width=3.2),
    ]  # fmt: skip
    spec = lines_spec(
        lines, x_title=bias_title(need.gate, measured.architecture),
        y_title=_("what survives {lag} steps").format(lag=need.lag), theme=theme, lowest=_LOWEST,
        shapes=[_level(wanted, look), *_explosion(total, biases, look)],
        annotations=[_wanted(need.share, wanted, look)],
    )  # fmt: skip
    marks = []
    if math.isfinite(need.closed_form):
        marks.append(
            {
                "type": "scatter", "x": [need.closed_form], "y": [wanted], "mode": "markers", "hoverinfo": "skip",
                "name": _("formula: {bias:.1f}").format(bias=need.closed_form),
                "marker": {"size": 13, "color": look.theory, "line": {"width": 2, "color": look.background}},
            }
        )  # fmt: skip
    if enough := sorted(one for one in need.each_seed if one is not None):
        own = look.networks[measured.architecture]
        marks.append(
            {
                "type": "scatter", "x": enough, "y": [wanted] * len(enough), "mode": "lines+markers",
                "name": _("enough, by seed: {low:.1f} to {high:.1f}").format(low=enough[0], high=enough[-1]),
                "hoverinfo": "skip", "line": {"color": own, "width": 6},
                "marker": {"size": 9, "color": own, "line": {"width": 2, "color": look.background}},
            }
        )  # fmt: skip
    return {**spec, "data": [*spec["data"], *marks, _chrono(need, spec["layout"]["yaxis"]["range"][0], look)]}


def _level(wanted: float, look: Theme) -> dict[str, Any]:
    return {
        "type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": wanted, "y1": wanted,
        "line": {"color": look.muted, "width": 1.4, "dash": "dot"},
    }  # fmt: skip


def _wanted(share: float, wanted: float, look: Theme) -> dict[str, Any]:
    return {
        "text": _("wanted: {share}").format(share=percent(math.log10(share))), "xref": "paper", "x": 0.005, "y": wanted,
        "xanchor": "left", "yanchor": "bottom", "showarrow": False, "font": {"color": look.muted, "size": 12},
    }  # fmt: skip


def _explosion(total: NDArray[np.float64], biases: NDArray[np.float64], look: Theme) -> list[dict[str, Any]]:
    """Shade every range of biases in which the measured curve is above the limit."""
    above = np.flatnonzero(np.diff(np.concatenate([[False], total > math.log10(EXPLODES_ABOVE), [False]])))
    ranges = [(biases[first], biases[last - 1]) for first, last in above.reshape(-1, 2)]
    widest = max(ranges, key=lambda ends: ends[1] - ends[0], default=None)
    name = {
        "label": {
            "text": _("explodes"), "textposition": "middle center", "font": {"color": look.explosion, "size": 12},
        }
    }  # fmt: skip
    return [
        {
            "type": "rect", "yref": "paper", "x0": low, "x1": high, "y0": 0, "y1": 1, "line": {"width": 0},
            "fillcolor": faded(look.explosion, 0.14), "layer": "below", **(name if (low, high) == widest else {}),
        }
        for low, high in ranges
    ]  # fmt: skip


def _chrono(need: RequiredBias, floor: float, look: Theme) -> dict[str, Any]:
    """Return the range of chrono's biases as a bar on the axis, with its median as a mark."""
    lowest, median, highest = need.chrono
    return {
        "type": "scatter", "x": [lowest, median, highest], "y": [floor] * 3, "mode": "lines+markers",
        "hoverinfo": "skip",
        "name": _("chrono draws from here: {lowest:.1f} to {highest:.1f}, median {median:.1f}").format(
            lowest=lowest, median=median, highest=highest
        ),
        "line": {"color": look.gates["forget"], "width": 8}, "cliponaxis": False,
        "marker": {"size": [0, 13, 0], "symbol": "diamond", "color": look.gates["forget"],
                   "line": {"width": 2, "color": look.background}},
    }  # fmt: skip
