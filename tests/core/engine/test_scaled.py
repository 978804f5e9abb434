"""Numbers past the float range, against Python's exact fractions."""

import math
from fractions import Fraction

import numpy as np
import pytest

from lstm_explorer.core.engine.scaled import Scaled, add, log10_norm, log10_size


def exact(mantissa, exponent):
    """Return ``mantissa * 2**exponent`` as a fraction."""
    return Fraction(float(mantissa)) * Fraction(2) ** int(exponent)


def log10_of(value):
    """Return log10 of a fraction of any size, to about 15 digits; -inf of zero."""
    if value == 0:
        return -math.inf
    bits = value.numerator.bit_length() - value.denominator.bit_length()
    return math.log10(value / Fraction(2) ** bits) + bits * math.log10(2)


def exact_log10_norm(mantissa, exponent):
    """Return log10 of the Euclidean norm of one vector."""
    return log10_of(sum(exact(m, exponent) ** 2 for m in mantissa)) / 2


def _vectors(seed, exponents, size=1.0):
    mantissa = np.random.default_rng(seed).standard_normal((len(exponents), 3)) * size
    return Scaled(mantissa, np.array(exponents, dtype=np.int64))


@pytest.mark.parametrize("size", [1.0, 1e-300, 1e300, 5e-324, 1e-160, 1e160])
def test_log10_norm_is_exact_for_mantissas_and_exponents_of_any_size(size):
    vectors = _vectors(0, [0, -5800, 5800, 3, -1074], size)
    expected = [exact_log10_norm(m, e) for m, e in zip(*vectors, strict=True)]
    np.testing.assert_allclose(log10_norm(vectors), expected, rtol=1e-14, atol=1e-13)


def test_log10_norm_of_ordinary_tiny_huge_and_zero_vectors_side_by_side():
    mantissa = np.array([[3.0, 4.0], [3e-250, 4e-250], [0.0, 0.0], [3e250, 4e250]])
    norms = log10_norm(Scaled(mantissa, np.zeros(4, dtype=np.int64)))
    log5 = math.log10(5)
    np.testing.assert_allclose(norms, [log5, log5 - 250, -math.inf, log5 + 250], rtol=1e-14)


def test_log10_size_of_every_element():
    vectors = Scaled(np.array([[1.0, -0.25, 0.0], [3.0, -1e-300, 7.0]]), np.array([-4000, 4000]))
    expected = [[log10_of(abs(exact(m, e))) for m in row] for row, e in zip(*vectors, strict=True)]
    np.testing.assert_allclose(log10_size(vectors), expected, rtol=1e-14)


@pytest.mark.parametrize("gap", [0, 1, -7, 60, -60, 2000, -2000, 12000, -12000])
def test_add_is_the_exact_sum_to_one_rounding(gap):
    one, other = _vectors(1, [5, -3000, 3000]), _vectors(2, [5 + gap, -3000 + gap, 3000 + gap])
    total = add(one, other)
    for step in range(3):
        for unit in range(3):
            a = exact(one.mantissa[step, unit], one.exponent[step])
            b = exact(other.mantissa[step, unit], other.exponent[step])
            ours = exact(total.mantissa[step, unit], total.exponent[step])
            assert abs(ours - (a + b)) <= Fraction(2) ** -50 * (abs(a) + abs(b))


def test_a_zero_does_not_choose_the_scale():
    zero = Scaled(np.zeros((1, 2)), np.array([4000]))
    tiny = Scaled(np.array([[1.0, 0.5]]), np.array([-4000]))
    for total in (add(zero, tiny), add(tiny, zero)):
        np.testing.assert_array_equal(total.mantissa, tiny.mantissa)
        assert total.exponent[0] == -4000
    assert not add(zero, zero).mantissa.any()
