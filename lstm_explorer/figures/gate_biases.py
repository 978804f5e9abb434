"""The effective gate biases of a network, unit by unit, beside what the usual initialisations give."""

from __future__ import annotations

import math

import numpy as np
import plotly.graph_objects as go

from lstm_explorer.core.architectures import architecture_named
from lstm_explorer.core.diagnosis.weights import LayerWeights
from lstm_explorer.core.gate_theory import chrono_quantile
from lstm_explorer.core.kinds import checks_kinds
from lstm_explorer.figures.names import gate_name
from lstm_explorer.figures.theme import Theme, faded, template, theme_of
from lstm_explorer.locales import _

#: Height of a gate's row in its own units: the units lie in its middle, the initialisations beneath.
_SPREAD, _BENEATH = 0.22, 0.36


@checks_kinds
def plot_gate_biases(
    weights: LayerWeights, *, architecture: str, longest: int = 100, theme: str = "light"
) -> go.Figure:
    """Draw the effective bias of every unit of one layer, a row for each gate.

    Beneath each row stands what the usual initialisations give: PyTorch's range of the sum of two uniform draws, Keras'
    number, and the middle half of chrono initialisation for dependencies of some length.

    Args:
        weights: One layer, as :func:`lstm_explorer.core.diagnosis.weights.layer_weights` reads it.
        architecture: Name of its architecture.
        longest: The longest dependency for chrono initialisation.
        theme: ``"light"`` or ``"dark"``.

    Returns:
        A figure with one trace of points and one box for each gate, and the references.

    Raises:
        TypeError: An argument is of another kind.
        ValueError: There is no such architecture or theme.

    Example:
        >>> import torch
        >>> from lstm_explorer.core.diagnosis.weights import layer_weights
        >>> figure = plot_gate_biases(layer_weights(torch.nn.GRU(2, 8))[0], architecture="gru")
        >>> [trace.name for trace in figure.data if trace.type == "box"]
        ['candidate n', 'update gate z', 'reset gate r']
    """
    look, record = theme_of(theme), architecture_named(architecture)
    names = {name: gate_name(name, architecture) for name in weights.biases}
    figure = go.Figure(layout={"template": template(look.name), "height": 120 + 85 * len(names), "showlegend": True})
    size = len(next(iter(weights.biases.values())))
    for row, (name, bias) in enumerate(list(weights.biases.items())[::-1]):
        colour = look.gates.get(name, look.networks[architecture])
        values = bias.double().numpy()
        spread = np.random.default_rng(0).uniform(-_SPREAD, _SPREAD, len(values))
        figure.add_trace(
            go.Scatter(
                x=values, y=row + spread, mode="markers", name=names[name], showlegend=False,
                marker={"color": faded(colour, 0.55), "size": 5}, customdata=np.arange(len(values)),
                hovertemplate=_("unit %{customdata}: %{x:.3f}") + f"<extra>{names[name]}</extra>",
            )
        )  # fmt: skip
        figure.add_trace(
            go.Box(
                x=values, y0=row, name=names[name], boxpoints=False, width=0.5, line={"color": colour, "width": 1.6},
                fillcolor="rgba(0,0,0,0)", showlegend=False, hoverinfo="skip", orientation="h",
            )
        )  # fmt: skip
        gate = record.gate(name) if record.has_gate(name) else None
        chrono = 0 if gate is None else gate.chrono
        _references(figure, row, size, name == "forget", chrono, longest, look, legend=row == 0)
    figure.update_yaxes(
        tickvals=list(range(len(names))), ticktext=list(reversed(names.values())), range=[-0.6, len(names) - 0.4],
        zeroline=False, automargin=True,
    )  # fmt: skip
    figure.update_xaxes(title_text=_("effective bias, b_ih + b_hh"), zeroline=True, zerolinecolor=look.grid)
    figure.update_layout(legend={"orientation": "h", "y": -0.25, "yanchor": "top"}, boxmode="overlay")
    return figure


def _references(
    figure: go.Figure, row: int, size: int, forget: bool, chrono: int, longest: int, look: Theme, *, legend: bool
) -> None:
    """Draw what PyTorch, Keras and, where it sets this gate, chrono initialisation give."""
    reach, at = 2 / math.sqrt(size), row - _BENEATH
    grey = {"color": look.theory}
    figure.add_trace(
        go.Scatter(
            x=[-reach, reach], y=[at, at], mode="lines", line={**grey, "width": 4}, name=_("PyTorch's range"),
            showlegend=legend, legendgroup="pytorch", hovertemplate="%{x:.2f}",
        )
    )  # fmt: skip
    figure.add_trace(
        go.Scatter(
            x=[1.0 if forget else 0.0], y=[at], mode="markers", name="Keras", showlegend=legend, legendgroup="keras",
            marker={**grey, "symbol": "diamond", "size": 10}, hovertemplate="%{x:.2f}",
        )
    )  # fmt: skip
    if not chrono and not legend:
        return
    ends = chrono_quantile(max(longest, 3), [0.25, 0.75]) * chrono
    figure.add_trace(
        go.Scatter(
            x=ends if chrono else [None], y=[at - 0.1] * 2 if chrono else [None], mode="lines+markers",
            line={**grey, "width": 1.6, "dash": "dot"}, marker={"symbol": "line-ns-open", "size": 9, **grey},
            name=_("chrono, middle half, for {n} steps").format(n=longest), showlegend=legend, legendgroup="chrono",
            hovertemplate="%{x:.2f}",
        )
    )  # fmt: skip
