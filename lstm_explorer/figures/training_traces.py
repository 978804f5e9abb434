"""The traces of networks that learn: what stays in each panel, and what the cursor moves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstm_explorer.core.architectures import architecture_named
from lstm_explorer.core.training.result import TrainingRun
from lstm_explorer.figures.axes import evenly_spaced
from lstm_explorer.figures.formatting import percent
from lstm_explorer.figures.learners import Array, Learner, Ranges, scored_by_error
from lstm_explorer.figures.names import network_name
from lstm_explorer.figures.strips import colour_scale
from lstm_explorer.figures.theme import Theme, faded
from lstm_explorer.locales import _, translated

#: Most points of a loss, most rows of a map, and most points of a curve that the cursor moves.
_POINTS, _ROWS, _CURVE = 1500, 160, 81


class Panel(NamedTuple):
    """A part of the figure: its kind, what it is of, and the numbers of its axes."""

    kind: str
    learner: Learner | None
    axis: int
    domain: tuple[float, float]


def logarithmic(kind: str, everyone: Sequence[Learner]) -> bool:
    """Tell whether a panel's axis is logarithmic."""
    return kind in ("loss", "norm") or (kind == "score" and scored_by_error(everyone))


def still_traces(panel: Panel, everyone: Sequence[Learner], look: Theme) -> list[dict[str, Any]]:
    """Return the traces of a panel that stay while the cursor moves."""
    draw = {"loss": _losses, "score": _scores, "gate": _gates, "norm": _norms}
    if panel.kind == "map" and panel.learner:
        one = panel.learner
        traces = [share_map(one.first.steps, one.arriving(), one.network, look), _needed(one, look)]
    elif panel.kind in draw:
        traces = [trace for one in everyone for trace in draw[panel.kind](one, look)]
        traces += _references(panel.kind, everyone[0].first, look)
    else:
        traces = []
    return [{**trace, "xaxis": f"x{panel.axis}", "yaxis": f"y{panel.axis}"} for trace in traces]


def _losses(one: Learner, look: Theme) -> list[dict[str, Any]]:
    """Return a network's loss: as it was, faint, and smoothed; of several seeds the median and the quartiles."""
    colour, name = look.networks[one.network], network_name(one.network)
    steps = evenly_spaced(np.arange(len(one.first.loss)), _POINTS)
    line = {
        "type": "scatter", "x": steps, "mode": "lines", "name": name, "legendgroup": name,
        "line": {"color": colour, "width": 2.4}, "hovertemplate": "%{y:.3g}",
    }  # fmt: skip
    if len(one.runs) == 1:
        raw: dict[str, Any] = {**line, "y": one.first.loss[steps], "line": {"color": faded(colour, 0.3), "width": 1}}
        raw |= {"showlegend": False, "hoverinfo": "skip", "hovertemplate": None}
        return [raw, {**line, "y": one.first.smooth_loss[steps]}]
    many = min(len(run.loss) for run in one.runs)
    losses, steps = np.stack([run.smooth_loss[:many] for run in one.runs]), steps[steps < many]
    lower, median, upper = np.quantile(losses, (0.25, 0.5, 0.75), axis=0, method="nearest")[:, steps]
    return [*_band(steps, lower, upper, name, colour), {**line, "x": steps, "y": median}]


def _band(x: NDArray[Any], lower: Array, upper: Array, group: str, colour: str) -> list[dict[str, Any]]:
    edge = {
        "type": "scatter", "x": x, "mode": "lines", "line": {"width": 0}, "showlegend": False, "hoverinfo": "skip",
        "legendgroup": group,
    }  # fmt: skip
    return [{**edge, "y": lower}, {**edge, "y": upper, "fill": "tonexty", "fillcolor": faded(colour, 0.18)}]


def _scores(one: Learner, look: Theme) -> list[dict[str, Any]]:
    return [
        {
            "type": "scatter", "x": run.steps, "y": run.score, "mode": "lines", "name": network_name(one.network),
            "legendgroup": network_name(one.network), "showlegend": False, "opacity": 1.0 if at == 0 else 0.45,
            "line": {"color": look.networks[one.network], "width": 2 if at == 0 else 1}, "hovertemplate": "%{y:.3g}",
        }
        for at, run in enumerate(one.runs)
    ]  # fmt: skip


def _references(kind: str, run: TrainingRun, look: Theme) -> list[dict[str, Any]]:
    """Return the level of knowing nothing, and of other simple answers."""
    names = _levels(kind, run)
    # In the one legend, the level of clipping looks otherwise than that of knowing nothing.
    dashes = ("longdashdot",) * 3 if kind == "norm" else ("dash", "dot", "dashdot")
    return [
        {
            "type": "scatter", "x": [0, run.training.steps], "y": [level, level], "mode": "lines", "name": name,
            "legendgroup": name, "showlegend": kind != "score" or at > 0, "hoverinfo": "skip",
            "line": {"color": look.theory, "width": 1.5, "dash": dashes[at % 3]},
        }
        for at, (name, level) in enumerate(names.items())
        if np.isfinite(level)
    ]  # fmt: skip


def _levels(kind: str, run: TrainingRun) -> dict[str, float]:
    """Return the levels that a panel is read against, by name."""
    if kind == "norm" and run.training.clipping == "norm":
        return {_("clipped above {level}").format(level=f"{run.training.clip_at:g}"): run.training.clip_at}
    if kind == "loss":
        return {_("knowing nothing"): run.know_nothing}
    if kind == "score":
        return {_("knowing nothing"): run.chance, **{translated(name): at for name, at in run.references.items()}}
    return {}


