"""A backward pass in the network's own dtype, as it comes: where numbers leave the range of the floats, it shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence

from lstm_explorer.core.architectures import Network, Parameters, architecture_of, num_directions
from lstm_explorer.core.checks import Batch, Given, InitialState, Inputs, check_cotangent, check_given, check_one_length
from lstm_explorer.core.engine.directions import in_order_of
from lstm_explorer.core.engine.generic import StepFunction, linearize
from lstm_explorer.core.engine.generic_engine import GenericEngine
from lstm_explorer.core.engine.layers import LayerStates, Upstream
from lstm_explorer.core.engine.scaled import Array
from lstm_explorer.core.engine.trajectory import output_of, unroll_given
from lstm_explorer.core.gradients.result import GradientFlow, Loss
from lstm_explorer.core.gradients.through_layers import flow_of_given, upstreams_of_outputs
from lstm_explorer.core.kinds import checks_kinds
from lstm_explorer.core.undisturbed import undisturbed


@dataclass(frozen=True, eq=False, kw_only=True)
class PlainBackward:
    """What an ordinary backward pass gives, beside the exact gradient of the same states; detached, on the CPU.

    ``L`` counts layers and directions, as in :class:`lstm_explorer.GradientFlow`.

    Attributes:
        exact: The exact gradient.
        norm_hidden: What ``.norm()`` gives of dL/dh_t, in the network's dtype, ``(L, T + 1, B)``. It squares: float32's
            is 0 from about 10^-23 on down, and infinite from 10^19 on up, while the numbers themselves go on.
        norm_cell: The same of dL/dc_t; None where there is no cell.
        overflows_at: The first step, going back from the loss, at which some number is infinite or NaN; None if none.
        dies_at: The step from which on back every number is exactly 0 while the exact gradient is not: the floats have
            run out beneath; None where they do not.
    """

    exact: GradientFlow
    norm_hidden: Tensor
    norm_cell: Tensor | None
    overflows_at: int | None
    dies_at: int | None

    def to_frame(self) -> pd.DataFrame:
        """Return the norms of the states as a tidy table: the columns of the exact flow, and ``norm``.

        Example:
            >>> frame = plain_backward(torch.nn.GRU(2, 3), torch.zeros(4, 1, 2)).to_frame()
            >>> list(frame)
            ['architecture', 'layer', 'quantity', 'step', 'lag', 'sample', 'log10_norm', 'norm']
        """
        norms = {"hidden": self.norm_hidden, "cell": self.norm_cell}
        frame = self.exact.to_frame()
        frame = frame[frame["quantity"].isin(norms)].reset_index(drop=True)
        there = [each.numpy().ravel() for each in norms.values() if each is not None]
        return frame.assign(norm=np.concatenate(there))


@checks_kinds
@undisturbed
def plain_backward(
    network: Network,
    inputs: Inputs,
    *,
    loss: Loss = "last",
    cotangent: Tensor | PackedSequence | None = None,
    initial_state: InitialState = None,
) -> PlainBackward:
    r"""Carry the gradient back as ``loss.backward()`` does, in the network's own dtype, beside the exact one.

    .. math:: \frac{dL}{ds_{t-1}} = \Big(\frac{\partial s_t}{\partial s_{t-1}}\Big)^{\!T} \frac{dL}{ds_t}

    by autograd through one plain cell a step, at the states that the network itself has gone through. Nothing is
    rescaled: what no float of that dtype can hold is 0, infinite or NaN, as in any training.

    Args:
        network: As :func:`lstm_explorer.gradient_flow` takes it; not modified.
        inputs: What it reads, likewise; samples of one length.
        loss: ``"last"`` or ``"every"``.
        cotangent: What the loss puts on the outputs, as in :func:`lstm_explorer.gradient_flow`.
        initial_state: ``h_0``, or ``(h_0, c_0)`` for the LSTM, each ``(L, B, H)``; zeros by default.

    Returns:
        Norms as PyTorch gives them, where they overflow or die, and the exact ones.

    Raises:
        TypeError: An argument is of another kind.
        ValueError: As :func:`lstm_explorer.gradient_flow`; or the samples differ in length.

    Example:
        A linear RNN that halves its gradient at every step; the smallest float32 is 2^-149:

        >>> rnn = torch.nn.RNN(1, 1, nonlinearity="relu", bias=False)
        >>> _ = torch.nn.init.ones_(rnn.weight_ih_l0), torch.nn.init.constant_(rnn.weight_hh_l0, 0.5)
        >>> found = plain_backward(rnn, torch.ones(200, 1, 1))
        >>> 200 - found.dies_at, found.exact.log10_hidden[0, 0, 0]
        (150, tensor(-60.2060))
    """
    given = check_given(network, inputs, initial_state)
    check_one_length(given)
    seed = check_cotangent(network, cotangent, Batch(given.inputs, None))
    if seed.ndim == 3 and loss == "every":
        raise ValueError('loss is "every" with a cotangent of every step: expected one of the two; leave loss out.')
    layers = unroll_given(given)
    upstreams = upstreams_of_outputs(given, layers, seed, loss)
    exact = flow_of_given(given, layers, upstreams, units=False)
    numbers = torch.from_numpy(np.stack(_gradients(given, layers, upstreams))).to(given.inputs.dtype)
    hidden, *cell = numbers.split([part.shape[-1] for part in _states(layers[0])], dim=-1)
    of_steps = numbers.movedim(1, 0).flatten(1)
    return PlainBackward(
        exact=exact,
        norm_hidden=hidden.norm(dim=-1),
        norm_cell=cell[0].norm(dim=-1) if cell else None,
        overflows_at=_last_true(~of_steps.isfinite().all(dim=1)),
        dies_at=_dies_at(of_steps.eq(0).all(dim=1), exact),
    )


def _gradients(given: Given, layers: Sequence[LayerStates], upstreams: Sequence[Upstream]) -> list[Array]:
    """Return the total derivatives of the states of each layer and direction, ``(T + 1, B, S)``."""
    network, directions = given.network, num_directions(given.network)
    engine = GenericEngine(network, architecture_of(network))
    reached = [_every_step(upstream, len(layers[0].hidden)) for upstream in upstreams]
    found: list[Array] = []
    for first in range(len(layers) - directions, -1, -directions):
        read = output_of(network, layers[:first], None) if first else given.inputs.clone()
        backs = [
            _carried_back(
                _step(engine, given.parameters[first + k]), _states(layers[first + k]), in_order_of(k, read, None), one
            )
            for k, one in enumerate(reached)
        ]
        found[:0] = [states for states, _inputs in backs]
        with np.errstate(invalid="ignore"):
            below = sum(in_order_of(k, torch.from_numpy(inputs), None) for k, (_states, inputs) in enumerate(backs))
        parts = torch.as_tensor(below).chunk(directions, dim=-1)
        reached = [np.pad(in_order_of(k, part, None).numpy(), ((1, 0), (0, 0), (0, 0))) for k, part in enumerate(parts)]
    return found


def _every_step(upstream: Upstream, steps: int) -> Array:
    """Return what the loss puts on every hidden state, ``(T + 1, B, H)``."""
    if upstream.steps is not None:
        return upstream.steps.mantissa
    every = np.zeros((steps, *upstream.final.mantissa.shape))
    every[-1] = upstream.final.mantissa
    return every


def _states(layer: LayerStates) -> tuple[Tensor, ...]:
    """Return all states in the network's dtype, ``(T + 1, B, ...)`` each."""
    if layer.states or layer.cell is None:
        return layer.states or (layer.hidden,)
    return layer.hidden, torch.from_numpy(layer.cell).to(layer.hidden)


