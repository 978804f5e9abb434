"""One cell set by hand: what it holds and puts out, its gates beneath, and the gradient that travels back."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from lstm_explorer.core.by_hand import CHALLENGES, Array, ByHand
from lstm_explorer.figures.formatting import scientific, split
from lstm_explorer.figures.gradient_flow import FlowAxes, TheoryLine, log_ticks, values
from lstm_explorer.figures.theme import Theme, faded, template, theme_of
from lstm_explorer.locales import _

#: Where the panels stand, in shares of the plot: the states, a lane a gate, the gradient.
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
            "annotations": [*_lane_names(look), *_lane_numbers(run, look)],
        },
    )


def by_hand_says(run: ByHand) -> str:
    """Say what the cell holds and puts out at the end, and how much of the gradient reaches step 0."""
    state = {"last": run.steps, "cell": _signed(run.cell[-1], 3), "hidden": _signed(run.hidden[-1], 3)}
    if np.isneginf(run.log10_gradient[0]):
        sentence = _(
            "At step {last} the cell holds {cell} and puts out {hidden}; none of its gradient reaches step 0: the "
            "forget gate of step {closed} is 0."
        )
        return sentence.format(closed=_last_closed(run), **state)
    sentence = _("At step {last} the cell holds {cell} and puts out {hidden}; of its gradient, {share} reaches step 0.")
    return sentence.format(share=_share(float(run.log10_gradient[0])), **state)


def by_hand_numbers(run: ByHand) -> pd.DataFrame:
    """Return every number of the figure as a tidy table, one row a step.

    Returns:
        Columns ``step, lag, cell, hidden, input, forget, output, value, log10_gradient, log10_gradient_hidden``.
        ``lag`` is steps back from the last one; there are no gates at step 0.
    """
    steps = np.arange(run.steps + 1)
    gates = {name: np.concatenate([[np.nan], getattr(run, name)]) for name in ("input", "forget", "output", "value")}
    return pd.DataFrame(
        {
            "step": steps,
            "lag": run.steps - steps,
            "cell": run.cell,
            "hidden": run.hidden,
            **gates,
            "log10_gradient": run.log10_gradient,
            "log10_gradient_hidden": run.gradient_hidden,
        }
    )


def challenge_title(code: str) -> str:
    """Return a challenge's name; a ``ValueError`` if there is none of that code, here and in the two below."""
    titles = {
        "hold": _("Hold"), "leak": _("Leak"), "erase": _("Erase"), "overwrite": _("Overwrite"), "hide": _("Hide"),
    }  # fmt: skip
    return titles[_known(code)]


def challenge_text(code: str) -> str:
    """Return what a challenge asks for."""
    texts = {
        "hold": _(
            "Write a 1 into the cell at step 1 (at least 0.9 of it), then nothing more. At step {last}, 90 % of it "
            "should still be there."
        ),
        "leak": _(
            "Write a 1 at step 1 (at least 0.9 of it), then let the cell forget it slowly, with nothing written: at "
            "step 11, 30 to 40 % of it should be left. The sequence has {last} steps."
        ),
        "erase": _(
            "Write a 1 at step 1 and keep at least 0.9 of it until step 50. Then erase it: from step 52 to step {last} "
            "the cell should hold at most 0.05, whatever its sign."
        ),
        "overwrite": _(
            "Hold a number between 0.8 and 1 from step 1 to step 50, and one between −1 and −0.8 from step 51 to step "
            "{last}."
        ),
        "hide": _(
            "Let the cell hold at least 0.9 from step 1 on, but put out nothing until step 99 (|h| at most 0.05). At "
            "step {last}, show it: h should be at least 0.6."
        ),
    }
    return texts[_known(code)].format(last=CHALLENGES[code].steps)


