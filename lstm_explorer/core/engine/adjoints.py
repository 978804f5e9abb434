r"""Back-propagation through time as a linear recurrence, exact far past the range of a float.

Once the forward pass is known, the gradient obeys a *linear* recurrence backwards in time whose coefficients follow
from the states and gates. Running that recurrence ourselves is cheaper than unrolling cells under autograd, because no
graph is built and no weight gradient is formed, and it lets us carry a **power of two per sample** beside the numbers:
``gradient = mantissa * 2**exponent``, so that 10^-1740 and 10^+400 are ordinary values. A sample's hidden and cell
gradient at one step share it, so of two that lie more than 10^300 apart the smaller is lost.

The loops are compiled, and in float64 whatever the network's dtype.

Index legend, here and in :mod:`lstm_explorer.core.engine.adjoint_types`: ``t`` step; ``R`` replicas; ``B`` samples;
``H`` hidden units; ``G`` gate blocks; ``S`` states of a step (hidden, and cell in the LSTM); ``n`` steps of a window.
States have ``T + 1`` entries (0 is the initial state), gates and coefficients of step ``t`` sit at index ``t - 1``.
``X`` is ``R``, or 1 where all replicas share it.

Each recurrence takes the steps from ``start`` down to ``stop + 1``, and ends at step 0 where ``stop`` is 0. It changes
the adjoint that it gets, and fills in what is recorded.
"""

from __future__ import annotations

import math

import numpy as np

from lstm_explorer.core.engine.adjoint_types import Adjoint, GRUSteps, LSTMSteps, Recorded, UpstreamSteps, Weights
from lstm_explorer.core.engine.compiled import compiled, compiled_entry
from lstm_explorer.core.engine.products import matmul_transposed
from lstm_explorer.core.engine.scaled import LARGEST, SMALLEST, Array

_LOG10_2 = math.log10(2.0)
#: A state whose squared norm is inside these bounds is near enough to 1.
_LOW, _HIGH = 1e-12, 1e6


@compiled_entry
def rnn(
    start: int, stop: int, slope: Array, weights: Weights, upstream: UpstreamSteps, adjoint: Adjoint, recorded: Recorded
) -> None:
    r"""Run the plain RNN: :math:`\delta_t = \phi'_t \odot dh_t`, :math:`dh_{t-1} = W_{hh}^T \delta_t`.

    ``slope`` is :math:`\phi'_t` in the window, ``(n, X, B, H)``.
    """
    hidden = adjoint.hidden
    replicas, batch, size = hidden.shape
    last = stop if stop > 0 else -1  # no step leads from step 0 further back, but it has a gradient
    delta = np.empty((batch, size))
    for r in range(replicas):
        x = r % slope.shape[1]
        for t in range(start, last, -1):
            _add_upstream(t, r, upstream, adjoint)
            _record(t, r, adjoint, recorded)
            if t == 0:
                break
            for b in range(batch):
                for k in range(size):
                    delta[b, k] = slope[t - 1 - stop, x, b, k] * hidden[r, b, k]
            matmul_transposed(delta, weights.hh[r], hidden[r])
            _propagate_to_inputs(t, r, delta, delta, weights, recorded)


@compiled_entry
def gru(
    start: int,
    stop: int,
    steps: GRUSteps,
    weights: Weights,
    upstream: UpstreamSteps,
    adjoint: Adjoint,
    recorded: Recorded,
) -> None:
    r"""Run the GRU: :math:`dh_{t-1} = z_t \odot dh_t + W_{hh}^T \delta_t`.

    The candidate's :math:`\delta` has two values: the recurrent product is multiplied by the reset gate, the input's is
    not.
    """
    gates, before, recurrent = steps
    hidden = adjoint.hidden
    replicas, batch, size = hidden.shape
    last = stop if stop > 0 else -1  # no step leads from step 0 further back, but it has a gradient
    to_hidden = np.empty((batch, 3 * size))
    to_input = np.empty((batch, 3 * size))
    kept = np.empty((batch, size))
    for q in range(replicas):
        x = q % gates.shape[2]
        for t in range(start, last, -1):
            w = t - 1 - stop
            _add_upstream(t, q, upstream, adjoint)
            _record(t, q, adjoint, recorded)
            if t == 0:
                break
            for b in range(batch):
                for k in range(size):
                    r, z, n = gates[0, t - 1, x, b, k], gates[1, t - 1, x, b, k], gates[2, t - 1, x, b, k]
                    candidate = hidden[q, b, k] * (1 - z) * (1 - n * n)
                    to_input[b, k] = candidate * recurrent[w, x, b, k] * r * (1 - r)
                    to_input[b, size + k] = hidden[q, b, k] * (before[w, x, b, k] - n) * z * (1 - z)
                    to_input[b, 2 * size + k] = candidate
                    kept[b, k] = hidden[q, b, k] * z
                for k in range(2 * size):
                    to_hidden[b, k] = to_input[b, k]
                for k in range(size):
                    to_hidden[b, 2 * size + k] = to_input[b, 2 * size + k] * gates[0, t - 1, x, b, k]
            matmul_transposed(to_hidden, weights.hh[q], hidden[q])
            for b in range(batch):
                for k in range(size):
                    hidden[q, b, k] += kept[b, k]
            _propagate_to_inputs(t, q, to_hidden, to_input, weights, recorded)


