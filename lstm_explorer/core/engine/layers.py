"""What the engines take and give: one layer's states, what reaches them from above, and their gradients."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from lstm_explorer.core.engine.scaled import Array, Scaled, add
from lstm_explorer.core.errors import ExplainedError
from lstm_explorer.locales import N_

#: What a backward pass can give besides the norms of the states' gradients.
Quantity = Literal["states", "inputs", "preactivations"]

#: Steps worked on at once: so many that a step costs little, so few that their numbers stay in the processor's cache.
_STEPS, _NUMBERS = 128, 2**16


class LayerStates(NamedTuple):
    """One layer's states and gates; ``*lead`` is ``(B,)``, ``(R, B)`` with replicas, ``(N, B)`` with N biases.

    Attributes:
        hidden: ``(T + 1, *lead, H)``, in the network's dtype and on its device.
        cell: ``(T + 1, *lead, H)``, None where there is no such state.
        gates: Each gate a block of its own, in the order of the weights' rows, ``(G, T, *lead, H)``; None without.
        inputs: What the layer reads, ``(T, *lead, I)`` or, the same for all, ``(T, B, I)``; the generic engine's alone.
        states: All states in the order of the record, as ``hidden``; the generic engine's alone.
        dropped: What multiplies a layer's outputs before the next reads them, in time, ``(T, *lead, D*H)``, as a
            dropout does; of the first direction alone, None without.
    """

    hidden: Tensor
    cell: Array | None
    gates: Array | None
    inputs: Tensor | None = None
    states: tuple[Tensor, ...] = ()
    dropped: Tensor | None = None

    @staticmethod
    def stacked(replicas: Sequence[LayerStates]) -> LayerStates:
        """Return the replicas' states of one layer with the axis ``R`` before the batch."""
        cells = [layer.cell for layer in replicas if layer.cell is not None]
        gates = [layer.gates for layer in replicas if layer.gates is not None]
        inputs = [layer.inputs for layer in replicas if layer.inputs is not None]
        return LayerStates(
            hidden=torch.stack([layer.hidden for layer in replicas], dim=1),
            cell=np.stack(cells, axis=1) if cells else None,
            gates=np.stack(gates, axis=2) if gates else None,
            inputs=torch.stack(inputs, dim=1) if inputs else None,
            states=tuple(torch.stack(same, dim=1) for same in zip(*(one.states for one in replicas), strict=True)),
        )


class Upstream(NamedTuple):
    """Gradient that a layer's states get from the loss or the layer above.

    Attributes:
        final: What reaches the last hidden state, ``(*lead, H)``.
        steps: What reaches every hidden state, ``(T + 1, *lead, H)``, its last entry being ``final``; None if nothing
            comes before the end.
        cell: What reaches the last cell state itself, ``(*lead, H)``; None if nothing does.
    """

    final: Scaled
    steps: Scaled | None
    cell: Scaled | None = None

    def plus(self, other: Upstream) -> Upstream:
        """Return what reaches the layer from both, of which one alone may reach the cell."""
        cell = self.cell if other.cell is None else other.cell
        if self.steps is None and other.steps is None:
            return Upstream(add(self.final, other.final), None, cell)
        count = len((self.steps or other.steps or self.final).mantissa)
        steps = add(self._all_steps(count), other._all_steps(count))
        return Upstream(Scaled(steps.mantissa[-1], steps.exponent[-1]), steps, cell)

    def _all_steps(self, count: int) -> Scaled:
        if self.steps is not None:
            return self.steps
        steps = Scaled(
            np.zeros((count, *self.final.mantissa.shape)), np.zeros((count, *self.final.exponent.shape), np.int64)
        )
        steps.mantissa[-1], steps.exponent[-1] = self.final
        return steps


class Request(NamedTuple):
    """One backward pass of a layer.

    Attributes:
        upstream: What reaches the layer's hidden states.
        wanted: What to give besides the norms of the states' gradients.
        cut: Whether the hidden state is detached before the next step, which leaves the cell path alone.
    """

    upstream: Upstream
    wanted: Collection[Quantity] = ()
    cut: bool = False


