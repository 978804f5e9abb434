"""By which paths the gradient travels through an LSTM, and the factor that each step multiplies it by."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from torch import Tensor

from lstm_explorer.core.biases.norms import median_of_runs, relative_to_last
from lstm_explorer.core.gradients.paths import GATES, PathFlows
from lstm_explorer.core.kinds import checks_kinds
from lstm_explorer.figures.lines import Line, plot_lines
from lstm_explorer.figures.names import gate_name
from lstm_explorer.figures.theme import Theme, theme_of
from lstm_explorer.locales import _

Through = Literal["only", "without", "split"]

#: Lower limit of the axis, log10.
_LOWEST = -40.0


@checks_kinds
def plot_paths(flows: PathFlows, *, through: Through = "only", theme: str = "light") -> go.Figure:
    """Draw the gradient by each path, or the terms whose sum each step is.

    Args:
        flows: From :func:`lstm_explorer.path_flows`.
        through: ``"only"``: by the cell and one gate. ``"without"``: by everything but one gate. ``"split"``: the
            shares of dL/dc_t that come along the cell and through each gate of the next step; they sum to 1.
        theme: ``"light"`` or ``"dark"``.

    Raises:
        TypeError: An argument is of another kind.
        ValueError: There is no such theme.
    """
    look = theme_of(theme)
    x_title = _("steps back from the loss")
    if through == "split":
        return plot_lines(
            _shares(flows, look), x_title=x_title, y_title=_("share of dL/dc at this step"), theme=theme, log=False
        )
    names = {"only": _("cell and {gate} only"), "without": _("all but {gate}")}
    lines = [
        _norms(names[through].format(gate=gate_name(gate, "lstm")), norms, look.gates[gate], dash="dash", width=2.0)
        for gate, norms in (flows.only if through == "only" else flows.without).items()
    ]
    lines += [
        _norms(_("cell path alone"), flows.cell_alone, look.networks["lstm"], dash="dot", width=2.8),
        _norms(_("total"), flows.total, look.networks["lstm"], width=3.2),
    ]
    return plot_lines(lines, x_title=x_title, y_title=_("surviving share"), theme=theme, lowest=_LOWEST)


@checks_kinds
def plot_rates(flows: PathFlows, *, gate: float | None = None, theme: str = "light") -> go.Figure:
    """Draw the factor by which every step back multiplies the norm of dL/dc.

    Args:
        flows: From :func:`lstm_explorer.path_flows`.
        gate: The sigmoid of the forget bias, drawn as a horizontal line; None where units differ in it.
        theme: ``"light"`` or ``"dark"``.

    Raises:
        TypeError: An argument is of another kind.
        ValueError: There is no such theme.
    """
    look = theme_of(theme)
    lag = np.arange(1, flows.total.shape[1])
    lines = [
        Line(name=_("σ(b), the forget gate's bias alone"), x=lag, y=np.full(len(lag), gate), colour=look.theory,
             dash="dash", width=1.6)
    ] if gate is not None else []  # fmt: skip
    lines += [
        Line(name=_("cell path alone"), x=lag, y=factors(flows.cell_alone), colour=look.networks["lstm"], dash="dot"),
        Line(name=_("total"), x=lag, y=factors(flows.total), colour=look.networks["lstm"], width=3.2),
    ]
    return plot_lines(
        lines, x_title=_("steps back from the loss"), y_title=_("factor of one step"), theme=theme, log=False
    )


def by_lag(norms: Tensor) -> NDArray[np.float64]:
    """Return log10 of the surviving share by lag, the median over replicas and samples."""
    return median_of_runs(relative_to_last(norms).movedim(1, 0).flatten(1))[::-1]


def factors(norms: Tensor) -> NDArray[np.float64]:
    """Return the factor of each step back, from the first; NaN where the gradient is zero."""
    log10 = by_lag(norms)
    with np.errstate(invalid="ignore"):
        factor: NDArray[np.float64] = 10.0 ** np.clip(log10[1:] - log10[:-1], -300, 300)
    return factor


def crossover_lag(flows: PathFlows) -> int | None:
    """Return the first lag at which over twice as much arrives as by the cell alone; None where there is none."""
    with np.errstate(invalid="ignore"):
        more = by_lag(flows.total) - by_lag(flows.cell_alone) > math.log10(2.0)
    return int(np.argmax(more)) if more.any() else None


def largest_gate(flows: PathFlows) -> str:
    """Return the gate whose cut lowers the gradient at step 0 most."""
    left = {gate: by_lag(norms)[-1] for gate, norms in flows.without.items()}
    return min(GATES, key=left.__getitem__)


def shares(flows: PathFlows) -> dict[str, NDArray[np.float64]]:
    """Return each term's share of dL/dc_t by lag, from 1: the mean over replicas and samples, so that they sum to 1."""
    table = {name: term.double().flatten(2).movedim(1, 0).flatten(1).numpy() for name, term in flows.split.items()}
    with np.errstate(invalid="ignore"):
        return {name: np.nanmean(term, axis=1)[::-1][1:] for name, term in table.items()}


def _shares(flows: PathFlows, look: Theme) -> list[Line]:
    lag = np.arange(1, flows.total.shape[1])
    colours = {"cell": look.networks["lstm"], "loss": look.muted, **look.gates}
    names = {
        "cell": _("along the cell"),
        "loss": _("from the loss at that step"),
        **{gate: _("by h through the {gate}").format(gate=gate_name(gate, "lstm")) for gate in GATES},
    }
    return [
        Line(name=names[name], x=lag, y=share, colour=colours[name], width=3.2 if name == "cell" else 2.0)
        for name, share in shares(flows).items()
        if name != "loss" or np.abs(share).max() > 1e-9
    ]


def _norms(name: str, norms: Tensor, colour: str, *, dash: str = "solid", width: float) -> Line:
    log10 = by_lag(norms)
    return Line(name=name, x=np.arange(len(log10)), y=log10, colour=colour, dash=dash, width=width)