def share_map(steps: NDArray[Any], shares: Array, network: str, look: Theme) -> dict[str, Any]:
    """Return a map of the gradient that arrives, optimizer step by lag, in the colours of the strips.

    Args:
        steps: Optimizer steps ``(M,)``.
        shares: log10 of the share that arrives at each lag, ``(M, lags)``.
        network: Name of the architecture.
        look: The theme.
    """
    lags = evenly_spaced(np.arange(shares.shape[1]), _ROWS)
    colours = colour_scale(network, look)
    low, high = colours[0][0], colours[-1][0]
    scale = [[(at - low) / (high - low), colour] for at, colour in colours]
    drawn = np.clip(np.nan_to_num(shares[:, lags], nan=low, neginf=low), low, high)
    return {
        "type": "heatmap", "x": steps, "y": lags, "z": drawn.T.astype(np.float32), "zmin": low, "zmax": high,
        "colorscale": scale, "showscale": False, "name": network_name(network),
        "customdata": shares[:, lags].T.astype(np.float32),
        "hovertemplate": "10<sup>%{customdata:.1f}</sup>" + _(" at lag {lag}").format(lag="%{y}"),
    }  # fmt: skip


def _needed(one: Learner, look: Theme) -> dict[str, Any]:
    return {
        "type": "scatter", "x": [0, one.first.training.steps], "y": [one.first.lag] * 2, "mode": "lines",
        "line": {"color": look.muted, "width": 1.2, "dash": "dot"}, "showlegend": False, "hoverinfo": "skip",
        "name": "needed lag",
    }  # fmt: skip


def _gates(one: Learner, look: Theme) -> list[dict[str, Any]]:
    run, name, colour = one.first, network_name(one.network), look.networks[one.network]
    if architecture_named(one.network).memory_gate is None:
        return []
    mean, lower, _median, upper = run.forget_gate.T
    line = {
        "type": "scatter", "x": run.steps, "y": mean, "mode": "lines", "name": name, "legendgroup": name,
        "showlegend": False, "line": {"color": colour, "width": 2}, "hovertemplate": "%{y:.2f}",
    }  # fmt: skip
    return [*_band(run.steps, lower, upper, name, colour), line]


def _norms(one: Learner, look: Theme) -> list[dict[str, Any]]:
    """Return the norm of the gradient of all weights; and what clipping by value leaves of it."""
    run, colour, name = one.first, look.networks[one.network], network_name(one.network)
    steps = evenly_spaced(np.arange(len(run.loss)), _POINTS)
    line = {
        "type": "scatter", "x": steps, "mode": "lines", "name": name, "legendgroup": name, "showlegend": False,
        "hovertemplate": "%{y:.3g}", "connectgaps": False,
    }  # fmt: skip
    before, after = run.gradient_norm[steps].T
    lines = [{**line, "y": before, "line": {"color": colour, "width": 1.1}}]
    if run.training.clipping == "value" and (after < before * (1 - 1e-6)).any():
        lines.append({**line, "y": after, "line": {"color": colour, "width": 1.6, "dash": "dot"}})
    return lines


def moving_traces(
    panel: Panel, everyone: Sequence[Learner], ranges: Ranges, moment: int, look: Theme
) -> list[dict[str, Any]]:
    """Return the traces of a panel that the cursor moves, with the cursor at a moment."""
    place = {"xaxis": f"x{panel.axis}", "yaxis": f"y{panel.axis}"}
    parts = moved(panel, everyone, ranges, moment)
    if panel.kind == "lags":
        return [
            {
                "type": "scatter", **points, "mode": "lines", "name": network_name(one.network), "showlegend": False,
                "legendgroup": network_name(one.network), "line": {"color": look.networks[one.network], "width": 2.6},
                "hovertemplate": "10<sup>%{y:.2f}</sup>", "connectgaps": False, **place,
            }
            for one, points in zip(everyone, parts, strict=True)
        ]  # fmt: skip
    cursor = {
        "type": "scatter", **parts[0], "mode": "lines", "line": {"color": look.text, "width": 1.4}, "showlegend": False,
        "hoverinfo": "skip", "name": "cursor", **place,
    }  # fmt: skip
    if panel.learner is None:
        return [cursor]
    words = {
        "type": "scatter", **parts[1], "mode": "text", "textposition": "middle right", "cliponaxis": False,
        "showlegend": False, "hoverinfo": "skip", "name": "arrives", **place,
        "textfont": {"color": look.networks[panel.learner.network], "size": 12},
    }  # fmt: skip
    return [cursor, words]


def moved(panel: Panel, everyone: Sequence[Learner], ranges: Ranges, moment: int) -> list[dict[str, Any]]:
    """Return what differs from moment to moment in the traces of a panel."""
    low, high = ranges[panel.kind]
    if panel.kind == "lags":
        return [_curve(one, moment) for one in everyone]
    span = [10.0**low, 10.0**high] if logarithmic(panel.kind, everyone) else [low, high]
    cursor = {"x": [moment, moment], "y": span}
    if panel.learner is None:
        return [cursor]
    one, share = panel.learner.first, panel.learner.share(moment)
    arrives = percent(share) if np.isfinite(share) else "0"
    words = f"\u00a0<b>{arrives}</b><br>\u00a0" + _("at lag {lag}").format(lag=one.lag)
    return [cursor, {"x": [one.training.steps], "y": [high / 2], "text": [words]}]


def _curve(one: Learner, moment: int) -> dict[str, Any]:
    shares = one.arriving()
    if not len(shares):
        return {"x": [], "y": []}
    lags = evenly_spaced(np.arange(shares.shape[1]), _CURVE)
    heights = shares[one.row_at(moment), lags].tolist()
    return {"x": lags.tolist(), "y": [round(height, 2) if np.isfinite(height) else None for height in heights]}
