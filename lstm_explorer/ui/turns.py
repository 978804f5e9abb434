"""Turns at measuring: one at a time in the process, and first whoever has had least of it lately."""

from __future__ import annotations

import contextlib
import math
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

#: Seconds after which half of what somebody has used is forgotten.
_HALF_LIFE = 20.0
#: Seconds of use that make no difference: the moves of a slider. Who differs in no more goes in the order of arrival.
_EQUAL = 0.25
#: Seconds between two looks of somebody who waits.
_LOOK = 0.25


class FullError(Exception):
    """Too many wait already."""


@dataclass(eq=False)
class _Place:
    """Somebody who waits: how many come before, and whether it is their turn."""

    who: str
    number: int
    before: int = 0
    called: threading.Event = field(default_factory=threading.Event)


class Turns:
    """A queue without barging, in which a heavy user waits and not the others.

    Args:
        most_waiting: How many may wait; more are turned away.
    """

    def __init__(self, most_waiting: int) -> None:
        """Begin with nobody."""
        self._most, self._lock = most_waiting, threading.Lock()
        self._queue: list[_Place] = []
        self._used: dict[str, tuple[float, float]] = {}
        self._number = 0
        self._inside: _Place | None = None

    @contextlib.contextmanager
    def turn(self, who: str, waiting: Callable[[int], None] = lambda before: None) -> Iterator[None]:
        """Wait for one's turn, and have it.

        Args:
            who: What is used is counted by this.
            waiting: Called now and then while it takes, with how many come before; an exception of it gives the place
                up.

        Raises:
            FullError: Too many wait already.
        """
        place, began = self._join(who), None
        try:
            while not place.called.wait(_LOOK):
                waiting(place.before)
            began = time.monotonic()
            yield
        finally:
            self._leave(place, 0.0 if began is None else time.monotonic() - began)

    def _join(self, who: str) -> _Place:
        with self._lock:
            if len(self._queue) >= self._most:
                raise FullError
            self._number += 1
            place = _Place(who, self._number)
            self._queue.append(place)
            self._call_next()
            return place

    def _leave(self, place: _Place, seconds: float) -> None:
        with self._lock:
            if place is self._inside:
                self._inside = None
                self._count(place.who, seconds)
            else:
                self._queue.remove(place)
            self._call_next()

    def _call_next(self) -> None:
        """Put the queue in order, and call its first where nobody is inside; nobody else is woken."""
        self._queue.sort(key=self._rank)
        if self._inside is None and self._queue:
            self._inside = self._queue.pop(0)
            self._inside.called.set()
        for at, place in enumerate(self._queue):
            place.before = at + 1

    def _rank(self, place: _Place) -> tuple[int, int]:
        return math.floor(self._lately(place.who) / _EQUAL), place.number

    def _lately(self, who: str) -> float:
        seconds, at = self._used.get(who, (0.0, 0.0))
        return float(seconds * 0.5 ** ((time.monotonic() - at) / _HALF_LIFE))

    def _count(self, who: str, seconds: float) -> None:
        self._used = {one: used for one, used in self._used.items() if self._lately(one) > _EQUAL / 10}
        self._used[who] = (self._lately(who) + seconds, time.monotonic())
