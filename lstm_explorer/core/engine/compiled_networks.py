"""PyTorch's own three networks: what the compiled engine needs to know about each of them."""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lstm_explorer.core.architectures import Network, Parameters
from lstm_explorer.core.engine import adjoints, forward
from lstm_explorer.core.engine.adjoint_types import GRUSteps, LSTMSteps
from lstm_explorer.core.engine.layers import LayerStates, affine, as_float64, window_of
from lstm_explorer.core.engine.scaled import Array

# weights, has_biases, num_layers, dropout, train, bidirectional, batch_first
_ONE_LAYER = (True, 1, 0.0, False, False, False)


class Compiled(NamedTuple):
    """One network's compiled functions; each of them is a twin of the ``step`` of its record.

    Attributes:
        fused: ``(network, weights, inputs, initial)`` -> one layer's outputs ``(T, B, H)``, by PyTorch's own kernel.
        known: ``(weights, inputs, hidden, initial)`` -> a layer's states and gates, given its hidden states.
        biased: ``(weights, inputs)`` -> a layer's states from zeros, where each of N samples has a ``bias_ih`` of its
            own, ``(N, G*H)``; the inputs ``(T, X, I)`` are of X samples, which the N take in turns. None where there is
            no gate to bias.
        coefficients: ``(network, weights, layer, start, stop)`` -> what the recurrence needs for the steps from
            ``start`` down to ``stop + 1``, all with the axis of the replicas.
        recurrence: The linear recurrence backwards.
    """

    fused: Callable[[Network, Parameters, Tensor, tuple[Tensor, ...]], Tensor]
    known: Callable[[Parameters, Tensor, Tensor, tuple[Tensor, ...]], LayerStates]
    biased: Callable[[Parameters, Tensor], LayerStates] | None
    coefficients: Callable[[Network, Parameters, LayerStates, int, int], Any]
    recurrence: Callable[..., None]


def _rnn_fused(network: Network, weights: Parameters, inputs: Tensor, initial: tuple[Tensor, ...]) -> Tensor:
    fused = torch.rnn_tanh if network.nonlinearity == "tanh" else torch.rnn_relu
    return fused(inputs, initial[0], weights.tensors, *_ONE_LAYER)[0]


def _rnn_known(weights: Parameters, inputs: Tensor, hidden: Tensor, initial: tuple[Tensor, ...]) -> LayerStates:
    return LayerStates(hidden, None, None)


def _rnn_slopes(network: Network, weights: Parameters, layer: LayerStates, start: int, stop: int) -> Array:
    """Return the derivative of the nonlinearity where it gave the hidden states."""
    after = as_float64(layer.hidden[stop + 1 : start + 1])
    return 1.0 - np.square(after) if network.nonlinearity == "tanh" else (after > 0).astype(np.float64)


def _gru_fused(network: Network, weights: Parameters, inputs: Tensor, initial: tuple[Tensor, ...]) -> Tensor:
    return torch.gru(inputs, initial[0], weights.tensors, *_ONE_LAYER)[0]


def _gru_known(weights: Parameters, inputs: Tensor, hidden: Tensor, initial: tuple[Tensor, ...]) -> LayerStates:
    """Make the gates ``(3, T, *lead, H)`` in float64, a window at a time."""
    gates = np.empty((3, *inputs.shape[:-1], hidden.shape[-1]))
    flat = gates.reshape(3, len(inputs), -1, hidden.shape[-1])
    window = window_of(hidden[0].numel())
    for start in range(0, len(inputs), window):
        now = slice(start, start + window)
        from_input = affine(inputs[now], weights.weight_ih, weights.bias_ih)
        from_hidden = affine(hidden[:-1][now], weights.weight_hh, weights.bias_hh)
        forward.gru_gates(start, _samples(from_input), _samples(from_hidden), flat)
    return LayerStates(hidden, None, gates)


def _gru_biased(weights: Parameters, inputs: Tensor) -> LayerStates:
    hidden, gates = _room(weights, inputs)
    products, biases = (inputs @ weights.weight_ih.mT).numpy(), weights.bias_ih.numpy()
    forward.gru_pass(products, biases, _by_column(weights), weights.bias_hh.numpy(), hidden.numpy(), gates)
    return LayerStates(hidden, None, gates)


def _gru_steps(network: Network, weights: Parameters, layer: LayerStates, start: int, stop: int) -> GRUSteps:
    candidate, before = slice(2 * network.hidden_size, None), layer.hidden[stop:start]
    recurrent = affine(before, weights.weight_hh[..., candidate, :], weights.bias_hh[..., candidate])
    return GRUSteps(cast(Array, layer.gates), as_float64(before), as_float64(recurrent))


