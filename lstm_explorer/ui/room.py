"""Room that the files of all sessions share: where it is full, those used least lately make way."""

from __future__ import annotations

import time
import weakref
from typing import Generic, Protocol, TypeVar


class Sized(Protocol):
    """A file of a session; the session alone keeps it alive."""

    @property
    def size(self) -> int:
        """Its bytes."""
        ...


T = TypeVar("T", bound=Sized)


class Room(Generic[T]):
    """Room for a number of bytes.

    Args:
        most: That number.
    """

    def __init__(self, most: int) -> None:
        """Begin empty."""
        self._most = most
        self._used: weakref.WeakKeyDictionary[T, float] = weakref.WeakKeyDictionary()

    def add(self, file: T) -> None:
        """Take a file in; those used least lately are dropped until it fits."""
        kept = sorted(self._used.items(), key=lambda one: one[1])
        while kept and sum(one.size for one, _used in kept) + file.size > self._most:
            self._used.pop(kept.pop(0)[0], None)
        self._used[file] = time.monotonic()

    def holds(self, file: T) -> bool:
        """Tell whether a file is still there; it counts as used now."""
        there = file in self._used
        if there:
            self._used[file] = time.monotonic()
        return there
