"""One layer's backward pass: its recurrence, and what it leaves for the layer below."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any, Literal, NamedTuple, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from lstm_explorer.core.architectures import Network, Parameters
from lstm_explorer.core.engine import adjoints as recurrences
from lstm_explorer.core.engine import forward
from lstm_explorer.core.engine.adjoint_types import Carried, Entering, Found, GRUSteps, LSTMSteps, Weights
from lstm_explorer.core.engine.scaled import Array, Scaled
from lstm_explorer.core.engine.trajectory import LayerStates, affine, window_of

#: What a recurrence can find besides the norms of the states.
Kept = Literal["states", "inputs", "preactivations"]

#: Products with weights up to here may be made in float32.
_LARGE = 1e4


class Outside(NamedTuple):
    """Gradient that reaches a layer's hidden states from outside its own recurrence: from the loss or the layer above.

    ``final`` enters at the last step, ``(*lead, H)``; ``steps`` at every step, ``(T + 1, *lead, H)``, its last entry
    being ``final``, or None if nothing enters before the end.
    """

    final: Scaled
    steps: Scaled | None


class Backward(NamedTuple):
    """What one layer's recurrence finds; ``*lead`` is ``(B,)``, or ``(R, B)`` with replicas.

    Attributes:
        log10_states: log10 of the norms of the states' gradients, ``(T + 1, S, *lead)``.
        states: The states' gradients, ``(T + 1, S, *lead, H)``; None unless asked for.
        inputs: The inputs' gradient, ``(T, *lead, I)``, likewise.
        preactivations: The preactivations' gradient as the input meets them, ``(T, *lead, G*H)``, likewise.
    """

    log10_states: Array
    states: Scaled | None
    inputs: Scaled | None
    preactivations: Scaled | None


def backward(network: Network, weights: Parameters, layer: LayerStates, outside: Outside, *keep: Kept) -> Backward:
    """Run the recurrence of one layer from its last step to step 0.

    Args:
        network: Says which recurrence.
        weights: The layer's parameters, or a stack of R replicas' parameters.
        layer: The layer's states; with a stack of parameters, the replicas' own or, of an LSTM and without their axis,
            one for all.
        outside: What reaches the layer's hidden states, likewise.
        keep: What to find besides the norms of the states.

    Returns:
        What was found; the replicas have an axis where the parameters had one.
    """
    run = _Run.prepared(weights, layer, outside, keep)
    _carry(network, weights, layer, [run])
    return run.result(weights)


def total_and_cell_path(
    network: Network,
    weights: Parameters,
    layer: LayerStates,
    total: tuple[Outside, Collection[Kept]],
    alone: tuple[Outside, Collection[Kept]],
) -> tuple[Backward, Backward | None]:
    """Run the recurrence of one layer as it is and, of an LSTM, with the hidden state cut before the gates.

    ``total`` and ``alone`` are each what reaches the layer, and what to find besides the norms of the states.
    """
    runs = [_Run.prepared(weights, layer, *total)]
    if layer.cell is not None:
        runs.append(_Run.prepared(weights, layer, *alone, cut=True))
    _carry(network, weights, layer, runs)
    back, *by_cell = (run.result(weights) for run in runs)
    return back, by_cell[0] if by_cell else None


class _Run(NamedTuple):
    """One recurrence on its way."""

    weights: Weights
    entering: Entering
    carried: Carried
    found: Found

    @staticmethod
    def prepared(
        weights: Parameters, layer: LayerStates, outside: Outside, keep: Collection[Kept], *, cut: bool = False
    ) -> _Run:
        """Make room for what will be found, and start from the loss or the layer above."""
        steps, batch, size = len(layer.hidden) - 1, *layer.hidden.shape[-2:]
        replicas = len(weights.weight_hh) if weights.weight_hh.ndim == 3 else 1
        gated, features = weights.weight_ih.shape[-2:]
        lstm = layer.cell is not None
        found = Found(
            log10=np.empty((steps + 1, 1 + lstm, replicas, batch)),
            exponents=np.empty((steps + 1, replicas, batch), dtype=np.int64),
            states=np.empty((steps + 1 if "states" in keep else 0, 1 + lstm, replicas, batch, size)),
            inputs=np.empty((steps if "inputs" in keep else 0, replicas, batch, features)),
            deltas=np.empty((steps if "preactivations" in keep else 0, replicas, batch, gated)),
        )
        carried = Carried(
            hidden=np.zeros((replicas, batch, size)),
            along=np.zeros((replicas, batch, size if lstm else 0)),
            exponent=np.zeros((replicas, batch), dtype=np.int64),
        )
        if outside.steps is None:
            carried.hidden[...], carried.exponent[...] = outside.final
            entering = Entering(np.empty((0, 1, batch, size)), np.empty((0, 1, batch), dtype=np.int64))
        else:
            mantissa, exponent = outside.steps
            entering = Entering(_with_replicas(mantissa), exponent if exponent.ndim == 3 else exponent[:, None])
        # To cut the hidden state is to have no recurrent weight; one feature stands for inputs that nobody asks for.
        hh = weights.weight_hh[..., :0] if cut else weights.weight_hh
        ih = weights.weight_ih if "inputs" in keep else weights.weight_ih[..., :1]
        # Every element counts where they are kept, and one that cancels has fewer digits.
        exact = "states" in keep or "preactivations" in keep or _beyond_float32(hh) or _beyond_float32(ih)
        transposed = Weights(*(_transposed(one.double() if exact else one) for one in (hh, ih)))
        return _Run(transposed, entering, carried, found)

    def over(self, recurrence: Callable[..., bool], start: int, stop: int, steps: Any) -> _Run:
        """Take the steps of a window; return the run with its weights in float64 if float32 was not enough for them."""
        hidden, along, exponent = self.carried
        before = Carried(hidden.copy(), along.copy(), exponent.copy())
        if recurrence(start, stop, steps, *self):
            return self
        wide = self._replace(weights=Weights(*(one.astype(np.float64) for one in self.weights)), carried=before)
        recurrence(start, stop, steps, *wide)
        return wide

    def result(self, weights: Parameters) -> Backward:
        """Return what was found, with an axis for the replicas if the weights have one."""
        found, axis = self.found, slice(None) if weights.weight_hh.ndim == 3 else 0
        exponents = found.exponents[:, axis]
        return Backward(
            log10_states=found.log10[:, :, axis],
            states=Scaled(found.states[:, :, axis], exponents[:, None]) if len(found.states) else None,
            inputs=Scaled(found.inputs[:, axis], exponents[1:]) if len(found.inputs) else None,
            preactivations=Scaled(found.deltas[:, axis], exponents[1:]) if len(found.deltas) else None,
        )


def _carry(network: Network, weights: Parameters, layer: LayerStates, runs: list[_Run]) -> None:
    """Carry the gradient back; coefficients are made a window of steps at a time and take no memory for the rest."""
    hidden = _with_replicas(layer.hidden)
    window = window_of(hidden[0].numel())
    for start in range(len(hidden) - 1, 0, -window):
        stop = max(0, start - window)
        after, before = hidden[stop + 1 : start + 1], hidden[stop:start]
        if isinstance(network, nn.RNN):
            slope = _slope(network.nonlinearity, after)
            runs = [run.over(recurrences.rnn, start, stop, slope) for run in runs]
        elif layer.cell is None:
            candidate = slice(2 * network.hidden_size, None)
            recurrent = affine(before, weights.weight_hh[..., candidate, :], weights.bias_hh[..., candidate])
            gru = GRUSteps(_with_replicas(cast(Array, layer.gates), 5), as_float64(before), as_float64(recurrent))
            runs = [run.over(recurrences.gru, start, stop, gru) for run in runs]
        else:
            gates, cell = _with_replicas(cast(Array, layer.gates), 5), _with_replicas(layer.cell)
            lstm = LSTMSteps(gates, cell, *cell_exposed(gates[3, stop:start], cell[stop + 1 : start + 1]))
            runs = [run.over(recurrences.lstm, start, stop, lstm) for run in runs]


def _with_replicas(array: Any, axes: int = 4) -> Any:
    """Return an array or tensor ``(..., R, B, H)`` of so many axes; R is 1 where there was no axis for it."""
    return array if array.ndim == axes else array[..., None, :, :]


def _slope(nonlinearity: str, hidden: Tensor) -> Array:
    """Return the derivative of the nonlinearity where it gave these hidden states."""
    after = as_float64(hidden)
    return 1.0 - np.square(after) if nonlinearity == "tanh" else (after > 0).astype(np.float64)


def cell_exposed(output: Array, cell: Array) -> tuple[Array, Array]:
    r"""Return :math:`a_t = o_t (1 - \tanh^2 c_t)` and :math:`\tanh c_t`."""
    exposed, shown = np.empty(cell.shape), np.empty(cell.shape)
    forward.show(output.reshape(-1), cell.reshape(-1), exposed.reshape(-1), shown.reshape(-1))
    return exposed, shown


def as_float64(tensor: Tensor) -> Array:
    """Return a tensor as a new NumPy array in float64."""
    return tensor.numpy(force=True).astype(np.float64, order="C")


def _transposed(weight: Tensor) -> NDArray[Any]:
    """Return ``(R, I, O)`` of a weight ``(O, I)``, or of a stack of them."""
    matrix = weight.numpy(force=True).swapaxes(-1, -2)
    return np.ascontiguousarray(matrix if matrix.ndim == 3 else matrix[None])


def _beyond_float32(weight: Tensor) -> bool:
    """Say whether a weight is float64, or could bring back what is lost below float32's range."""
    return weight.dtype == torch.float64 or (weight.numel() > 0 and float(weight.abs().max()) > _LARGE)


def from_inputs(inputs: Scaled) -> Outside:
    """Return dL/dx_t of a layer as what reaches the hidden states of the layer below."""
    zeros = Scaled(np.zeros_like(inputs.mantissa[:1]), np.zeros_like(inputs.exponent[:1]))
    steps = Scaled(*(np.concatenate(pair) for pair in zip(zeros, inputs, strict=True)))
    return Outside(Scaled(inputs.mantissa[-1], inputs.exponent[-1]), steps)
