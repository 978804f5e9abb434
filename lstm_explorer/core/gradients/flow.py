"""The gradient of a loss with respect to every state, at every step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, cast

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from lstm_explorer.core.architectures import Network, Parameters, architecture_of
from lstm_explorer.core.checks import InitialState, check_cotangent, check_inputs, check_network
from lstm_explorer.core.engine.engines import engine_of
from lstm_explorer.core.engine.layers import LayerStates, Quantity, Request, at_loss, from_inputs
from lstm_explorer.core.engine.scaled import Array, Scaled, log10_norm, log10_size
from lstm_explorer.core.engine.trajectory import unroll_layers
from lstm_explorer.core.kinds import checks_kinds

Loss = Literal["last", "every"]


@dataclass(frozen=True, eq=False, kw_only=True)
class GradientFlow:
    """Gradient norms of every step as log10, exact past the float range; detached, on the CPU, in the network's dtype.

    A gradient that is exactly zero is ``-inf``, and so is one more than 10^300 below its sample's largest at that step.
    With replicas (:func:`lstm_explorer.seed_flows`) every tensor has one more axis ``R`` in front.

    Attributes:
        architecture: A name of ``ARCHITECTURES``, such as ``"lstm"``.
        log10_hidden: log10 of the norm of the total derivative dL/dh_t, ``(L, T + 1, B)``.
        log10_cell: log10 of the norm of the total derivative dL/dc_t, ``(L, T + 1, B)``; None unless LSTM.
        log10_cell_path: The part of dL/dc_t that travels by the cell state alone, the hidden state being detached
            before the gates of the next step, ``(L, T + 1, B)``; None unless LSTM.
        log10_inputs: log10 of the norm of dL/dx_t, ``(T, B)``; index ``t - 1`` is input ``t``.
        log10_hidden_units: log10 of the size of every element of dL/dh_t, ``(L, T + 1, B, H)``; None unless asked for.
        log10_cell_units: The same of dL/dc_t; None unless asked for, and LSTM.
    """

    architecture: str
    log10_hidden: Tensor
    log10_cell: Tensor | None
    log10_cell_path: Tensor | None
    log10_inputs: Tensor
    log10_hidden_units: Tensor | None = None
    log10_cell_units: Tensor | None = None

    def to_frame(self) -> pd.DataFrame:
        """Return the norms as a tidy table, one row per number.

        Returns:
            Columns ``architecture, layer, quantity, step, lag, sample, log10_norm``, and ``replica`` in front of
            ``sample`` where there are replicas. ``lag`` is steps back from the last one.

        Example:
            >>> flow = gradient_flow(torch.nn.GRU(2, 3), torch.zeros(4, 1, 2))
            >>> flow.to_frame().groupby("quantity")["step"].max().to_dict()
            {'hidden': 4, 'inputs': 4}
        """
        replicated = self.log10_inputs.ndim == 3
        quantities = {"hidden": self.log10_hidden, "cell": self.log10_cell, "cell_path": self.log10_cell_path}
        frames = [_tidy(name, norms, replicated) for name, norms in quantities.items() if norms is not None]
        # The inputs belong to no layer's state: they are read by the first, from step 1 on.
        frames.append(_tidy("inputs", self.log10_inputs.unsqueeze(-3), replicated, first_step=1))
        frame = pd.concat(frames, ignore_index=True)
        frame.insert(0, "architecture", self.architecture)
        return frame


@checks_kinds
def gradient_flow(
    network: Network,
    inputs: Tensor,
    *,
    cotangent: Tensor | None = None,
    initial_state: InitialState = None,
    loss: Loss = "last",
    units: bool = False,
) -> GradientFlow:
    r"""Measure the gradient of a loss with respect to every state of a network, exactly.

    The loss is :math:`L = \langle v, h_T \rangle` of the last layer, or :math:`\sum_{t \ge 1} \langle v, h_t \rangle`.
    All derivatives are total, over every path from a state to the loss, except the cell path. Norms are Euclidean, per
    sample.

    Args:
        network: ``nn.RNN``, ``nn.LSTM`` or ``nn.GRU`` with any ``num_layers``, ``batch_first``, ``bias``; not modified.
        inputs: ``(T, B, input_size)``, or ``(B, T, input_size)`` if the network is ``batch_first``.
        cotangent: :math:`v`, ``(B, H)``; all ones by default. Or :math:`v_t = \partial L / \partial y_t` of any loss of
            the outputs :math:`y_t`, ``(T, B, H)``, or ``(B, T, H)`` if the network is ``batch_first``: then
            :math:`L = \sum_t \langle v_t, h_t \rangle`.
        initial_state: ``h_0``, or ``(h_0, c_0)`` for the LSTM, each ``(L, B, H)``; zeros by default.
        loss: ``"last"`` or ``"every"``.
        units: Also keep every element of dL/dh_t and, of an LSTM, dL/dc_t.

    Returns:
        The norms as log10, per layer, step and sample.

    Raises:
        TypeError: The network or the inputs are of another kind.
        ValueError: Something is not supported, of the wrong shape, or not finite.

    Source:
        torch.nn.LSTM; the recurrence is written out in :mod:`lstm_explorer.core.engine.adjoints`

    Example:
        With weights and inputs of zero the cell path is all there is, sigma(b_f) per step:

        >>> lstm = torch.nn.LSTM(1, 1).double()
        >>> for weight in lstm.parameters(): _ = torch.nn.init.zeros_(weight)
        >>> flow = gradient_flow(lstm, torch.zeros(100, 1, 1, dtype=torch.float64))
        >>> round(float(flow.log10_cell[0, 0, 0] - flow.log10_cell[0, 100, 0]), 6)
        -30.103
    """
    parameters = check_network(network)
    steps_first = check_inputs(network, inputs)
    seed = check_cotangent(network, cotangent, *steps_first.shape[:2])
    if seed.ndim == 3 and loss == "every":
        raise ValueError('loss is "every" with a cotangent of every step: expected one of the two; leave loss out.')
    layers = unroll_layers(network, steps_first, initial_state, parameters)
    return flow_of_layers(network, parameters, layers, seed, loss=loss, units=units)


def flow_of_layers(
    network: Network,
    parameters: list[Parameters],
    layers: list[LayerStates],
    cotangent: Tensor,
    *,
    loss: Loss,
    units: bool,
) -> GradientFlow:
    """Carry the gradient back through all layers, the last one first; lead axes ``(B,)`` or ``(R, B)``."""
    engine, backs, paths = engine_of(network), [], []
    total = alone = at_loss(layers[-1].hidden, cotangent, loss)
    for index in reversed(range(len(layers))):
        of_total: tuple[Quantity, ...] = ("inputs", "states") if units else ("inputs",)
        of_path: tuple[Quantity, ...] = ("inputs",) if index > 0 else ()
        paths_too = [Request(alone, of_path, cut=True)] if layers[index].cell is not None else []
        back, *by_cell = engine.backward(parameters[index], layers[index], [Request(total, of_total), *paths_too])
        backs.append(back)
        paths += [path.log10_states["cell"] for path in by_cell]
        if index > 0:
            total = from_inputs(cast(Scaled, back.inputs))
            alone = from_inputs(cast(Scaled, by_cell[0].inputs)) if by_cell else alone
    dtype = parameters[0].weight_hh.dtype

    def norms(name: str) -> Tensor | None:
        arrays = [back.log10_states[name] for back in backs if name in back.log10_states]
        return _tensor(_stacked(arrays), dtype) if arrays else None

    def sizes(name: str) -> Tensor | None:
        arrays = [log10_size(back.states[name]) for back in backs if name in back.states]
        return _tensor(_stacked(arrays), dtype) if arrays else None

    return GradientFlow(
        architecture=architecture_of(network).name,
        log10_hidden=cast(Tensor, norms("hidden")),
        log10_cell=norms("cell"),
        log10_cell_path=_tensor(_stacked(paths), dtype) if paths else None,
        log10_inputs=_tensor(log10_norm(cast(Scaled, backs[-1].inputs)), dtype),
        log10_hidden_units=sizes("hidden"),
        log10_cell_units=sizes("cell"),
    )


def _stacked(last_layer_first: list[Array]) -> Array:
    """Return ``(L, T + 1, ...)``, the first layer first."""
    return last_layer_first[0][None] if len(last_layer_first) == 1 else np.stack(last_layer_first[::-1])


def _tensor(array: Array, dtype: torch.dtype) -> Tensor:
    return torch.from_numpy(array.astype(np.float32) if dtype == torch.float32 else array)


def _tidy(quantity: str, norms: Tensor, replicated: bool, first_step: int = 0) -> pd.DataFrame:
    """Return ``(L, steps, B)`` or ``(R, L, steps, B)`` norms as rows."""
    array = norms.numpy() if replicated else norms.numpy()[None]
    replica, layer, step, sample = (index.ravel() for index in np.indices(array.shape))
    columns = {
        "layer": layer,
        "quantity": quantity,
        "step": step + first_step,
        "lag": array.shape[2] - 1 - step,
        **({"replica": replica} if replicated else {}),
        "sample": sample,
        "log10_norm": array.ravel(),
    }
    return pd.DataFrame(columns)
