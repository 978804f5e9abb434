"""Sigmoid and tanh against decimals of 60 digits."""

from decimal import Decimal, localcontext

import numpy as np
import pytest

from lstm_explorer.core.engine.compiled import compiled
from lstm_explorer.core.engine.nonlinearities import sigmoid, tanh, tanh_and_slope

RANDOM = np.random.default_rng(0)
ARGUMENTS = np.concatenate(
    [
        RANDOM.normal(scale=5.0, size=200),
        RANDOM.normal(scale=1e-6, size=100),
        RANDOM.uniform(-700.0, 700.0, size=200),
        [0.0, 1e-300, -5e-324, 0.17, 0.18, -0.34657359027997264, 18.9, 19.1, -37.5, 353.0, -353.0, 707.9, -707.9],
    ]
)
FEW_UNITS = 4 * np.finfo(np.float64).eps


@compiled
def filled(x, out):
    """Fill ``out`` ``(4, n)`` in loops that are vectorised, as the recurrences do."""
    for k in range(x.size):
        out[0, k] = sigmoid(x[k])
    for k in range(x.size):
        out[1, k] = tanh(x[k])
    for k in range(x.size):
        out[2, k], out[3, k] = tanh_and_slope(x[k])


def measured(x):
    out = np.empty((4, len(x)))
    filled(np.asarray(x, dtype=np.float64), out)
    return out


def exactly(x):
    """Return sigmoid, tanh and 1 - tanh^2 of a float; tanh by its own series near 0, where the difference cancels."""
    with localcontext() as context:
        context.prec, context.Emin, context.Emax = 60, -999_999, 999_999
        x = Decimal(float(x))
        once, twice = (-x).exp(), (-2 * abs(x)).exp()
        size = (1 - twice) / (1 + twice) if abs(x) > Decimal("1e-20") else abs(x)
        return 1 / (1 + once), size.copy_sign(x), 4 * twice / (1 + twice) ** 2


@pytest.mark.parametrize(("row", "name"), [(0, "sigmoid"), (1, "tanh"), (2, "tanh"), (3, "slope of tanh")])
def test_every_digit_but_the_last_is_right(row, name):
    expected = [exactly(x)[{0: 0, 1: 1, 2: 1, 3: 2}[row]] for x in ARGUMENTS]
    for x, came, exact in zip(ARGUMENTS, measured(ARGUMENTS)[row], expected, strict=True):
        if abs(exact) < Decimal("2.3e-308"):  # below the smallest normal number
            assert abs(came) < 2.3e-308, (name, x)
        else:
            assert abs(Decimal(float(came)) / exact - 1) < Decimal(FEW_UNITS), (name, x)


def test_alone_and_in_a_vectorised_loop_are_the_same():
    alone = [(sigmoid(x), tanh(x), *tanh_and_slope(x)) for x in ARGUMENTS]
    np.testing.assert_allclose(measured(ARGUMENTS).T, alone, rtol=FEW_UNITS)


def test_far_ends():
    sigmoids, tanhs, _, slopes = measured([np.inf, 1e300, 800.0, -800.0, -1e300, -np.inf])
    assert sigmoids.tolist() == [1.0, 1.0, 1.0, 0.0, 0.0, 0.0]
    assert tanhs.tolist() == [1.0, 1.0, 1.0, -1.0, -1.0, -1.0]
    assert slopes.tolist() == [0.0] * 6


def test_where_two_to_the_n_overflows_sigmoid_falls_to_zero():
    sigmoids = measured(np.linspace(-712.0, -706.0, 601))[0]
    assert (np.diff(sigmoids) >= 0).all()
    assert sigmoids[0] == 0.0 < sigmoids[-1]


def test_near_one_even_the_last_digit_of_tanh_is_right():
    """What is left to 1 is all that a gradient sees: one unit more or less would be a factor."""
    x = RANDOM.uniform(6.0, 19.5, size=300)
    half_a_unit = Decimal(np.finfo(np.float64).epsneg / 2)
    for at, came in zip(x, measured(x)[1], strict=True):
        assert abs(Decimal(float(came)) - exactly(at)[1]) <= half_a_unit * Decimal("1.1"), at


def test_zero_keeps_its_sign_and_nan_stays():
    assert np.signbit(measured([0.0, -0.0])[1]).tolist() == [False, True]
    assert np.isnan(measured([np.nan])).all()
