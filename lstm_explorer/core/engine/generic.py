r"""The adjoint of any step: one vector-Jacobian product per step, rescaled by a power of two per sample.

A step maps a state, a tuple of tensors, and an input to the next state. Every step has a graph of its own, from leaves
to leaves. What travels back between them is one vector per sample, all parts of its state side by side, in float64 and
with one power of two, so that 10^-1740 and 10^+400 are ordinary values.

The products have the dtype of the step. A float32 step gets its cotangent in bands, each of numbers that are close in
size and far from both ends of float32's range: the product is linear, so the bands are added up after it.

Index legend: ``t`` step; ``N`` samples, of all leading axes; ``S`` numbers in one sample's state; ``I`` features.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lstm_explorer.core.engine.scaled import Array, Integers, Scaled, add, near_one

States = tuple[Tensor, ...]
StepFunction = Callable[[States, Tensor], States]
#: Step, from 1 on, to what reaches its state from the loss or the layer above, ``(N, S)``; None where nothing does.
Upstreams = Callable[[int], Scaled | None]

#: Powers of two by which a cotangent near 1 is multiplied for its product, the second where the first overflows:
#: derivatives far below 1 are common, derivatives far above 1 are rare.
_POWERS = {torch.float32: (62, -62), torch.float64: (0, -600)}
#: How many powers of two the numbers of one band may lie apart.
_BAND = 64


_NOT_FINITE = (
    "The derivative of step {step} is not finite: expected a step that can be differentiated wherever it goes. The "
    "root of 0 and the norm of a zero vector cannot: add a small number inside."
)


class Linearized(NamedTuple):
    """One step with its graph, from the leaves ``before`` and ``x`` to the state ``after``."""

    before: States
    x: Tensor
    after: States

    def products(self, cotangent: Array, t: int) -> tuple[Array, Array, Array]:
        """Multiply the cotangent of a new state, ``(N, S)`` and near 1, with the Jacobian of its step.

        Returns:
            The gradient of the old state, the total derivatives of the parts of the new state, which count that a part
            may have been made of another, and the gradient of the input: ``(N, S)``, ``(N, S)``, ``(N, I)``.

        Raises:
            ValueError: The derivative of the step is not finite.
        """
        size = cotangent.shape[1]
        for power in _POWERS[self.after[0].dtype]:
            with np.errstate(over="ignore", invalid="ignore"):
                first, *rest = [_product(self, band, power, raised) for band, raised in _bands(self, cotangent)]
                found = sum(rest, first)
            if np.isfinite(found).all():
                return found[:, :size], found[:, size : 2 * size], found[:, 2 * size :]
        raise ValueError(_NOT_FINITE.format(step=t))

    def plain_products(self, cotangent: Array) -> tuple[Array, Array, Array]:
        """Multiply as :meth:`products` does, in the step's dtype as it is: past its range there are 0, inf and NaN."""
        size = cotangent.shape[1]
        with np.errstate(over="ignore", invalid="ignore"):
            found = _product(self, cotangent, 0, 0)
        return found[:, :size], found[:, size : 2 * size], found[:, 2 * size :]

    def gradient(self, of: Tensor, cotangent: Tensor) -> Array:
        """Multiply one cotangent of the first part of the new state with the Jacobian towards one argument."""
        (found,) = torch.autograd.grad(self.after[:1], of, cotangent, retain_graph=True, allow_unused=True)
        gradient: Array = np.zeros(of.shape) if found is None else found.numpy(force=True)
        return gradient


class Elementwise(NamedTuple):
    """A step in which every unit of the one state is made of itself, times a factor ``(N, S)``, and of the input."""

    factor: Array

    def products(self, cotangent: Array, t: int) -> tuple[Array, Array, Array]:
        """Multiply as :meth:`Linearized.products` does; the gradient of the input is left to whoever has the graph.

        Raises:
            ValueError: The factor is not finite.
        """
        before = cotangent * self.factor
        if not np.isfinite(before).all():
            raise ValueError(_NOT_FINITE.format(step=t))
        return before, cotangent, np.zeros((len(cotangent), 1))


class Step(Protocol):
    """A step as the way back sees it."""

    def products(self, cotangent: Array, t: int) -> tuple[Array, Array, Array]:
        """Multiply a cotangent with the step's Jacobian; see :meth:`Linearized.products`."""


