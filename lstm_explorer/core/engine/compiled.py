"""Functions that become machine code the first time they are called.

A step of a small network is a few hundred multiplications. One NumPy call costs as much, so loops over steps are
written as loops and compiled by Numba; benchmarks/README.md says what that gained. The code is kept on disk beside the
module, or where ``NUMBA_CACHE_DIR`` says, and serves the next process; it is made anew for another processor.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from numba import njit
from numba.core.caching import FunctionCache

P = ParamSpec("P")
R = TypeVar("R")

#: Sums may be taken in any order, a product and a sum in one rounding; NaN and infinities stay what they are.
_FREEDOMS = {"reassoc", "contract", "nsz"}


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a function for the types of its arguments when it is first called; it runs without the GIL."""
    return _compiled(function, _FREEDOMS)


def compiled_as_written(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a function whose sums must be taken in their order, as they cancel on purpose."""
    return _compiled(function, {"contract"})


def _compiled(function: Callable[P, R], freedoms: set[str]) -> Callable[P, R]:
    # A division that asks first whether it is by zero is not vectorised.
    made: Any = njit(nogil=True, fastmath=freedoms, error_model="numpy")(function)
    with contextlib.suppress(RuntimeError):  # neither the module's folder nor the user's can be written to
        made._cache = _Cache(function)
    return made


class _Cache(FunctionCache):
    """Numba's cache, which follows every source of the core, not one file alone, and is never an error."""

    def _index_key(self, sig: Any, codegen: Any) -> tuple[Any, ...]:
        return (*super()._index_key(sig, codegen), _sources())

    @contextlib.contextmanager
    def _guard_against_spurious_io_errors(self) -> Iterator[None]:
        """Take what cannot be read for missing, and begin its index anew; what cannot be written is not kept."""
        try:
            yield
        except Exception:
            with contextlib.suppress(Exception):
                self.flush()


@functools.cache
def _sources() -> str:
    """Return a digest of the core: constants, records and functions of several files end up in the machine code."""
    found = hashlib.sha256()
    for path in sorted(Path(__file__).parents[1].rglob("*.py")):
        found.update(path.read_bytes())
    return found.hexdigest()