class Backward(NamedTuple):
    """What one backward pass of a layer gives; ``*lead`` is ``(B,)``, or with the axis of replicas or biases.

    Attributes:
        log10_states: Name of a state to log10 of the norms of its gradient, ``(T + 1, *lead)``.
        states: Name of a state to its gradient, ``(T + 1, *lead, H)``; empty unless asked for.
        inputs: The inputs' gradient, ``(T, *lead, I)``; None unless asked for.
        preactivations: The gradient of what the hidden state and ``bias_hh`` give, :math:`W_{hh} h_{t-1} + b_{hh}`,
            ``(T, *lead, G*H)``; None unless asked for.
    """

    log10_states: Mapping[str, Array]
    states: Mapping[str, Scaled]
    inputs: Scaled | None
    preactivations: Scaled | None


def at_loss(hidden: Tensor, cotangent: Tensor, loss: str) -> Upstream:
    """Return what a loss puts on the last layer's hidden states.

    Args:
        hidden: The hidden states, ``(T + 1, *lead, H)``.
        cotangent: What reaches the last one, or every one of a loss ``"every"``, ``(*lead, H)``; or what reaches each
            of the outputs, ``(T, *lead, H)``.
        loss: ``"last"`` or ``"every"``; without meaning where the cotangent says it.
    """
    given = cotangent.numpy(force=True)
    per_step = given.ndim == hidden.ndim
    final = np.empty(hidden.shape[1:])
    final[...] = given[-1] if per_step else given
    scaled = Scaled(final, np.zeros(final.shape[:-1], dtype=np.int64))
    if loss == "last" and not (per_step and given[:-1].any()):
        return Upstream(scaled, None)
    every = np.zeros(hidden.shape)  # the initial state is no output
    every[1:] = given
    return Upstream(scaled, Scaled(every, np.zeros(every.shape[:-1], dtype=np.int64)))


def from_inputs(inputs: Scaled) -> Upstream:
    """Return dL/dx_t of a layer as what reaches the hidden states of the layer below."""
    zeros = Scaled(np.zeros_like(inputs.mantissa[:1]), np.zeros_like(inputs.exponent[:1]))
    steps = Scaled(*(np.concatenate(pair) for pair in zip(zeros, inputs, strict=True)))
    return Upstream(Scaled(inputs.mantissa[-1], inputs.exponent[-1]), steps)


def window_of(numbers: int) -> int:
    """Return how many steps to work on at once, given the numbers in the state of one."""
    return max(1, min(_STEPS, _NUMBERS // numbers))


def check_finite(hidden: Tensor) -> None:
    """Say at which step a forward pass left the float range; tanh networks cannot, ReLU networks can.

    Raises:
        ExplainedError: A hidden state is not finite.
    """
    if math.isfinite(hidden.sum().item()):
        return
    finite = torch.isfinite(hidden).flatten(1).all(1)
    if not finite.all():
        step = int((~finite).nonzero()[0])
        raise ExplainedError(
            N_(
                "The hidden state left the range of {dtype} at step {step} of {last}: expected finite states. "
                "Lower the recurrent gain, shorten the sequence or use float64."
            ),
            {"dtype": str(hidden.dtype).removeprefix("torch."), "step": step, "last": len(hidden) - 1},
        )


def affine(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Return ``W x + b`` for ``x`` ``(T, *lead, I)`` and one layer, or ``(T, R, B, I)`` and a stack of R replicas."""
    if weight.ndim == 2:
        return nn.functional.linear(x, weight, bias)
    steps, replicas, batch, _ = x.shape
    flat = x.transpose(0, 1).reshape(replicas, steps * batch, -1)
    product = torch.baddbmm(bias[:, None], flat, weight.mT)
    return product.view(replicas, steps, batch, -1).transpose(0, 1)


def as_float64(tensor: Tensor) -> Array:
    """Return a tensor as a new NumPy array in float64."""
    array: Any = tensor.numpy(force=True).astype(np.float64, order="C")
    return array
