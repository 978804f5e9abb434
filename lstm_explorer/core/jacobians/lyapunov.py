r"""Lyapunov exponents: how fast a small change of the state grows or dies, in each direction, along a sequence."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from lstm_explorer.core.architectures import Network
from lstm_explorer.core.checks import InitialState, Inputs
from lstm_explorer.core.engine.frames import orthonormalize
from lstm_explorer.core.jacobians.products import Frame, checked_jacobians
from lstm_explorer.core.jacobians.steps import JacobiansOf, last_layer_steps, per_direction, windows
from lstm_explorer.core.kinds import checks_kinds
from lstm_explorer.core.undisturbed import undisturbed


@checks_kinds
@undisturbed
def lyapunov_exponents(
    network: Network, inputs: Inputs, *, initial_state: InitialState = None, skip: int = 0, count: int | None = None
) -> Tensor:
    r"""Measure the Lyapunov exponents of a network's last layer along a sequence, by QR at every step.

    .. math::
        \lambda_i = \frac{1}{T} \sum_t \ln r_{ii,t}, \quad J_t Q_{t-1} = Q_t R_t

    Below 0 a direction vanishes, above 0 it explodes. The LSTM's state is hidden and cell state together: the hidden
    state's Jacobian alone does not see the forget gate keep.

    Args:
        network: As :func:`lstm_explorer.gradient_flow` takes it; not modified.
        inputs: What it reads, likewise; samples of one length.
        initial_state: ``h_0``, or ``(h_0, c_0)`` for the LSTM, each ``(L, B, H)``; zeros by default.
        skip: Steps at the beginning in which the directions turn, and which do not count.
        count: How many exponents, the largest first; all by default. A few take a fraction of the time; they begin in
            random directions, always the same ones, which need some steps to turn into the fastest (see ``skip``).

    Returns:
        ``(B, S)``, or ``(B, count)``: nats per step, descending, in the network's dtype; ``-inf`` of a direction that
        is lost (see :class:`lstm_explorer.JacobianFlow`). ``(2, B, S)`` of a bidirectional network.

    Raises:
        TypeError: An argument is of another kind.
        ValueError: As :func:`lstm_explorer.step_jacobians`; or ``skip`` or ``count`` is out of its range.

    Source:
        vogt2022

    Example:
        >>> rnn = torch.nn.RNN(1, 2, nonlinearity="relu", bias=False)
        >>> _ = torch.nn.init.ones_(rnn.weight_ih_l0), rnn.weight_hh_l0.data.copy_(torch.eye(2) / 2)
        >>> lyapunov_exponents(rnn, torch.ones(50, 1, 1)) / math.log(2)
        tensor([[-1., -1.]])
    """
    layers = last_layer_steps(network, inputs, initial_state)
    exponents = [_exponents(layer.jacobians, layer.shape, skip, count) for layer in layers]
    return per_direction(network, exponents)


@checks_kinds
@undisturbed
def lyapunov_exponents_of(jacobians: Tensor, *, skip: int = 0, count: int | None = None) -> Tensor:
    """Return the Lyapunov exponents of a sequence of Jacobians, such as those of a cell of one's own.

    Args:
        jacobians: ``(T, B, S, S)``, as :func:`lstm_explorer.cell_jacobians` returns them.
        skip: As in :func:`lyapunov_exponents`.
        count: Likewise.

    Returns:
        ``(B, S)``, or ``(B, count)``: nats per step, descending, in the dtype of the Jacobians.

    Raises:
        TypeError: An argument is of another kind.
        ValueError: As :func:`lstm_explorer.jacobian_flow_of`; or ``skip`` or ``count`` is out of its range.

    Example:
        >>> lyapunov_exponents_of(torch.diag(torch.tensor([0.5, 1.0, 2.0])).expand(9, 1, 3, 3)) / math.log(2)
        tensor([[ 1.,  0., -1.]])
    """
    exact = checked_jacobians(jacobians)
    steps, samples, size, _ = exact.shape
    return _exponents(lambda some: exact[some], (steps, samples, size), skip, count).to(jacobians.dtype)


def _exponents(jacobians: JacobiansOf, shape: tuple[int, int, int], skip: int, count: int | None) -> Tensor:
    """Carry directions forwards, and return by how much each grew per step, ``(B, count)``."""
    steps, samples, size = shape
    if not 0 <= skip < steps:
        raise ValueError(f"skip is {skip}: expected 0 to {steps - 1}, fewer than the {steps} steps of the inputs.")
    if count is not None and not 1 <= count <= size:
        raise ValueError(f"count is {count}: expected 1 to {size}, the numbers in a state; or None for all.")
    frame = carried_on(jacobians, slice(0, skip), first_frame(samples, size, count))
    # What is lost by then has no direction left, and is lost again.
    frame = carried_on(jacobians, slice(skip, steps), frame._replace(log2=np.zeros_like(frame.log2)))
    return exponents_of(frame, steps - skip)


def first_frame(samples: int, size: int, count: int | None = None) -> Frame:
    """Return the directions to begin with: the numbers of the state; of a few, random ones, always the same.

    The first numbers of a state would not do: what they grow to may have no part in the largest exponent, as of units
    that are dead, or of an LSTM's hidden state without recurrent weights.
    """
    if count is None or count == size:
        return Frame.identity(samples, size)
    drawn = np.random.default_rng(0).standard_normal((size, count))
    rows = np.linalg.qr(drawn)[0].T
    return Frame(np.tile(rows, (samples, 1, 1)), np.zeros((samples, count)))


def carried_on(jacobians: JacobiansOf, steps: slice, frame: Frame) -> Frame:
    """Carry directions forwards through some steps; the frame that is given is left as it is."""
    rows, log2 = frame.rows, frame.log2.copy()
    for window in windows(steps, rows.shape[0] * rows.shape[2] ** 2):
        for of_step in jacobians(window).numpy().swapaxes(-1, -2):
            rows = np.ascontiguousarray(rows @ of_step)
            orthonormalize(rows, log2)
    return Frame(rows, log2)


def exponents_of(frame: Frame, steps: int) -> Tensor:
    """Return the exponents of directions that were carried through so many steps, ``(B, count)``, descending."""
    return torch.from_numpy(-np.sort(-frame.log2, axis=-1) * (math.log(2.0) / steps))
