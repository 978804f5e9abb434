"""Every state and every gate of a recurrent network, for every step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor

from lstm_explorer.core.architectures import Network, Parameters, architecture_of, num_directions
from lstm_explorer.core.checks import Given, InitialState, Inputs, Lengths, check_given
from lstm_explorer.core.engine.directions import in_order_of, past_the_end, vectors_until_the_end
from lstm_explorer.core.engine.engines import engine_of
from lstm_explorer.core.engine.layers import LayerStates
from lstm_explorer.core.engine.scaled import Array
from lstm_explorer.core.kinds import checks_kinds
from lstm_explorer.core.networks.computing import check_same, check_same_gradient
from lstm_explorer.core.undisturbed import undisturbed


@dataclass(frozen=True, eq=False, kw_only=True)
class Trajectory:
    """States and gates of a network over a sequence; detached, on the CPU, in the network's dtype.

    ``L`` counts the layers, and of a bidirectional network each layer's directions, the forward one first, as PyTorch's
    ``h_n`` does. A direction's steps are in the order in which it reads: step 1 of the backward direction has read the
    last input. Past the end of a sample that is shorter than others, everything is NaN.

    Attributes:
        architecture: Name of its record, such as ``"lstm"``.
        hidden: ``(L, T + 1, B, H)``; step 0 is the initial state, step t is after input t. With projections
            ``(L, T + 1, B, proj_size)``.
        cell: ``(L, T + 1, B, H)``; None where there is no such state.
        gates: Named tuple of ``(L, T, B, H)``, as the record has it, :class:`lstm_explorer.LSTMGates` of the LSTM;
            index ``t - 1`` made step ``t``. None for the plain RNN.
    """

    architecture: str
    hidden: Tensor
    cell: Tensor | None
    gates: Any


@checks_kinds
@undisturbed
def unroll(
    network: Network, inputs: Inputs, initial_state: InitialState = None, *, lengths: Lengths = None
) -> Trajectory:
    r"""Run a network over a sequence and hand out every state and every gate.

    The hidden states of PyTorch's networks are the fused network's own, layer by layer. Their gates follow from them in
    one matrix product, and :math:`c_t = f_t \odot c_{t-1} + i_t \odot g_t` from the gates.

    Args:
        network: ``nn.RNN``, ``nn.LSTM``, ``nn.GRU`` or one of the app's own, also bidirectional or with projections; it
            is not modified.
        inputs: ``(T, B, input_size)``, or ``(B, T, input_size)`` if the network is ``batch_first``; ``(T, input_size)``
            of one sample; or packed.
        initial_state: ``h_0``, or ``(h_0, c_0)`` for the LSTM, each ``(L, B, H)``; zeros by default.
        lengths: Steps of each sample, ``(B,)``, where they differ; what comes after them is not read.

    Returns:
        Every state and gate, time first.

    Raises:
        TypeError: The network or the inputs are of another kind.
        ValueError: Something is not supported, of the wrong shape, or not finite; or the network computes something
            else than its weights say.

    Source:
        torch.nn.LSTM

    Example:
        >>> lstm = torch.nn.LSTM(input_size=3, hidden_size=4)
        >>> trajectory = unroll(lstm, torch.zeros(10, 2, 3))
        >>> trajectory.cell.shape, trajectory.gates.forget.shape
        (torch.Size([1, 11, 2, 4]), torch.Size([1, 10, 2, 4]))
    """
    given = check_given(network, inputs, initial_state, lengths)
    layers = unroll_given(given)
    record, dtype = architecture_of(network), given.inputs.dtype
    cells = [layer.cell for layer in layers if layer.cell is not None]
    gates = [layer.gates for layer in layers if layer.gates is not None]
    hidden = torch.stack([layer.hidden for layer in layers]).cpu()
    cell = torch.from_numpy(np.stack(cells)).to(dtype) if cells else None
    of_gates: Any = torch.from_numpy(np.stack(gates, axis=1)).to(dtype) if gates else ()
    if gates:
        of_gates = vectors_until_the_end(of_gates, given.lengths, first_step=1, value=torch.nan)
    return Trajectory(
        architecture=record.name,
        hidden=vectors_until_the_end(hidden, given.lengths, value=torch.nan),
        cell=None if cell is None else vectors_until_the_end(cell, given.lengths, value=torch.nan),
        gates=record.gates_type(*of_gates) if record.gates_type else None,
    )


def unroll_given(given: Given) -> list[LayerStates]:
    """Return the states of each layer and direction, and see that they are what the network itself computes.

    Raises:
        ValueError: The network computes something else than its weights say.
    """
    layers = unroll_layers(given.network, given.inputs, given.states, given.parameters, given.lengths, given.dropped)
    if given.own is not None:
        check_same(given.network, given.own, output_of(given.network, layers, given.lengths))
        whole = tuple(map(torch.cat, zip(*given.states, strict=True)))
        check_same_gradient(given.network, given.own, given.inputs, whole, given.lengths)
    return layers


@torch.no_grad()
def unroll_layers(
    network: Network,
    inputs: Tensor,
    states: Sequence[tuple[Tensor, ...]],
    parameters: Sequence[Parameters],
    lengths: Tensor | None = None,
    dropped: Sequence[Tensor] = (),
) -> list[LayerStates]:
    """Return the states of each layer and direction.

    Args:
        network: The network.
        inputs: ``(T, B, I)``.
        states: Initial states of each layer and direction, each ``(1, B, H)``.
        parameters: Weights of each layer and direction.
        lengths: Steps of each sample; past the end of one, an LSTM's cell is kept and its hidden state is 0.
        dropped: What multiplies the outputs of each layer but the last; empty if nothing does.

    Returns:
        Hidden states in the network's dtype, cells and gates in float64 on the CPU; a direction's steps in the order in
        which it reads.
    """
    engine, directions = engine_of(network), num_directions(network)
    layers: list[LayerStates] = []
    for index, (weights, initial) in enumerate(zip(parameters, states, strict=True)):
        direction = index % directions
        if index and direction == 0:
            inputs = output_of(network, layers, lengths)
            if dropped:
                mask = dropped[index // directions - 1]
                layers[-directions] = layers[-directions]._replace(dropped=mask)
                inputs = inputs * mask
        layer = engine.forward(weights, in_order_of(direction, inputs, lengths), initial)
        layers.append(layer if lengths is None else _held(layer, lengths))
    return layers


def output_of(network: Network, layers: Sequence[LayerStates], lengths: Tensor | None) -> Tensor:
    """Return what the last of these layers hands out, ``(T, B, D*H)``, in time, zero past the end of a sample."""
    last = layers[-num_directions(network) :]
    parts = [in_order_of(direction, layer.hidden[1:], lengths) for direction, layer in enumerate(last)]
    output = parts[0] if len(parts) == 1 else torch.cat(parts, dim=-1)
    if lengths is None:
        return output
    past = past_the_end(len(output), lengths, first_step=1)
    lead = (1,) * (output.ndim - 3)
    return output.masked_fill(past.view(len(past), *lead, -1, 1).to(output.device), 0.0)


def _held(layer: LayerStates, lengths: Tensor) -> LayerStates:
    """Keep an LSTM's cell as it is past the end of each sample, so that its gradient comes from there unchanged."""
    if layer.cell is None:
        return layer
    past = past_the_end(len(layer.cell) - 1, lengths, first_step=1).numpy()
    gates = cast(Array, layer.gates)
    gates[:, past] = np.array([0.0, 1.0, 0.0, 0.0])[:, None, None]  # input, forget, candidate, output
    return layer
