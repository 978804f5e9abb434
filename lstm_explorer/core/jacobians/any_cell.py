"""The Jacobians of any cell: a step that is a pure function of tensors."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from lstm_explorer.core.engine.step_jacobians import check_finite, jacobian
from lstm_explorer.core.gradients.any_cell import State, linearized_steps
from lstm_explorer.core.jacobians.steps import check_memory
from lstm_explorer.core.kinds import checks_kinds


@checks_kinds
def cell_jacobians(step: Callable[[State, Tensor], State], initial_state: State, inputs: Tensor) -> Tensor:
    r"""Return the Jacobian of every step of any cell, :math:`\partial s_t / \partial s_{t-1}`.

    The state is all of its parts side by side, in their order. What :func:`lstm_explorer.jacobian_flow_of` and
    :func:`lstm_explorer.lyapunov_exponents_of` make of the Jacobians is as exact as the step's own dtype.

    Args:
        step: As :func:`lstm_explorer.cell_gradient_flow` takes it; so are the others.
        initial_state: One tensor ``(B, H)``, or a NamedTuple of tensors ``(B, ...)``; float32 or float64.
        inputs: ``(T, B, I)``, one ``x`` ``(B, I)`` per step.

    Returns:
        ``(T, B, S, S)``; index ``t - 1`` is step ``t``, entry ``[i, j]`` d out_i / d in_j; on the CPU.

    Raises:
        TypeError: The step, the state or the inputs are of another kind.
        ValueError: A shape or dtype is wrong, numbers are not finite, the step mixes samples or works in place, or the
            Jacobians take more than 1 GiB.

    Example:
        >>> jacobians = cell_jacobians(lambda h, x: h * torch.sigmoid(x), torch.ones(1, 2), torch.zeros(3, 1, 2))
        >>> jacobians[0, 0]
        tensor([[0.5000, 0.0000],
                [0.0000, 0.5000]])
    """
    with linearized_steps(step, initial_state, inputs) as steps:
        size = sum(part[0].numel() for part in steps[0].before)
        check_memory(len(inputs), inputs.shape[1], size, mend="pass fewer steps or samples at a time")
        found = torch.stack([jacobian(one).cpu() for one in steps])
    check_finite(found, 0)
    return found