def challenge_hint(code: str) -> str:
    """Return what helps with a challenge."""
    hints = {
        "hold": _(
            "Two phases. In the first, one step long, the input gate is open; in the second it is closed, and the "
            "forget gate decides what is left: even f = 0.99 leaves only 37 % after 99 steps."
        ),
        "leak": _("After k steps fᵏ is left. Which f gives about 0.35 after 10 steps?"),
        "erase": _("Three phases: write, keep, erase. Which gate empties a cell in one step when it is 0?"),
        "overwrite": _(
            "To replace a number, forget and write in the same step: with f = 1, writing −1 onto a 1 gives 0."
        ),
        "hide": _(
            "The output gate decides what is shown, not what is held: closed until step 99, open in a phase of one "
            "step at the end."
        ),
    }
    return hints[_known(code)]


def _known(code: str) -> str:
    if code not in CHALLENGES:
        raise ValueError(f"challenge is {code!r}: expected one of {', '.join(map(repr, CHALLENGES))}.")
    return code


def _states(run: ByHand, look: Theme) -> list[go.Scatter]:
    steps = np.arange(run.steps + 1)
    lines = (
        (_("cell state c<sub>t</sub>"), run.cell, {"color": look.networks["lstm"], "width": 3.2}),
        (_("hidden state h<sub>t</sub>"), run.hidden, {"color": look.text, "width": 1.6}),
    )
    return [
        go.Scatter(
            x=steps, y=state, name=name, mode="lines", line=line, yaxis="y",
            text=[_signed(number, 3) for number in state], hovertemplate="%{text}",
        )
        for name, state, line in lines
    ]  # fmt: skip


def _lanes(run: ByHand, look: Theme) -> list[go.Scatter]:
    """Return a strip a gate, filled up to the gate: that of step t lies between steps t - 1 and t, where it acts."""
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
    """Return a gate with its first number twice: a strip of steps begins where the first step does, at 0."""
    return np.concatenate([gate[:1], gate])


def _lane_hover(run: ByHand, gate: str) -> list[str]:
    """Say the gate's number at every step, and of the input gate, which writes, also what it writes; none at step 0."""
    numbers = [f"{number:.3g}" for number in getattr(run, gate)]
    if gate == "input":
        writes = _("{gate}, writes i × g = {written}")
        pairs = zip(numbers, run.written, strict=True)
        numbers = [writes.format(gate=number, written=_signed(written, 3)) for number, written in pairs]
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
        "title": {"text": _("step t (the gradient travels from right to left)")},
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


def _last_closed(run: ByHand) -> int:
    """Return the step whose closed forget gate the gradient meets first, on its way back; 0 if there is none."""
    closed = np.flatnonzero(run.forget == 0)
    return int(closed[-1]) + 1 if closed.size else 0


def _closed(run: ByHand, look: Theme) -> list[dict[str, Any]]:
    """Shade the steps that no gradient reaches, and say which."""
    step = _last_closed(run)
    if not step:
        return []
    low = run.log10_gradient[step] < sum(_gradient_span(run)) / 2  # the curve, so the words go to the top
    text = _("exactly 0 before step {step} (f = 0)").format(step=step)
    position = "top left" if low else "bottom left"
    return [
        {
            "type": "rect", "xref": "x", "x0": -0.5, "x1": step - 0.5, "yref": "paper", "y0": _GRADIENT[0],
            "y1": _GRADIENT[1], "fillcolor": faded(look.muted, 0.14), "line": {"width": 0}, "layer": "below",
            "label": {"text": text, "textposition": position, "font": {"size": 11, "color": look.muted}},
        }
    ]  # fmt: skip


def _share(log10: float) -> str:
    """Return a share of at most 1, in percent where that is readable.

    Example:
        >>> _share(0.0), _share(-0.001), _share(-24.0)
        ('100%', '99.8%', '1.0×10⁻²⁴')
    """
    return f"{100 * 10.0**log10:.3g}%" if log10 > -4 else scientific(log10)


def _signed(number: float, digits: int = 2) -> str:
    """Return a number in scientific notation where it is small or large, with its sign.

    Example:
        >>> _signed(-0.5), _signed(0.0), _signed(-2.5e-9)
        ('−0.5', '0', '−2.5×10⁻⁹')
    """
    with np.errstate(divide="ignore"):
        text = scientific(float(np.log10(abs(number))), digits)
    return f"−{text}" if number < 0 else text
