"""How much of a gradient arrives at every lag, counted from where the loss reaches each sample last."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

Array = NDArray[Any]


def shares_by_lag(norms: Tensor) -> Array:
    """Return log10 of the gradient at every lag relative to lag 0, the last step that the loss reaches.

    Args:
        norms: log10 of gradient norms, ``(..., T + 1, B)``; NaN past the end of a sample.

    Returns:
        ``(..., T + 1, B)`` by lag; ``-inf`` where nothing arrives, NaN where a sample is not as long.
    """
    values = norms.double().numpy()
    steps = values.shape[-2]
    there = np.isfinite(values)
    # Of a sample that nothing reaches at all, the last step.
    last = np.where(there.any(axis=-2), steps - 1 - np.argmax(there[..., ::-1, :], axis=-2), steps - 1)
    index = last[..., None, :] - np.arange(steps)[:, None]
    by_lag = np.take_along_axis(values, np.maximum(index, 0), axis=-2)
    base = by_lag[..., :1, :]
    with np.errstate(invalid="ignore"):
        shares = np.where(np.isfinite(base), by_lag - base, -np.inf)
    return np.where(index < 0, np.nan, shares)


def median_share(shares: Array) -> Array:
    """Return the median over the last axis, always one of the samples; ``-inf`` where none is as long."""
    ordered, counts = np.sort(shares, axis=-1), (~np.isnan(shares)).sum(axis=-1)
    middle = np.maximum(np.round((counts - 1) / 2).astype(int), 0)
    median = np.take_along_axis(ordered, middle[..., None], axis=-1)[..., 0]
    return np.where(counts == 0, -np.inf, median)


def of_worse_direction(shares: Array) -> Array:
    """Return of both directions the smaller share, ``(T + 1, B)`` of ``(D, T + 1, B)``: both have to remember."""
    smaller: Array = np.fmin.reduce(shares, axis=0)
    return smaller