def _lstm_fused(network: Network, weights: Parameters, inputs: Tensor, initial: tuple[Tensor, ...]) -> Tensor:
    return torch.lstm(inputs, initial, weights.tensors, *_ONE_LAYER)[0]


def _lstm_known(weights: Parameters, inputs: Tensor, hidden: Tensor, initial: tuple[Tensor, ...]) -> LayerStates:
    """Make the cells ``(T + 1, *lead, H)`` and the gates ``(4, T, *lead, H)`` in float64, a window at a time."""
    steps, size = len(inputs), weights.bias_ih.shape[-1] // 4
    weight = torch.cat([weights.weight_ih, weights.weight_hh], dim=-1)
    bias = weights.bias_ih + weights.bias_hh
    # NumPy's, not torch's: of a large array it asks the system for large pages, which halves the time to fill it.
    cells = np.empty((steps + 1, *inputs.shape[1:-1], size))
    cells[:1] = initial[1].numpy(force=True)
    gates = np.empty((4, *inputs.shape[:-1], size))
    flat_gates, flat_cells = gates.reshape(4, steps, -1, size), cells.reshape(steps + 1, -1, size)
    window = window_of(cells[0].size)
    for start in range(0, steps, window):
        stop = min(start + window, steps)
        preactivation = affine(torch.cat([inputs[start:stop], hidden[start:stop]], dim=-1), weight, bias)
        forward.lstm_gates_and_cells(start, _samples(preactivation), flat_gates, flat_cells)
    return LayerStates(hidden, cells, gates)


def _lstm_biased(weights: Parameters, inputs: Tensor) -> LayerStates:
    hidden, gates = _room(weights, inputs)
    cell = np.empty(hidden.shape)
    cell[0] = 0.0
    products, biases = (inputs @ weights.weight_ih.mT).numpy(), (weights.bias_ih + weights.bias_hh).numpy()
    forward.lstm_pass(products, biases, _by_column(weights), hidden.numpy(), gates, cell)
    return LayerStates(hidden, cell, gates)


def _lstm_steps(network: Network, weights: Parameters, layer: LayerStates, start: int, stop: int) -> LSTMSteps:
    gates, cell = cast(Array, layer.gates), cast(Array, layer.cell)
    return LSTMSteps(gates, cell, *slope_of_hidden(gates[3, stop:start], cell[stop + 1 : start + 1]))


def slope_of_hidden(output: Array, cell: Array) -> tuple[Array, Array]:
    r"""Return :math:`\partial h_t / \partial c_t = o_t (1 - \tanh^2 c_t)` and :math:`\tanh c_t` of an LSTM."""
    hidden_slope, tanh_cell = np.empty(cell.shape), np.empty(cell.shape)
    forward.slope_of_hidden(output.reshape(-1), cell.reshape(-1), hidden_slope.reshape(-1), tanh_cell.reshape(-1))
    return hidden_slope, tanh_cell


def _samples(preactivation: Tensor) -> NDArray[Any]:
    """Return ``(T, *lead, G*H)`` as ``(T, N, G*H)``."""
    return preactivation.flatten(1, -2).numpy(force=True)


def _room(weights: Parameters, inputs: Tensor) -> tuple[Tensor, Array]:
    """Return hidden states ``(T + 1, N, H)``, zero at the start, and gates ``(G, T, N, H)``, to be filled."""
    steps, samples, size = len(inputs), len(weights.bias_ih), weights.weight_hh.shape[-1]
    hidden = inputs.new_empty(steps + 1, samples, size)
    hidden[0] = 0.0
    return hidden, np.empty((weights.bias_ih.shape[1] // size, steps, samples, size))


def _by_column(weights: Parameters) -> NDArray[Any]:
    return weights.weight_hh.mT.contiguous().numpy()


#: Name of an architecture to its compiled functions; all others go through the generic engine.
COMPILED: Mapping[str, Compiled] = types.MappingProxyType(
    {
        "rnn": Compiled(_rnn_fused, _rnn_known, None, _rnn_slopes, adjoints.rnn),
        "lstm": Compiled(_lstm_fused, _lstm_known, _lstm_biased, _lstm_steps, adjoints.lstm),
        "gru": Compiled(_gru_fused, _gru_known, _gru_biased, _gru_steps, adjoints.gru),
    }
)
