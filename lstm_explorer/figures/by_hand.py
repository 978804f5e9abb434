"""One cell set by hand: its states, its gates beneath them, and the gradient that travels back."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go

from lstm_explorer.core.by_hand import Array, ByHand
from lstm_explorer.figures.axes import FlowAxes, log_ticks, values
from lstm_explorer.figures.curves import TheoryLine
from lstm_explorer.figures.formatting import scientific, split
from lstm_explorer.figures.theme import Theme, faded, template, theme_of
from lstm_explorer.locales import _

#: Where the panels stand, in shares of the plot: the states, one lane per gate, the gradient.
_STATES, _GRADIENT = (0.63, 1.0), (0.0, 0.33)
_LANES = {"forget": (0.54, 0.59), "input": (0.465, 0.515), "output": (0.39, 0.44)}
#: A stretch of constant gates shows its number where it is at least this share of the time axis.
_ROOM = 0.06
_GRADIENT_HOVER = "%{customdata[0]:.2f}×10<sup>%{customdata[1]:d}</sup>"


def plot_by_hand(run: ByHand, *, theme: str = "light") -> go.Figure:
    """Draw what a cell set by hand did, and the gradient that travels back through it.

    Args:
        run: What the cell did.
        theme: ``"light"`` or ``"dark"``.

    Returns:
        A figure with cell and hidden state above, a lane for each gate beneath, and log10 of dc_T/dc_t at the bottom
        with f to the power of k, of the last forget gate, drawn dashed over it. All share the time axis.

    Raises:
        ValueError: There is no such theme.

    Example:
        >>> from lstm_explorer.core.by_hand import Phase, run_by_hand
        >>> run = run_by_hand([Phase(until=9, input=0, forget=0.5, output=1, value=0)])
        >>> [trace.yaxis for trace in plot_by_hand(run).data]
        ['y', 'y', 'y2', 'y3', 'y4', 'y5', 'y5']
    """
    look = theme_of(theme)
    span = _gradient_span(run)
    return go.Figure(
        data=[*_states(run, look), *_lanes(run, look), _gradient(run, look), _theory(run, span, look)],
        layout={
            "template": template(look.name),
            "height": 460,
            "hovermode": "x unified",
            "hoversubplots": "axis",
            "legend": {"y": -0.14, "yanchor": "top"},
            "xaxis": _time_axis(run),
            "yaxis": _state_axis(run, look),
            **{f"yaxis{row + 2}": _lane_axis(name) for row, name in enumerate(_LANES)},
            "yaxis5": _gradient_axis(run, span),
            "shapes": _closed(run, look),
            "annotations": [*_lane_names(look), *_lane_numbers(run, look), *_closed_name(run, look)],
        },
    )


def _states(run: ByHand, look: Theme) -> list[go.Scatter]:
    steps = np.arange(run.steps + 1)
    lines = (
        (_("cell state c<sub>t</sub>"), run.cell, {"color": look.networks["lstm"], "width": 3.2}),
        (_("hidden state h<sub>t</sub>"), run.hidden, {"color": look.text, "width": 1.6}),
    )
    return [
        go.Scatter(
            x=steps, y=state, name=name, mode="lines", line=line, yaxis="y",
            text=[signed(number, 3) for number in state], hovertemplate="%{text}",
        )
        for name, state, line in lines
    ]  # fmt: skip


def _lanes(run: ByHand, look: Theme) -> list[go.Scatter]:
    """Return one strip per gate, filled up to its value; that of step t lies between steps t - 1 and t."""
    names = {"forget": _("forget gate f"), "input": _("input gate i"), "output": _("output gate o")}
    return [
        go.Scatter(
            x=np.arange(run.steps + 1), y=_from_step_zero(getattr(run, gate)), yaxis=f"y{row + 2}", name=names[gate],
            mode="lines", line={"color": look.gates[gate], "width": 1.4, "shape": "vh"}, fill="tozeroy",
            fillcolor=faded(look.gates[gate], 0.28), showlegend=False, text=_lane_hover(run, gate),
            hovertemplate="%{text}",
        )
        for row, gate in enumerate(_LANES)
    ]  # fmt: skip


def _from_step_zero(gate: Array) -> Array:
    """Return a gate with its first number twice: the strip begins at step 0."""
    return np.concatenate([gate[:1], gate])


def _lane_hover(run: ByHand, gate: str) -> list[str]:
    """Return the gate's number at every step; for the input gate also what it writes; a dash at step 0."""
    numbers = [f"{number:.3g}" for number in getattr(run, gate)]
    if gate == "input":
        writes = _("{gate}, writes i × g = {written}")
        pairs = zip(numbers, run.written, strict=True)
        numbers = [writes.format(gate=number, written=signed(written, 3)) for number, written in pairs]
    return ["–", *numbers]


def _gradient(run: ByHand, look: Theme) -> go.Scatter:
    alone = np.isfinite(run.log10_gradient).sum() == 1  # one point is no line
    return go.Scatter(
        x=np.arange(run.steps + 1),
        y=values(run.log10_gradient, FlowAxes()),
        yaxis="y5",
        name=_("gradient dc<sub>T</sub>/dc<sub>t</sub>"),
        mode="markers" if alone else "lines",
        line={"color": look.networks["lstm"], "width": 2.6},
        connectgaps=False,
        showlegend=False,
        customdata=split(run.log10_gradient).astype(np.float32),
        hovertemplate=_GRADIENT_HOVER,
    )


