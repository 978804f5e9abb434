"""The app's connection to a cluster: short pieces of work go there; what they come to is asked for now and then."""

from __future__ import annotations

import asyncio
import contextlib
import pickle
from collections.abc import Callable, Iterator
from typing import Any

import dask
import numpy as np
import torch
from distributed import Future

import lstm_explorer
from lstm_explorer.runs.cluster.workers import ANSWERS_WITHIN, connect
from lstm_explorer.runs.job import Job
from lstm_explorer.runs.training.worker import warm_up

#: Bytes from which on what many pieces need goes to the workers once, and not with every piece.
_LARGE = 500_000
#: Seconds in which the scheduler answers at first: nobody waits for it.
_CONNECTS = 10.0


class LostError(OSError):
    """The scheduler is gone, or what was under way."""


class FailedError(Exception):
    """A piece failed: by itself, or because the workers cannot do it. Done here, it shows which."""


class Link:
    """A connection to a scheduler. What is submitted and not held any more is dropped by the workers.

    Args:
        address: Such as ``tcp://10.0.0.5:8786``.

    Raises:
        ValueError: None answers there.
    """

    def __init__(self, address: str) -> None:
        """Connect."""
        # Weights and optimizers of a large training: that they are large is known.
        dask.config.set({"distributed.admin.large-graph-warning-threshold": "1 GB"})
        self._client = connect(address, seconds=_CONNECTS)
        self._warm: dict[str, Future] = {}
        self.workers = self.threads = 0

    def count(self) -> None:
        """Ask the scheduler how many workers there are, and how many pieces they do at once.

        A new worker loads what the first pieces need, which takes seconds, before somebody waits for it.
        """
        threads = self._client.nthreads()
        self._warm = {address: self._warm.get(address) or self._warmed(address) for address in threads}
        self.workers, self.threads = len(threads), sum(threads.values())

    def _warmed(self, address: str) -> Future:
        return self._client.submit(_called, _versions(), warm_up, workers=[address], pure=False, priority=-1)

    def shared(self, value: Any) -> Any:
        """Return what stands for a value in pieces: the value, or where it is large, its place on the workers.

        Args:
            value: Such as a job with a table or a network of the reader's own.

        Raises:
            LostError: The scheduler is lost.
            FailedError: It cannot be sent.
        """
        try:
            size = len(pickle.dumps(value))
        except Exception as error:  # whatever is in there may raise anything
            raise FailedError(repr(error)) from error
        if size < _LARGE:
            return value
        with _lost():
            return self._client.scatter(value, broadcast=True, hash=False, timeout=ANSWERS_WITHIN)

    def submit(self, function: Callable[..., Any], *arguments: Any, priority: int = 0) -> Future:
        """Have a function called on a worker that has the same versions, on one thread.

        Args:
            function: A function of a module that the workers have too.
            arguments: What it is given; of a future, what it comes to.
            priority: Of two that wait, the higher one is first.

        Raises:
            LostError: The scheduler is lost.
        """
        with _lost():
            return self._client.submit(_called, _versions(), function, *arguments, pure=False, priority=priority)

    def answer(self, future: Future, seconds: float = 0.0) -> Any:
        """Return what a future came to, None where that is not known within so many seconds.

        Raises:
            LostError: The scheduler is lost, or the data that the piece needs.
            FailedError: The piece failed.
        """
        with _lost():
            try:
                error = future.exception(timeout=max(seconds, 1e-3))
            except TimeoutError:
                return None
            if future.status == "error":
                raise FailedError(repr(error))
            return future.result(timeout=ANSWERS_WITHIN)

    def close(self) -> None:
        """Let go of the scheduler, which may be gone."""
        with contextlib.suppress(Exception):
            self._client.close(timeout=1)


def piece_of(job: Job[Any], first: int, last: int, before: tuple[Any, Any] | None) -> tuple[Any, Any]:
    """Do a piece of a job.

    Args:
        job: The job.
        first: Its first unit.
        last: The unit after its last.
        before: What the piece before came to, where it passes something on.

    Returns:
        The piece, and what the next one is to be given.
    """
    return job.piece(first, last, before and before[1])


def _called(versions: tuple[str, ...], function: Callable[..., Any], *arguments: Any) -> Any:
    """Call a function as the server would: with the same versions, and on one thread; others may round otherwise.

    It never returns None: that says of an answer that it is not there yet.
    """
    if versions != (here := _versions()):
        raise RuntimeError(f"the server has {', '.join(versions)}, this worker {', '.join(here)}")
    if torch.get_num_threads() != 1:
        torch.set_num_threads(1)
    return function(*arguments)


def _versions() -> tuple[str, ...]:
    return (f"lstm-explorer {lstm_explorer.__version__}", f"torch {torch.__version__}", f"numpy {np.__version__}")


@contextlib.contextmanager
def _lost() -> Iterator[None]:
    """Make one error of all that Dask raises where a scheduler, or what was under way, is lost."""
    try:
        yield
    except FailedError:
        raise
    except (asyncio.CancelledError, Exception) as error:
        raise LostError(f"the scheduler is lost: {error!r}") from error
