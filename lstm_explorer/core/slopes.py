"""Derivatives of the LSTM's steps, from its gates and cell states.

The legend of the indices is in :mod:`lstm_explorer.core.recurrences`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from lstm_explorer.core.scaled import Array


class LSTMSlopes(NamedTuple):
    r"""Derivatives of LSTM steps, the coefficients of :class:`~lstm_explorer.core.recurrences.LSTMRecurrence`.

    Attributes:
        exposed: :math:`a_t = o_t (1 - \tanh^2 c_t)`, how much of the cell the hidden state shows, ``(n, *lead, H)``.
        from_cell: The forget gate and :math:`k_t`: from :math:`dc_t` along the cell and to the preactivations
            ``i f g``, ``(n, 4, *lead, H)``.
        to_output: :math:`d_t`, from :math:`dh_t` to the preactivation ``o``, ``(n, *lead, H)``.
    """

    exposed: Array
    from_cell: Array
    to_output: Array


def lstm_slopes(gates: tuple[Array, ...], cell: Array, start: int, stop: int) -> LSTMSlopes:
    """Return the derivatives of the steps ``stop + 1`` to ``start``, from all gates and cells (by ``T``, ``T + 1``)."""
    i, f, g, o = (gate[stop:start] for gate in gates)
    exposed, shown = cell_exposed(o, cell[stop + 1 : start + 1])
    from_cell = np.empty((len(i), 4, *i.shape[1:]))
    along, to_input, to_forget, to_candidate = from_cell.swapaxes(0, 1)
    along[...] = f
    np.multiply(_sigmoid_slope(i, out=to_input), g, out=to_input)
    np.multiply(_sigmoid_slope(f, out=to_forget), cell[stop:start], out=to_forget)
    np.multiply(_tanh_slope(g, out=to_candidate), i, out=to_candidate)
    to_output = _sigmoid_slope(o, out=np.empty(shown.shape))
    to_output *= shown
    return LSTMSlopes(exposed, from_cell, to_output)


def cell_exposed(output: Array, cell: Array) -> tuple[Array, Array]:
    r"""Return :math:`a_t = o_t (1 - \tanh^2 c_t)` and :math:`\tanh c_t`."""
    shown = np.tanh(cell)
    exposed = _tanh_slope(shown, out=np.empty(shown.shape))
    exposed *= output
    return exposed, shown


def _sigmoid_slope(gate: Array, out: Array) -> Array:
    np.subtract(1.0, gate, out=out)
    out *= gate
    return out


def _tanh_slope(value: Array, out: Array) -> Array:
    np.multiply(value, value, out=out)
    return np.subtract(1.0, out, out=out)