@compiled_entry
def lstm(
    start: int,
    stop: int,
    steps: LSTMSteps,
    weights: Weights,
    upstream: UpstreamSteps,
    adjoint: Adjoint,
    recorded: Recorded,
) -> None:
    r"""Run the LSTM, hidden and cell together.

    .. math::
        dc_t = f_{t+1} \odot dc_{t+1} + o_t (1 - \tanh^2 c_t) \odot dh_t, \quad dh_{t-1} = W_{hh}^T \delta_t

    With the hidden state cut before the gates only the cell path remains: :math:`dc_{t-1} = f_t \odot dc_t`.
    """
    gates, cell, hidden_slope, tanh_cell = steps
    hidden, cell_adjoint, _ = adjoint
    replicas, batch, size = hidden.shape
    last = stop if stop > 0 else -1  # no step leads from step 0 further back, but it has a gradient
    delta = np.empty((batch, 4 * size))
    cut = weights.hh.shape[1] == 0
    wanted = not cut or len(recorded.inputs) > 0 or len(recorded.preactivations) > 0
    for r in range(replicas):
        x = r % gates.shape[2]
        reached = True  # whether there may be a gradient of the hidden state
        for t in range(start, last, -1):
            n = t - 1 - stop
            _add_upstream(t, r, upstream, adjoint)
            for b in range(batch if t > 0 and reached else 0):
                for k in range(size):
                    cell_adjoint[r, b, k] += hidden_slope[n, x, b, k] * hidden[r, b, k]
            _record(t, r, adjoint, recorded)
            if t == 0:
                break
            for b in range(batch):
                if wanted:  # two loops, as one over all these arrays is slower
                    for k in range(size):
                        i, g = gates[0, t - 1, x, b, k], gates[2, t - 1, x, b, k]
                        delta[b, k] = cell_adjoint[r, b, k] * g * i * (1 - i)
                        delta[b, 2 * size + k] = cell_adjoint[r, b, k] * i * (1 - g * g)
                    for k in range(size):
                        f, o = gates[1, t - 1, x, b, k], gates[3, t - 1, x, b, k]
                        delta[b, size + k] = cell_adjoint[r, b, k] * cell[t - 1, x, b, k] * f * (1 - f)
                        delta[b, 3 * size + k] = hidden[r, b, k] * tanh_cell[n, x, b, k] * o * (1 - o)
                for k in range(size):
                    cell_adjoint[r, b, k] *= gates[1, t - 1, x, b, k]
            if not cut:
                matmul_transposed(delta, weights.hh[r], hidden[r])
            elif reached:
                for b in range(batch):
                    for k in range(size):
                        hidden[r, b, k] = 0.0
                reached = len(upstream.mantissa) > 0
            _propagate_to_inputs(t, r, delta, delta, weights, recorded)


