"""Closed forms of the gates: what a bias alone keeps, how long, and which bias one needs; part of ``core.theory``."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lstm_explorer.core.kinds import checks_kinds


@checks_kinds
def forget_gate(bias: ArrayLike) -> NDArray[np.float64]:
    r"""Return the forget gate that a bias alone gives, :math:`\sigma(b) = 1 / (1 + e^{-b})`.

    Args:
        bias: Effective bias, any shape.

    Returns:
        The gate, 0 to 1, same shape.

    Raises:
        TypeError: An argument is of another kind.

    Source:
        gers2000

    Example:
        >>> forget_gate([0.0, 1.0]).round(4).tolist()
        [0.5, 0.7311]
    """
    return np.exp(_log_gate(bias))


@checks_kinds
def log10_cell_path(forget_bias: ArrayLike, lag: ArrayLike) -> NDArray[np.float64]:
    r"""Return the cell path's gradient ratio for gates held at their bias, :math:`\log_{10} \sigma(b_f)^{lag}`.

    Args:
        forget_bias: Effective forget bias, any shape.
        lag: Steps back in time, a shape that broadcasts with it.

    Returns:
        log10 of :math:`\partial c_T / \partial c_{T - lag}`; exact far past the float range of the ratio itself.

    Raises:
        TypeError: An argument is of another kind.

    Source:
        gers2000, arpit2019

    Example:
        >>> float(log10_cell_path(1.0, 100).round(4))
        -13.6048
    """
    return np.asarray(lag) * _log_gate(forget_bias) / math.log(10) + 0.0  # + 0.0: no negative zero


@checks_kinds
def half_life(forget_bias: ArrayLike) -> NDArray[np.float64]:
    r"""Return after how many steps the cell path has halved, :math:`\ln \tfrac12 / \ln \sigma(b_f)`.

    Args:
        forget_bias: Effective forget bias, any shape.

    Returns:
        Steps, same shape; infinite where the gate is 1.

    Raises:
        TypeError: An argument is of another kind.

    Source:
        gers2000

    Example:
        >>> half_life([0.0, 5.0]).round(1).tolist()
        [1.0, 103.2]
    """
    with np.errstate(divide="ignore", over="ignore"):
        return math.log(2) / -_log_gate(forget_bias)


@checks_kinds
def time_constant(forget_bias: ArrayLike) -> NDArray[np.float64]:
    r"""Return the cell's time constant, :math:`1 / (1 - \sigma(b_f)) = 1 + e^{b_f}`.

    Args:
        forget_bias: Effective forget bias, any shape.

    Returns:
        Steps, same shape; infinite where :math:`e^{b_f}` leaves the float range.

    Raises:
        TypeError: An argument is of another kind.

    Source:
        tallec2018

    Example:
        >>> float(time_constant(0.0))
        2.0
    """
    with np.errstate(over="ignore"):
        return 1 + np.exp(np.asarray(forget_bias, dtype=np.float64))


@checks_kinds
def chrono_forget_bias(lag: ArrayLike) -> NDArray[np.float64]:
    r"""Return the forget bias whose gate remembers for a time, :math:`\ln(T - 1)`, so that :math:`\sigma = 1 - 1/T`.

    Args:
        lag: Steps to remember :math:`T`, more than 1; any shape.

    Returns:
        Effective forget bias, same shape.

    Raises:
        TypeError: An argument is of another kind.
        ValueError: A lag is not more than 1.

    Source:
        tallec2018

    Example:
        >>> float(forget_gate(chrono_forget_bias(100)).round(12))
        0.99
    """
    steps = np.asarray(lag, dtype=np.float64)
    if not (steps > 1).all():
        raise ValueError(f"lag is {lag!r}: expected more than 1 step; a gate cannot remember for less.")
    return np.log(steps - 1)


@checks_kinds
def required_forget_bias(lag: ArrayLike, share: ArrayLike) -> NDArray[np.float64]:
    r"""Return the forget bias whose cell path keeps a share over a lag: :math:`\sigma(b)^{lag} = share`.

    .. math:: b = -\ln(share^{-1/lag} - 1)

    Args:
        lag: Steps back in time, at least 1; any shape.
        share: Share of the gradient that must survive, between 0 and 1; a shape that broadcasts with it.

    Returns:
        Effective forget bias.

    Raises:
        TypeError: An argument is of another kind.
        ValueError: A lag is below 1, or a share is not between 0 and 1.

    Source:
        gers2000

    Example:
        >>> float(required_forget_bias(100, 0.511).round(2))
        5.0
    """
    steps, kept = np.asarray(lag, dtype=np.float64), np.asarray(share, dtype=np.float64)
    if not ((steps >= 1) & np.isfinite(steps)).all():
        raise ValueError(f"lag is {lag!r}: expected at least 1 step, and finitely many.")
    if not ((kept > 0) & (kept < 1)).all():
        raise ValueError(f"share is {share!r}: expected more than 0 and less than 1, such as 0.1 for a tenth.")
    fallen = -np.log(kept) / steps
    return -fallen - np.log(-np.expm1(-fallen))  # the same as the equation's, without overflow for tiny shares


@checks_kinds
def chrono_quantile(longest: ArrayLike, probability: ArrayLike) -> NDArray[np.float64]:
    r"""Return a quantile of chrono initialisation's forget biases, :math:`b_f \sim \ln U(1, T_{max} - 1)`.

    Args:
        longest: :math:`T_{max}`, steps, at least 3; any shape.
        probability: Which quantile, 0 to 1; 0.5 is the median.

    Returns:
        Effective forget bias; the input bias is its opposite.

    Raises:
        TypeError: An argument is of another kind.
        ValueError: A length is below 3, or a probability outside 0 to 1.

    Source:
        tallec2018

    Example:
        >>> chrono_quantile(100, [0.0, 0.5, 1.0]).round(2).tolist()
        [0.0, 3.91, 4.6]
    """
    steps, share = np.asarray(longest, dtype=np.float64), np.asarray(probability, dtype=np.float64)
    if not ((steps >= 3) & np.isfinite(steps)).all():
        raise ValueError(f"longest is {longest!r}: expected at least 3 steps; chrono draws from U(1, longest - 1).")
    if not ((share >= 0) & (share <= 1)).all():
        raise ValueError(f"probability is {probability!r}: expected 0 to 1.")
    return np.log1p(share * (steps - 2))


def _log_gate(bias: ArrayLike) -> Any:
    """Return ln sigma(b), without overflow or cancellation for any bias."""
    with np.errstate(invalid="ignore"):  # NaN gives NaN
        return -np.logaddexp(0.0, -np.asarray(bias, dtype=np.float64))
