"""What the recurrences of :mod:`lstm_explorer.core.engine.adjoints` take and fill; its legend names the indices."""

from __future__ import annotations

from typing import NamedTuple

from lstm_explorer.core.engine.scaled import Array, Integers


class Weights(NamedTuple):
    """Weights of one layer, transposed: ``hh`` ``(R, H, G*H)``, ``ih`` ``(R, I, G*H)``.

    ``hh`` is ``(R, 0, G*H)`` where the hidden state is cut before the gates.
    """

    hh: Array
    ih: Array


class UpstreamSteps(NamedTuple):
    """What the hidden states get from the loss or the layer above at every step, ``(T + 1, X, B, H)``, or nothing."""

    mantissa: Array
    exponent: Integers


class Adjoint(NamedTuple):
    """The gradient of the state at the step that comes next, as far as it comes from the steps after it.

    Attributes:
        hidden: Of the hidden state, ``(R, B, H)``.
        cell: Of the cell state, what comes along the cell, ``(R, B, H)``; ``(R, B, 0)`` without a cell.
        exponent: The power of two of both, ``(R, B)``.
    """

    hidden: Array
    cell: Array
    exponent: Integers


class Recorded(NamedTuple):
    """Where a recurrence writes its results; ``states``, ``inputs`` and ``preactivations`` may be empty: not wanted.

    Attributes:
        log10: log10 of the norms of the states' gradients, ``(T + 1, S, R, B)``.
        exponents: Powers of two of all mantissas of a step, ``(T + 1, R, B)``.
        states: Mantissas of the states' gradients, ``(T + 1, S, R, B, H)``.
        inputs: Mantissas of the inputs' gradient, ``(T, R, B, I)``.
        preactivations: Mantissas of the gradient of :math:`W_{hh} h_{t-1} + b_{hh}`, ``(T, R, B, G*H)``.
    """

    log10: Array
    exponents: Integers
    states: Array
    inputs: Array
    preactivations: Array


class LSTMSteps(NamedTuple):
    r"""What the LSTM's recurrence needs of its forward pass.

    Attributes:
        gates: Input, forget, candidate, output, ``(4, T, X, B, H)``.
        cell: Cell states, ``(T + 1, X, B, H)``.
        hidden_slope: :math:`\partial h_t / \partial c_t = o_t (1 - \tanh^2 c_t)` in the window, ``(n, X, B, H)``.
        tanh_cell: :math:`\tanh c_t`, likewise.
    """

    gates: Array
    cell: Array
    hidden_slope: Array
    tanh_cell: Array


class GRUSteps(NamedTuple):
    r"""What the GRU's recurrence needs of its forward pass.

    Attributes:
        gates: Reset, update and candidate, ``(3, T, X, B, H)``.
        before: Hidden states :math:`h_{t-1}` in the window, ``(n, X, B, H)``.
        recurrent: The candidate's recurrent product, :math:`W_{hn} h_{t-1} + b_{hn}`, likewise.
    """

    gates: Array
    before: Array
    recurrent: Array
