"""What PyTorch's own clipping makes of a gradient, and of the step that PyTorch's own optimizers take with it."""

from __future__ import annotations

import math
import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn, optim

#: PyTorch's own, by the name of what is bounded.
_CLIPPERS: Mapping[str, Callable[..., Any]] = types.MappingProxyType(
    {"norm": nn.utils.clip_grad_norm_, "value": nn.utils.clip_grad_value_}
)
#: PyTorch's own, whose first step is taken with PyTorch's defaults.
_OPTIMIZERS: Mapping[str, Callable[..., optim.Optimizer]] = types.MappingProxyType(
    {"sgd": optim.SGD, "adam": optim.Adam}
)


class StepChange(NamedTuple):
    """What clipping does to the first step of an optimizer; NaN where that without it is zero, or a number not finite.

    Attributes:
        length: The length of the step with clipping over that without.
        cosine: Of the angle between the two: 1 where the direction stays; NaN where clipping leaves no step.
    """

    length: float
    cosine: float

    @property
    def degrees(self) -> float:
        """By how many degrees the step turns."""
        return math.degrees(math.acos(max(-1.0, min(1.0, self.cosine)))) if math.isfinite(self.cosine) else math.nan


@dataclass(frozen=True, eq=False, kw_only=True)
class Clipped:
    """What PyTorch's clipping makes of the gradient of all weights together, in one dtype.

    Attributes:
        dtype: Such as ``"float32"``.
        numbers: How many numbers the gradient has.
        norm_before: Its norm as PyTorch gives it; infinite or NaN where a number, or a square, leaves the range.
        norm_after: The same after clipping.
        cosine: Of the angle between the gradient before and after; NaN where a number is not finite.
        share_cut: Share of the numbers that clipping changes.
        not_finite_before: How many numbers are infinite or NaN.
        not_finite_after: The same after clipping.
        optimizer_steps: ``"sgd"`` and ``"adam"`` -> what clipping does to the first step of that optimizer.
    """

    dtype: str
    numbers: int
    norm_before: float
    norm_after: float
    cosine: float
    share_cut: float
    not_finite_before: int
    not_finite_after: int
    optimizer_steps: Mapping[str, StepChange]


def clipped_by_pytorch(gradients: Sequence[Tensor], clipping: str, clip_at: float) -> Clipped:
    """Clip a gradient as PyTorch does, and step with it and without it, all on copies.

    Args:
        gradients: Those of all weights, in one dtype.
        clipping: ``"norm"`` or ``"value"``.
        clip_at: The largest norm, or the largest value, that clipping leaves.
    """
    weights = _weights_at_zero(gradients)
    _CLIPPERS[clipping](weights, clip_at)
    after = [weight.grad for weight in weights if weight.grad is not None]
    all_before, all_after = (torch.cat([one.flatten() for one in each]) for each in (gradients, after))
    return Clipped(
        dtype=str(all_before.dtype).removeprefix("torch."),
        numbers=len(all_before),
        norm_before=nn.utils.get_total_norm(gradients).item(),
        norm_after=nn.utils.get_total_norm(after).item(),
        cosine=_change(all_before, all_after).cosine,
        share_cut=float((all_before != all_after).double().mean()),
        not_finite_before=int((~all_before.isfinite()).sum()),
        not_finite_after=int((~all_after.isfinite()).sum()),
        optimizer_steps={name: _change(_step(name, gradients), _step(name, after)) for name in _OPTIMIZERS},
    )


def _weights_at_zero(gradients: Sequence[Tensor]) -> list[nn.Parameter]:
    """Return weights with copies of these gradients; at zero, a step loses no digits to those of a weight."""
    weights = [nn.Parameter(torch.zeros_like(one)) for one in gradients]
    for weight, gradient in zip(weights, gradients, strict=True):
        weight.grad = gradient.clone()
    return weights


def _step(optimizer: str, gradients: Sequence[Tensor]) -> Tensor:
    """Return the first step of an optimizer in units of its learning rate, all weights in one vector."""
    weights = _weights_at_zero(gradients)
    _OPTIMIZERS[optimizer](weights, lr=1.0).step()
    return torch.cat([weight.detach().flatten() for weight in weights])


def _change(before: Tensor, after: Tensor) -> StepChange:
    """Return how a vector changed, in float64 and far from both ends of its range; NaN where there is no direction."""
    one, other = before.double(), after.double()
    sizes = one.abs().max(), other.abs().max()
    if not all(size.isfinite() for size in sizes) or not sizes[0]:
        return StepChange(math.nan, math.nan)
    if not sizes[1]:
        return StepChange(0.0, math.nan)
    one, other = one / sizes[0], other / sizes[1]
    norms = one.norm(), other.norm()
    length = (norms[1] / norms[0] * (sizes[1] / sizes[0])).item()
    return StepChange(length, ((one / norms[0]) @ (other / norms[1])).item())
