"""What the steps add to the gradient of a weight: outer products and their sum, past the range of any float."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from lstm_explorer.core.engine.scaled import Array, Scaled, log10_norm, log10_together, near_one, shifted

#: Numbers of steps' contributions, ``n * O * I``, made at once.
_NUMBERS_AT_ONCE = 2**18
#: How many powers of two the factors of one band may lie apart.
_BAND = 400


class OuterProducts(NamedTuple):
    r"""The gradient of a weight as a sum over steps and samples, :math:`\sum_t \delta_t \otimes x_t`.

    Attributes:
        deltas: What reaches the weight's products, ``(T, B, O)``, near 1.
        read: What the weight is multiplied with, ``(T, B, I)``, near 1.
    """

    deltas: Scaled
    read: Scaled

    @staticmethod
    def of(deltas: Scaled, read: Array) -> OuterProducts:
        """Return the products of what reaches a weight, and of what it is multiplied with in float64."""
        exponent = np.zeros(read.shape[:-1], dtype=np.int64)
        return OuterProducts(near_one(deltas), near_one(Scaled(read, exponent)))

    def total(self) -> Scaled:
        """Return the sum over all steps and samples, ``(O * I,)``."""
        return summed(_flat(self.deltas), _flat(self.read))

    def log10_of_steps(self, log2_factors: Array | None = None) -> Array:
        """Return log10 of the norms of what the steps add, ``(T,)``.

        Args:
            log2_factors: log2 of what every number of a step's part is multiplied by, ``(O * I,)``; nothing by default.
        """
        if log2_factors is None and self.deltas.mantissa.shape[1] == 1:
            # The norm of one outer product is the product of the norms.
            return (log10_norm(self.deltas) + log10_norm(self.read))[:, 0]
        if log2_factors is None:
            return self._log10_of_many()
        return log10_together([self._log10_with(factors) for factors in _bands(log2_factors)])

    def _log10_with(self, factors: Scaled) -> Array:
        """Return the norms of the steps' parts, each number multiplied; of one sample without making the parts."""
        if self.deltas.mantissa.shape[1] > 1:
            return self._log10_of_many(factors)
        deltas, read = self.deltas.mantissa[:, 0], self.read.mantissa[:, 0]
        squares = np.square(factors.mantissa).reshape(deltas.shape[1], read.shape[1])
        norms = np.sqrt(np.vecdot(np.square(deltas) @ squares, np.square(read)))
        exponent = self.deltas.exponent[:, 0] + self.read.exponent[:, 0] + factors.exponent
        return log10_norm(Scaled(norms[:, None], exponent))

    def _log10_of_many(self, factors: Scaled | None = None) -> Array:
        (steps, _, rows), columns = self.deltas.mantissa.shape, self.read.mantissa.shape[-1]
        window = max(1, _NUMBERS_AT_ONCE // (rows * columns))
        windows = [self._some(slice(start, start + window)) for start in range(0, steps, window)]
        if factors is not None:
            mantissa, exponent = factors
            windows = [Scaled(one.mantissa * mantissa, one.exponent + exponent) for one in windows]
        return np.concatenate([log10_norm(one) for one in windows])

    def _some(self, steps: slice) -> Scaled:
        deltas, read = (Scaled(one.mantissa[steps], one.exponent[steps]) for one in self)
        return summed(deltas, read)


def summed(deltas: Scaled, read: Scaled) -> Scaled:
    """Return sums of outer products, ``(..., O * I)``, of N vectors ``(..., N, O)`` and ``(..., N, I)`` each."""
    exponents = deltas.exponent + read.exponent
    # A product of zero has no size: its exponent must not set the scale at which the others are added.
    counts = (deltas.mantissa != 0).any(axis=-1) & (read.mantissa != 0).any(axis=-1)
    scale = np.where(counts, exponents, np.iinfo(np.int32).min).max(axis=-1)
    left = shifted(deltas.mantissa, np.where(counts, exponents - scale[..., None], 0))
    total = left.swapaxes(-1, -2) @ read.mantissa
    return Scaled(total.reshape(*total.shape[:-2], -1), scale)


def _bands(log2: Array) -> Iterator[Scaled]:
    """Yield factors in parts, each of those that are close enough in size for their squares to stay in range."""
    left = np.ones(log2.shape, dtype=bool)
    while left.any():
        top = np.ceil(log2[left].max())
        band = left & (log2 > top - _BAND)
        yield Scaled(np.where(band, np.exp2(np.where(band, log2 - top, 0.0)), 0.0), top.astype(np.int64))
        left &= ~band


def _flat(vectors: Scaled) -> Scaled:
    """Return vectors ``(T, B, H)`` as ``(T * B, H)``."""
    return Scaled(vectors.mantissa.reshape(-1, vectors.mantissa.shape[-1]), vectors.exponent.ravel())
