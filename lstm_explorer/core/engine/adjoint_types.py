"""What the recurrences of :mod:`lstm_explorer.core.engine.adjoints` take and fill; its legend names the indices."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstm_explorer.core.engine.scaled import Array

Integers = NDArray[np.int64]


class Weights(NamedTuple):
    """Weights of one layer, transposed and of one dtype: ``hh`` ``(R, H, G*H)``, ``ih`` ``(R, I, G*H)``.

    ``hh`` is ``(R, 0, G*H)`` where the hidden state is cut before the gates.
    """

    hh: NDArray[Any]
    ih: NDArray[Any]


class Entering(NamedTuple):
    """What reaches the hidden states from outside at every step, ``(T + 1, X, B, H)``; empty if nothing does."""

    mantissa: Array
    exponent: Integers


class Carried(NamedTuple):
    """The gradient on its way: what has arrived of the step that comes next.

    Attributes:
        hidden: Of the hidden state, ``(R, B, H)``.
        along: Of the cell state, what came along the cell, ``(R, B, H)``, or ``(R, B, 0)`` without a cell.
        exponent: The power of two of both, ``(R, B)``.
    """

    hidden: Array
    along: Array
    exponent: Integers


class Found(NamedTuple):
    """Where a recurrence writes what it finds; ``states``, ``inputs`` and ``deltas`` only where they are not empty.

    Attributes:
        log10: log10 of the norms of the states' gradients, ``(T + 1, S, R, B)``.
        exponents: Powers of two of all mantissas of a step, ``(T + 1, R, B)``.
        states: Mantissas of the states' gradients, ``(T + 1, S, R, B, H)``.
        inputs: Mantissas of the inputs' gradient, ``(T, R, B, I)``.
        deltas: Mantissas of the preactivations' gradient as the input meets them, ``(T, R, B, G*H)``.
    """

    log10: Array
    exponents: Integers
    states: Array
    inputs: Array
    deltas: Array


class LSTMSteps(NamedTuple):
    r"""What the LSTM's recurrence needs of its forward pass.

    Attributes:
        gates: Input, forget, candidate, output, ``(4, T, X, B, H)``.
        cell: Cell states, ``(T + 1, X, B, H)``.
        exposed: :math:`o_t (1 - \tanh^2 c_t)` of the window's steps, ``(n, X, B, H)``.
        shown: :math:`\tanh c_t`, likewise.
    """

    gates: Array
    cell: Array
    exposed: Array
    shown: Array


class GRUSteps(NamedTuple):
    r"""What the GRU's recurrence needs of its forward pass.

    Attributes:
        gates: Reset, update and candidate, ``(3, T, X, B, H)``.
        before: Hidden states :math:`h_{t-1}` of the window's steps, ``(n, X, B, H)``.
        recurrent: The candidate's recurrent product, :math:`W_{hn} h_{t-1} + b_{hn}`, likewise.
    """

    gates: Array
    before: Array
    recurrent: Array
