"""Eigenvalues in the complex plane: of the recurrent weights as rings, of the steps' Jacobians as a cloud of points."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from lstm_explorer.core.architectures import architecture_named
from lstm_explorer.core.jacobians.eigenvalues import Eigenvalues
from lstm_explorer.core.kinds import checks_kinds
from lstm_explorer.figures.names import gate_name, network_name
from lstm_explorer.figures.theme import Theme, blended, faded, template, theme_of
from lstm_explorer.locales import _

#: Points of a circle, and most points of the cloud: more only cover each other.
_CIRCLE, _CLOUD = 181, 6000


@checks_kinds
def plot_eigenvalues(found: Eigenvalues, *, sample: int = 0, theme: str = "light") -> go.Figure:
    """Draw the eigenvalues of the recurrent weights and of the steps' Jacobians around the unit circle.

    Args:
        found: As :func:`lstm_explorer.jacobian_eigenvalues` returns them; of a bidirectional network the forward
            direction is drawn.
        sample: Which sample.
        theme: ``"light"`` or ``"dark"``.

    Returns:
        A figure with a trace of rings for each gate, one of points for the steps, whose colour is the step, and the
        unit circle; for a plain RNN also the circle of the largest singular value.

    Raises:
        TypeError: An argument is of another kind.
        ValueError: There is no such sample or theme.

    Example:
        >>> import lstm_explorer as lx, torch
        >>> rnn = torch.nn.RNN(2, 4)
        >>> _ = torch.nn.init.eye_(rnn.weight_hh_l0)
        >>> found = lx.jacobian_eigenvalues(rnn, torch.randn(20, 1, 2))
        >>> [trace.name for trace in plot_eigenvalues(found).data][:2]
        ['unit circle', 'largest singular value 1.00']
    """
    look = theme_of(theme)
    one = 0 if found.directions == 2 else ...
    cloud, weights = found.jacobians[one].numpy(), {gate: v[one].numpy() for gate, v in found.weight_hh.items()}
    if not 0 <= sample < cloud.shape[1]:
        raise ValueError(f"sample is {sample}: expected 0 to {cloud.shape[1] - 1}, the samples of these eigenvalues.")
    radii = [1.0, *(float(np.abs(values).max()) for values in (*weights.values(), cloud[:, sample]))]
    traces = [_circle(1.0, _("unit circle"), look.text, 1.6, "solid")]
    if not architecture_named(found.architecture).gates:
        largest = float(found.largest_singular_values["hidden"][one])
        name = _("largest singular value {value}").format(value=f"{largest:.2f}")
        traces.append(_circle(largest, name, look.theory, 1.4, "longdashdot"))
        radii.append(largest)
    traces.append(_points(found, cloud[:, sample], look))
    traces += [_rings(found.architecture, gate, values, look) for gate, values in weights.items()]
    reach = 1.08 * max(radii)
    axis = {"range": [-reach, reach], "zeroline": True, "zerolinecolor": look.grid, "constrain": "domain"}
    return go.Figure(
        data=traces,
        layout={
            "template": template(look.name), "height": 560, "hovermode": "closest",
            "legend": {"y": -0.13, "yanchor": "top"}, "margin": {"l": 64, "r": 16, "t": 26, "b": 48},
            "xaxis": {"title": {"text": _("real part")}, **axis},
            "yaxis": {"title": {"text": _("imaginary part")}, "scaleanchor": "x", **axis},
        },
    )  # fmt: skip


def _circle(radius: float, name: str, colour: str, width: float, dash: str) -> dict[str, Any]:
    angle = np.linspace(0, 2 * np.pi, _CIRCLE)
    return {
        "type": "scatter", "x": radius * np.cos(angle), "y": radius * np.sin(angle), "mode": "lines", "name": name,
        "hoverinfo": "skip", "line": {"color": colour, "width": width, "dash": dash},
    }  # fmt: skip


def _points(found: Eigenvalues, cloud: NDArray[np.complex128], look: Theme) -> dict[str, Any]:
    """Return the eigenvalues of the steps, coloured from the first step to the last."""
    colour = look.networks[found.architecture]
    stride = -(-cloud.size // _CLOUD)  # whole steps, so that no eigenvalue loses its conjugate
    shown, steps = cloud[::-1][::stride][::-1], np.asarray(found.steps)[::-1][::stride][::-1]
    of_step = np.repeat(steps, cloud.shape[1])
    return {
        "type": "scatter", "x": shown.real.ravel(), "y": shown.imag.ravel(), "mode": "markers",
        "name": _("every step’s Jacobian ({network})").format(network=network_name(found.architecture)),
        "customdata": of_step, "hovertemplate": _("step %{customdata}") + ": %{x:.2f} + %{y:.2f}i<extra></extra>",
        "marker": {
            "size": 4.5, "color": of_step, "cmin": int(found.steps[0]), "cmax": int(max(found.steps[-1], 2)),
            "colorscale": [[0.0, faded(blended(colour, look.background, 0.45), 0.5)], [1.0, faded(colour, 0.9)]],
            "colorbar": {"title": {"text": _("step"), "side": "right"}, "thickness": 10, "len": 0.6, "x": 1.01},
        },
    }  # fmt: skip


def _rings(architecture: str, gate: str, values: NDArray[np.complex128], look: Theme) -> dict[str, Any]:
    """Return the eigenvalues of one gate's recurrent weights, in its colour; those of the plain RNN in the text's."""
    gated = bool(architecture_named(architecture).gates)
    name = _("weight_hh, {gate}").format(gate=gate_name(gate, architecture)) if gated else "weight_hh"
    return {
        "type": "scatter", "x": values.real, "y": values.imag, "mode": "markers", "name": name,
        "hovertemplate": "%{x:.2f} + %{y:.2f}i",
        "marker": {
            "symbol": "circle-open", "size": 9, "color": look.gates[gate] if gated else look.text,
            "line": {"width": 1.8},
        },
    }  # fmt: skip
