"""Results kept in the process for all sessions, bounded in bytes; the least recently used are dropped first."""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any, TypeVar

import cachetools
import numpy as np
from torch import Tensor

T = TypeVar("T")

#: Bytes of all results together: what a class of a hundred looks at, each at networks of their own.
BUDGET = 32_000_000
#: Bytes of a result besides its numbers.
_RECORD = 500


class ResultCache:
    """A cache bounded in bytes; a result is computed once, and other threads that need it wait.

    Args:
        budget: Bytes of all results together; a larger result is returned and not kept.
    """

    def __init__(self, budget: int = BUDGET) -> None:
        """Start empty."""
        self._results: cachetools.LRUCache[Hashable, Any] = cachetools.LRUCache(budget, getsizeof=size_of)
        self._used: dict[Hashable, float] = {}
        self._making: dict[Hashable, threading.Lock] = {}
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """Return the result of a key, computed where it is not kept."""
        with self._lock:
            self._used[key] = time.monotonic()
            if key in self._results:
                return self._results[key]
            making = self._making.setdefault(key, threading.Lock())
        with making:
            with self._lock:
                if key in self._results:
                    return self._results[key]
            try:
                result = make()
            except BaseException:
                with self._lock:
                    self._making.pop(key, None)
                raise
            with self._lock:  # kept before the key is open again: no thread that waits makes it a second time
                if size_of(result) <= self._results.maxsize:
                    self._results[key] = result
                self._making.pop(key, None)
            return result

    @property
    def held(self) -> int:
        """Bytes kept now."""
        return int(self._results.currsize)

    def drop_unused(self, seconds: float) -> None:
        """Forget what nobody has asked for lately: its readers have left, or look at something else."""
        oldest = time.monotonic() - seconds
        with self._lock:
            there = self._results.keys() | self._making.keys()
            self._used = {key: used for key, used in self._used.items() if used >= oldest and key in there}
            for key in [key for key in self._results if key not in self._used]:
                del self._results[key]

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._results.clear()


def size_of(result: Any) -> int:
    """Return about how many bytes a result takes: those of all its tensors, arrays and texts.

    Example:
        >>> size_of((np.zeros(1000), {"more": np.zeros(1000)})) // 1000
        18
    """
    if isinstance(result, Tensor | np.ndarray):
        return int(result.nbytes) + _RECORD
    if dataclasses.is_dataclass(result) and not isinstance(result, type):
        return _RECORD + sum(size_of(getattr(result, field.name)) for field in dataclasses.fields(result))
    if isinstance(result, Mapping):
        return _RECORD + sum(map(size_of, result.values()))
    if isinstance(result, str | bytes):
        return len(result)
    if isinstance(result, Sequence):
        return _RECORD + sum(map(size_of, result))
    return 0


#: The cache of the app.
RESULTS = ResultCache()
