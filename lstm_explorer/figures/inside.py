"""Inside the cell, along time: gates, states and the gradient on one axis, and every unit as a heat map."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from lstm_explorer.core.engine.trajectory import Trajectory
from lstm_explorer.core.gradients.flow import GradientFlow
from lstm_explorer.figures.formatting import split
from lstm_explorer.figures.gradient_flow import every_so_often, log_ticks
from lstm_explorer.figures.theme import Theme, template, theme_of
from lstm_explorer.locales import _

#: Gates in the order of the legend.
_GATES = ("forget", "input", "candidate", "output", "reset", "update")
#: Panels from above: gates, states, gradient.
_DOMAINS = {"y": (0.7, 1.0), "y2": (0.38, 0.64), "y3": (0.0, 0.32)}
_MOST_COLUMNS = 500


def along_time(trajectory: Trajectory, *, layer: int = -1, unit: int | None = None) -> dict[str, NDArray[np.float64]]:
    """Return gates ``(T,)`` and states ``(T + 1,)`` of the first sample: of one unit, or the mean over units.

    Args:
        trajectory: From :func:`lstm_explorer.unroll`.
        layer: Which layer.
        unit: Which unit, from 0; None for the mean.

    Returns:
        By name: the gates in PyTorch's words, ``cell`` (LSTM) and ``hidden``.
    """
    gates = trajectory.gates._asdict() if trajectory.gates is not None else {}
    states = {"cell": trajectory.cell, "hidden": trajectory.hidden}
    tensors = {**gates, **{name: state for name, state in states.items() if state is not None}}
    arrays = {name: tensor[layer, :, 0].double().numpy() for name, tensor in tensors.items()}
    return {name: array.mean(axis=1) if unit is None else array[:, unit] for name, array in arrays.items()}


def gradient_along_time(
    flow: GradientFlow, *, layer: int = -1, unit: int | None = None
) -> dict[str, NDArray[np.float64]]:
    """Return log10 of the gradient ``(T + 1,)`` of the first replica and sample: its norm, or one unit's.

    Args:
        flow: Measured with ``units=True``.
        layer: Which layer.
        unit: Which unit, from 0; None for the norm over all.

    Returns:
        ``total`` (of the cell state, or the hidden state where there is none) and, for the LSTM, ``path``: the norm of
        what travels by the cell state alone, or for one unit the product of its forget gates from the last step on.
    """
    lstm = flow.log10_cell is not None
    norms = flow.log10_cell if lstm else flow.log10_hidden
    units = flow.log10_cell_units if lstm else flow.log10_hidden_units
    chosen = {"total": norms if unit is None else units, **({"path": flow.log10_cell_path} if lstm else {})}
    curves = {}
    for name, tensor in chosen.items():
        if tensor is None:
            raise ValueError("the flow has no units: expected one measured with units=True.")
        first = tensor[0] if flow.log10_inputs.ndim == 3 else tensor
        along = first[layer, :, 0].double().numpy()
        curves[name] = along if along.ndim == 1 else along[:, unit]
    if unit is not None:
        curves.pop("path", None)
    return curves


def plot_inside(
    trajectory: Trajectory,
    flow: GradientFlow,
    *,
    step: int,
    layer: int = -1,
    unit: int | None = None,
    reads: tuple[str, ...] = (),
    theme: str = "light",
) -> go.Figure:
    """Draw gates, states and the gradient on one time axis, with a cursor at a step.

    Args:
        trajectory: From :func:`lstm_explorer.unroll`.
        flow: Of the same network and inputs, measured with ``units=True``.
        step: Where the cursor stands, 1 to T.
        layer: Which layer.
        unit: Which unit, from 0; None for the mean of gates and states, and the norm of gradients.
        reads: What is read at each step, for hovering; empty, or one label a step from step 1 on.
        theme: ``"light"`` or ``"dark"``.
    """
    look = theme_of(theme)
    values = along_time(trajectory, layer=layer, unit=unit)
    curves = gradient_along_time(flow, layer=layer, unit=unit)
    if unit is not None and "forget" in values:
        curves["path"] = _forget_product(values["forget"], curves["total"][-1])
    last = len(values["hidden"]) - 1
    traces = [_gate(name, values[name], trajectory.architecture, look, reads) for name in _GATES if name in values]
    traces += [
        _state(name, values[name], look, trajectory.architecture) for name in ("cell", "hidden") if name in values
    ]
    traces += [_gradient(name, curve, look, trajectory.architecture) for name, curve in curves.items()]
    figure = go.Figure(data=traces, layout=_layout(trajectory, curves, step, last, unit, look))
    return figure


def plot_gate_heatmap(
    trajectory: Trajectory, name: str, *, step: int, layer: int = -1, unit: int | None = None, theme: str = "light"
) -> go.Figure:
    """Draw one gate or state of every unit along time, for the first sample.

    Args:
        trajectory: From :func:`lstm_explorer.unroll`.
        name: A gate in PyTorch's words, ``"cell"`` or ``"hidden"``.
        step: Where the cursor stands.
        layer: Which layer.
        unit: The unit to point at, from 0; None for none.
        theme: ``"light"`` or ``"dark"``.

    Raises:
        ValueError: The architecture has no such gate or state.
    """
    look = theme_of(theme)
    gates = trajectory.gates._asdict() if trajectory.gates is not None else {}
    known = {**gates, "hidden": trajectory.hidden, **({"cell": trajectory.cell} if trajectory.cell is not None else {})}
    if name not in known:
        raise ValueError(
            f"name is {name!r}: expected one of {', '.join(known)}, what the {trajectory.architecture} has."
        )
    array = known[name][layer, :, 0].double().numpy().T
    first = 1 if name in gates else 0
    steps = every_so_often(np.arange(first, first + array.shape[1]), _MOST_COLUMNS)
    signed = name in ("candidate", "hidden", "cell")
    bound = max(1.0, float(np.abs(array).max())) if name == "cell" else 1.0
    colour = look.gates.get(name, look.networks[trajectory.architecture])
    scale = [[0.0, look.networks["rnn"]], [0.5, look.background], [1.0, colour]] if signed else [
        [0.0, look.background], [1.0, colour]
    ]  # fmt: skip
    marks = [_line(step, look)]
    if unit is not None:
        marks.append({"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": unit, "y1": unit,
                      "line": {"color": look.text, "width": 1, "dash": "dot"}})  # fmt: skip
    return go.Figure(
        go.Heatmap(
            z=array[:, steps - first].astype(np.float32), x=steps, y=np.arange(len(array)), colorscale=scale,
            zmin=-bound if signed else 0.0, zmax=bound, colorbar={"thickness": 12},
            hovertemplate=_("step %{x}, unit %{y}") + "<br>%{z:.3f}<extra></extra>",
        ),
        layout={
            "template": template(look.name), "height": 300, "shapes": marks,
            "xaxis": {"title": {"text": _("step t")}}, "yaxis": {"title": {"text": _("unit")}},
        },
    )  # fmt: skip


def gate_name(name: str, architecture: str) -> str:
    """Return a gate or state as it is written in legends: its word, and PyTorch's letter for it."""
    names = {
        "input": _("input gate i"), "forget": _("forget gate f"),
        "candidate": _("candidate n") if architecture == "gru" else _("candidate g"),
        "output": _("output gate o"), "reset": _("reset gate r"), "update": _("update gate z"),
        "cell": _("cell state c"), "hidden": _("hidden state h"),
    }  # fmt: skip
    return names[name]


