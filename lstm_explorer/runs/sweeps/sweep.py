"""Sweeps: what is not there yet is measured, cell by cell as workers are free, and kept at once."""

from __future__ import annotations

import logging
import os
import time
from collections import Counter
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import ExitStack, closing
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from lstm_explorer.core.escape import short
from lstm_explorer.core.kinds import checks_kinds
from lstm_explorer.core.training.options import Training
from lstm_explorer.runs.job import Job
from lstm_explorer.runs.sweeps.cell import Cell, cells_of
from lstm_explorer.runs.sweeps.grid import Grid
from lstm_explorer.runs.sweeps.measured import Measured, failed
from lstm_explorer.runs.sweeps.processes import Processes, Workers
from lstm_explorer.runs.sweeps.store import Folder

#: How often a cell is tried whose worker is lost.
_TRIES = 3
#: Seconds between two looks at whether there are more workers.
_LOOK = 1.0
_LOST = (
    f"its worker ended {_TRIES} times before it was done: expected enough memory for it, and in a script of your own "
    'the call under if __name__ == "__main__":'
)

_log = logging.getLogger("lstm_explorer.sweeps")


class Progress(NamedTuple):
    """One more cell is done.

    Attributes:
        cell: Which.
        found: What it came to.
        done: How many cells are done, those that were there already included.
        total: How many there are.
        failed: How many of them failed.
        seconds_left: About how long the others take.
    """

    cell: Cell
    found: Measured
    done: int
    total: int
    failed: int
    seconds_left: float


class Sweep:
    """What there is to be measured, what is there already, and what comes in.

    Args:
        jobs: A grid, or jobs and trainings.
        out: The folder of what is done; None keeps it in memory alone.

    Attributes:
        cells: All cells, in their order.
        left: Those that are to be measured: equal ones once, and those that failed again.
        total: How many cells differ.
        found: Key to what is done.
        damaged: Files that could not be read, whose cells are measured again.
    """

    def __init__(self, jobs: Grid | Sequence[Job[Any] | Training], out: Path | None = None) -> None:
        """Look at what is there."""
        self.cells = list(jobs.cells()) if isinstance(jobs, Grid) else cells_of(jobs)
        self._about: dict[str, Any] = {"grid": jobs.to_dict() if isinstance(jobs, Grid) else None}
        self._about["varies"] = list(self.cells[0].varies) if self.cells else []
        self._folder = None if out is None else Folder(out)
        distinct = {cell.key: cell for cell in self.cells}
        there, self.damaged = self._folder.read(distinct) if self._folder else ({}, [])
        self.found = {key: found for key, found in there.items() if found.error is None}
        self.left = [cell for key, cell in distinct.items() if key not in self.found]
        self.total = len(distinct)

    @property
    def seconds(self) -> float:
        """About how long what is left takes on one thread, by how long what is there took."""
        costs = {cell.key: cell.seconds for cell in self.cells}
        took, estimated = sum(one.seconds for one in self.found.values()), sum(costs[key] for key in self.found)
        return sum(costs[cell.key] for cell in self.left) * (took / estimated if estimated else 1.0)

    @property
    def failures(self) -> list[tuple[Cell, str]]:
        """The cells that failed, with what went wrong."""
        errors = {key: found.error for key, found in self.found.items() if found.error is not None}
        return [(cell, errors[cell.key]) for cell in self.cells if cell.key in errors]

    def run(self, workers: Workers) -> Generator[Progress]:
        """Measure what is left, and yield each cell when it is done and kept.

        Args:
            workers: What measures; they are at an end afterwards, whatever happens.

        Raises:
            OSError: What is done cannot be kept, or the cluster is lost.
            ValueError: Another sweep is at the folder.
        """
        began, costs, done = time.monotonic(), {cell.key: cell.seconds for cell in self.left}, 0.0
        whole, left, failures = sum(costs.values()), len(self.left), 0
        with ExitStack() as stack:
            if self._folder:
                stack.enter_context(self._folder.held())
                if self._about["grid"] is not None:
                    self._folder.write_grid(self._about["grid"])
                stack.callback(self._write_table)
            for cell, found in stack.enter_context(closing(_stream(self.left, workers))):
                if self._folder:
                    self._folder.write(cell, found)
                self.found[cell.key] = found
                done += costs[cell.key]
                left -= 1
                failures += found.error is not None
                seconds_left = (whole - done) * (time.monotonic() - began) / done if left else 0.0
                yield Progress(cell, found, len(self.found), self.total, failures, seconds_left)

    def to_frame(self) -> pd.DataFrame:
        """Return what is done as a tidy table.

        Returns:
            One row for every cell and what was measured in it, a gradient for instance: what varies, the numbers, then
            ``seconds``, ``error`` and ``cell``, the cell's key. A cell that failed has one row, with its ``error``.
        """
        rows = [
            row | {"seconds": found.seconds, "error": found.error, "cell": cell.key}
            for cell in self.cells
            if (found := self.found.get(cell.key)) is not None
            for row in ({**numbers, **cell.varies} for numbers in found.rows or [{}])
        ]
        names = list(dict.fromkeys([name for cell in self.cells[:1] for name in cell.varies]))
        names += [name for name in dict.fromkeys(name for row in rows for name in row) if name not in names]
        ends = ["seconds", "error", "cell"]
        frame = pd.DataFrame(rows, columns=[name for name in names if name not in ends] + ends)
        whole = {name: "Int64" for name in ("learnt_at", "lag") if name in frame}
        return frame.astype(whole | {"error": "str", "cell": "str"})

    def _write_table(self) -> None:
        assert self._folder is not None
        self._folder.write_table(self.to_frame(), self._about)


