r"""Products of the steps' Jacobians: all singular values at every lag, past the range of any float."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from lstm_explorer.core.architectures import Network, architecture_of, num_directions
from lstm_explorer.core.checks import InitialState, Inputs
from lstm_explorer.core.engine.frames import diagonalize
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
        directions: 2 of a bidirectional network, else 1.
    """

    architecture: str
    log10_singular_values: Tensor
    directions: int = 1

    def to_frame(self) -> pd.DataFrame:
        """Return the singular values as a tidy table, one row per number.

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
def jacobian_flow(network: Network, inputs: Inputs, *, initial_state: InitialState = None) -> JacobianFlow:
    r"""Measure the singular values of the Jacobian from every step to the last, of the last layer.

    .. math::
        \frac{\partial s_T}{\partial s_t} = J_T J_{T-1} \cdots J_{t+1}

    with the Jacobians of :func:`lstm_explorer.step_jacobians`, of which a few steps' are held at a time. All singular
    values are exact, each to its own relative precision, however many powers of ten lie between them.

    Args:
        network: As :func:`lstm_explorer.gradient_flow` takes it; not modified.
        inputs: What it reads, likewise; samples of one length.
        initial_state: ``h_0``, or ``(h_0, c_0)`` for the LSTM, each ``(L, B, H)``; zeros by default.

    Returns:
        log10 of the singular values, per step and sample, in the network's dtype.

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
    found = [_log10_singular_values(layer.jacobians, *layer.shape) for layer in layers]
    return JacobianFlow(
        architecture=architecture_of(network).name,
        log10_singular_values=per_direction(network, found),
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
    values = _log10_singular_values(lambda some: exact[some], steps, samples, size)
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


def _log10_singular_values(jacobians: JacobiansOf, steps: int, samples: int, size: int) -> Tensor:
    """Carry the identity at the last step back to step 0, and return log10 of the singular values on the way."""
    rows, log2 = np.tile(np.eye(size), (samples, 1, 1)), np.zeros((samples, size))
    found = np.zeros((steps + 1, samples, size))
    for window in reversed(windows(steps, samples * size**2)):
        of_window = jacobians(window).numpy()
        for t in range(window.stop - 1, window.start - 1, -1):
            rows = rows @ of_window[t - window.start]
            diagonalize(rows, log2)
            found[t] = log2
    return torch.from_numpy(-np.sort(-found, axis=-1) * math.log10(2.0))
