"""Every state and every gate of a recurrent network, for every step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lstm_explorer.core.architectures import Network, Parameters, architecture_of, network_parameters
from lstm_explorer.core.checks import InitialState, check_initial_state, check_inputs, check_network
from lstm_explorer.core.engine.engines import engine_of
from lstm_explorer.core.engine.layers import LayerStates
from lstm_explorer.core.kinds import checks_kinds


@dataclass(frozen=True, eq=False, kw_only=True)
class Trajectory:
    """States and gates of a network over a sequence; detached, on the CPU, in the network's dtype.

    Attributes:
        architecture: Name of its record, such as ``"lstm"``.
        hidden: ``(L, T + 1, B, H)``; step 0 is the initial state, step t is after input t.
        cell: ``(L, T + 1, B, H)``; None where there is no such state.
        gates: Named tuple of ``(L, T, B, H)``, as the record has it, :class:`lstm_explorer.LSTMGates` of the LSTM;
            index ``t - 1`` made step ``t``. None for the plain RNN.
    """

    architecture: str
    hidden: Tensor
    cell: Tensor | None
    gates: Any


@checks_kinds
def unroll(network: Network, inputs: Tensor, initial_state: InitialState = None) -> Trajectory:
    r"""Run a network over a sequence and hand out every state and every gate.

    The hidden states of PyTorch's networks are the fused network's own, layer by layer. Their gates follow from them in
    one matrix product, and :math:`c_t = f_t \odot c_{t-1} + i_t \odot g_t` from the gates.

    Args:
        network: ``nn.RNN``, ``nn.LSTM``, ``nn.GRU`` or one of the app's own; it is not modified.
        inputs: ``(T, B, input_size)``, or ``(B, T, input_size)`` if the network is ``batch_first``.
        initial_state: ``h_0``, or ``(h_0, c_0)`` for the LSTM, each ``(L, B, H)``; zeros by default.

    Returns:
        Every state and gate, time first.

    Raises:
        TypeError: The network or the inputs are of another kind.
        ValueError: Something is not supported, of the wrong shape, or not finite.

    Source:
        torch.nn.LSTM

    Example:
        >>> lstm = torch.nn.LSTM(input_size=3, hidden_size=4)
        >>> trajectory = unroll(lstm, torch.zeros(10, 2, 3))
        >>> trajectory.cell.shape, trajectory.gates.forget.shape
        (torch.Size([1, 11, 2, 4]), torch.Size([1, 10, 2, 4]))
    """
    parameters = check_network(network)
    layers = unroll_layers(network, check_inputs(network, inputs), initial_state, parameters)
    record, dtype = architecture_of(network), parameters[0].weight_hh.dtype
    cells = [layer.cell for layer in layers if layer.cell is not None]
    gates = [layer.gates for layer in layers if layer.gates is not None]
    return Trajectory(
        architecture=record.name,
        hidden=torch.stack([layer.hidden for layer in layers]).cpu(),
        cell=torch.from_numpy(np.stack(cells)).to(dtype) if cells else None,
        gates=record.gates_type(*torch.from_numpy(np.stack(gates, axis=1)).to(dtype)) if record.gates_type else None,
    )


@torch.no_grad()
def unroll_layers(
    network: Network, inputs: Tensor, initial_state: InitialState, parameters: list[Parameters] | None = None
) -> list[LayerStates]:
    """Return each layer's states; hidden states in the network's dtype, cells and gates in float64 on the CPU."""
    state = check_initial_state(network, initial_state, inputs.shape[1])
    engine, layers = engine_of(network), []
    for weights, initial in zip(parameters or network_parameters(network), state, strict=True):
        layers.append(engine.forward(weights, inputs, initial))
        inputs = layers[-1].hidden[1:]
    return layers
