r"""Sigmoid and tanh for compiled loops, written so that the processor takes several numbers at a time.

The C library's take one number a call, and NumPy's a pass over memory each. Both follow from one exponential,
:math:`e^y = 2^n e^r` with :math:`n = \mathrm{round}(y / \ln 2)` and :math:`|r| \le \ln(2) / 2`, and :math:`e^r - 1` is
its Taylor series to the 13th power: the reduction of Cody and Waite (Software Manual for the Elementary Functions,
1980). They are right to a few units in the last place for every float64. Make one of a float32 before: in mixed widths
the loop is not vectorised.
"""

from __future__ import annotations

import math

import numpy as np

from lstm_explorer.core.engine.compiled import compiled_as_written

_LOG2_E = 1.0 / math.log(2.0)
#: ln 2 in two parts: a whole number times the first has no rounding.
_LN2_HIGH, _LN2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10
#: Added to a number it leaves the nearest whole number in the last bits.
_ROUNDING = 1.5 * 2.0**52
#: Beyond these 2^n is 0 or infinite in float64, as what it is made for is.
_LOWEST, _HIGHEST = -709.0, 710.0
_C2, _C3, _C4, _C5, _C6, _C7, _C8, _C9, _C10, _C11, _C12, _C13 = (1.0 / math.factorial(n) for n in range(2, 14))


@compiled_as_written
def sigmoid(x: float) -> float:
    r"""Return :math:`\sigma(x) = 1 / (1 + e^{-x})`."""
    power, rest = _exponential(-x)
    return 1.0 / (1.0 + power * (1.0 + rest))


@compiled_as_written
def tanh(x: float) -> float:
    r"""Return :math:`\tanh x`."""
    return tanh_and_slope(x)[0]


@compiled_as_written
def tanh_and_slope(x: float) -> tuple[float, float]:
    r"""Return :math:`\tanh x` and its derivative :math:`1 - \tanh^2 x`, which the difference loses beyond 19.

    .. math::
        \tanh |x| = \frac{1 - e^{-2|x|}}{1 + e^{-2|x|}}, \quad
        1 - \tanh^2 x = \frac{4 e^{-2|x|}}{(1 + e^{-2|x|})^2}
    """
    power, rest = _exponential(-2.0 * abs(x))
    exponential, less_one = power * (1.0 + rest), power * rest + (power - 1.0)
    share = 1.0 / (1.0 + exponential)
    # Each loses digits at the other end, and near 1 the last digit is what is left of 1 - tanh^2.
    near_zero, near_one = -less_one * share, 1.0 - 2.0 * exponential * share
    size = near_zero if exponential > 0.5 else near_one
    return math.copysign(size, x), 4.0 * exponential * share * share


@compiled_as_written
def _exponential(y: float) -> tuple[float, float]:
    """Return ``2**n`` and ``e**r - 1``, of which ``e**y`` is made: near 0 it differs from 1 by less than a rounding."""
    y = _LOWEST if y < _LOWEST else y
    y = _HIGHEST if y > _HIGHEST else y
    shifted = y * _LOG2_E + _ROUNDING
    n = shifted - _ROUNDING
    r = y - n * _LN2_HIGH - n * _LN2_LOW
    series = _C11 + r * (_C12 + r * _C13)
    series = _C8 + r * (_C9 + r * (_C10 + r * series))
    series = _C5 + r * (_C6 + r * (_C7 + r * series))
    series = _C2 + r * (_C3 + r * (_C4 + r * series))
    exponent = (np.float64(shifted).view(np.int64) + np.int64(1023)) << np.int64(52)
    power = np.int64(exponent).view(np.float64)
    return power, r * (1.0 + r * series)