def _stream(cells: Sequence[Cell], workers: Workers) -> Generator[tuple[Cell, Measured]]:
    """Yield cells as they are done; no more than there is room for are under way."""
    waiting, under_way, lost = iter(cells), dict[Future[Measured], Cell](), Counter[str]()
    at_once = True
    try:
        while True:
            for cell in islice(waiting, max(0, workers.room - len(under_way))):
                under_way[workers.submit(cell.job)] = cell
            if not under_way:
                break
            for future in wait(under_way, timeout=_LOOK, return_when=FIRST_COMPLETED).done:
                cell, found = under_way.pop(future), workers.answer(future)
                if found is None:
                    lost[cell.key] += 1
                    if lost[cell.key] < _TRIES:
                        under_way[workers.submit(cell.job)] = cell
                        continue
                    found = failed(ValueError(_LOST))
                yield cell, found
        at_once = False
    finally:
        workers.close(at_once=at_once)


@checks_kinds
def sweep(
    jobs: Grid | Sequence[Job[Any] | Training],
    *,
    executor: Any = None,
    processes: int | None = None,
    out: str | Path | None = None,
    progress: Callable[[Progress], object] | None = None,
) -> pd.DataFrame:
    """Measure every cell of a grid, in processes of this machine or on a Dask cluster.

    A cell's numbers are those of its job alone, wherever it ran: everything is drawn from its seed, on one thread. A
    cell that fails is a row with its error, and leaves the others alone; what a worker was at when it was lost is done
    by another. With ``out``, every cell is on disk as soon as it is done: the same call goes on where one that was
    stopped or killed had come to, and tries again what failed.

    Args:
        jobs: A :class:`Grid`, or a list of jobs and of :class:`lstm_explorer.Training`.
        executor: A ``dask.distributed.Client``; by default processes of this machine, for which a script has its own
            lines under ``if __name__ == "__main__":``.
        processes: How many of them; by default one for each core.
        out: The folder of what is done; by default it is kept in memory alone.
        progress: Called with every cell that is done.

    Returns:
        The table of :meth:`Sweep.to_frame`.

    Raises:
        OSError: What is done cannot be kept, or the cluster is lost.
        TypeError: An argument is of another kind.
        ValueError: There is no such number of processes, or another sweep is at the folder.

    Example:
        >>> grid = Grid(measure="survival", settings={"sequence_length": 20}, grid={"forget_bias": [0, 3]})
        >>> frame = sweep(grid, processes=2)  # doctest: +SKIP
        >>> frame.groupby(["forget_bias", "quantity"])["log10_share"].first()  # doctest: +SKIP
    """
    if not isinstance(jobs, Grid | list | tuple):
        raise TypeError(f"jobs is {short(jobs)}: expected a Grid, or a list of jobs and of lx.Training.")
    if not isinstance(out, str | os.PathLike | None):
        raise TypeError(f"out is {short(out)}: expected the path of a folder.")
    if executor is not None and not callable(getattr(executor, "get_executor", None)):
        raise TypeError(f"executor is {short(executor)}: expected None, or a dask.distributed.Client.")
    many = default_processes() if processes is None else processes
    if many < 1:
        raise ValueError(f"processes is {many}: expected a whole number from 1.")
    whole = Sweep(jobs, None if out is None else Path(out))
    for path in whole.damaged:
        _log.warning("%s is damaged: its cell is measured again.", path)
    if there := whole.total - len(whole.left):
        _log.info("%d of %d cells are there already.", there, whole.total)
    if whole.left:
        with closing(whole.run(workers_of(executor, many))) as done:  # an error of progress ends the workers too
            for one in done:
                if progress is not None:
                    progress(one)
    return whole.to_frame()


def workers_of(executor: Any, processes: int) -> Workers:
    """Return what measures: a Dask client's cluster, or processes of this machine where there is none."""
    if executor is None:
        return Processes(processes)
    from lstm_explorer.runs.cluster.workers import Cluster  # needs an extra

    return Cluster(executor)


def default_processes() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
