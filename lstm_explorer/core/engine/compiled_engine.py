"""One layer forwards and backwards by compiled functions: PyTorch's own three networks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from lstm_explorer.core.architectures import Architecture, Network, Parameters
from lstm_explorer.core.engine.adjoint_types import Adjoint, Recorded, UpstreamSteps, Weights
from lstm_explorer.core.engine.compiled_networks import Compiled
from lstm_explorer.core.engine.generic_engine import GenericEngine
from lstm_explorer.core.engine.layers import Backward, LayerStates, Request, check_finite, window_of
from lstm_explorer.core.engine.scaled import Array, Integers, Scaled, common_exponent, shifted


@dataclass(frozen=True)
class CompiledEngine:
    """The engine of a network that has compiled functions; see :class:`lstm_explorer.core.engine.engines.Engine`."""

    network: Network
    record: Architecture
    compiled: Compiled

    def forward(self, weights: Parameters, inputs: Tensor, initial: tuple[Tensor, ...]) -> LayerStates:
        """Take the hidden states from PyTorch's kernel; gates from one matrix product, then the cells."""
        hidden = torch.cat([initial[0], self.compiled.fused(self.network, weights, inputs, initial)])
        check_finite(hidden)
        return self.compiled.known(weights, inputs, hidden, initial)

    def forward_with_biases(self, weights: Parameters, inputs: Tensor) -> LayerStates:
        """Make what the inputs give once for all biases; every sample of every bias is one of the compiled pass."""
        if self.compiled.biased is None:
            return GenericEngine(self.network, self.record).forward_with_biases(weights, inputs)
        samples, size = inputs.shape[-2], weights.weight_hh.shape[-1]
        flat = inputs.flatten(1, 2) if inputs.ndim == 4 else inputs
        of_samples = weights._replace(bias_ih=weights.bias_ih.repeat_interleave(samples, dim=0))
        layer = self.compiled.biased(of_samples, flat)
        check_finite(layer.hidden)
        lead = (len(weights.bias_ih), samples, size)
        return LayerStates(
            hidden=layer.hidden.unflatten(1, lead[:2]),
            cell=None if layer.cell is None else layer.cell.reshape(-1, *lead),
            gates=None if layer.gates is None else layer.gates.reshape(*layer.gates.shape[:2], *lead),
        )

    def backward(self, weights: Parameters, layer: LayerStates, requests: Sequence[Request]) -> list[Backward]:
        """Carry the gradients back; coefficients are made a window of steps at a time and take no memory for more."""
        lead: tuple[int, ...] = layer.hidden.shape[1:-1]
        stacked = weights.weight_hh.ndim == 3
        arranged = _arranged(layer, lead[-1] if stacked else math.prod(lead))
        runs = [_Run.prepared(weights, arranged, request) for request in requests]
        window = window_of(arranged.hidden[0].numel())
        for start in range(len(arranged.hidden) - 1, 0, -window):
            stop = max(0, start - window)
            steps = self.compiled.coefficients(self.network, weights, arranged, start, stop)
            for run in runs:
                self.compiled.recurrence(start, stop, steps, *run)
        lead = (len(weights.weight_hh), lead[-1]) if stacked else lead
        return [run.result([state.name for state in self.record.states], lead) for run in runs]


def _arranged(layer: LayerStates, batch: int) -> LayerStates:
    """Return a layer with its leading axes as two, ``(X, B)``: the replicas' and the samples'."""
    hidden, cell, gates = layer.hidden, layer.cell, layer.gates
    end = (-1, batch, hidden.shape[-1])
    return LayerStates(
        hidden=hidden.reshape(len(hidden), *end),
        cell=None if cell is None else cell.reshape(len(cell), *end),
        gates=None if gates is None else gates.reshape(*gates.shape[:2], *end),
    )