@compiled
def _add_upstream(t: int, r: int, upstream: UpstreamSteps, adjoint: Adjoint) -> None:
    """Add what the hidden state gets from upstream, at the exponent of whichever of the two is larger."""
    if len(upstream.mantissa) == 0:
        return
    hidden, cell, exponents = adjoint.hidden[r], adjoint.cell[r], adjoint.exponent[r]
    x = r % upstream.mantissa.shape[1]
    added, theirs = upstream.mantissa[t, x], upstream.exponent[t, x]
    for b in range(len(hidden)):
        size_added, size = _largest(added, b), max(_largest(hidden, b), _largest(cell, b))
        if size_added == 0.0:
            continue
        common, ours = theirs[b], exponents[b]
        if size > 0.0 and ours + math.frexp(size)[1] > common + math.frexp(size_added)[1]:
            common = ours
        # Far below the other nothing is left; a zero may be at any scale.
        down, up = _power_of_two(ours - common) if size > 0.0 else 0.0, _power_of_two(theirs[b] - common)
        for k in range(hidden.shape[1]):
            hidden[b, k] = hidden[b, k] * down + added[b, k] * up
        for k in range(cell.shape[1]):
            cell[b, k] *= down
        exponents[b] = common


@compiled
def _record(t: int, r: int, adjoint: Adjoint, recorded: Recorded) -> None:
    """Bring a step's gradient near 1 and write down its norms, its power of two and, if wanted, itself."""
    hidden, cell, exponents = adjoint
    for b in range(hidden.shape[1]):
        square, square_cell = _squared_norm(hidden[r], b), _squared_norm(cell[r], b)
        if not _LOW < square + square_cell < _HIGH:
            _, shift = math.frexp(max(_largest(hidden[r], b), _largest(cell[r], b)))
            for k in range(hidden.shape[2]):
                hidden[r, b, k] = math.ldexp(hidden[r, b, k], -shift)
            for k in range(cell.shape[2]):
                cell[r, b, k] = math.ldexp(cell[r, b, k], -shift)
            exponents[r, b] += shift
            square, square_cell = _squared_norm(hidden[r], b), _squared_norm(cell[r], b)
        recorded.exponents[t, r, b] = exponents[r, b]
        recorded.log10[t, 0, r, b] = _log10_norm(hidden[r], b, square) + exponents[r, b] * _LOG10_2
        if cell.shape[2] > 0:
            recorded.log10[t, 1, r, b] = _log10_norm(cell[r], b, square_cell) + exponents[r, b] * _LOG10_2
        if len(recorded.states) > 0:
            for k in range(hidden.shape[2]):
                recorded.states[t, 0, r, b, k] = hidden[r, b, k]
            for k in range(cell.shape[2]):
                recorded.states[t, 1, r, b, k] = cell[r, b, k]


@compiled
def _propagate_to_inputs(
    t: int, r: int, to_hidden: Array, to_input: Array, weights: Weights, recorded: Recorded
) -> None:
    """Write down the preactivations' gradient as the hidden state meets them, and what the input gets of its own."""
    if len(recorded.preactivations) > 0:
        for b in range(to_hidden.shape[0]):
            for j in range(to_hidden.shape[1]):
                recorded.preactivations[t - 1, r, b, j] = to_hidden[b, j]
    if len(recorded.inputs) > 0:
        matmul_transposed(to_input, weights.ih[r], recorded.inputs[t - 1, r])


@compiled
def _largest(vectors: Array, b: int) -> float:
    """Return the size of the largest element of one vector."""
    largest = 0.0
    for k in range(vectors.shape[1]):
        largest = max(largest, abs(vectors[b, k]))
    return largest


@compiled
def _squared_norm(vectors: Array, b: int) -> float:
    total = 0.0
    for k in range(vectors.shape[1]):
        total += vectors[b, k] * vectors[b, k]
    return total


@compiled
def _log10_norm(vectors: Array, b: int, square: float) -> float:
    """Return log10 of the norm of one vector whose squared norm is known; -inf where it is exactly zero."""
    if SMALLEST < square < LARGEST:
        return 0.5 * math.log10(square)
    total = 0.0
    for k in range(vectors.shape[1]):
        total += abs(vectors[b, k])  # not the largest: a sum shows NaN
    if total == 0.0:
        return -math.inf
    # Squares leave the float range long before the numbers do: scale first.
    largest, total = _largest(vectors, b), 0.0
    for k in range(vectors.shape[1]):
        total += (vectors[b, k] / largest) * (vectors[b, k] / largest)
    return math.log10(largest) + 0.5 * math.log10(total)


@compiled
def _power_of_two(exponent: int) -> float:
    """Return ``2**exponent``, 0 where that is below the float range."""
    return math.ldexp(1.0, int(exponent)) if exponent > -1100 else 0.0
