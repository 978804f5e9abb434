r"""An LSTM with projections: its hidden state :math:`h_t = W_{hr}\,(o_t \odot \tanh c_t)` is smaller than its cell.

What is projected, :math:`o_t \odot \tanh c_t`, is the hidden state of a plain LSTM with :math:`W_{hh} W_{hr}` as its
recurrent weight. So the plain LSTM's engine does the work, and the projected state's gradient follows from it:

.. math:: \frac{dL}{dh_t} = v_t + W_{hh}^T \delta_{t+1}

with :math:`v_t` what the loss or the layer above puts on :math:`h_t`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor

from lstm_explorer.core.architectures import Network, Parameters
from lstm_explorer.core.engine.compiled_engine import CompiledEngine
from lstm_explorer.core.engine.layers import Backward, LayerStates, Request, Upstream, as_float64
from lstm_explorer.core.engine.scaled import Array, Scaled, add, log10_norm


@dataclass(frozen=True)
class ProjectedEngine:
    """The engine of an LSTM with projections; see :class:`lstm_explorer.core.engine.engines.Engine`."""

    network: Network
    plain: CompiledEngine

    def forward(self, weights: Parameters, inputs: Tensor, initial: tuple[Tensor, ...]) -> LayerStates:
        """Take the projected hidden states from PyTorch's kernel; cells and gates follow from them."""
        return self.plain.forward(weights, inputs, initial)

    def forward_with_biases(self, weights: Parameters, inputs: Tensor) -> LayerStates:
        """Run the plain LSTM for all biases, and project its hidden states."""
        layer = self.plain.forward_with_biases(_unprojected(weights), inputs)
        return layer._replace(hidden=layer.hidden @ cast(Tensor, weights.weight_hr).mT)

    def backward(self, weights: Parameters, layer: LayerStates, requests: Sequence[Request]) -> list[Backward]:
        """Carry the gradients back through the plain LSTM, and make those of the projected states."""
        exact = weights.map(torch.Tensor.double)
        of_plain = [
            Request(_unprojected_upstream(request.upstream, exact), {*request.wanted, "preactivations"}, request.cut)
            for request in requests
        ]
        backs = self.plain.backward(_unprojected(exact), _unprojected_states(layer), of_plain)
        return [_projected(back, request, exact) for back, request in zip(backs, requests, strict=True)]


def unprojected(
    engine: Any, weights: Parameters, layer: LayerStates, upstream: Upstream
) -> tuple[CompiledEngine, Parameters, LayerStates, Upstream]:
    """Return the plain LSTM of one layer: its engine, weights, states, and what reaches its hidden states."""
    exact = weights.map(torch.Tensor.double)
    return engine.plain, _unprojected(exact), _unprojected_states(layer), _unprojected_upstream(upstream, exact)


def _unprojected_states(layer: LayerStates) -> LayerStates:
    r"""Return the states with :math:`o_t \odot \tanh c_t` as the hidden one; at step 0, which nothing reads, c_0."""
    cell, gates = cast(Array, layer.cell), cast(Array, layer.gates)
    hidden = cell.copy()
    hidden[1:] = gates[3] * np.tanh(cell[1:])
    return layer._replace(hidden=torch.from_numpy(hidden))


def _unprojected(weights: Parameters) -> Parameters:
    """Return the weights of the plain LSTM."""
    return weights._replace(weight_hh=weights.weight_hh @ cast(Tensor, weights.weight_hr), weight_hr=None)


def _unprojected_upstream(upstream: Upstream, weights: Parameters) -> Upstream:
    """Return what reaches the plain LSTM's hidden states, :math:`W_{hr}^T v_t`."""
    projection = as_float64(cast(Tensor, weights.weight_hr))
    final, steps = (
        None if vectors is None else Scaled(vectors.mantissa @ projection, vectors.exponent)
        for vectors in (upstream.final, upstream.steps)
    )
    return Upstream(cast(Scaled, final), steps, upstream.cell)


def _projected(back: Backward, request: Request, weights: Parameters) -> Backward:
    """Return a backward pass with the gradients of the projected hidden states."""
    delta, weight = cast(Scaled, back.preactivations), as_float64(weights.weight_hh)
    upstream = request.upstream
    mantissa = np.zeros((len(delta.mantissa) + 1, *delta.mantissa.shape[1:-1], weight.shape[1]))
    exponent = np.zeros(mantissa.shape[:-1], dtype=np.int64)
    if not request.cut:
        mantissa[:-1], exponent[:-1] = delta.mantissa @ weight, delta.exponent
    reached = Scaled(mantissa, exponent)
    if upstream.steps is not None:
        reached = add(reached, upstream.steps)
    else:
        mantissa[-1], exponent[-1] = upstream.final
    return Backward(
        log10_states={**back.log10_states, "hidden": log10_norm(reached)},
        states={**back.states, "hidden": reached} if "states" in request.wanted else {},
        inputs=back.inputs,
        preactivations=back.preactivations if "preactivations" in request.wanted else None,
    )
