"""Functions that become machine code the first time they are called.

A step of a small network is a few hundred multiplications. One NumPy call costs as much, so loops over steps are
written as loops and compiled by Numba; benchmarks/README.md says what that gained. The code is kept on disk beside the
module and serves the next process; it is made anew for another processor.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar

from numba import njit

P = ParamSpec("P")
R = TypeVar("R")

#: Sums may be taken in any order, a product and a sum in one rounding; NaN and infinities stay what they are.
_FREEDOMS = {"reassoc", "contract", "nsz"}


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a function for the types of its arguments when it is first called; it runs without the GIL."""
    try:
        made: Callable[P, R] = njit(cache=True, nogil=True, fastmath=_FREEDOMS)(function)
    except RuntimeError:  # neither the module's folder nor the user's can be written to
        made = njit(nogil=True, fastmath=_FREEDOMS)(function)
    return made
