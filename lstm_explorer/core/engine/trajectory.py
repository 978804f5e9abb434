"""Every state and every gate of a recurrent network, for every step."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from lstm_explorer.core.architectures import Network, Parameters, network_parameters
from lstm_explorer.core.architectures.gru import GRUGates
from lstm_explorer.core.architectures.lstm import LSTMGates
from lstm_explorer.core.checks import InitialState, check_initial_state, check_inputs, check_network
from lstm_explorer.core.engine import forward
from lstm_explorer.core.engine.scaled import Array
from lstm_explorer.core.errors import Explained
from lstm_explorer.locales import N_

Gates = LSTMGates | GRUGates

#: Steps worked on at once: so many that a step costs little, so few that their numbers stay in the processor's cache.
_STEPS, _NUMBERS = 128, 2**16


class LayerStates(NamedTuple):
    """One layer's states and gates; ``*lead`` is ``(B,)`` or ``(R, B)`` with replicas.

    Attributes:
        hidden: ``(T + 1, *lead, H)``, in the network's dtype and on its device.
        cell: ``(T + 1, *lead, H)``, None unless LSTM.
        gates: Each gate a block of its own, in PyTorch's order, ``(G, T, *lead, H)``; None for the plain RNN.
    """

    hidden: Tensor
    cell: Array | None
    gates: Array | None


@dataclass(frozen=True, eq=False, kw_only=True)
class Trajectory:
    """States and gates of a network over a sequence; detached, on the CPU, in the network's dtype.

    Attributes:
        architecture: ``"rnn"``, ``"lstm"`` or ``"gru"``.
        hidden: ``(L, T + 1, B, H)``; step 0 is the initial state, step t is after input t.
        cell: ``(L, T + 1, B, H)``, None unless LSTM.
        gates: Named tuple of ``(L, T, B, H)``; index ``t - 1`` made step ``t``. None for the plain RNN.
    """

    architecture: str
    hidden: Tensor
    cell: Tensor | None
    gates: Gates | None


def unroll(network: Network, inputs: Tensor, initial_state: InitialState = None) -> Trajectory:
    r"""Run a network over a sequence and hand out every state and every gate.

    The hidden states are the fused network's own, layer by layer. The gates of all steps follow from them in one matrix
    product, and :math:`c_t = f_t \odot c_{t-1} + i_t \odot g_t` from the gates.

    Args:
        network: ``nn.RNN``, ``nn.LSTM`` or ``nn.GRU``; it is not modified.
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
    dtype = parameters[0].weight_hh.dtype
    cells = [layer.cell for layer in layers if layer.cell is not None]
    gates = [layer.gates for layer in layers if layer.gates is not None]
    named = LSTMGates if cells else GRUGates
    return Trajectory(
        architecture=architecture_of(network),
        hidden=torch.stack([layer.hidden for layer in layers]).cpu(),
        cell=torch.from_numpy(np.stack(cells)).to(dtype) if cells else None,
        gates=named(*torch.from_numpy(np.stack(gates, axis=1)).to(dtype)) if gates else None,
    )


def architecture_of(network: Network) -> str:
    """Return ``"rnn"``, ``"lstm"`` or ``"gru"``."""
    return type(network).__name__.lower()


@torch.no_grad()
def unroll_layers(
    network: Network, inputs: Tensor, initial_state: InitialState, parameters: list[Parameters] | None = None
) -> list[LayerStates]:
    """Return each layer's states; hidden states in the network's dtype, cells and gates in float64 on the CPU."""
    state = check_initial_state(network, initial_state, inputs.shape[1])
    layers = []
    for weights, initial in zip(parameters or network_parameters(network), state, strict=False):
        output = _fused(network, weights, inputs, initial)
        hidden = torch.cat([initial[0], output])
        layers.append(gates_and_cells(network, weights, inputs, hidden, initial))
        inputs = output
    return layers


def gates_and_cells(
    network: Network, parameters: Parameters, inputs: Tensor, hidden: Tensor, initial: tuple[Tensor, ...]
) -> LayerStates:
    """Return a layer's states, given its hidden states: gates from one matrix product, then the cells."""
    check_finite(hidden)
    if isinstance(network, nn.RNN):
        return LayerStates(hidden, None, None)
    if isinstance(network, nn.GRU):
        return LayerStates(hidden, None, _gru_gates(parameters, inputs, hidden))
    return LayerStates(hidden, *_lstm_cells_and_gates(parameters, inputs, hidden, initial[1]))


