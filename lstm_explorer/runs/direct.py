"""The runner of the command line and of notebooks: it does a job at once, and reports its progress."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from lstm_explorer.runs.experiment import Moment, OwnTable
from lstm_explorer.runs.job import Job
from lstm_explorer.runs.own_networks import OwnFile
from lstm_explorer.runs.sweeps.table import SweepTable

T = TypeVar("T")

#: Work between two reports of progress: about half a second.
_WORK_BETWEEN_REPORTS = 1_500_000


class DirectRunner:
    """Does jobs at once.

    Args:
        table: The reader's own table.
        on_progress: Called between pieces with the job, the units done, and their total.
        moment: A network with weights and inputs of its own.
        own_file: The reader's own checkpoint.
        own_sweep: The reader's own sweep.
    """

    def __init__(
        self,
        table: OwnTable | None = None,
        on_progress: Callable[[Job[Any], int, int], None] = lambda job, done, total: None,
        moment: Moment | None = None,
        own_file: OwnFile | None = None,
        own_sweep: SweepTable | None = None,
    ) -> None:
        """Keep what is the reader's own."""
        self.table, self.moment, self.own_file, self.own_sweep = table, moment, own_file, own_sweep
        self._on_progress = on_progress

    def run(self, job: Job[T]) -> T:
        """Return a job's result."""
        size, pieces, carried = units_at_once(job, _WORK_BETWEEN_REPORTS), [], None
        for first in range(0, job.total, size):
            self._on_progress(job, first, job.total)
            piece, carried = job.piece(first, min(first + size, job.total), carried)
            pieces.append(piece)
        return pieces[0] if len(pieces) == 1 else job.join(pieces)


def units_at_once(job: Job[Any], work: float) -> int:
    """Return how many units of a job make up this much work; at least 1."""
    return max(1, int(work // job.work))