def _step(engine: GenericEngine, weights: Parameters) -> StepFunction:
    """Return the plain cell, with the projection of its hidden state where there is one."""
    weights = weights.map(torch.Tensor.clone)  # autograd refuses tensors that were made in inference mode
    step, projection = engine.step_of(weights), weights.weight_hr
    if projection is None:
        return step

    def projected(state: tuple[Tensor, ...], x: Tensor) -> tuple[Tensor, ...]:
        hidden, *others = step(state, x)
        return hidden @ projection.mT, *others

    return projected


def _carried_back(step: StepFunction, states: tuple[Tensor, ...], read: Tensor, reached: Array) -> tuple[Array, Array]:
    """Return the gradients of a layer's states, ``(T + 1, B, S)``, and of what it reads, ``(T, B, I)``."""
    samples = read.shape[1]
    carried: Any = np.zeros((samples, sum(part.shape[-1] for part in states)))
    found, of_inputs = np.empty((len(read) + 1, *carried.shape)), np.empty(read.shape)
    for t in range(len(read), 0, -1):
        with np.errstate(invalid="ignore"):
            carried[:, : reached.shape[-1]] += reached[t]
        one = linearize(step, tuple(part[t - 1] for part in states), read[t - 1])
        carried, found[t], of_inputs[t - 1] = one.plain_products(carried)
    found[0] = carried
    return found, of_inputs


def _last_true(flags: Tensor) -> int | None:
    """Return the last index at which a flag is set: the first on the way back."""
    there = flags.nonzero()
    return int(there[-1]) if len(there) else None


def _dies_at(zero: Tensor, exact: GradientFlow) -> int | None:
    """Return the last step of those from 0 on at which all is zero, where something of the exact gradient is left."""
    alive = (~zero).nonzero()
    at = (int(alive[0]) if len(alive) else len(zero)) - 1
    norms = [each for each in (exact.log10_hidden, exact.log10_cell) if each is not None]
    return at if at >= 0 and any(bool(each[:, at].isfinite().any()) for each in norms) else None
