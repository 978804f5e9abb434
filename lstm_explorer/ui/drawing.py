"""Runs of pages draw one at a time, in the order in which they came.

Python lets one thread compute at a time anyway, and changes between them every few milliseconds: of many runs at once
each takes as long as all together, and the changing has its own price. One after the other, half of them are done in
half of that time (benchmarks/README.md has a class of a hundred).
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

#: Seconds after which nobody waits any longer for a run: it makes a file, reads one, or draws much.
_LEASE = 0.3


@dataclass(eq=False)
class _Place:
    since: float = 0.0
    called: threading.Event = field(default_factory=threading.Event)


class Drawing:
    """A queue of runs.

    Args:
        lease: Seconds after which the next begins though the one before has not ended.
    """

    def __init__(self, lease: float = _LEASE) -> None:
        """Begin with nobody."""
        self._lease, self._lock = lease, threading.Lock()
        self._queue: deque[_Place] = deque()
        self._inside: _Place | None = None
        self._mine = threading.local()

    @contextlib.contextmanager
    def run(self) -> Iterator[None]:
        """Wait for those who came before, and draw; inside another run of this thread it is part of that."""
        if getattr(self._mine, "place", None) is not None:
            yield
            return
        self._mine.place = self._enter()
        try:
            yield
        finally:
            self._leave(self._mine.place)
            self._mine.place = None

    @contextlib.contextmanager
    def aside(self) -> Iterator[None]:
        """Let others draw while this run waits, or computes outside Python."""
        place = getattr(self._mine, "place", None)
        if place is None:
            yield
            return
        self._leave(place)
        yield  # who is thrown out of here has left already
        self._mine.place = self._enter()

    def _enter(self) -> _Place:
        place = _Place()
        with self._lock:
            self._queue.append(place)
            self._call_next()
        while not place.called.wait(self._lease):
            with self._lock:
                self._call_next()
        return place

    def _leave(self, place: _Place) -> None:
        with self._lock:
            if place is self._inside:
                self._inside = None
            self._call_next()

    def _call_next(self) -> None:
        now = time.monotonic()
        if self._inside is not None and now - self._inside.since >= self._lease:
            self._inside = None
        if self._inside is None and self._queue:
            self._inside = self._queue.popleft()
            self._inside.since = now
            self._inside.called.set()


#: The one of the app.
DRAWING = Drawing()
