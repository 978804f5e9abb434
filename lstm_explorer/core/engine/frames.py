r"""Orthogonal directions, with a length each past the range of a float, carried through one Jacobian after another.

A frame is ``S`` orthonormal rows and log2 of a length for each of them; the matrix that it stands for is the rows times
the lengths. Multiplied by a Jacobian, the rows are orthogonal no more. Two ways to make them so again:

- :func:`orthonormalize`, the QR of Lyapunov exponents: every row without what the rows before it have, so the lengths
  are those of a flag of subspaces, not singular values.
- :func:`diagonalize`: the lengths become the singular values of the whole product, each to its own relative precision.
  QR that takes the longest row first, then one-sided Jacobi on its triangular factor with the lengths in it (Drmac and
  Veselic 2008). That matrix is never formed: the rows that Jacobi turns have a power of two each, and from one step to
  the next they stay nearly orthogonal, so that few turns are needed.

What one step shrinks to less than the rounding of its own Jacobian is **lost**: float64 does not know its length, nor
whether it is zero. Its length is -inf from there on.

Index legend: ``B`` samples; ``K`` rows, ``K <= S``; ``S`` numbers of a state.
"""

from __future__ import annotations

import math

import numpy as np

from lstm_explorer.core.engine.compiled import compiled, compiled_entry
from lstm_explorer.core.engine.scaled import Array, Integers

#: A row that has lost more of its squared length than this in one projection is projected once more.
_TWICE = 0.01
#: The square of the cosine below which rows are orthogonal; and below which a sweep makes them so: it squares cosines.
_ORTHOGONAL, _NEARLY_ORTHOGONAL = 1e-26, 1e-15
#: Numbers whose squares are far from both ends of the float range.
_SMALL, _LARGE = 1e-100, 1e100
#: Rounding of one number.
_EPSILON = 2.0**-52
#: Sweeps over all pairs of rows; Jacobi converges in a few.
_SWEEPS = 40


@compiled_entry
def orthonormalize(rows: Array, log2: Array) -> None:
    """Make rows orthonormal, each without what those before it have, and add log2 of what is left to their lengths.

    Args:
        rows: ``(B, K, S)``, changed in place; zeros where a row is lost.
        log2: log2 of the lengths, ``(B, K)``, changed in place; -inf where a row is lost.
    """
    samples, count, size = rows.shape
    lost = (size * _EPSILON) ** 2
    for b in range(samples):
        of_sample = rows[b]
        _near_one(of_sample, log2[b])
        for k in range(count):
            before = _dot(of_sample, k, k)
            left = _projected(of_sample, k, before)
            if left > before * lost:
                _scale(of_sample, k, 1.0 / math.sqrt(left))
                log2[b, k] += 0.5 * math.log2(left)
            else:
                _scale(of_sample, k, 0.0)
                log2[b, k] = -math.inf


@compiled_entry
def diagonalize(rows: Array, log2: Array) -> None:
    """Turn the rows times their lengths into orthonormal rows times the singular values of that matrix.

    Args:
        rows: ``(B, S, S)``, changed in place; zeros where a direction is lost.
        log2: log2 of the lengths, ``(B, S)``, changed in place, in no order; -inf where a direction is lost.
    """
    samples, size = log2.shape
    triangle, graded = np.empty((size, size)), np.empty((size, size))
    norms, powers = np.empty(size), np.empty(size, np.int64)
    for b in range(samples):
        of_sample, lengths = rows[b], log2[b]
        _near_one(of_sample, lengths)
        rank = _longest_first(of_sample, lengths, triangle)
        _grade(triangle, lengths, rank, graded, norms, powers)
        for _ in range(_SWEEPS):
            if not _sweep(of_sample, graded, powers, norms, rank):
                break
        for k in range(size):
            if k < rank:
                lengths[k] = powers[k] + 0.5 * math.log2(norms[k])
            else:
                lengths[k] = -math.inf
                _scale(of_sample, k, 0.0)


@compiled
def _near_one(rows: Array, log2: Array) -> None:
    """Bring rows whose squares would leave the float range near 1, by a power of two that goes to their lengths."""
    for k in range(len(rows)):
        largest = 0.0
        for s in range(rows.shape[1]):
            largest = max(largest, abs(rows[k, s]))
        if largest > 0.0 and not _SMALL < largest < _LARGE:
            power = math.frexp(largest)[1]
            for s in range(rows.shape[1]):
                rows[k, s] = math.ldexp(rows[k, s], -power)
            log2[k] += power


