"""Numbers as they are written on figures: scientific, far past the range of a float."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_explorer.locales import _

_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def scientific(log10: float, digits: int = 2) -> str:
    """Return the number with this log10, in scientific notation.

    Args:
        log10: log10 of a positive number; ``-inf`` is zero.
        digits: Significant digits.

    Example:
        >>> scientific(-23.5), scientific(-math.inf), scientific(0.0), scientific(-1740.25)
        ('3.2×10⁻²⁴', '0', '1', '5.6×10⁻¹⁷⁴¹')
        >>> scientific(math.log10(59)), scientific(-0.7)
        ('59', '0.2')
        >>> scientific(math.log10(183)), scientific(3.99)
        ('183', '9772')
    """
    if log10 == -math.inf:
        return "0"
    if math.isnan(log10):
        return "–"
    if log10 == math.inf:
        return "∞"
    if -2.5 < log10 < 4:
        return f"{10.0**log10:.0f}" if log10 >= digits else f"{10.0**log10:.{digits}g}"
    mantissa, exponent = split(np.array([log10]))[0]
    text = f"{mantissa:.{digits - 1}f}"
    if text.startswith("10"):
        text, exponent = f"{1:.{digits - 1}f}", exponent + 1
    return f"{text}×10{superscript(int(exponent))}"


def superscript(exponent: int) -> str:
    """Return a whole number raised, such as ``⁻¹²``."""
    return str(exponent).translate(_SUPERSCRIPTS)


def split(log10: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Return mantissas (1 to 10) and decimal exponents of numbers given as log10, ``(N, 2)``; zeros for ``-inf``."""
    finite = np.isfinite(log10)
    exponents = np.floor(np.where(finite, log10, 0.0))
    mantissas = np.where(finite, 10.0 ** (np.where(finite, log10, 0.0) - exponents), 0.0)
    return np.stack([mantissas, exponents], axis=-1)


def percent(log10: float) -> str:
    """Return the number with this log10 as a share: in percent where that is readable, else scientific.

    Example:
        >>> percent(-1.0), percent(-24.0), percent(math.log10(1.5)), percent(0.0)
        ('10%', '1.0×10⁻²⁴', '1.5×', '100%')
    """
    if log10 > 0:
        return _("{times}×").format(times=scientific(log10))
    share = 100 * 10.0**log10
    if share >= 99.5:  # two digits would read 1e+02
        return f"{share:.3g}%"
    return f"{share:.2g}%" if log10 > -4 else scientific(log10)


def steps(value: float) -> str:
    """Return a number of steps, with one decimal below 20.

    Example:
        >>> steps(1.284), steps(103.2), steps(math.inf)
        ('1.3', '103', '∞')
    """
    if math.isinf(value):
        return "∞"
    return f"{value:.1f}" if abs(value) < 20 else f"{value:.0f}"