def window_of(numbers: int) -> int:
    """Return how many steps to work on at once, given the numbers in the state of one."""
    return max(1, min(_STEPS, _NUMBERS // numbers))


def _gru_gates(parameters: Parameters, inputs: Tensor, hidden: Tensor) -> Array:
    """Return the gates ``(3, T, *lead, H)`` in float64, made a window at a time."""
    gates = np.empty((3, *inputs.shape[:-1], hidden.shape[-1]))
    flat = gates.reshape(3, len(inputs), -1, hidden.shape[-1])
    window = window_of(hidden[0].numel())
    for start in range(0, len(inputs), window):
        now = slice(start, start + window)
        from_input = affine(inputs[now], parameters.weight_ih, parameters.bias_ih)
        from_hidden = affine(hidden[:-1][now], parameters.weight_hh, parameters.bias_hh)
        forward.gru_gates(start, _samples(from_input), _samples(from_hidden), flat)
    return gates


def _lstm_cells_and_gates(
    parameters: Parameters, inputs: Tensor, hidden: Tensor, initial: Tensor
) -> tuple[Array, Array]:
    """Return the cells ``(T + 1, *lead, H)`` and the gates ``(4, T, *lead, H)`` in float64, made a window at a time."""
    weight = torch.cat([parameters.weight_ih, parameters.weight_hh], dim=-1)
    bias = parameters.bias_ih + parameters.bias_hh
    # NumPy's, not torch's: of a large array it asks the system for large pages, which halves the time to fill it.
    cells = np.empty(hidden.shape)
    cells[:1] = initial.numpy(force=True)
    gates = np.empty((4, *inputs.shape[:-1], hidden.shape[-1]))
    steps, size = len(inputs), hidden.shape[-1]
    flat_gates, flat_cells = gates.reshape(4, steps, -1, size), cells.reshape(steps + 1, -1, size)
    window = window_of(cells[0].size)
    for start in range(0, steps, window):
        stop = min(start + window, steps)
        preactivation = affine(torch.cat([inputs[start:stop], hidden[start:stop]], dim=-1), weight, bias)
        forward.lstm_gates_and_cells(start, _samples(preactivation), flat_gates, flat_cells)
    return cells, gates


def _samples(preactivation: Tensor) -> NDArray[Any]:
    """Return ``(T, *lead, G*H)`` as ``(T, N, G*H)``."""
    return preactivation.flatten(1, -2).numpy(force=True)


def check_finite(hidden: Tensor) -> None:
    """Say at which step a forward pass left the float range; tanh networks cannot, ReLU networks can."""
    if math.isfinite(hidden.sum().item()):
        return
    finite = torch.isfinite(hidden).flatten(1).all(1)
    if not finite.all():
        step = int((~finite).nonzero()[0])
        raise Explained(
            N_(
                "The hidden state left the range of {dtype} at step {step} of {last}: expected finite states. "
                "Lower the recurrent gain, shorten the sequence or use float64."
            ),
            {"dtype": str(hidden.dtype).removeprefix("torch."), "step": step, "last": len(hidden) - 1},
        )


def affine(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Return ``W x + b`` for ``x`` ``(T, B, I)`` and one layer, or ``(T, R, B, I)`` and a stack of R replicas."""
    if weight.ndim == 2:
        return nn.functional.linear(x, weight, bias)
    steps, replicas, batch, _ = x.shape
    flat = x.transpose(0, 1).reshape(replicas, steps * batch, -1)
    product = torch.baddbmm(bias[:, None], flat, weight.mT)
    return product.view(replicas, steps, batch, -1).transpose(0, 1)


def _fused(network: Network, parameters: Parameters, inputs: Tensor, initial: tuple[Tensor, ...]) -> Tensor:
    """Return one layer's outputs ``(T, B, H)`` from PyTorch's own fused kernel."""
    # weights, has_biases, num_layers, dropout, train, bidirectional, batch_first
    rest = (list(parameters), True, 1, 0.0, False, False, False)
    if isinstance(network, nn.LSTM):
        return torch.lstm(inputs, initial, *rest)[0]
    if isinstance(network, nn.GRU):
        return torch.gru(inputs, initial[0], *rest)[0]
    fused = torch.rnn_tanh if network.nonlinearity == "tanh" else torch.rnn_relu
    return fused(inputs, initial[0], *rest)[0]
