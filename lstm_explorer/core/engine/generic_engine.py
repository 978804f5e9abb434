"""One layer forwards and backwards by the step of its record alone: any architecture there is a record of.

Forwards the step runs in the network's dtype, backwards in float64 at the states that the forward pass has reached.
"""

from __future__ import annotations

import collections
import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor

from lstm_explorer.core.architectures import Architecture, Network, Parameters
from lstm_explorer.core.engine.generic import (
    BackwardPass,
    Elementwise,
    States,
    Step,
    StepFunction,
    carry_back,
    linearize,
)
from lstm_explorer.core.engine.layers import Backward, LayerStates, Request, as_float64, check_finite, window_of
from lstm_explorer.core.engine.scaled import Array, Integers, Scaled, common_exponent, log10_norm, shifted


@dataclass(frozen=True)
class GenericEngine:
    """The engine of a network that has only a record; see :class:`lstm_explorer.core.engine.engines.Engine`."""

    network: Network
    record: Architecture

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the states."""
        return tuple(state.name for state in self.record.states)

    @torch.no_grad()
    def forward(self, weights: Parameters, inputs: Tensor, initial: tuple[Tensor, ...]) -> LayerStates:
        """Run the step over a sequence; leading axes of weights and initial state are those of the result."""
        state = tuple(part[0] for part in initial)
        states, gates = [state], []
        step = self._step(weights)
        for x in inputs:
            state, of_step = step(state, x)
            states.append(state)
            gates.append(of_step)
        hidden, *others = (torch.stack(same) for same in zip(*states, strict=True))
        check_finite(hidden)
        by_name = dict(zip(self.names, (hidden, *others), strict=True))
        return LayerStates(
            hidden=hidden,
            cell=as_float64(by_name["cell"]) if "cell" in by_name else None,
            gates=_stacked_gates(gates) if self.record.gates_type else None,
            inputs=inputs,
            states=(hidden, *others),
        )

    def forward_with_biases(self, weights: Parameters, inputs: Tensor) -> LayerStates:
        """Run the step with one replica for each of N biases."""
        zeros = inputs.new_zeros(1, len(weights.bias_ih), inputs.shape[-2], self.network.hidden_size)
        return self.forward(weights, inputs, (zeros,) * len(self.names))

    def backward(self, weights: Parameters, layer: LayerStates, requests: Sequence[Request]) -> list[Backward]:
        """Carry the gradients back, each step with a graph of its own; the requests ride along as replicas."""
        asked = {quantity for request in requests for quantity in request.wanted} - {"states"}
        added = weights.weight_ih.shape[-2] if "preactivations" in asked else 0
        features = weights.weight_ih.shape[-1] + added if asked else 0
        lead = (len(requests), *layer.hidden.shape[1:-1])
        run = self._pass(layer, requests, lead, features)
        with torch.inference_mode(False), torch.enable_grad():
            wide = weights.map(_copied)
            # Where no gate reads the hidden state, and there is no other state, the Jacobian of a step is diagonal.
            alone = not self.record.recurrent and len(self.names) == 1 and not added
            steps = (
                self._elementwise(wide, layer, lead, run) if alone else self._linearized(wide, layer, lead, added, run)
            )
            carry_back(steps, run)
        exponents = run.exponents.reshape(-1, *lead)
        states = np.split(run.states.reshape(len(exponents), *lead, -1), len(self.names), axis=-1)
        inputs = run.inputs.reshape(len(exponents) - 1, *lead, features)
        return [
            self._result(request, [part[:, k] for part in states], inputs[:, k], exponents[:, k], added)
            for k, request in enumerate(requests)
        ]

    def _linearized(
        self, wide: Parameters, layer: LayerStates, lead: Sequence[int], added: int, run: BackwardPass
    ) -> Iterator[Step]:
        """Yield every step with its graph, the last one first; the input goes on with zeros that preactivations add."""
        step = self._step_of_samples(wide) if added else self._step(wide)
        of_layer = cast(Tensor, layer.inputs)
        for t in range(len(of_layer), 0, -1):
            state = tuple([_spread(part[t - 1], lead) for part in layer.states])
            x = _spread(of_layer[t - 1], lead)
            x = torch.cat([x, x.new_zeros(*lead, added)], dim=-1) if added else x
            yield linearize(lambda state, x: step(state, x)[0], state, x, inputs=run.inputs.shape[-1] > 0)

    def _elementwise(
        self, wide: Parameters, layer: LayerStates, lead: Sequence[int], run: BackwardPass
    ) -> Iterator[Step]:
        """Yield every step as one factor per unit, the last one first; the steps of a window have one graph."""
        hidden, inputs, step = layer.hidden, cast(Tensor, layer.inputs), self._step(wide)
        window = window_of(run.states[0].size)
        for stop in range(len(inputs), 0, -window):
            start = max(0, stop - window)
            before, x = (_spread_steps(part[start:stop], lead) for part in (hidden, inputs))
            one = linearize(lambda state, x: step(state, x)[0], (before,), x, inputs=run.inputs.shape[-1] > 0)
            factors = one.gradient(one.before[0], torch.ones_like(before)).reshape(-1, *run.states.shape[1:])
            yield from (Elementwise(factor) for factor in factors[::-1])
            if one.x.requires_grad:  # the gradient has gone through the window, and is known at all of its steps
                arrived = torch.from_numpy(run.states[start + 1 : stop + 1]).to(before).view(before.shape)
                run.inputs[start:stop] = one.gradient(one.x, arrived).reshape(run.inputs[start:stop].shape)

    def _pass(
        self, layer: LayerStates, requests: Sequence[Request], lead: Sequence[int], features: int
    ) -> BackwardPass:
        """Return the backward pass of all requests, its samples those of all leading axes."""
        steps, size = len(layer.hidden) - 1, layer.hidden.shape[-1]
        numbers = size * len(self.names)
        kept = np.ones((*lead, numbers))
        kept[[request.cut for request in requests], ..., :size] = 0.0

        def upstream(t: int) -> Scaled | None:
            if t < steps and all(request.upstream.steps is None for request in requests):
                return None
            vectors, exponents = np.zeros((*lead, numbers)), np.zeros(lead, dtype=np.int64)
            for k, (final, every, cell) in enumerate(request.upstream for request in requests):
                if every is not None:
                    vectors[k, ..., :size], exponents[k] = every.mantissa[t], every.exponent[t]
                elif t == steps:
                    vectors[k, ..., :size], exponents[k] = final
                if t == steps and cell is not None:
                    common = common_exponent(Scaled(vectors[k, ..., :size], exponents[k]), cell)
                    vectors[k, ..., :size] = shifted(vectors[k, ..., :size], exponents[k] - common)
                    vectors[k, ..., size:] = shifted(cell.mantissa, cell.exponent - common)
                    exponents[k] = common
            return Scaled(vectors.reshape(-1, numbers), exponents.ravel())

        return BackwardPass.empty(upstream, steps, kept.reshape(-1, numbers), features)

    def _result(
        self, request: Request, states: Sequence[Array], inputs: Array, exponents: Integers, added: int
    ) -> Backward:
        """Return what one request asked for."""
        vectors = {name: Scaled(part, exponents) for name, part in zip(self.names, states, strict=True)}
        of_inputs, of_added = np.split(inputs, [inputs.shape[-1] - added], axis=-1)
        wanted = request.wanted
        return Backward(
            log10_states={name: log10_norm(one) for name, one in vectors.items()},
            states=vectors if "states" in wanted else {},
            inputs=Scaled(of_inputs, exponents[1:]) if "inputs" in wanted else None,
            preactivations=Scaled(of_added, exponents[1:]) if "preactivations" in wanted else None,
        )

    def step_of(self, weights: Parameters) -> StepFunction:
        """Return the step from a tuple of states to a tuple of states."""
        step = self._step(weights)
        return lambda state, x: step(state, x)[0]

    def _step(self, weights: Parameters) -> Callable[[States, Tensor], tuple[States, Any]]:
        """Return the step from a tuple of states to a tuple of states, and the gates."""
        of_record, kind = self.record.step_of(self.network), _state_type(self.names)

        def step(state: States, x: Tensor) -> tuple[States, Any]:
            after, gates = of_record(weights, kind(*state) if len(state) > 1 else state[0], x)
            return (after,) if isinstance(after, Tensor) else tuple(after), gates

        return step

    def _step_of_samples(self, weights: Parameters) -> Callable[[States, Tensor], tuple[States, Any]]:
        """Return the step that adds to ``W_hh h + b_hh`` what its input has beyond the features, per sample.

        Every sample is a replica of its own here, as each has its own ``bias_hh``.
        """
        features = weights.weight_ih.shape[-1]
        weight_ih, weight_hh = (each.unsqueeze(1) if each.ndim == 3 else each for each in weights.tensors[:2])
        bias_ih, bias_hh = (each.unsqueeze(1) if each.ndim == 2 else each for each in weights.tensors[2:])

        def step(state: States, x: Tensor) -> tuple[States, Any]:
            own = Parameters(weight_ih, weight_hh, bias_ih, bias_hh + x[..., features:])
            after, gates = self._step(own)(tuple(part.unsqueeze(-2) for part in state), x[..., None, :features])
            return tuple(part.squeeze(-2) for part in after), gates

        return step


def _copied(tensor: Tensor) -> Tensor:
    """Return a tensor in float64; a copy, as autograd refuses tensors that were made in inference mode."""
    return tensor.to(torch.float64, copy=True)


def _spread(tensor: Tensor, lead: Sequence[int]) -> Tensor:
    """Return a tensor for all leading axes, in float64; contiguous, or PyTorch copies the weights for each of them."""
    return _copied(tensor).expand(*lead, -1).contiguous()


def _spread_steps(steps: Tensor, lead: Sequence[int]) -> Tensor:
    """Return the tensors of some steps for all leading axes, as :func:`_spread` does that of one."""
    missing = len(lead) + 2 - steps.ndim
    return _spread(steps[(slice(None), *(None,) * missing)], (len(steps), *lead))


def _stacked_gates(steps: list[Any]) -> Array:
    """Return the gates of all steps, ``(G, T, *lead, H)``."""
    return as_float64(torch.stack([torch.stack(one) for one in zip(*steps, strict=True)]))


@functools.cache
def _state_type(names: tuple[str, ...]) -> Any:
    """Return a NamedTuple of the states, which steps read by name."""
    return collections.namedtuple("State", names)
