r"""Forward in time: gates and cells where the hidden states are known, and whole passes over many biases at once.

Index legend: ``T`` steps; ``n`` steps of a window; ``N`` samples, of all replicas or biases; ``X`` samples of the
inputs, ``N`` of them or so many that the others take them in turns; ``H`` hidden units; ``G`` gate blocks. Hidden
states and preactivations have the network's dtype, gates and cells are float64.

Arrays come whole, and a window's first step beside them: of a slice that is cut from the middle of an array, the
compiler does not know that its numbers are neighbours, and takes them one at a time.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_explorer.core.engine.compiled import compiled, compiled_entry
from lstm_explorer.core.engine.nonlinearities import sigmoid, tanh, tanh_and_slope
from lstm_explorer.core.engine.products import add_product
from lstm_explorer.core.engine.scaled import Array


@compiled_entry
def lstm_gates_and_cells(start: int, preactivation: NDArray[Any], gates: Array, cell: Array) -> None:
    r"""Fill an LSTM's gates and cells over a window.

    .. math::
        i, f, o = \sigma(\cdot), \quad g = \tanh(\cdot), \quad c_t = f_t \odot c_{t-1} + i_t \odot g_t

    Args:
        start: Index of the window's first step in the gates.
        preactivation: :math:`W_{ih} x + b_{ih} + W_{hh} h + b_{hh}`, ``(n, N, 4*H)``.
        gates: Input, forget, candidate, output, ``(4, T, N, H)``.
        cell: ``(T + 1, N, H)``; entry ``start`` is there.
    """
    for t in range(start, start + len(preactivation)):
        _lstm_step(t, preactivation[t - start], gates, cell)


@compiled_entry
def gru_gates(start: int, from_input: NDArray[Any], from_hidden: NDArray[Any], gates: Array) -> None:
    r"""Fill a GRU's gates over a window.

    .. math::
        r, z = \sigma(\cdot), \quad n = \tanh(W_{in} x + b_{in} + r \odot (W_{hn} h + b_{hn}))

    Args:
        start: Index of the window's first step in the gates.
        from_input: :math:`W_{ih} x + b_{ih}`, ``(n, N, 3*H)``.
        from_hidden: :math:`W_{hh} h + b_{hh}`, likewise.
        gates: Reset, update, candidate, ``(3, T, N, H)``.
    """
    for t in range(start, start + len(from_input)):
        _gru_step(t, from_input[t - start], from_hidden[t - start], gates)


@compiled_entry
def lstm_pass(
    from_input: NDArray[Any], bias: NDArray[Any], weight: NDArray[Any], hidden: NDArray[Any], gates: Array, cell: Array
) -> None:
    r"""Run an LSTM for samples that differ in their biases: :math:`h_t = o_t \odot \tanh c_t`.

    Args:
        from_input: :math:`W_{ih} x + b_{ih} + b_{hh}`, ``(T, X, 4*H)``.
        bias: What is added to it for each sample, ``(N, 4*H)``.
        weight: :math:`W_{hh}` transposed, ``(H, 4*H)``.
        hidden: To be filled, ``(T + 1, N, H)``; entry 0 is the initial state.
        gates: To be filled, ``(4, T, N, H)``.
        cell: To be filled, ``(T + 1, N, H)``; entry 0 is the initial state.
    """
    preactivation = np.empty_like(bias)
    for t in range(len(from_input)):
        for b in range(len(bias)):
            for k in range(bias.shape[1]):
                preactivation[b, k] = from_input[t, b % from_input.shape[1], k] + bias[b, k]
        add_product(hidden[t], weight, preactivation)
        _lstm_step(t, preactivation, gates, cell)
        for b in range(len(bias)):
            for k in range(hidden.shape[2]):
                hidden[t + 1, b, k] = gates[3, t, b, k] * tanh(cell[t + 1, b, k])


@compiled_entry
def gru_pass(
    from_input: NDArray[Any],
    bias: NDArray[Any],
    weight: NDArray[Any],
    bias_hidden: NDArray[Any],
    hidden: NDArray[Any],
    gates: Array,
) -> None:
    r"""Run a GRU for samples that differ in their biases: :math:`h_t = (1 - z_t) \odot n_t + z_t \odot h_{t-1}`.

    Args:
        from_input: :math:`W_{ih} x + b_{ih}`, ``(T, X, 3*H)``.
        bias: What is added to it for each sample, ``(N, 3*H)``.
        weight: :math:`W_{hh}` transposed, ``(H, 3*H)``.
        bias_hidden: :math:`b_{hh}`, ``(3*H,)``.
        hidden: To be filled, ``(T + 1, N, H)``; entry 0 is the initial state.
        gates: To be filled, ``(3, T, N, H)``.
    """
    outer, inner = np.empty_like(bias), np.empty_like(bias)
    for t in range(len(from_input)):
        for b in range(len(bias)):
            for k in range(bias.shape[1]):
                outer[b, k] = from_input[t, b % from_input.shape[1], k] + bias[b, k]
                inner[b, k] = bias_hidden[k]
        add_product(hidden[t], weight, inner)
        _gru_step(t, outer, inner, gates)
        for b in range(len(bias)):
            for k in range(hidden.shape[2]):
                candidate, update = gates[2, t, b, k], gates[1, t, b, k]
                hidden[t + 1, b, k] = candidate + update * (hidden[t, b, k] - candidate)


@compiled_entry
def slope_of_hidden(output: Array, cell: Array, hidden_slope: Array, tanh_cell: Array) -> None:
    r"""Fill :math:`\partial h_t / \partial c_t = o_t (1 - \tanh^2 c_t)` and :math:`\tanh c_t`; arrays of one axis."""
    for k in range(cell.size):
        tanh_cell[k], slope = tanh_and_slope(cell[k])
        hidden_slope[k] = output[k] * slope


@compiled
def _lstm_step(t: int, preactivation: NDArray[Any], gates: Array, cell: Array) -> None:
    """Fill the gates and cells of a step from ``(N, 4*H)``; a loop each, and in float64, or they are not vectorised."""
    samples, size = cell.shape[1:]
    for b in range(samples):
        for k in range(size):
            gates[0, t, b, k] = sigmoid(np.float64(preactivation[b, k]))
        for k in range(size):
            gates[1, t, b, k] = sigmoid(np.float64(preactivation[b, size + k]))
        for k in range(size):
            gates[2, t, b, k] = tanh(np.float64(preactivation[b, 2 * size + k]))
        for k in range(size):
            gates[3, t, b, k] = sigmoid(np.float64(preactivation[b, 3 * size + k]))
        for k in range(size):
            cell[t + 1, b, k] = gates[1, t, b, k] * cell[t, b, k] + gates[0, t, b, k] * gates[2, t, b, k]


@compiled
def _gru_step(t: int, outer: NDArray[Any], inner: NDArray[Any], gates: Array) -> None:
    """Fill the gates of a step from what comes from the inputs and the hidden states, each ``(N, 3*H)``."""
    samples, size = gates.shape[2:]
    for b in range(samples):
        for k in range(size):
            gates[0, t, b, k] = sigmoid(np.float64(outer[b, k]) + inner[b, k])
        for k in range(size):
            gates[1, t, b, k] = sigmoid(np.float64(outer[b, size + k]) + inner[b, size + k])
        for k in range(size):
            recurrent = gates[0, t, b, k] * inner[b, 2 * size + k]
            gates[2, t, b, k] = tanh(outer[b, 2 * size + k] + recurrent)
