"""Workers without a process: what a sweep does with its workers, at no cost."""

from __future__ import annotations

from concurrent.futures import Future

from lstm_explorer.runs.sweeps.measured import measured


class Here:
    """Measures at once, in this process.

    Args:
        lost: How many cells, from the first on, lose their worker.
        room: How many cells may be under way.
    """

    def __init__(self, lost=0, room=2):
        self.size = self.room = room
        self.jobs, self.most, self.closed = [], 0, []
        self._lost, self._under_way = lost, 0

    def submit(self, job):
        self.jobs.append(job)
        self._under_way += 1
        self.most = max(self.most, self._under_way)
        future = Future()
        future.set_result(job)
        return future

    def answer(self, future):
        self._under_way -= 1
        if self._lost > 0:
            self._lost -= 1
            return None
        return measured(future.result())

    def close(self, *, at_once):
        self.closed.append(at_once)