def _forget_product(forget: NDArray[np.float64], log10_last: float) -> NDArray[np.float64]:
    with np.errstate(divide="ignore"):
        log10 = np.log10(forget)
    return log10_last + np.append(np.cumsum(log10[::-1])[::-1], 0.0)


def _gate(
    name: str, values: NDArray[np.float64], architecture: str, look: Theme, reads: tuple[str, ...]
) -> dict[str, Any]:
    dash = "dot" if name == "candidate" else "solid"
    text = {"text": list(reads), "hovertemplate": "%{y:.3f} · %{text}"} if reads else {"hovertemplate": "%{y:.3f}"}
    return {
        "type": "scatter", "mode": "lines", "x": np.arange(1, len(values) + 1), "y": values, "yaxis": "y",
        "name": gate_name(name, architecture), "line": {"color": look.gates[name], "width": 2, "dash": dash}, **text,
    }  # fmt: skip


def _state(name: str, values: NDArray[np.float64], look: Theme, architecture: str) -> dict[str, Any]:
    colour = look.text if name == "hidden" else look.networks[architecture]
    width = 1.6 if name == "hidden" else 2.6
    return {
        "type": "scatter", "mode": "lines", "x": np.arange(len(values)), "y": values, "yaxis": "y2",
        "name": gate_name(name, architecture), "line": {"color": colour, "width": width}, "hovertemplate": "%{y:.4g}",
    }  # fmt: skip


