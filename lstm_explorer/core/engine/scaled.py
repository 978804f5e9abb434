"""Numbers past the range of a float: a mantissa and a power of two.

10^-1740 and 10^+400 are ordinary values of a gradient through time. Every vector of the last axis shares one exponent,
so ``value = mantissa * 2**exponent`` and vector arithmetic stays plain NumPy.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

#: Numbers inside these bounds have lost nothing to the float range; squares of theirs may.
SMALLEST, LARGEST = 1e-200, 1e200
_LOG10_2 = float(np.log10(2.0))


class Scaled(NamedTuple):
    """Numbers past the float range: ``mantissa * 2**exponent``, one exponent for a vector of the last axis."""

    mantissa: Array
    exponent: Integers


def add(one: Scaled, other: Scaled) -> Scaled:
    """Return the sum of two scaled arrays of the same shape, at whichever scale is the larger."""
    common = common_exponent(one, other)
    mantissa = shifted(one.mantissa, one.exponent - common) + shifted(other.mantissa, other.exponent - common)
    return Scaled(mantissa, common)


def near_one(vectors: Scaled) -> Scaled:
    """Return the same vectors with the largest element of each between a half and 1."""
    _, shift = np.frexp(np.abs(vectors.mantissa).max(axis=-1))
    return Scaled(np.ldexp(vectors.mantissa, -shift[..., None]), vectors.exponent + shift)


def log10_norm(vectors: Scaled) -> Array:
    """Return log10 of the Euclidean norm over the last axis; -inf where the vector is exactly zero."""
    mantissa, exponent = vectors
    with np.errstate(over="ignore"):
        squares: Array = np.vecdot(mantissa, mantissa)
    # Squares leave the float range long before the numbers do: there, scale by the largest element first.
    if squares.min() > SMALLEST and squares.max() < LARGEST:
        log10 = np.log10(squares)
    else:
        lost = ~((squares > SMALLEST) & (squares < LARGEST))
        log10 = np.log10(np.where(lost, 1.0, squares))
        log10[lost] = 2.0 * _log10_norm_by_largest(mantissa[lost])
    log10 *= 0.5
    log10 += exponent * _LOG10_2
    return log10


def log10_together(norms: Sequence[Array] | Array) -> Array:
    """Return log10 of the norm of vectors in parts, of which log10 of the norms is known, ``(parts, ...)``."""
    twice = 2.0 * np.log(10.0)
    together: Array = np.logaddexp.reduce(twice * np.asarray(norms), axis=0) / twice
    return together


def log10_size(vectors: Scaled) -> Array:
    """Return log10 of the size of every element; -inf where it is exactly zero."""
    log10 = np.full(vectors.mantissa.shape, -np.inf)
    size = np.abs(vectors.mantissa)
    np.log10(size, out=log10, where=size > 0)
    return log10 + vectors.exponent[..., None] * _LOG10_2


def _log10_norm_by_largest(vectors: Array) -> Array:
    largest = np.abs(vectors).max(axis=-1)
    safe = np.where(largest > 0, largest, 1.0)
    norm = np.sqrt(np.square(vectors / safe[..., None]).sum(axis=-1))
    log10 = np.full(largest.shape, -np.inf)
    np.log10(norm, out=log10, where=largest > 0)
    return log10 + np.log10(safe)


def common_exponent(one: Scaled, other: Scaled) -> Integers:
    """Return the larger exponent; that of a zero says nothing, so there the other one decides."""
    common = np.maximum(one.exponent, other.exponent)
    common = np.where((one.mantissa == 0).all(axis=-1), other.exponent, common)
    return np.where((other.mantissa == 0).all(axis=-1), one.exponent, common)


def shifted(mantissa: Array, shift: Integers) -> Array:
    """Return ``mantissa * 2**shift``, one shift for a vector of the last axis; 0 or inf where that leaves the range."""
    with np.errstate(over="ignore", under="ignore"):
        return np.ldexp(mantissa, np.clip(shift, -5000, 5000)[..., None])
