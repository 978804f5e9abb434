"""Processes of this machine, each of which measures one cell at a time on one thread."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.connection import Connection
from typing import Any, Protocol

import torch

from lstm_explorer.runs.job import Job
from lstm_explorer.runs.sweeps.measured import Measured, failed, measured
from lstm_explorer.runs.training.worker import without_compiler

_UNGUARDED = 'lx.sweep starts processes that read this script again: put the call under if __name__ == "__main__":'


class Workers(Protocol):
    """What measures cells: processes here, or a cluster."""

    @property
    def size(self) -> int:
        """How many cells are measured at once."""
        ...

    @property
    def room(self) -> int:
        """How many cells may be under way, those that wait for a worker included."""
        ...

    def submit(self, job: Job[Any]) -> Future[Measured]:
        """Have a job done; there is room."""
        ...

    def answer(self, future: Future[Measured]) -> Measured | None:
        """Return what a future that is done came to; None where its worker was lost, and it is to be tried again."""
        ...

    def close(self, *, at_once: bool) -> None:
        """End, at once even with cells under way."""
        ...


class Processes:
    """Pools of one process each: where one is killed, it is known with which cell, and the others go on.

    Args:
        many: How many.

    Raises:
        SystemExit: This is such a process, which reads the script again that started it.
    """

    def __init__(self, many: int) -> None:
        """Start none yet."""
        # Python's own refusal is a page long, and every process would print it.
        if getattr(multiprocessing.current_process(), "_inheriting", False):
            raise SystemExit(_UNGUARDED)
        self._spawned = multiprocessing.get_context("spawn")  # one forked beside PyTorch's threads may hang
        self._held, self._leash = self._spawned.Pipe(duplex=False)
        self._idle: list[ProcessPoolExecutor | None] = [None] * many
        self._busy: dict[Future[Measured], ProcessPoolExecutor] = {}
        self.size = self.room = many

    def submit(self, job: Job[Any]) -> Future[Measured]:
        """Have a job done; there is room."""
        pool = self._idle.pop() or self._pool()
        with _deaf_to_ctrl_c():  # which a terminal sends to every process: it is this one's to end the others
            try:
                future = pool.submit(measured, job)
            except BrokenProcessPool:  # it was killed while it had nothing to do
                pool = self._pool()
                future = pool.submit(measured, job)
        self._busy[future] = pool
        return future

    def answer(self, future: Future[Measured]) -> Measured | None:
        """Return what a future that is done came to; None where its process was lost."""
        self._idle.append(self._busy.pop(future))  # a broken pool is replaced when it is to do something
        try:
            return future.result()
        except BrokenProcessPool:
            return None
        except Exception as error:  # what cannot be sent
            return failed(error)

    def close(self, *, at_once: bool) -> None:
        """End, at once even with cells under way."""
        if at_once:
            self._leash.close()
        for pool in (*self._idle, *self._busy.values()):
            if pool is not None:
                pool.shutdown()
        self._leash.close()
        self._held.close()

    def _pool(self) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(1, mp_context=self._spawned, initializer=_begin, initargs=(self._held,))


def _begin(held: Connection) -> None:
    """Get a process ready: one thread, and an end as soon as the other end of the leash is let go."""
    threading.Thread(target=_end_with, args=(held,), daemon=True).start()
    torch.set_num_threads(1)
    without_compiler()


def _end_with(held: Connection) -> None:
    """End the process when the one that started it closes its end, or is killed, which closes it too."""
    with contextlib.suppress(EOFError, OSError):
        held.recv_bytes()
    os._exit(1)


@contextlib.contextmanager
def _deaf_to_ctrl_c() -> Iterator[None]:
    """Have processes that are started in here never see Ctrl-C; this one sees it right after."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