def _gradient(name: str, log10: NDArray[np.float64], look: Theme, architecture: str) -> dict[str, Any]:
    letter = "c" if architecture == "lstm" else "h"
    names = {"total": _("gradient dL/d{letter}").format(letter=letter), "path": _("by the cell state alone")}
    line = {"color": look.networks[architecture], "width": 2.4 if name == "total" else 1.6}
    shown = np.where(np.isfinite(log10), log10, np.nan)
    return {
        "type": "scatter", "mode": "lines", "x": np.arange(len(log10)), "y": shown,
        "yaxis": "y3", "name": names[name], "line": {**line, "dash": "solid" if name == "total" else "dot"},
        "customdata": split(log10).astype(np.float32),
        "hovertemplate": "%{customdata[0]:.2f}×10<sup>%{customdata[1]:d}</sup>",
    }  # fmt: skip


def _layout(
    trajectory: Trajectory,
    curves: Mapping[str, NDArray[np.float64]],
    step: int,
    last: int,
    unit: int | None,
    look: Theme,
) -> dict[str, Any]:
    every = np.concatenate(list(curves.values()))
    finite = every[np.isfinite(every)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (-3.0, 0.0)
    low = min(low, high - 3.0)
    pad = 0.06 * (high - low)
    letter = "c" if trajectory.architecture == "lstm" else "h"
    norm = f"‖dL/d{letter}<sub>t</sub>‖" if unit is None else f"|dL/d{letter}<sub>t</sub>|"
    titles = {"y": _("gates"), "y2": _("states"), "y3": norm}
    axes: dict[str, dict[str, Any]] = {
        f"yaxis{key[1:]}": {"domain": list(domain), "title": {"text": titles[key]}} for key, domain in _DOMAINS.items()
    }
    axes["yaxis"] |= {"range": [-1.05, 1.05] if trajectory.gates is not None else [0, 1]}
    axes["yaxis3"] |= {"range": [low - pad, high + pad], **log_ticks(low - pad, high + pad, most=5)}
    if trajectory.gates is None:  # the plain RNN has none: its state and its gradient share the room
        axes["yaxis"] |= {"domain": [0.99, 1.0], "visible": False}
        axes["yaxis2"]["domain"] = [0.55, 1.0]
        axes["yaxis3"]["domain"] = [0.0, 0.47]
    return {
        "template": template(look.name), "height": 560, "hovermode": "x",
        "margin": {"l": 78, "r": 16, "t": 16, "b": 50}, "legend": {"y": -0.12, "yanchor": "top"}, **axes,
        "xaxis": {
            "title": {"text": _("step t (the gradient travels from the loss, right, back to step 0, left)")},
            "anchor": "y3", "range": [-0.015 * last, 1.015 * last],
        },
        "shapes": [_line(step, look)],
    }  # fmt: skip


def _line(step: int, look: Theme) -> dict[str, Any]:
    return {"type": "line", "name": "cursor", "x0": step, "x1": step, "yref": "paper", "y0": 0, "y1": 1,
            "line": {"color": look.text, "width": 1.4}}  # fmt: skip
