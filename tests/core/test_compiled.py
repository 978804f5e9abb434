"""Compiled functions: the numbers of the Python they were, and no need for a folder to keep them in."""

import math

import numpy as np
import pytest
from numba.core.caching import CompileResultCacheImpl

from lstm_explorer.core.compiled import compiled


def total(values):
    """Return the sum of the values."""
    found = 0.0
    for k in range(len(values)):
        found += values[k]
    return found


def test_a_compiled_function_is_the_function():
    values = np.random.default_rng(0).standard_normal(1000)
    made = compiled(total)
    assert made(values) == pytest.approx(total(values), rel=1e-12)
    assert made.__doc__ == total.__doc__
    for special in (math.nan, math.inf, -math.inf):
        np.testing.assert_equal(made(np.array([1.0, special])), special)


def test_where_nothing_can_be_written_it_is_compiled_all_the_same(monkeypatch):
    monkeypatch.setattr(CompileResultCacheImpl, "_locator_classes", [])
    assert compiled(total)(np.ones(3)) == 3.0
