"""Would clipping have helped? PyTorch's own clipping and optimizers on the gradient of a network."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence

from lstm_explorer.core.architectures import Network, architecture_of, num_directions
from lstm_explorer.core.checks import Batch, Given, InitialState, Inputs, check_cotangent, check_given, check_one_length
from lstm_explorer.core.engine.outer_products import OuterProducts
from lstm_explorer.core.engine.scaled import Array, log10_size, log10_together, shifted
from lstm_explorer.core.engine.trajectory import unroll_given
from lstm_explorer.core.gradients.every_weight import weight_products
from lstm_explorer.core.gradients.pytorch_clipping import Clipped, clipped_by_pytorch
from lstm_explorer.core.gradients.through_layers import upstreams_of_outputs
from lstm_explorer.core.kinds import checks_kinds
from lstm_explorer.core.networks.computing import plain_copy
from lstm_explorer.core.undisturbed import undisturbed

Clipping = Literal["norm", "value"]

#: What clip_grad_norm_ adds to the norm that it divides by.
_ADDED = 1e-6
#: From a logarithm to the base of ten to the natural one.
_E = math.log(10.0)


@dataclass(frozen=True, eq=False, kw_only=True)
class ClippedGradient:
    r"""The gradient of all weights before and after clipping, and what every step adds to it.

    What a step adds to the last layer's weights is :math:`\delta_t \otimes x_t` for each of them, with what it is
    multiplied with: the input, the state before, 1 for a bias. Clipping multiplies every number of the gradient by a
    factor, and so what each step adds to it: by norm all by the same, which leaves the shares of the steps as they are.

    Attributes:
        architecture: A name of ``ARCHITECTURES``, such as ``"lstm"``.
        clipping: ``"norm"`` or ``"value"``.
        clip_at: The largest norm, or the largest value, that clipping leaves.
        own: PyTorch's clipping of the gradient of a real backward pass in the network's dtype.
        wide: The same of the exact gradient at the same states, in float64.
        log10_norm_before: log10 of the norm of the exact gradient of all weights; past any float's range too.
        log10_norm_after: The same with clipping.
        log10_steps_before: log10 of the norm of what each step adds to the gradient of the last layer's weights,
            ``(D, T)``, summed over the batch as ``.grad`` is; index ``t - 1`` is step ``t``. ``D`` is 1, or 2 of a
            bidirectional network, each in the order in which it reads.
        log10_steps_after: The same with clipping.
    """

    architecture: str
    clipping: str
    clip_at: float
    own: Clipped
    wide: Clipped
    log10_norm_before: float
    log10_norm_after: float
    log10_steps_before: Tensor
    log10_steps_after: Tensor

    def to_frame(self) -> pd.DataFrame:
        """Return what the steps add as rows ``architecture, direction, step, lag, log10_before, log10_after``.

        ``direction`` is 0, and 1 of the one that reads backwards.

        Example:
            >>> frame = clipped_gradient(torch.nn.GRU(2, 3), torch.ones(4, 1, 2), clip_at=0.1).to_frame()
            >>> frame["lag"].tolist()
            [3, 2, 1, 0]
        """
        before, after = self.log10_steps_before.numpy(), self.log10_steps_after.numpy()
        direction, step = (index.ravel() for index in np.indices(before.shape))
        columns = {"direction": direction, "step": step + 1, "lag": before.shape[1] - 1 - step}
        norms = {"log10_before": before.ravel(), "log10_after": after.ravel()}
        return pd.DataFrame({"architecture": self.architecture, **columns, **norms})


@checks_kinds
@undisturbed
def clipped_gradient(
    network: Network,
    inputs: Inputs,
    *,
    clipping: Clipping = "norm",
    clip_at: float = 1.0,
    cotangent: Tensor | PackedSequence | None = None,
    initial_state: InitialState = None,
) -> ClippedGradient:
    r"""Clip the gradient of a network as PyTorch does, and measure what that changes: the step, and what arrives.

    .. math::
        g \to g \cdot \min\Big(1, \frac{c}{\|g\| + 10^{-6}}\Big) \quad\text{or}\quad
        g_i \to \max(-c, \min(c, g_i))

    with ``clip_grad_norm_`` or ``clip_grad_value_``, then the first step of ``SGD`` and of ``Adam`` with it and without
    it, all on copies. A step begins at zero, where none of its digits is lost to those of a weight.

    Args:
        network: As :func:`lstm_explorer.gradient_flow` takes it; not modified.
        inputs: What it reads, likewise; samples of one length.
        clipping: ``"norm"`` or ``"value"``.
        clip_at: The largest norm, or the largest value, that clipping leaves; above 0.
        cotangent: What the loss puts on the outputs, as in :func:`lstm_explorer.gradient_flow`.
        initial_state: ``h_0``, or ``(h_0, c_0)`` for the LSTM, each ``(L, B, H)``; zeros by default.

    Returns:
        Norms, directions and steps before and after, and what each step of the sequence adds.

    Raises:
        TypeError: An argument is of another kind.
        ValueError: As :func:`lstm_explorer.gradient_flow`; or ``clip_at`` is not above 0, or the samples differ in
            length.

    Source:
        pascanu2013

    Example:
        >>> found = clipped_gradient(torch.nn.RNN(2, 3), torch.ones(9, 1, 2), clip_at=0.01)
        >>> round(found.own.norm_after, 6), round(found.own.optimizer_steps["sgd"].degrees, 1)
        (0.01, 0.0)
        >>> after, before = found.log10_steps_after[0], found.log10_steps_before[0]
        >>> bool(torch.allclose(after - after[-1], before - before[-1], atol=1e-5))  # the shares stay
        True
    """
    if clip_at <= 0:
        raise ValueError(f"clip_at is {clip_at:g}: expected a number above 0, the largest that clipping leaves.")
    given = check_given(network, inputs, initial_state)
    check_one_length(given)
    seed = check_cotangent(network, cotangent, Batch(given.inputs, None))
    layers = unroll_given(given)
    products = weight_products(given, layers, upstreams_of_outputs(given, layers, seed, "last"))
    exact = {name: one.total() for layer in products for name, one in layer.items()}
    sizes = {name: log10_size(one) for name, one in exact.items()}
    norm_before = _log10_norm(sizes.values())
    factors = {name: _log10_factors(one, clipping, clip_at, norm_before) for name, one in sizes.items()}
    norm_after = _log10_norm(one + factors[name] for name, one in sizes.items())
    last = products[-num_directions(network) :]
    before = [_log10_of_steps(layer) for layer in last]
    return ClippedGradient(
        architecture=architecture_of(network).name,
        clipping=clipping,
        clip_at=float(clip_at),
        own=clipped_by_pytorch(_real_gradient(given, seed), clipping, clip_at),
        wide=clipped_by_pytorch([torch.from_numpy(shifted(*one)) for one in exact.values()], clipping, clip_at),
        log10_norm_before=norm_before,
        log10_norm_after=norm_after,
        log10_steps_before=torch.from_numpy(np.stack(before)).to(given.inputs.dtype),
        log10_steps_after=torch.from_numpy(np.stack([_log10_of_steps(layer, factors) for layer in last])).to(
            given.inputs.dtype
        ),
    )


def _real_gradient(given: Given, seed: Tensor) -> list[Tensor]:
    """Return what a backward pass through a copy of the network leaves in the ``.grad`` of its weights."""
    copy = plain_copy(given.network, given.parameters)
    time_first = not copy.batch_first
    states = tuple(map(torch.cat, zip(*given.states, strict=True)))
    own = given.inputs.clone()  # autograd refuses tensors that were made in inference mode
    read = own if time_first else own.transpose(0, 1)
    output, _ = copy(read, states if len(states) > 1 else states[0])
    (output if time_first else output.transpose(0, 1)).backward(_of_every_output(given, seed))
    return [torch.zeros_like(one) if one.grad is None else one.grad for one in copy.parameters()]


def _of_every_output(given: Given, seed: Tensor) -> Tensor:
    """Return what the loss puts on every output, ``(T, B, D*H)``: a last step is each direction's own."""
    if seed.ndim == 3:
        return seed
    every, size = seed.new_zeros(len(given.inputs), *seed.shape), seed.shape[-1] // num_directions(given.network)
    every[-1, :, :size], every[0, :, size:] = seed[:, :size], seed[:, size:]
    return every


def _log10_norm(sizes: Iterable[Array]) -> float:
    """Return log10 of the norm of all numbers of which log10 of the size is known."""
    return float(log10_together(np.concatenate(list(sizes))))


def _log10_factors(sizes: Array, clipping: str, clip_at: float, norm: float) -> Array:
    """Return log10 of what clipping, without any rounding, multiplies the numbers of a weight's gradient by."""
    if clipping == "norm":
        divided_by = np.logaddexp(norm * _E, math.log10(_ADDED) * _E) / _E
        return np.full(sizes.shape, min(0.0, math.log10(clip_at) - divided_by))
    return np.minimum(0.0, math.log10(clip_at) - sizes)


def _log10_of_steps(layer: Mapping[str, OuterProducts], log10_factors: Mapping[str, Array] | None = None) -> Array:
    """Return log10 of the norm of what each step adds to the gradient of a layer's weights, ``(T,)``."""
    log2 = {} if log10_factors is None else {name: log10_factors[name] / math.log10(2.0) for name in layer}
    return log10_together([one.log10_of_steps(log2.get(name)) for name, one in layer.items()])
