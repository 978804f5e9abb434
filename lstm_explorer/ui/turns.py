"""Turns at measuring: one at a time in the process, and first whoever has had least of it lately."""

from __future__ import annotations

import contextlib
import math
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

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
    who: str
    number: int


class Turns:
    """A queue without barging, in which a heavy user waits and not the others.

    Args:
        most_waiting: How many may wait; more are turned away.
    """

    def __init__(self, most_waiting: int) -> None:
        """Begin with nobody."""
        self._most, self._changed = most_waiting, threading.Condition()
        self._queue: list[_Place] = []
        self._used: dict[str, tuple[float, float]] = {}
        self._number, self._busy = 0, False

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
        place = self._join(who)
        try:
            while (before := self._before(place)) is not None:
                waiting(before)
            began = time.monotonic()
        except BaseException:
            self._leave(place)
            raise
        try:
            yield
        finally:
            self._done(who, time.monotonic() - began)

    def _join(self, who: str) -> _Place:
        with self._changed:
            if len(self._queue) >= self._most:
                raise FullError
            self._number += 1
            place = _Place(who, self._number)
            self._queue.append(place)
            return place

    def _before(self, place: _Place) -> int | None:
        """Wait a moment; return how many come before, or None with the turn taken."""
        with self._changed:
            if not self._is_next(place):
                self._changed.wait_for(lambda: self._is_next(place), _LOOK)
            if self._is_next(place):
                self._queue.remove(place)
                self._busy = True
                return None
            return sum(self._rank(other) < self._rank(place) for other in self._queue) + self._busy

    def _is_next(self, place: _Place) -> bool:
        return not self._busy and min(self._queue, key=self._rank) is place

    def _rank(self, place: _Place) -> tuple[int, int]:
        return math.floor(self._lately(place.who) / _EQUAL), place.number

    def _lately(self, who: str) -> float:
        seconds, at = self._used.get(who, (0.0, 0.0))
        return float(seconds * 0.5 ** ((time.monotonic() - at) / _HALF_LIFE))

    def _leave(self, place: _Place) -> None:
        with self._changed:
            if place in self._queue:
                self._queue.remove(place)
            self._changed.notify_all()

    def _done(self, who: str, seconds: float) -> None:
        with self._changed:
            now = time.monotonic()
            self._used = {one: used for one, used in self._used.items() if self._lately(one) > _EQUAL / 10}
            self._used[who] = (self._lately(who) + seconds, now)
            self._busy = False
            self._changed.notify_all()
