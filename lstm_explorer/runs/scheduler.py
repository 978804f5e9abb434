"""The cluster that a setting of the server names: whether it can be used just now, and if not, why.

Who asks never waits: the connection is made in a thread, once per process, and looked after while somebody asks for it.
Without the setting nothing of this is there, and Dask is not even imported.
"""

from __future__ import annotations

import functools
import logging
import os
import threading
import time
import types
from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from lstm_explorer.extras import MissingExtraError
from lstm_explorer.locales import N_

if TYPE_CHECKING:
    from lstm_explorer.runs.cluster.link import Link

Trouble = Literal["", "silent", "empty", "unfit", "missing"]

#: The environment variable that names the scheduler, such as ``tcp://10.0.0.5:8786``.
VARIABLE = "LSTM_EXPLORER_SCHEDULER"
#: Seconds between two looks at a cluster that is used, and after trouble; and after which a look is overdue.
_LOOK, _AGAIN, _OVERDUE = 2.0, 30.0, 15.0

#: What a reader is told; where the scheduler is stands in the log alone.
TROUBLES: Mapping[str, str] = types.MappingProxyType(
    {
        "silent": N_(
            "The cluster that this server works with does not answer. Until it does, the server computes everything "
            "itself: the numbers are the same, but they take longer."
        ),
        "empty": N_(
            "The cluster that this server works with has no workers just now. Until it has, the server computes "
            "everything itself: the numbers are the same, but they take longer."
        ),
        "unfit": N_(
            "The workers of this server's cluster could not do their part; the server's log says why. For now the "
            "server computes everything itself: the numbers are the same, but they take longer."
        ),
        "missing": N_(
            "This server is set to work with a cluster, but the packages for that are not installed: "
            '`pip install "lstm-explorer[cluster]"`. Until then it computes everything itself.'
        ),
    }
)

_log = logging.getLogger("lstm_explorer.cluster")


class Scheduler:
    """The scheduler of a cluster, and what is known about it.

    Args:
        address: Where it is.
    """

    def __init__(self, address: str) -> None:
        """Know nothing yet."""
        self.trouble: Trouble = ""
        self._address, self._lock = address, threading.Lock()
        self._link: Link | None = None
        self._due, self._since = 0.0, 0.0  # when to look again, and since when somebody looks, or 0

    def link(self) -> Link | None:
        """Return the connection; None where there is none yet, or trouble, which :attr:`trouble` then says."""
        with self._lock:
            now = time.monotonic()
            if not self._since and now >= self._due:
                self._since = now
                threading.Thread(target=self._look, name="cluster", daemon=True).start()
            elif self._since and now - self._since > _OVERDUE:
                self._tell("silent", "it does not answer")
            return None if self.trouble else self._link

    def give_up(self, trouble: Trouble, reason: object) -> None:
        """Do without the cluster for half a minute.

        Args:
            trouble: Its kind.
            reason: What the log says.
        """
        with self._lock:
            self._set(trouble, reason)

    def _look(self) -> None:
        """Connect where nothing is connected, and count the workers."""
        link, reason = self._link, object()
        trouble: Trouble = ""
        try:
            from lstm_explorer.runs.cluster.link import Link  # needs an extra, and memory

            link = link or Link(self._address)
            link.count()
            if not link.threads:
                trouble, reason = "empty", "it has no workers"
        except MissingExtraError as error:
            trouble, reason = "missing", error
        except Exception as error:  # whatever went wrong, pages go on without it
            trouble, reason = "silent", error
        with self._lock:
            given_up, self._since = self._due > self._since, 0.0
            if given_up:
                _close(link if link is not self._link else None)
                return
            self._link = link
            self._set(trouble, reason)

    def _set(self, trouble: Trouble, reason: object) -> None:
        self._tell(trouble, reason)
        self._due = time.monotonic() + (_AGAIN if trouble else _LOOK)
        if trouble == "silent":
            _close(self._link)
            self._link = None

    def _tell(self, trouble: Trouble, reason: object) -> None:
        if trouble and trouble != self.trouble:
            _log.warning("the cluster at %s is not used: %s", self._address, reason)
        self.trouble = trouble


def scheduler() -> Scheduler | None:
    """Return the scheduler that ``LSTM_EXPLORER_SCHEDULER`` names, the same for the whole process."""
    address = os.environ.get(VARIABLE)
    return _scheduler(address) if address else None


@functools.cache
def _scheduler(address: str) -> Scheduler:
    return Scheduler(address)


def _close(link: Link | None) -> None:
    """Close a connection that may be dead, without waiting for that."""
    if link is not None:
        threading.Thread(target=link.close, name="cluster", daemon=True).start()
