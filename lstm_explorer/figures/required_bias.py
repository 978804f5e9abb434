"""The required bias: the surviving share over the bias, with the answers marked on the curves."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import plotly.graph_objects as go

from lstm_explorer.core.architectures import architecture_named
from lstm_explorer.core.biases.maps import BiasMap
from lstm_explorer.core.biases.required import RequiredBias
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
        shapes=[_level(wanted, look), *_explosion(need, measured, look)],
        annotations=[_wanted(need.share, wanted, look)],
    )  # fmt: skip
    answers = [(need.closed_form, wanted, look.theory, _("by closed form"))] if math.isfinite(need.closed_form) else []
    if need.measured is not None:
        answers.append((need.measured, need.log10_measured, look.networks[measured.architecture], _("by measurement")))
    marks = [_answer(bias, height, colour, f"{name}: {bias:.2f}", look) for bias, height, colour, name in answers]
    return {**spec, "data": [*spec["data"], *marks, _chrono(need, spec["layout"]["yaxis"]["range"][0], look)]}


def _answer(bias: float, height: float, colour: str, name: str, look: Theme) -> dict[str, Any]:
    return {
        "type": "scatter", "x": [bias], "y": [height], "mode": "markers", "name": name, "hoverinfo": "skip",
        "marker": {"size": 13, "color": colour, "line": {"width": 2, "color": look.background}},
    }  # fmt: skip


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


def _explosion(need: RequiredBias, measured: BiasMap, look: Theme) -> list[dict[str, Any]]:
    if need.explodes is None:
        return []
    keeps = architecture_named(measured.architecture).gate(need.gate).keeps
    last = measured.biases[-1] if keeps > 0 else measured.biases[0]
    return [
        {
            "type": "rect", "yref": "paper", "x0": need.explodes, "x1": last, "y0": 0, "y1": 1, "line": {"width": 0},
            "fillcolor": faded(look.explosion, 0.14), "layer": "below",
            "label": {
                "text": _("explodes"),
                "textposition": "middle center", "font": {"color": look.explosion, "size": 12},
            },
        }
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
