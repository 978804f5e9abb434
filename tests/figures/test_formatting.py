"""Numbers on figures: scientific past the range of a float, and readable inside it."""

import math

import numpy as np
import pytest

from lstm_explorer.figures.formatting import percent, scientific, split, steps, superscript


@pytest.mark.parametrize(
    ("log10", "text"),
    [
        (math.log10(9.96e-5), "1.0×10⁻⁴"),  # never 10.0×10⁻⁵
        (math.log10(2.5e-9), "2.5×10⁻⁹"),
        (400 + math.log10(3), "3.0×10⁴⁰⁰"),
        (math.log10(0.0123), "0.012"),
        (math.log10(12345), "1.2×10⁴"),
        (-math.inf, "0"), (math.inf, "∞"), (math.nan, "–"),
    ],
)  # fmt: skip
def test_scientific(log10, text):
    assert scientific(log10) == text


@pytest.mark.parametrize(
    ("share", "text"),
    [(0.5, "50%"), (0.123, "12%"), (0.996, "99.6%"), (1.0, "100%"), (0.0002, "0.02%"), (1e-5, "1.0×10⁻⁵"), (59, "59×")],
)
def test_percent(share, text):
    assert percent(math.log10(share)) == text


def test_split_is_mantissa_and_exponent():
    numbers = np.array([-1740.25, -0.5, 0.0, 12.75, -np.inf])
    mantissas, exponents = split(numbers).T
    np.testing.assert_allclose(mantissas[:-1], [10**0.75, 10**0.5, 1.0, 10**0.75])
    np.testing.assert_array_equal(exponents, [-1741, -1, 0, 12, 0])
    assert mantissas[-1] == 0


def test_steps_and_superscripts():
    assert [steps(value) for value in (0.04, 19.96, 20.4, math.inf)] == ["0.0", "20.0", "20", "∞"]
    assert superscript(-1740) == "⁻¹⁷⁴⁰"