class BackwardPass(NamedTuple):
    """One gradient on its way back, and what it has been at every step so far.

    Attributes:
        upstream: What joins it on its way.
        kept: Which numbers of a state pass their gradient on to the step before, ``(N, S)`` of 0 and 1.
        states: Mantissas of the total derivatives of the states, ``(T + 1, N, S)``.
        inputs: Mantissas of the inputs' gradient, ``(T, N, I)``.
        exponents: Powers of two of both, ``(T + 1, N)``; those of step ``t`` also belong to input ``t``.
    """

    upstream: Upstreams
    kept: Array
    states: Array
    inputs: Array
    exponents: Integers

    @staticmethod
    def empty(upstream: Upstreams, steps: int, kept: Array, features: int) -> BackwardPass:
        """Make room for what will be found."""
        exponents = np.empty((steps + 1, len(kept)), dtype=np.int64)
        inputs = np.empty((steps, len(kept), features))
        return BackwardPass(upstream, kept, np.empty((steps + 1, *kept.shape)), inputs, exponents)


def linearize(step: StepFunction, state: States, x: Tensor, *, inputs: bool = True) -> Linearized:
    """Run a step with a graph that begins at its arguments; without ``inputs`` it does not begin at the input."""
    before = tuple([part.detach().requires_grad_() for part in state])
    x = x.detach().requires_grad_(inputs)
    after = step(before, x)
    # A part handed on as it came would be the old state and the new one at once.
    return Linearized(before, x, tuple([part.view_as(part) if part.is_leaf else part for part in after]))


def carry_back(steps: Iterable[Step], run: BackwardPass) -> None:
    """Carry a gradient back through the steps, which come last one first, and fill in what it is at each.

    Raises:
        ValueError: The derivative of a step is not finite.
    """
    carried = Scaled(np.zeros_like(run.states[0]), np.zeros_like(run.exponents[0]))
    for t, one in zip(range(len(run.inputs), 0, -1), steps, strict=True):
        upstream = run.upstream(t)
        mantissa, exponent = carried if upstream is None else near_one(add(carried, upstream))
        before, run.states[t], run.inputs[t - 1] = one.products(mantissa, t)
        run.exponents[t] = exponent
        carried = near_one(Scaled(before * run.kept, exponent))
    run.states[0], run.exponents[0] = carried


def _bands(one: Linearized, cotangent: Array) -> Iterator[tuple[Array, int]]:
    """Yield the cotangent in parts near 1, and by how many powers of two each has been raised."""
    raised = 0
    if one.after[0].dtype == torch.float32:
        small = np.abs(cotangent) < 2.0**-_BAND
        while cotangent[small].any():
            yield np.where(small, 0.0, cotangent), raised
            cotangent, raised = np.where(small, np.ldexp(cotangent, _BAND), 0.0), raised + _BAND
            small = np.abs(cotangent) < 2.0**-_BAND
    yield cotangent, raised


def _product(one: Linearized, cotangent: Array, power: int, raised: int) -> Array:
    """Return all gradients side by side, ``(N, 2 * S + I)``; the cotangent is raised by a power of two on the way."""
    samples = len(cotangent)
    vector = torch.from_numpy(np.ldexp(cotangent, power) if power else cotangent).to(one.after[0])
    columns = vector.split([part.numel() // samples for part in one.after], dim=1)
    vectors = [column.view(part.shape) for column, part in zip(columns, one.after, strict=True)]
    # A part that is made of no argument has no graph: its own cotangent is all that reaches it.
    found: dict[int, Tensor | None] = {id(part): given for part, given in zip(one.after, vectors, strict=True)}
    live = [k for k, part in enumerate(one.after) if part.requires_grad]
    wanted = (*one.before, *one.after, *([one.x] if one.x.requires_grad else []))
    asked = [*one.before, *[one.after[k] for k in live], *wanted[2 * len(one.after) :]]
    if live:
        outputs, given = [one.after[k] for k in live], [vectors[k] for k in live]
        gradients = torch.autograd.grad(outputs, asked, given, retain_graph=True, allow_unused=True)
        found |= dict(zip(map(id, asked), gradients, strict=True))
    arrays = [_rows(found.get(id(tensor)), tensor.numel() // samples, samples) for tensor in wanted]
    together = np.concatenate(arrays, axis=1, dtype=np.float64)
    return np.ldexp(together, -power - raised) if power + raised else together


def _rows(gradient: Tensor | None, size: int, samples: int) -> NDArray[Any]:
    """Return a gradient as ``(N, size)``; zeros where nothing arrives."""
    return np.zeros((samples, size)) if gradient is None else gradient.numpy(force=True).reshape(samples, size)