class _Run(NamedTuple):
    """What a recurrence takes, besides its coefficients, and fills."""

    weights: Weights
    upstream: UpstreamSteps
    adjoint: Adjoint
    recorded: Recorded

    @staticmethod
    def prepared(weights: Parameters, layer: LayerStates, request: Request) -> _Run:
        """Make room for the results, and start from the loss or the layer above."""
        upstream, wanted, cut = request
        steps, batch, size = len(layer.hidden) - 1, *layer.hidden.shape[-2:]
        replicas = len(weights.weight_hh) if weights.weight_hh.ndim == 3 else 1
        gated, features = weights.weight_ih.shape[-2:]
        states = 1 if layer.cell is None else 2
        recorded = Recorded(
            log10=np.empty((steps + 1, states, replicas, batch)),
            exponents=np.empty((steps + 1, replicas, batch), dtype=np.int64),
            states=np.empty((steps + 1 if "states" in wanted else 0, states, replicas, batch, size)),
            inputs=np.empty((steps if "inputs" in wanted else 0, replicas, batch, features)),
            preactivations=np.empty((steps if "preactivations" in wanted else 0, replicas, batch, gated)),
        )
        adjoint = Adjoint(
            hidden=np.zeros((replicas, batch, size)),
            cell=np.zeros((replicas, batch, 0 if layer.cell is None else size)),
            exponent=np.zeros((replicas, batch), dtype=np.int64),
        )
        if upstream.steps is None:
            adjoint.hidden[...] = upstream.final.mantissa.reshape(-1, batch, size)
            adjoint.exponent[...] = upstream.final.exponent.reshape(-1, batch)
        if upstream.cell is not None:
            adjoint.cell[...] = upstream.cell.mantissa.reshape(-1, batch, size)
            if upstream.steps is None:  # both share a power of two
                _bring_together(adjoint, upstream.cell.exponent.reshape(-1, batch))
            else:
                adjoint.exponent[...] = upstream.cell.exponent.reshape(-1, batch)
        if upstream.steps is None:
            added = UpstreamSteps(np.empty((0, 1, batch, size)), np.empty((0, 1, batch), dtype=np.int64))
        else:
            mantissa, exponent = upstream.steps
            end = (-1, batch)
            added = UpstreamSteps(mantissa.reshape(steps + 1, *end, size), exponent.reshape(steps + 1, *end))
        # To cut the hidden state is to have no recurrent weight; one feature stands for inputs that nobody asks for.
        hh = weights.weight_hh[..., :0] if cut else weights.weight_hh
        ih = weights.weight_ih if "inputs" in wanted else weights.weight_ih[..., :1]
        return _Run(Weights(_transposed(hh), _transposed(ih)), added, adjoint, recorded)

    def result(self, names: Sequence[str], lead: Sequence[int]) -> Backward:
        """Return what was recorded, with the leading axes of the layer."""
        recorded = self.recorded

        def unflat(array: Any) -> Any:
            """Return ``(T, R, B, ...)`` as ``(T, *lead, ...)``."""
            return array.reshape(len(array), *lead, *array.shape[3:])

        exponents = unflat(recorded.exponents)
        states = {}
        if len(recorded.states):
            states = {name: Scaled(unflat(recorded.states[:, k]), exponents) for k, name in enumerate(names)}
        return Backward(
            log10_states={name: unflat(recorded.log10[:, k]) for k, name in enumerate(names)},
            states=states,
            inputs=Scaled(unflat(recorded.inputs), exponents[1:]) if len(recorded.inputs) else None,
            preactivations=(
                Scaled(unflat(recorded.preactivations), exponents[1:]) if len(recorded.preactivations) else None
            ),
        )


def _bring_together(adjoint: Adjoint, of_cell: Integers) -> None:
    """Give the cell's gradient, which has powers of two of its own, and the hidden state's the larger ones of both."""
    hidden, cell = Scaled(adjoint.hidden, adjoint.exponent.copy()), Scaled(adjoint.cell, of_cell)
    common = common_exponent(hidden, cell)
    adjoint.hidden[...] = shifted(hidden.mantissa, hidden.exponent - common)
    adjoint.cell[...] = shifted(cell.mantissa, cell.exponent - common)
    adjoint.exponent[...] = common


def _transposed(weight: Tensor) -> Array:
    """Return ``(R, I, O)`` of a weight ``(O, I)``, or of a stack of them, in float64."""
    matrix = weight.numpy(force=True).swapaxes(-1, -2)
    return np.ascontiguousarray(matrix if matrix.ndim == 3 else matrix[None], dtype=np.float64)
