"""The two directions of a bidirectional network: each reads the steps in an order of its own.

Everything that belongs to a direction, its states and gradients, is in the order in which that direction reads: the
backward direction's step 1 has read the last input of its sample. What goes from layer to layer is in time.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from lstm_explorer.core.engine.scaled import Scaled, add


def past_the_end(steps: int, lengths: Tensor, *, first_step: int = 0) -> Tensor:
    """Return which of some steps are past the end of each sample, ``(steps, B)``; the first is ``first_step``."""
    return torch.arange(first_step, first_step + steps)[:, None] > lengths


def until_the_end(norms: Tensor, lengths: Tensor | None, *, first_step: int = 0) -> Tensor:
    """Return ``(..., T, B)`` with NaN past the end of each sample."""
    if lengths is None:
        return norms
    return norms.masked_fill(past_the_end(norms.shape[-2], lengths, first_step=first_step), torch.nan)


def vectors_until_the_end(vectors: Tensor, lengths: Tensor | None, *, first_step: int = 0, value: float) -> Tensor:
    """Return ``(..., T, B, H)`` with a value past the end of each sample."""
    if lengths is None:
        return vectors
    past = past_the_end(vectors.shape[-3], lengths, first_step=first_step)
    return vectors.masked_fill(past[..., None].to(vectors.device), value)


def in_order_of(direction: int, steps: Tensor, lengths: Tensor | None) -> Tensor:
    """Return steps ``(T, *lead, B, H)`` in time in the order in which a direction reads them, or back in time.

    Args:
        direction: 0 reads forwards, 1 backwards from each sample's own last step.
        steps: One entry per step; past the end of a sample it stays where it is.
        lengths: Steps of each sample, ``(B,)``; None where all are as long as the sequence.
    """
    if direction == 0:
        return steps
    if lengths is None:
        return steps.flip(0)
    time = torch.arange(len(steps))[:, None]
    order = torch.where(time < lengths, lengths - 1 - time, time)
    samples = torch.arange(len(lengths), device=steps.device)
    return steps.movedim(-2, 1)[order.to(steps.device), samples].movedim(1, -2)


def scaled_in_order_of(direction: int, steps: Scaled, lengths: Tensor | None) -> Scaled:
    """Return scaled steps in the order of a direction, or back in time."""
    if direction == 0:
        return steps
    mantissa, exponent = torch.from_numpy(steps.mantissa), torch.from_numpy(steps.exponent)[..., None]
    return Scaled(in_order_of(1, mantissa, lengths).numpy(), in_order_of(1, exponent, lengths)[..., 0].numpy())


def in_time(of_directions: Sequence[Scaled], lengths: Tensor | None) -> Scaled:
    """Return the sum over the directions of what the inputs get, ``(T, *lead, I)``, in time."""
    first, *others = of_directions
    for direction, other in enumerate(others, start=1):
        first = add(first, scaled_in_order_of(direction, other, lengths))
    return first


def per_direction(steps: Scaled, count: int, lengths: Tensor | None) -> list[Scaled]:
    """Return what reaches each direction's part of the outputs ``(T, *lead, D*H)``, in that direction's order."""
    if count == 1:
        return [steps]
    parts = np.split(steps.mantissa, count, axis=-1)
    return [scaled_in_order_of(k, Scaled(part, steps.exponent), lengths) for k, part in enumerate(parts)]
