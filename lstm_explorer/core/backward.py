"""One layer's backward pass: its recurrence, its cell path, and what it leaves for the layer below."""

from __future__ import annotations

from typing import NamedTuple, cast

import numpy as np
import torch
from torch import Tensor, nn

from lstm_explorer.core.cells import Parameters, Recurrent
from lstm_explorer.core.recurrences import (
    CellPathRecurrence,
    GRURecurrence,
    LSTMRecurrence,
    RNNRecurrence,
    flat,
    times,
)
from lstm_explorer.core.scaled import Array, Scaled, add, log10_norm
from lstm_explorer.core.slopes import cell_exposed, lstm_slopes
from lstm_explorer.core.sweep import Outside, sweep
from lstm_explorer.core.trajectory import LayerStates, affine

#: Up to so many numbers in a state, a float32 product saves less than the conversions cost; of replicas, at any size.
_FEW = 128


class Backward(NamedTuple):
    """Gradients of one layer: of its states ``(T + 1, S, *lead, H)`` and of its inputs ``(T, *lead, I)``."""

    states: Scaled
    inputs: Scaled


def backward(network: Recurrent, weights: Parameters, layer: LayerStates, outside: Outside) -> Backward:
    """Run the recurrence of one layer."""
    return _backward(_recurrence(network, weights, layer), outside)


def backward_and_norms(
    network: Recurrent, weights: Parameters, layer: LayerStates, outside: Outside
) -> tuple[Backward, Array]:
    """Run the recurrence of one layer; return also log10 of the norms of its states, ``(T + 1, S, *lead)``."""
    recurrence = _recurrence(network, weights, layer)
    back = _backward(recurrence, outside)
    return back, log10_norm(back.states, recurrence.squares)


def _backward(recurrence: RNNRecurrence | GRURecurrence | LSTMRecurrence, outside: Outside) -> Backward:
    exponents = sweep(recurrence, outside)
    return Backward(Scaled(recurrence.states, exponents[:, None]), Scaled(recurrence.inputs, exponents[1:]))


def _recurrence(
    network: Recurrent, weights: Parameters, layer: LayerStates
) -> RNNRecurrence | GRURecurrence | LSTMRecurrence:
    matrices = as_float64(weights.weight_ih), as_float64(weights.weight_hh)
    if isinstance(network, nn.RNN):
        return RNNRecurrence(layer.hidden.numpy(force=True), network.nonlinearity, *matrices)
    gates = cast(Array, layer.gates)  # only the plain RNN has none
    if layer.cell is not None:
        one_matrix = weights.weight_hh.ndim == 2
        narrow = one_matrix and weights.weight_hh.dtype == torch.float32 and layer.cell[0].size > _FEW
        return LSTMRecurrence(gates, layer.cell, *matrices, narrow=narrow)
    before, last = layer.hidden[:-1], slice(2 * network.hidden_size, None)
    recurrent = affine(before, weights.weight_hh[..., last, :], weights.bias_hh[..., last]).numpy(force=True)
    return GRURecurrence(layer.hidden.numpy(force=True), gates, recurrent, *matrices)


def by_cell_alone(
    weights: Parameters, gates: Array, cell: Array, outside: Outside, *, lower: bool
) -> tuple[Array, Outside | None]:
    """Run the cell path of one LSTM layer.

    Args:
        weights: The layer's parameters.
        gates: The layer's gates, ``(4, T, *lead, H)``.
        cell: The layer's cell states, ``(T + 1, *lead, H)``.
        outside: What reaches the layer's hidden states from the loss or from the cell path of the layer above.
        lower: Whether a layer below wants its share.

    Returns:
        log10 of the norm of dL/dc_t by the cell alone, ``(T + 1, *lead)``, and what reaches the layer below (None
        unless asked for).
    """
    _, forget, _, output = gates
    exposed, _ = cell_exposed(output[-1], cell[-1])
    final, entering = Scaled(outside.final.mantissa * exposed, outside.final.exponent), None
    if outside.steps is not None:
        mantissa = np.zeros(cell.shape)
        np.multiply(outside.steps.mantissa[1:], cell_exposed(output, cell[1:])[0], out=mantissa[1:])
        entering = Scaled(mantissa, outside.steps.exponent)
    path = CellPathRecurrence(forget)
    along = Scaled(path.states[:, 0], sweep(path, Outside(final, entering)))
    norms = log10_norm(along, path.squares[:, 0])
    return norms, _reach_inputs(weights, gates, cell, along, outside) if lower else None


def _reach_inputs(weights: Parameters, gates: Array, cell: Array, along: Scaled, outside: Outside) -> Outside:
    """Return what reaches the layer below from the cell path (by i, f, g) and from the hidden states (by o)."""
    slopes = lstm_slopes(gates, cell, len(along.mantissa) - 1, 0)
    weight_ih, split = as_float64(weights.weight_ih), 3 * weights.weight_hh.shape[-1]
    by_cell = flat(along.mantissa[1:, ..., None, :] * slopes.rows[..., 1:4, :])
    by_output = _entering(outside, slopes.exposed.shape)
    below = add(
        Scaled(times(by_cell, weight_ih[..., :split, :]), along.exponent[1:]),
        Scaled(times(by_output.mantissa * slopes.rows[..., 4, :], weight_ih[..., split:, :]), by_output.exponent),
    )
    return from_inputs(below)


def as_float64(weight: Tensor) -> Array:
    """Return a tensor as a NumPy array in float64."""
    return weight.numpy(force=True).astype(np.float64)


def _entering(outside: Outside, shape: tuple[int, ...]) -> Scaled:
    """Return what enters at steps 1 to T as one array."""
    if outside.steps is not None:
        return Scaled(outside.steps.mantissa[1:], outside.steps.exponent[1:])
    only_last = Scaled(np.zeros(shape), np.zeros(shape[:-1], dtype=np.int64))
    only_last.mantissa[-1], only_last.exponent[-1] = outside.final
    return only_last


def from_inputs(inputs: Scaled) -> Outside:
    """Return dL/dx_t of a layer as what reaches the hidden states of the layer below."""
    zeros = Scaled(np.zeros_like(inputs.mantissa[:1]), np.zeros_like(inputs.exponent[:1]))
    steps = Scaled(*(np.concatenate(pair) for pair in zip(zeros, inputs, strict=True)))
    return Outside(Scaled(inputs.mantissa[-1], inputs.exponent[-1]), steps)
