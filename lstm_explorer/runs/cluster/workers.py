"""The workers of a Dask cluster, which do jobs as the processes of this machine do."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from concurrent.futures import CancelledError, Future
from typing import Any

from distributed import Client

from lstm_explorer.runs.job import Job
from lstm_explorer.runs.sweeps.measured import Measured, failed, measured

#: Seconds in which a scheduler answers.
ANSWERS_WITHIN = 5.0
#: Cells under way for each thread of a worker: the next ones are there when it is done with one. A scheduler that held
#: a whole grid would need memory for every cell.
_AHEAD = 4
#: Seconds for which the number of workers is remembered.
_REMEMBERED = 1.0


class Cluster:
    """The workers of a cluster, as many as there are at a time.

    Args:
        client: Connected to its scheduler; it stays open.
    """

    def __init__(self, client: Client) -> None:
        """Begin."""
        self._client, self._address = client, str(client.scheduler_info(n_workers=0)["address"])
        # Not pure: what failed once is to be done again, not remembered.
        self._executor = client.get_executor(pure=False)
        self._size, self._asked = 0, -_REMEMBERED

    @property
    def size(self) -> int:
        """How many cells are measured at once: one for each thread of a worker."""
        if time.monotonic() - self._asked > _REMEMBERED:
            with contextlib.suppress(OSError):  # a scheduler that is lost shows in the answers
                self._size = sum(self._client.nthreads().values())
            self._asked = time.monotonic()
        return self._size

    @property
    def room(self) -> int:
        """How many cells may be under way: some more than are measured, and one where there is no worker yet."""
        return max(1, _AHEAD * self.size)

    def submit(self, job: Job[Any]) -> Future[Measured]:
        """Have a job done; there is room."""
        future: Future[Measured] = self._executor.submit(measured, job)
        return future

    def answer(self, future: Future[Measured]) -> Measured:
        """Return what a future that is done came to; the scheduler itself has another worker do what one was lost with.

        Raises:
            OSError: The scheduler is lost.
        """
        try:
            return future.result()
        except CancelledError:
            raise OSError(None, "the scheduler is lost; what is done is kept", self._address) from None
        except Exception as error:  # a cell that ends its workers, or one that cannot be sent
            return failed(error)

    def close(self, *, at_once: bool) -> None:
        """Let go of the cells under way, if there are any."""
        with contextlib.suppress(OSError, asyncio.TimeoutError, CancelledError):
            self._executor.shutdown(wait=not at_once)


def connect(address: str, *, seconds: float | None = None) -> Client:
    """Return a client of a scheduler.

    Args:
        address: Such as ``tcp://10.0.0.5:8786``.
        seconds: In which it answers; by default 5.

    Raises:
        ValueError: None answers there.
    """
    # They write tracebacks when a scheduler is lost; here that is an error of one line.
    for name in ("distributed.client", "distributed.batched", "tornado.application"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        return Client(address, timeout=seconds or ANSWERS_WITHIN, set_as_default=False)
    except Exception as error:  # anything may answer there: of a web server's greeting it makes a MemoryError
        raise ValueError(
            f"no scheduler answers at {address}: start one with 'dask scheduler', or leave it out to measure here."
        ) from error