@compiled
def _longest_first(rows: Array, log2: Array, triangle: Array) -> int:
    """Make rows orthonormal, at each turn the longest of what is left, and return how many are not lost.

    Fills ``triangle``, upper triangular, of which the old rows are made: ``old[j] = sum_k triangle[k, j] * new[k]``;
    ``log2`` is reordered as the rows are, those of lost rows last.
    """
    size = len(rows)
    lost = (size * _EPSILON) ** 2
    before, left = np.empty(size), np.empty(size)
    for j in range(size):
        before[j] = _dot(rows, j, j)
        left[j] = before[j]
        for k in range(size):
            triangle[k, j] = 0.0
    rank = 0
    while rank < size:
        longest, best = -1, -math.inf
        for j in range(rank, size):
            if left[j] > 0.0:
                length = log2[j] + 0.5 * math.log2(left[j])
                if length > best:
                    longest, best = j, length
        if longest < 0:
            break
        _swap(rows, rank, longest)
        for k in range(rank):
            triangle[k, rank], triangle[k, longest] = triangle[k, longest], triangle[k, rank]
        log2[rank], log2[longest] = log2[longest], log2[rank]
        before[rank], before[longest] = before[longest], before[rank]
        left[rank], left[longest] = left[longest], left[rank]
        now = left[rank] if left[rank] > _TWICE * before[rank] else _projected(rows, rank, before[rank])
        if now <= before[rank] * lost:
            left[rank] = 0.0  # the next row that is not lost takes its place
            continue
        triangle[rank, rank] = math.sqrt(now)
        _scale(rows, rank, 1.0 / triangle[rank, rank])
        for j in range(rank + 1, size):
            if left[j] > 0.0:
                triangle[rank, j] = _dot(rows, rank, j)
                left[j] = _add(rows, j, rank, -triangle[rank, j])
        rank += 1
    return rank


@compiled
def _grade(triangle: Array, log2: Array, rank: int, graded: Array, norms: Array, powers: Integers) -> None:
    """Multiply the columns of a triangular matrix with their lengths, and give every row a power of two of its own.

    Row ``k`` of the product is ``2**powers[k]`` times that of ``graded``, whose diagonal is near 1; ``norms`` are the
    squared lengths of its rows.
    """
    size = len(log2)
    rest, of_column = np.empty(size), np.empty(size, np.int64)
    for j in range(size):
        whole = math.floor(log2[j]) if log2[j] > -math.inf else 0.0
        rest[j], of_column[j] = 2.0 ** (log2[j] - whole), np.int64(whole)
    for k in range(rank):
        powers[k] = of_column[k] + math.frexp(triangle[k, k])[1]
        norms[k] = 0.0
        for j in range(size):
            graded[k, j] = 0.0
            if j >= k and triangle[k, j] != 0.0:
                graded[k, j] = triangle[k, j] * rest[j] * _power_of_two(of_column[j] - powers[k])
            norms[k] += graded[k, j] * graded[k, j]


@compiled
def _sweep(rows: Array, graded: Array, powers: Integers, norms: Array, rank: int) -> bool:
    """Turn every pair of graded rows that is not orthogonal, and the frame with it; tell whether to look again."""
    widest = 0.0
    for i in range(rank - 1):
        for j in range(i + 1, rank):
            product = _dot(graded, i, j)
            if product * product <= _ORTHOGONAL * norms[i] * norms[j]:
                continue
            widest = max(widest, product * product / (norms[i] * norms[j]))
            # In units of row i: row j is ``scale`` times what stands there.
            scale = _power_of_two(powers[j] - powers[i])
            difference, both = norms[i] - scale * scale * norms[j], 2.0 * scale * product
            root = math.sqrt(difference * difference + both * both)
            # The tangent of the smaller of the two angles that make them orthogonal, over ``scale``.
            tangent = 2.0 * product / (difference + math.copysign(root, difference))
            cosine = 1.0 / math.sqrt(1.0 + tangent * scale * tangent * scale)
            _turn(rows, i, j, cosine, tangent * scale, tangent * scale)
            _turn(graded, i, j, cosine, tangent * scale * scale, tangent)
            norms[i] += tangent * scale * scale * product
            left = norms[j] - tangent * product
            norms[j] = left if left > _TWICE * norms[j] else _dot(graded, j, j)
    return widest > _NEARLY_ORTHOGONAL


@compiled
def _power_of_two(exponent: int) -> float:
    """Return ``2**exponent``, 0 where that is below the float range."""
    return math.ldexp(1.0, int(exponent)) if exponent > -1000 else 0.0


@compiled
def _projected(rows: Array, k: int, before: float) -> float:
    """Take out of a row what the rows before it have, and return its squared length; twice where much went."""
    left = before
    for _ in range(2):
        start = left
        for i in range(k):
            left = _add(rows, k, i, -_dot(rows, i, k))
        if left > _TWICE * start:
            break
    return left


@compiled
def _dot(rows: Array, i: int, j: int) -> float:
    total = 0.0
    for s in range(rows.shape[1]):
        total += rows[i, s] * rows[j, s]
    return total


@compiled
def _add(rows: Array, j: int, i: int, factor: float) -> float:
    """Add a multiple of row ``i`` to row ``j``, and return its squared length."""
    total = 0.0
    for s in range(rows.shape[1]):
        number = rows[j, s] + factor * rows[i, s]
        rows[j, s] = number
        total += number * number
    return total


@compiled
def _turn(rows: Array, i: int, j: int, cosine: float, into_first: float, into_second: float) -> None:
    for s in range(rows.shape[1]):
        first, second = rows[i, s], rows[j, s]
        rows[i, s] = cosine * (first + into_first * second)
        rows[j, s] = cosine * (second - into_second * first)


@compiled
def _scale(rows: Array, k: int, factor: float) -> None:
    for s in range(rows.shape[1]):
        rows[k, s] *= factor


@compiled
def _swap(rows: Array, i: int, j: int) -> None:
    for s in range(rows.shape[1]):
        rows[i, s], rows[j, s] = rows[j, s], rows[i, s]
