"""The gradient of the recurrent weights beside that of the states: the first hides how the second vanishes."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from lstm_explorer.core.biases.norms import median_of_runs
from lstm_explorer.core.gradients.weights import StepContributions, WeightGradients
from lstm_explorer.core.kinds import checks_kinds
from lstm_explorer.figures.lines import Line, plot_lines
from lstm_explorer.figures.names import gate_name
from lstm_explorer.figures.theme import Theme, theme_of
from lstm_explorer.locales import _

#: Lower limit of the axis, log10.
_LOWEST = -40.0


@checks_kinds
def plot_weight_gradients(measured: WeightGradients, *, theme: str = "light") -> go.Figure:
    """Draw |dL/dW_hh| of every gate and |dL/dh_0| over the sequence length.

    Args:
        measured: From :func:`lstm_explorer.weight_gradients`.
        theme: ``"light"`` or ``"dark"``.

    Raises:
        TypeError: An argument is of another kind.
        ValueError: There is no such theme.
    """
    look, lengths = theme_of(theme), np.asarray(measured.lengths)
    lines = [
        Line(
            name=_("dL/dW_hh, {gate}").format(gate=gate_name(gate, measured.architecture)),
            x=np.log10(lengths),
            y=median_of_runs(measured.log10_weight_hh[:, :, at]),
            colour=_colour(gate, measured.architecture, look),
        )
        for at, gate in enumerate(measured.gates)
    ]
    states = median_of_runs(measured.log10_hidden.flatten(1))
    colour = look.networks[measured.architecture]
    lines.append(Line(name="dL/dh₀", x=np.log10(lengths), y=states, colour=colour, dash="dash", width=3.4))
    return plot_lines(
        lines, x_title=_("sequence length (steps)"), y_title=_("gradient norm"), theme=theme, lowest=_LOWEST,
        x_axis={"tickvals": np.log10(lengths).tolist(), "ticktext": [f"{length}" for length in lengths.tolist()]},
    )  # fmt: skip


@checks_kinds
def plot_contributions(measured: StepContributions, *, theme: str = "light") -> go.Figure:
    """Draw what every step adds to the gradient of ``weight_hh``, gate by gate.

    Args:
        measured: From :func:`lstm_explorer.step_contributions`.
        theme: ``"light"`` or ``"dark"``.

    Raises:
        TypeError: An argument is of another kind.
        ValueError: There is no such theme.
    """
    look = theme_of(theme)
    norms = measured.log10_norm
    steps = np.arange(1, norms.shape[-1] + 1)
    lines = [
        Line(
            name=gate_name(gate, measured.architecture),
            x=steps,
            y=median_of_runs(norms[:, at].T),
            colour=_colour(gate, measured.architecture, look),
        )
        for at, gate in enumerate(measured.gates)
    ]
    return plot_lines(
        lines, x_title=_("step t"), y_title=_("what the step adds to dL/dW_hh"), theme=theme, lowest=_LOWEST
    )


def _colour(gate: str, architecture: str, look: Theme) -> str:
    return look.gates.get(gate, look.networks[architecture])
