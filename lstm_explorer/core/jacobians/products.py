r"""Products of the steps' Jacobians: all singular values at every lag, past the range of any float."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from lstm_explorer.core.architectures import Network, architecture_of, num_directions
from lstm_explorer.core.checks import InitialState, Inputs, check_cotangent, check_inputs
from lstm_explorer.core.engine.frames import diagonalize
from lstm_explorer.core.engine.scaled import Array
from lstm_explorer.core.engine.step_jacobians import check_finite
from lstm_explorer.core.jacobians.steps import (
    JacobiansOf,
    check_memory,
    check_square,
    last_layer_steps,
    per_direction,
    windows,
)
from lstm_explorer.core.kinds import checks_kinds
from lstm_explorer.core.undisturbed import undisturbed


@dataclass(frozen=True, eq=False, kw_only=True)
class JacobianFlow:
    r"""Singular values of :math:`\partial s_T / \partial s_t` at every step, as log10; detached, on the CPU.

    They are what a gradient at the last step can become on its way back: one that points along a singular vector is
    multiplied by its value, and no gradient by more than the largest or less than the smallest.

    A direction that one step shrinks to less than the rounding of its Jacobian, some ``S * 2**-52`` of its length, is
    lost: whether anything is left of it, float64 does not say. It is ``-inf``, as zero is.

    Attributes:
        architecture: A name of ``ARCHITECTURES``, such as ``"lstm"``; empty where the Jacobians were given.
        log10_singular_values: ``(T + 1, B, S)``, descending; index ``t`` is of d state_T / d state_t, and index ``T``
            of the identity. ``(2, T + 1, B, S)`` of a bidirectional network, the forward direction first, each in the
            order in which it reads.
        log10_gradient: ``(T + 1, B)``, log10 of the norm of the loss's gradient with respect to the whole state, of
            which every number counts as one of its own. Index ``T`` is the norm of the cotangent itself; divided by
            that, it stays between the smallest and the largest singular value. ``(2, T + 1, B)`` of a bidirectional
            network; None where the Jacobians were given.
        directions: 2 of a bidirectional network, else 1.
    """

    architecture: str
    log10_singular_values: Tensor
    log10_gradient: Tensor | None = None
    directions: int = 1

    def to_frame(self) -> pd.DataFrame:
        """Return the singular values, without the gradient, as a tidy table, one row per number.

        Returns:
            Columns ``architecture, step, lag, sample, rank, log10_singular_value``, ``direction`` behind
            ``architecture`` where there are two. ``rank`` is 1 of the largest; ``lag`` is steps back from the last one.

        Example:
            >>> frame = jacobian_flow(torch.nn.GRU(2, 3), torch.zeros(4, 1, 2)).to_frame()
            >>> frame.groupby("lag").size().to_dict()
            {0: 3, 1: 3, 2: 3, 3: 3, 4: 3}
        """
        values = self.log10_singular_values.numpy()
        array = values if self.directions == 2 else values[None]
        direction, step, sample, rank = (index.ravel() for index in np.indices(array.shape))
        columns = {
            "architecture": self.architecture,
            **({"direction": np.where(direction == 0, "forward", "backward")} if self.directions == 2 else {}),
            "step": step,
            "lag": array.shape[1] - 1 - step,
            "sample": sample,
            "rank": rank + 1,
            "log10_singular_value": array.ravel(),
        }
        return pd.DataFrame(columns)


@checks_kinds
@undisturbed
def jacobian_flow(
    network: Network, inputs: Inputs, *, cotangent: Tensor | None = None, initial_state: InitialState = None
) -> JacobianFlow:
    r"""Measure the singular values of the Jacobian from every step to the last, of the last layer.

    .. math::
        \frac{\partial s_T}{\partial s_t} = J_T J_{T-1} \cdots J_{t+1}

    with the Jacobians of :func:`lstm_explorer.step_jacobians`, of which a few steps' are held at a time. All singular
    values are exact, each to its own relative precision, however many powers of ten lie between them, but for
    directions that one step all but deletes (see :class:`lstm_explorer.JacobianFlow`).

    Args:
        network: As :func:`lstm_explorer.gradient_flow` takes it; not modified.
        inputs: What it reads, likewise; samples of one length.
        cotangent: What the loss puts on the last hidden state of each direction, ``(B, D*H)``; all ones by default.
        initial_state: ``h_0``, or ``(h_0, c_0)`` for the LSTM, each ``(L, B, H)``; zeros by default.

    Returns:
        log10 of the singular values and of the gradient's norm, per step and sample, in the network's dtype.

    Raises:
        TypeError: The network or the inputs are of another kind.
        ValueError: As :func:`lstm_explorer.step_jacobians`.

    Example:
        A linear RNN that halves its state keeps 10^-602 of it after 2000 steps; no float holds that:

        >>> rnn = torch.nn.RNN(1, 2, nonlinearity="relu", bias=False)
        >>> _ = torch.nn.init.ones_(rnn.weight_ih_l0), rnn.weight_hh_l0.data.copy_(torch.eye(2) / 2)
        >>> jacobian_flow(rnn, torch.ones(2000, 1, 1)).log10_singular_values[0, 0]
        tensor([-602.0600, -602.0600])
    """
    layers = last_layer_steps(network, inputs, initial_state)
    reached = check_cotangent(network, cotangent, check_inputs(network, inputs))
    if reached.ndim == 3:
        raise ValueError(
            f"cotangent has shape {tuple(reached.shape)}: expected one for the last step alone, (B, D*H); a gradient "
            "that comes in at every step is no product of Jacobians."
        )
    values, gradients = [], []
    for layer, of_direction in zip(layers, reached.chunk(len(layers), dim=-1), strict=True):
        steps, samples, size = layer.shape
        values.append(_all_steps(layer.jacobians, steps, Frame.identity(samples, size)))
        gradients.append(_all_steps(layer.jacobians, steps, Frame.of_gradient(of_direction, size))[..., 0])
    return JacobianFlow(
        architecture=architecture_of(network).name,
        log10_singular_values=per_direction(network, values),
        log10_gradient=per_direction(network, gradients),
        directions=num_directions(network),
    )


@checks_kinds
@undisturbed
def jacobian_flow_of(jacobians: Tensor) -> JacobianFlow:
    """Return the singular values of the products of Jacobians, such as those of a cell of one's own.

    Args:
        jacobians: ``(T, B, S, S)``, as :func:`lstm_explorer.cell_jacobians` returns them.

    Returns:
        log10 of the singular values, per step and sample, in the dtype of the Jacobians.

    Raises:
        TypeError: The Jacobians are no tensor.
        ValueError: They have another shape or dtype, are not finite, or one step's take more than 1 GiB.

    Example:
        >>> flow = jacobian_flow_of(torch.tensor([[10.0, 0.0], [0.0, 0.1]]).expand(400, 1, 2, 2))
        >>> flow.log10_singular_values[0, 0]
        tensor([ 400., -400.])
    """
    exact = checked_jacobians(jacobians)
    steps, samples, size, _ = exact.shape
    values = _all_steps(lambda some: exact[some], steps, Frame.identity(samples, size))
    return JacobianFlow(architecture="", log10_singular_values=values.to(jacobians.dtype))


def checked_jacobians(jacobians: Tensor) -> Tensor:
    """Return given Jacobians in float64 on the CPU.

    Raises:
        ValueError: They have another shape or dtype, are not finite, or one step's take more than 1 GiB.
    """
    check_square(jacobians, 4)
    check_memory(1, *jacobians.shape[1:3], mend="pass fewer samples at a time")
    check_finite(jacobians.detach(), 0)
    return jacobians.detach().cpu().double()


def join_jacobian_flows(parts: Sequence[JacobianFlow]) -> JacobianFlow:
    """Return flows of one run over parts of its steps, those of the last steps first, as one."""
    in_time = parts[::-1]
    gradients = [part.log10_gradient for part in in_time if part.log10_gradient is not None]
    return replace(
        parts[0],
        log10_singular_values=torch.cat([part.log10_singular_values for part in in_time], dim=-3),
        log10_gradient=torch.cat(gradients, dim=-2) if gradients else None,
    )


class Frame(NamedTuple):
    """Orthonormal rows and log2 of their lengths, ``(B, K, S)`` and ``(B, K)``: what is carried back through time."""

    rows: Array
    log2: Array

    @staticmethod
    def identity(samples: int, size: int) -> Frame:
        """Return the frame whose lengths, carried back, are the singular values of the products."""
        return Frame(np.tile(np.eye(size), (samples, 1, 1)), np.zeros((samples, size)))

    @staticmethod
    def of_gradient(cotangent: Tensor, size: int) -> Frame:
        """Return the frame of one row: what the loss puts on the last hidden state, ``(B, H)``, and on nothing else."""
        rows = np.zeros((len(cotangent), 1, size))
        rows[:, 0, : cotangent.shape[-1]] = cotangent.double().numpy(force=True)
        log2 = np.zeros((len(cotangent), 1))
        diagonalize(rows, log2)
        return Frame(rows, log2)

    @property
    def log10(self) -> Array:
        """log10 of the lengths, descending."""
        descending: Array = -np.sort(-self.log2, axis=-1) * math.log10(2.0)
        return descending


def carried_back(jacobians: JacobiansOf, steps: slice, frame: Frame) -> tuple[Tensor, Frame]:
    """Carry a frame back through some steps.

    Args:
        jacobians: Steps to their Jacobians.
        steps: Which; index ``t - 1`` is step ``t``.
        frame: As it is after the last of them; it is left as it is.

    Returns:
        log10 of its lengths before each step, descending, ``(n, B, K)``, and the frame before the first of them.
    """
    rows, log2 = frame.rows, frame.log2.copy()
    found = []
    for window in reversed(windows(steps, rows.shape[0] * rows.shape[2] ** 2)):
        of_window = jacobians(window).numpy()
        for of_step in of_window[::-1]:
            rows = rows @ of_step
            diagonalize(rows, log2)
            found.append(Frame(rows, log2).log10)
    return torch.from_numpy(np.stack(found[::-1])), Frame(rows, log2)


def _all_steps(jacobians: JacobiansOf, steps: int, frame: Frame) -> Tensor:
    """Carry a frame from the last step to step 0, and return log10 of its lengths, ``(T + 1, B, K)``."""
    found, _ = carried_back(jacobians, slice(0, steps), frame)
    return torch.cat([found, torch.from_numpy(frame.log10)[None]])
