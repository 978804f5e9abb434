"""Derivatives of the LSTM's steps, from its gates and cell states.

The legend of the indices is in :mod:`lstm_explorer.core.recurrences`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from lstm_explorer.core.scaled import Array

#: 1 - tanh^2 below this, that of a cell beyond 5, has fewer than 12 digits.
_SATURATED = 1.8e-4


class LSTMSlopes(NamedTuple):
    r"""Derivatives of LSTM steps, the coefficients of :class:`~lstm_explorer.core.recurrences.LSTMRecurrence`.

    Attributes:
        exposed: :math:`a_t = o_t (1 - \tanh^2 c_t)`, how much of the cell the hidden state shows, ``(n, *lead, H)``.
        rows: Five blocks side by side, ``(n, *lead, 5, H)``. The first four multiply :math:`dc_t`: the forget gate,
            which leads along the cell, and :math:`k_t`, which leads to the preactivations ``i f g``. The last
            multiplies :math:`dh_t`: :math:`d_t`, which leads to the preactivation ``o``.
    """

    exposed: Array
    rows: Array


def lstm_slopes(gates: Array, cell: Array, start: int, stop: int) -> LSTMSlopes:
    """Return the derivatives of the steps ``stop + 1`` to ``start``, from all gates ``(4, T, ...)`` and all cells."""
    i, f, g, o = (gate[stop:start] for gate in gates)
    exposed, shown = cell_exposed(o, cell[stop + 1 : start + 1])
    rows = np.empty((*i.shape[:-1], 5, i.shape[-1]))
    rows[..., 0, :] = f
    np.multiply(_sigmoid_slope(i), g, out=rows[..., 1, :])
    np.multiply(_sigmoid_slope(f), cell[stop:start], out=rows[..., 2, :])
    np.multiply(_tanh_slope(g), i, out=rows[..., 3, :])
    np.multiply(_sigmoid_slope(o), shown, out=rows[..., 4, :])
    return LSTMSlopes(exposed, rows)


def cell_exposed(output: Array, cell: Array) -> tuple[Array, Array]:
    r"""Return :math:`a_t = o_t (1 - \tanh^2 c_t)` and :math:`\tanh c_t`."""
    shown = np.tanh(cell)
    exposed = _tanh_slope(shown)
    if exposed.min() < _SATURATED:
        # From the exponential instead: the difference has lost digits here, and beyond 19 it is 0.
        large = exposed < _SATURATED
        rest = np.exp(-2.0 * np.abs(cell[large]))
        exposed[large] = 4.0 * rest / np.square(1.0 + rest)
    exposed *= output
    return exposed, shown


def _sigmoid_slope(gate: Array) -> Array:
    slope = 1.0 - gate
    slope *= gate
    return slope


def _tanh_slope(value: Array) -> Array:
    slope = value * value
    return np.subtract(1.0, slope, out=slope)