def _theory(run: ByHand, span: tuple[float, float], look: Theme) -> dict[str, Any]:
    forget = run.forget[-1]
    line = TheoryLine(
        name=_("theory, fᵏ with the last f = {forget:.4g}").format(forget=forget),
        log10_rate=float(np.log10(forget)) if forget else -np.inf,
        about=("lstm", "cell_path"),
    )
    return {**line.trace(run.steps, span, FlowAxes(), look), "yaxis": "y5"}


def _gradient_span(run: ByHand) -> tuple[float, float]:
    """Return the range of log10 that shows every finite number, never less than three decades; 1 is the most."""
    low = min(float(run.log10_gradient[np.isfinite(run.log10_gradient)].min()), -3.0)
    return 1.08 * low, -0.08 * low


def _time_axis(run: ByHand) -> dict[str, Any]:
    pad = max(0.015 * run.steps, 0.1)
    return {
        "title": {"text": _("step t (◀ gradient)")},
        "range": [-pad, run.steps + pad],
        "anchor": "y5",
        "dtick": 1 if run.steps < 10 else None,
        "unifiedhovertitle": {"text": _("step %{x}")},
    }


def _state_axis(run: ByHand, look: Theme) -> dict[str, Any]:
    numbers = np.concatenate([run.cell, run.hidden])
    low, high = min(float(numbers.min()), 0.0), max(float(numbers.max()), 1.0)
    pad = 0.08 * (high - low)
    return {
        "title": {"text": _("state c<sub>t</sub>, h<sub>t</sub>")},
        "domain": _STATES,
        "range": [low - pad, high + pad],
        "nticks": 6,
        "zeroline": True,
        "zerolinecolor": look.muted,
        "zerolinewidth": 1,
    }


def _lane_axis(gate: str) -> dict[str, Any]:
    return {
        "domain": _LANES[gate], "range": [0, 1.04], "showticklabels": False, "showgrid": False, "ticks": "",
        "fixedrange": True, "zeroline": False,
    }  # fmt: skip


def _gradient_axis(run: ByHand, span: tuple[float, float]) -> dict[str, Any]:
    title = _("gradient dc<sub>{last}</sub>/dc<sub>t</sub>").format(last=run.steps)
    return {"title": {"text": title}, "domain": _GRADIENT, "range": span, **log_ticks(span[0], 0.0, most=4)}


def _lane_names(look: Theme) -> list[dict[str, Any]]:
    names = {"forget": _("forget f"), "input": _("input i"), "output": _("output o")}
    return [
        {
            "text": names[gate], "x": 0, "xref": "paper", "xanchor": "right", "xshift": -6, "y": (low + high) / 2,
            "yref": "paper", "yanchor": "middle", "showarrow": False,
            "font": {"size": 12, "color": look.gates[gate]},
        }
        for gate, (low, high) in _LANES.items()
    ]  # fmt: skip


def _lane_numbers(run: ByHand, look: Theme) -> list[dict[str, Any]]:
    """Write each gate's number into its lane, in the middle of every stretch that has room for it."""
    return [
        {
            "text": f"{value:.3g}", "x": (first - 1 + last) / 2, "xref": "x", "y": (low + high) / 2, "yref": "paper",
            "yanchor": "middle", "showarrow": False, "font": {"size": 11, "color": look.text},
        }
        for gate, (low, high) in _LANES.items()
        for first, last, value in _stretches(getattr(run, gate))
        if last - first + 1 >= _ROOM * run.steps
    ]  # fmt: skip


def _stretches(gate: Array) -> list[tuple[int, int, float]]:
    """Return first step, last step and number of every stretch over which a gate stays as it is."""
    starts = np.flatnonzero(np.diff(gate, prepend=np.nan) != 0)
    ends = [*starts[1:], len(gate)]
    return [(int(start) + 1, int(end), float(gate[start])) for start, end in zip(starts, ends, strict=True)]


def last_closed(run: ByHand) -> int:
    """Return the step whose closed forget gate the gradient meets first, on its way back; 0 if there is none."""
    closed = np.flatnonzero(run.forget == 0)
    return int(closed[-1]) + 1 if closed.size else 0


def _closed(run: ByHand, look: Theme) -> list[dict[str, Any]]:
    """Shade the steps that no gradient reaches."""
    step = last_closed(run)
    if not step:
        return []
    return [
        {
            "type": "rect", "xref": "x", "x0": -0.5, "x1": step - 0.5, "yref": "paper", "y0": _GRADIENT[0],
            "y1": _GRADIENT[1], "fillcolor": faded(look.muted, 0.14), "line": {"width": 0}, "layer": "below",
        }
    ]  # fmt: skip


def _closed_name(run: ByHand, look: Theme) -> list[dict[str, Any]]:
    """Name the shaded steps, away from the curve; with a ground of its own, so that no grid line runs through it."""
    step = last_closed(run)
    if not step:
        return []
    low = bool(run.log10_gradient[step] < sum(_gradient_span(run)) / 2)
    return [
        {
            "text": _("exactly 0 before step {step} (f = 0)").format(step=step), "xref": "paper", "x": 0.01,
            "xanchor": "left", "yref": "paper", "y": _GRADIENT[1] - 0.01 if low else _GRADIENT[0] + 0.01,
            "yanchor": "top" if low else "bottom", "showarrow": False, "bgcolor": look.background, "borderpad": 1,
            "font": {"size": 12, "color": look.muted},
        }
    ]  # fmt: skip


def signed(number: float, digits: int = 2) -> str:
    """Return a number in scientific notation where it is small or large, with its sign.

    Example:
        >>> signed(-0.5), signed(0.0), signed(-2.5e-9)
        ('−0.5', '0', '−2.5×10⁻⁹')
    """
    with np.errstate(divide="ignore"):
        text = scientific(float(np.log10(abs(number))), digits)
    return f"−{text}" if number < 0 else text
