"""Inside the cell, over time: gates, states and the gradient on one axis, and every unit as a heat map."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from torch import Tensor

from lstm_explorer.core.architectures import Architecture, architecture_named
from lstm_explorer.core.engine.trajectory import Trajectory
from lstm_explorer.core.gradients.result import GradientFlow
from lstm_explorer.figures.axes import evenly_spaced, log_ticks
from lstm_explorer.figures.formatting import split
from lstm_explorer.figures.names import gate_name, parts
from lstm_explorer.figures.theme import Theme, template, theme_of
from lstm_explorer.locales import _

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
        what travels by the cell state alone; of one unit there is no such norm.

    Raises:
        ValueError: A unit is asked for, and the flow was measured without its units.
    """
    remembers = architecture_named(flow.architecture).memory
    norms, units = getattr(flow, f"log10_{remembers}"), getattr(flow, f"log10_{remembers}_units")
    path = {} if flow.log10_cell_path is None else {"path": flow.log10_cell_path}
    chosen = {"total": norms if unit is None else units, **path}
    curves = {}
    for name, tensor in chosen.items():
        if tensor is None:
            raise ValueError("the flow has no units: expected one measured with units=True.")
        first = tensor[0] if flow.log10_inputs.ndim == 3 else tensor
        values = first[layer, :, 0].double().numpy()
        curves[name] = values if values.ndim == 1 else values[:, unit]
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
        step: The step of the cursor, 1 to T.
        layer: Which layer.
        unit: Which unit, from 0; None for the mean of gates and states, and the norm of gradients.
        reads: What is read at each step, for hovering; empty, or one label per step from step 1 on.
        theme: ``"light"`` or ``"dark"``.

    Raises:
        ValueError: A unit is asked for and the flow was measured without its units, or there is no such theme.
    """
    look = theme_of(theme)
    values = along_time(trajectory, layer=layer, unit=unit)
    curves = gradient_along_time(flow, layer=layer, unit=unit)
    record, last = architecture_named(trajectory.architecture), len(values["hidden"]) - 1
    if unit is not None and flow.log10_cell_path is not None and record.memory_gate:
        curves["path"] = _product_of_gates(values[record.memory_gate.name], curves["total"][-1])
    gates = {gate.name for gate in record.gates}
    traces = [
        _gate(name, values[name], record, look, reads) if name in gates else _state(name, values[name], look, record)
        for name in parts(record.name)
    ]
    traces += [_gradient(name, curve, look, record) for name, curve in curves.items()]
    figure = go.Figure(data=traces, layout=_layout(trajectory, curves, step, last, unit, look))
    return figure


def plot_gate_heatmap(
    trajectory: Trajectory, name: str, *, step: int, layer: int = -1, unit: int | None = None, theme: str = "light"
) -> go.Figure:
    """Draw one gate or state of every unit over time, for the first sample.

    Args:
        trajectory: From :func:`lstm_explorer.unroll`.
        name: A gate in PyTorch's words, ``"cell"`` or ``"hidden"``.
        step: The step of the cursor.
        layer: Which layer.
        unit: The unit to mark, from 0; None for none.
        theme: ``"light"`` or ``"dark"``.

    Raises:
        ValueError: The architecture has no such gate or state, or there is no such theme.
    """
    look = theme_of(theme)
    record = architecture_named(trajectory.architecture)
    array = part_of(trajectory, name)[layer, :, 0].double().numpy().T
    gate = next((gate for gate in record.gates if gate.name == name), None)
    first = 1 if gate else 0
    steps = evenly_spaced(np.arange(first, first + array.shape[1]), _MOST_COLUMNS)
    signed = gate is None or gate.function != "sigmoid"
    bound = max(1.0, float(np.abs(array).max()))
    colour = look.gates.get(name, look.networks[trajectory.architecture])
    scale = [[0.0, look.negative], [0.5, look.background], [1.0, colour]] if signed else [
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


def part_of(trajectory: Trajectory, name: str) -> Tensor:
    """Return a gate ``(L, T, B, H)`` or a state ``(L, T + 1, B, H)`` by its name.

    Raises:
        ValueError: The architecture has no such gate or state.
    """
    gates = trajectory.gates._asdict() if trajectory.gates is not None else {}
    states = {"hidden": trajectory.hidden, "cell": trajectory.cell}
    known = {**gates, **{state: tensor for state, tensor in states.items() if tensor is not None}}
    if name not in known:
        raise ValueError(
            f"name is {name!r}: expected one of {', '.join(known)}, what the {trajectory.architecture} has."
        )
    return known[name]


def _product_of_gates(gate: NDArray[np.float64], log10_last: float) -> NDArray[np.float64]:
    with np.errstate(divide="ignore"):
        log10 = np.log10(gate)
    return log10_last + np.append(np.cumsum(log10[::-1])[::-1], 0.0)


def _gate(
    name: str, values: NDArray[np.float64], record: Architecture, look: Theme, reads: tuple[str, ...]
) -> dict[str, Any]:
    dash = "solid" if record.gate(name).function == "sigmoid" else "dot"
    text = {"text": list(reads), "hovertemplate": "%{y:.3f} · %{text}"} if reads else {"hovertemplate": "%{y:.3f}"}
    return {
        "type": "scatter", "mode": "lines", "x": np.arange(1, len(values) + 1), "y": values, "yaxis": "y",
        "name": gate_name(name, record.name), **text,
        "line": {"color": look.gates.get(name, look.text), "width": 2, "dash": dash},
    }  # fmt: skip


def _state(name: str, values: NDArray[np.float64], look: Theme, record: Architecture) -> dict[str, Any]:
    colour = look.text if name == "hidden" else look.networks[record.name]
    width = 1.6 if name == "hidden" else 2.6
    return {
        "type": "scatter", "mode": "lines", "x": np.arange(len(values)), "y": values, "yaxis": "y2",
        "name": gate_name(name, record.name), "line": {"color": colour, "width": width}, "hovertemplate": "%{y:.4g}",
    }  # fmt: skip


def _gradient(name: str, log10: NDArray[np.float64], look: Theme, record: Architecture) -> dict[str, Any]:
    names = {
        "total": _("gradient dL/d{letter}").format(letter=_letter(record)),
        "path": _("by the cell state alone"),
    }
    line = {"color": look.networks[record.name], "width": 2.4 if name == "total" else 1.6}
    shown = np.where(np.isfinite(log10), log10, np.nan)
    return {
        "type": "scatter", "mode": "lines", "x": np.arange(len(log10)), "y": shown,
        "yaxis": "y3", "name": names[name], "line": {**line, "dash": "solid" if name == "total" else "dot"},
        "customdata": split(log10).astype(np.float32),
        "hovertemplate": "%{customdata[0]:.2f}×10<sup>%{customdata[1]:d}</sup>",
    }  # fmt: skip


def _letter(record: Architecture) -> str:
    """Return the letter of the state that remembers."""
    return next(state.letter for state in record.states if state.name == record.memory)


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
    letter = _letter(architecture_named(trajectory.architecture))
    norm = f"‖dL/d{letter}<sub>t</sub>‖" if unit is None else f"|dL/d{letter}<sub>t</sub>|"
    titles = {"y": _("gates"), "y2": _("states"), "y3": norm}
    axes: dict[str, dict[str, Any]] = {
        f"yaxis{key[1:]}": {"domain": list(domain), "title": {"text": titles[key]}} for key, domain in _DOMAINS.items()
    }
    axes["yaxis"] |= {"range": [-1.05, 1.05] if trajectory.gates is not None else [0, 1]}
    axes["yaxis3"] |= {"range": [low - pad, high + pad], **log_ticks(low - pad, high + pad, most=5)}
    if trajectory.gates is None:  # without gates, states and gradient share the height
        axes["yaxis"] |= {"domain": [0.99, 1.0], "visible": False}
        axes["yaxis2"]["domain"] = [0.55, 1.0]
        axes["yaxis3"]["domain"] = [0.0, 0.47]
    return {
        "template": template(look.name), "height": 560, "hovermode": "x",
        "margin": {"l": 78, "r": 16, "t": 16, "b": 50}, "legend": {"y": -0.12, "yanchor": "top"}, **axes,
        "xaxis": {
            "title": {"text": _("step t (◀ gradient)")},
            "anchor": "y3", "range": [-0.015 * last, 1.015 * last],
        },
        "shapes": [_line(step, look)],
    }  # fmt: skip


def _line(step: int, look: Theme) -> dict[str, Any]:
    return {"type": "line", "name": "cursor", "x0": step, "x1": step, "yref": "paper", "y0": 0, "y1": 1,
            "line": {"color": look.text, "width": 1.4}}  # fmt: skip
