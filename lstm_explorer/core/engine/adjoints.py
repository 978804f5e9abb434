r"""Back-propagation through time as a linear recurrence, exact far past the range of a float.

Once the forward pass is known, the gradient obeys a *linear* recurrence backwards in time whose coefficients follow
from the states and gates. Running that recurrence ourselves is cheaper than unrolling cells under autograd, because no
graph is built and no weight gradient is formed, and it lets us carry a **power of two per sample** beside the numbers:
``gradient = mantissa * 2**exponent``, so that 10^-1740 and 10^+400 are ordinary values. A sample's hidden and cell
gradient at one step share it, so of two that lie more than 10^300 apart the smaller is lost.

The loops are compiled. Gradients are float64 whatever the network's dtype. Only products with the weights of a float32
network are float32, at half the time: they round as the network's own do. They say where they come near the ends of
float32's range; that window of steps and all before it are then made in float64.

Index legend, here and in :mod:`lstm_explorer.core.engine.adjoint_types`: ``t`` step; ``R`` replicas; ``B`` samples;
``H`` hidden units; ``G`` gate blocks; ``S`` states of a step (hidden, and cell in the LSTM); ``n`` steps of a window.
States have ``T + 1`` entries (0 is the initial state), gates and coefficients of step ``t`` sit at index ``t - 1``.
``X`` is ``R``, or 1 where all replicas share it.

Each recurrence takes the steps from ``start`` down to ``stop + 1``, and ends at step 0 where ``stop`` is 0. It returns
whether float32 was enough; if not, it may have stopped anywhere.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_explorer.core.engine.adjoint_types import Carried, Entering, Found, GRUSteps, LSTMSteps, Weights
from lstm_explorer.core.engine.compiled import compiled
from lstm_explorer.core.engine.scaled import LARGEST, SMALLEST, Array

_LOG10_2 = math.log10(2.0)
#: A state whose squared norm is inside these bounds is near enough to 1.
_LOW, _HIGH = 1e-12, 1e6
#: A number of a float32 product inside these bounds has lost nothing that counts to the ends of the range.
_NARROW_LOW, _NARROW_HIGH = 1e-24, 1e24


@compiled
def rnn(
    start: int, stop: int, slope: Array, weights: Weights, entering: Entering, carried: Carried, found: Found
) -> bool:
    r"""Run the plain RNN: :math:`\delta_t = \phi'_t \odot dh_t`, :math:`dh_{t-1} = W_{hh}^T \delta_t`.

    ``slope`` is :math:`\phi'_t` of the window's steps, ``(n, X, B, H)``.
    """
    hidden = carried.hidden
    replicas, batch, size = hidden.shape
    last = stop if stop > 0 else -1  # from step 0 no step leads back, but it has a gradient
    delta = np.empty((batch, size), weights.hh.dtype)
    for r in range(replicas):
        x = r % slope.shape[1]
        for t in range(start, last, -1):
            _enter(t, r, entering, carried)
            _record(t, r, carried, found)
            if t == 0:
                break
            for b in range(batch):
                for k in range(size):
                    delta[b, k] = slope[t - 1 - stop, x, b, k] * hidden[r, b, k]
            if not (_times(delta, weights.hh[r], hidden[r]) and _leave(t, r, delta, weights, found)):
                return False
    return True


@compiled
def gru(
    start: int, stop: int, steps: GRUSteps, weights: Weights, entering: Entering, carried: Carried, found: Found
) -> bool:
    r"""Run the GRU: :math:`dh_{t-1} = z_t \odot dh_t + W_{hh}^T \delta_t`.

    The candidate's :math:`\delta` has two values: the recurrent product is multiplied by the reset gate, the input's is
    not.
    """
    gates, before, recurrent = steps
    hidden = carried.hidden
    replicas, batch, size = hidden.shape
    last = stop if stop > 0 else -1  # from step 0 no step leads back, but it has a gradient
    to_hidden = np.empty((batch, 3 * size), weights.hh.dtype)
    to_input = np.empty((batch, 3 * size), weights.hh.dtype)
    kept = np.empty((batch, size))
    for q in range(replicas):
        x = q % gates.shape[2]
        for t in range(start, last, -1):
            w = t - 1 - stop
            _enter(t, q, entering, carried)
            _record(t, q, carried, found)
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
            if not (_times(to_hidden, weights.hh[q], hidden[q]) and _leave(t, q, to_input, weights, found)):
                return False
            for b in range(batch):
                for k in range(size):
                    hidden[q, b, k] += kept[b, k]
    return True


@compiled
def lstm(
    start: int, stop: int, steps: LSTMSteps, weights: Weights, entering: Entering, carried: Carried, found: Found
) -> bool:
    r"""Run the LSTM, hidden and cell together.

    .. math::
        dc_t = f_{t+1} \odot dc_{t+1} + o_t (1 - \tanh^2 c_t) \odot dh_t, \quad dh_{t-1} = W_{hh}^T \delta_t

    With the hidden state cut before the gates, what is left is the cell path: :math:`dc_{t-1} = f_t \odot dc_t`.
    """
    gates, cell, exposed, shown = steps
    hidden, along, _ = carried
    replicas, batch, size = hidden.shape
    last = stop if stop > 0 else -1  # from step 0 no step leads back, but it has a gradient
    delta = np.empty((batch, 4 * size), weights.hh.dtype)
    wanted = weights.hh.shape[1] > 0 or len(found.inputs) > 0 or len(found.deltas) > 0
    for r in range(replicas):
        x = r % gates.shape[2]
        reached = True  # whether there may be a gradient of the hidden state
        for t in range(start, last, -1):
            n = t - 1 - stop
            _enter(t, r, entering, carried)
            for b in range(batch if t > 0 and reached else 0):
                for k in range(size):
                    along[r, b, k] += exposed[n, x, b, k] * hidden[r, b, k]
            _record(t, r, carried, found)
            if t == 0:
                break
            for b in range(batch):
                if wanted:  # two loops, as one over all these arrays is slower
                    for k in range(size):
                        i, g = gates[0, t - 1, x, b, k], gates[2, t - 1, x, b, k]
                        delta[b, k] = along[r, b, k] * g * i * (1 - i)
                        delta[b, 2 * size + k] = along[r, b, k] * i * (1 - g * g)
                    for k in range(size):
                        f, o = gates[1, t - 1, x, b, k], gates[3, t - 1, x, b, k]
                        delta[b, size + k] = along[r, b, k] * cell[t - 1, x, b, k] * f * (1 - f)
                        delta[b, 3 * size + k] = hidden[r, b, k] * shown[n, x, b, k] * o * (1 - o)
                for k in range(size):
                    along[r, b, k] *= gates[1, t - 1, x, b, k]
            if weights.hh.shape[1] > 0:
                if not _times(delta, weights.hh[r], hidden[r]):
                    return False
            elif reached:
                for b in range(batch):
                    for k in range(size):
                        hidden[r, b, k] = 0.0
                reached = len(entering.mantissa) > 0
            if not _leave(t, r, delta, weights, found):
                return False
    return True


@compiled
def _enter(t: int, r: int, entering: Entering, carried: Carried) -> None:
    """Add what enters from outside to the hidden state, at the exponent of whichever is the larger."""
    if len(entering.mantissa) == 0:
        return
    hidden, along, exponents = carried.hidden[r], carried.along[r], carried.exponent[r]
    x = r % entering.mantissa.shape[1]
    outside, theirs = entering.mantissa[t, x], entering.exponent[t, x]
    for b in range(len(hidden)):
        size_outside, size = _largest(outside, b), max(_largest(hidden, b), _largest(along, b))
        if size_outside == 0.0:
            continue
        common, ours = theirs[b], exponents[b]
        if size > 0.0 and ours + math.frexp(size)[1] > common + math.frexp(size_outside)[1]:
            common = ours
        # Far below the other nothing is left; a zero may be at any scale.
        down, up = _power_of_two(ours - common) if size > 0.0 else 0.0, _power_of_two(theirs[b] - common)
        for k in range(hidden.shape[1]):
            hidden[b, k] = hidden[b, k] * down + outside[b, k] * up
        for k in range(along.shape[1]):
            along[b, k] *= down
        exponents[b] = common


@compiled
def _record(t: int, r: int, carried: Carried, found: Found) -> None:
    """Bring a step's gradient near 1 and write down its norms, its power of two and, if wanted, itself."""
    hidden, along, exponents = carried
    for b in range(hidden.shape[1]):
        square, square_along = _squared_norm(hidden[r], b), _squared_norm(along[r], b)
        if not _LOW < square + square_along < _HIGH:
            _, shift = math.frexp(max(_largest(hidden[r], b), _largest(along[r], b)))
            for k in range(hidden.shape[2]):
                hidden[r, b, k] = math.ldexp(hidden[r, b, k], -shift)
            for k in range(along.shape[2]):
                along[r, b, k] = math.ldexp(along[r, b, k], -shift)
            exponents[r, b] += shift
            square, square_along = _squared_norm(hidden[r], b), _squared_norm(along[r], b)
        found.exponents[t, r, b] = exponents[r, b]
        found.log10[t, 0, r, b] = _log10_norm(hidden[r], b, square) + exponents[r, b] * _LOG10_2
        if along.shape[2] > 0:
            found.log10[t, 1, r, b] = _log10_norm(along[r], b, square_along) + exponents[r, b] * _LOG10_2
        if len(found.states) > 0:
            for k in range(hidden.shape[2]):
                found.states[t, 0, r, b, k] = hidden[r, b, k]
            for k in range(along.shape[2]):
                found.states[t, 1, r, b, k] = along[r, b, k]


