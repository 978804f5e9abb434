"""A training of one's own that was watched: how much of the gradient arrived, by optimizer step and lag."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from lstm_explorer.core.kinds import checks_kinds
from lstm_explorer.core.watching.record import Array
from lstm_explorer.core.watching.watched import Watched
from lstm_explorer.figures.axes import log_ticks
from lstm_explorer.figures.names import network_name
from lstm_explorer.figures.theme import Theme, plain_template, theme_of
from lstm_explorer.figures.training_traces import share_map
from lstm_explorer.locales import _

#: Heights in pixels of a map, of the gap beneath it, and above and below all of them.
_MAP, _GAP, _TOP, _BOTTOM = 190, 40, 40, 52


class _Map(NamedTuple):
    """One map: its title, its architecture, the measured steps, and what arrived, ``(M, lags)``."""

    title: str
    architecture: str
    steps: NDArray[np.int64]
    shares: Array


@checks_kinds
def plot_watched(
    watched: Watched,
    module: str | None = None,
    *,
    quantity: Literal["hidden", "cell", "cell_path"] = "hidden",
    theme: str = "light",
) -> go.Figure:
    r"""Draw a map of the share of the gradient that arrives, optimizer step by lag, for each network and direction.

    Args:
        watched: What was watched; the loop may still be running.
        module: Name of one network; all by default, but those that do not have the gradient.
        quantity: ``"hidden"``: :math:`\|dL/dh_t\| / \|dL/dh_T\|` of the last layer; ``"cell"``; ``"cell_path"``.
        theme: ``"light"`` or ``"dark"``.

    Returns:
        A figure with one heat map each, in the colours of the strips and of the map of a training.

    Raises:
        TypeError: An argument is of another kind.
        ValueError: Nothing has been measured, or there is no such network, gradient or theme.
    """
    look, maps = theme_of(theme), _maps(watched, module, quantity)
    if not maps:
        raise ValueError("nothing to draw: expected at least one measurement; see watched.notes for why there is none.")
    plot = len(maps) * (_MAP + _GAP) - _GAP
    tops = [1 - number * (_MAP + _GAP) / plot for number in range(len(maps))]
    layout: dict[str, Any] = {
        "template": plain_template(look.name),
        "height": plot + _TOP + _BOTTOM,
        "margin": {"l": 74, "r": 16, "t": _TOP, "b": _BOTTOM},
        "annotations": [_title(one, top, look) for one, top in zip(maps, tops, strict=True)],
    }
    traces = []
    for number, (one, top) in enumerate(zip(maps, tops, strict=True), start=1):
        height = _MAP / plot
        traces.append({**_drawn(one, look, top - height / 2, height), "xaxis": f"x{number}", "yaxis": f"y{number}"})
        layout |= _axes(number, (max(top - height, 0.0), top), last=one is maps[-1])
    return go.Figure({"data": traces, "layout": layout})


def _maps(watched: Watched, module: str | None, quantity: str) -> list[_Map]:
    architectures = {flow.module: flow.flow.architecture for flow in watched.flows}
    has = {flow.module for flow in watched.flows if getattr(flow.flow, f"log10_{quantity}") is not None}
    names = [name for name in watched.modules if name in has] if module is None else [module]
    maps = []
    for name in names:
        for direction, (steps, shares) in watched.shares(name, quantity).items():
            title = _titled(name, direction, architectures[name], quantity)
            maps.append(_Map(title, architectures[name], steps, shares))
    return maps


def _titled(name: str, direction: str, architecture: str, quantity: str) -> str:
    symbols = {"hidden": "dL/dh", "cell": "dL/dc", "cell_path": _("dL/dc by the cell path alone")}
    directions = {"": "", "forward": _("forward"), "backward": _("backward")}
    network = f"{name}, {network_name(architecture)}" + (f", {directions[direction]}" if direction else "")
    return _("<b>{network}</b>: {symbol} arriving, by lag").format(network=network, symbol=symbols[quantity])


def _drawn(one: _Map, look: Theme, middle: float, height: float) -> dict[str, Any]:
    drawn = share_map(one.steps, one.shares, one.architecture, look)
    bar = {
        "title": {"text": _("surviving share"), "side": "right"}, "thickness": 12, "y": middle, "len": height,
        **log_ticks(drawn["zmin"], drawn["zmax"], 6),
    }  # fmt: skip
    # Where no sequence was as long there is no cell, as against one of which nothing arrives.
    cells = np.where(np.isnan(drawn["customdata"]), np.nan, drawn["z"])
    return {**drawn, "z": cells, "name": one.title, "showscale": True, "colorbar": bar, "hoverongaps": False}


def _title(one: _Map, top: float, look: Theme) -> dict[str, Any]:
    return {
        "text": one.title, "xref": "paper", "x": 0.0, "xanchor": "left", "yref": "paper", "y": top, "yanchor": "bottom",
        "showarrow": False, "font": {"size": 13, "color": look.networks[one.architecture]}, "yshift": 2,
    }  # fmt: skip


def _axes(number: int, domain: Sequence[float], *, last: bool) -> dict[str, Any]:
    x: dict[str, Any] = {"anchor": f"y{number}", "showgrid": False, "showticklabels": last}
    x |= {"title": {"text": _("optimizer step"), "standoff": 4}} if last else {}
    x |= {"matches": "x"} if number > 1 else {}
    y = {"anchor": f"x{number}", "domain": list(domain), "showgrid": False, "title": {"text": _("lag")}}
    return {f"xaxis{number}": x, f"yaxis{number}": y}