@compiled
def _leave(t: int, r: int, delta: NDArray[Any], weights: Weights, found: Found) -> bool:
    """Write down what leaves by the inputs, ``delta`` being the preactivations' gradient; return as :func:`_times`."""
    if len(found.deltas) > 0:
        for b in range(delta.shape[0]):
            for j in range(delta.shape[1]):
                found.deltas[t - 1, r, b, j] = delta[b, j]
    return len(found.inputs) == 0 or _times(delta, weights.ih[r], found.inputs[t - 1, r])


@compiled
def _times(left: NDArray[Any], right: NDArray[Any], out: Array) -> bool:
    """Fill ``out`` ``(B, K)`` with ``left @ right.T`` for ``(B, J)`` and ``(K, J)``, sums in their dtype.

    Four columns and two rows at a time: eight sums that do not wait for each other.

    Returns:
        Whether no number may have lost something that counts to the ends of float32's range.
    """
    rows, length = left.shape
    columns = len(right)
    zero = left.dtype.type(0)
    for k in range(0, columns - 3, 4):
        for b in range(0, rows - 1, 2):
            s0 = s1 = s2 = s3 = t0 = t1 = t2 = t3 = zero
            for j in range(length):
                r0, r1, r2, r3 = right[k, j], right[k + 1, j], right[k + 2, j], right[k + 3, j]
                s0 += left[b, j] * r0
                s1 += left[b, j] * r1
                s2 += left[b, j] * r2
                s3 += left[b, j] * r3
                t0 += left[b + 1, j] * r0
                t1 += left[b + 1, j] * r1
                t2 += left[b + 1, j] * r2
                t3 += left[b + 1, j] * r3
            out[b, k], out[b, k + 1], out[b, k + 2], out[b, k + 3] = s0, s1, s2, s3
            out[b + 1, k], out[b + 1, k + 1], out[b + 1, k + 2], out[b + 1, k + 3] = t0, t1, t2, t3
        if rows % 2:
            s0 = s1 = s2 = s3 = zero
            for j in range(length):
                s0 += left[rows - 1, j] * right[k, j]
                s1 += left[rows - 1, j] * right[k + 1, j]
                s2 += left[rows - 1, j] * right[k + 2, j]
                s3 += left[rows - 1, j] * right[k + 3, j]
            out[rows - 1, k], out[rows - 1, k + 1], out[rows - 1, k + 2], out[rows - 1, k + 3] = s0, s1, s2, s3
    for k in range(columns - columns % 4, columns):
        for b in range(rows):
            s0 = zero
            for j in range(length):
                s0 += left[b, j] * right[k, j]
            out[b, k] = s0
    lost = 0.0  # a float, or the loop is not vectorised
    for b in range(rows if left.itemsize == 4 else 0):
        for k in range(columns):
            size = abs(out[b, k])
            lost += 0.0 if size > _NARROW_LOW and size < _NARROW_HIGH else 1.0
    return lost == 0.0


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
        total += abs(vectors[b, k])
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
