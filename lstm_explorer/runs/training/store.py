"""The folder of training runs: groups of them under names that nobody can guess, bounded in size and age.

A group is a folder with what is to be trained (``group.json``, and the reader's own table), what the reader wants
(``order.json``), what the worker did (``state.json``), and for each training its numbers (``0.parquet``), from where it
goes on (``0.resume.safetensors``) and its weights (``0-000012.safetensors``).
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import re
import secrets
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np

from lstm_explorer.core.errors import ExplainedError, reason_of
from lstm_explorer.core.inputs import TableLike
from lstm_explorer.core.training.options import Training
from lstm_explorer.locales import N_
from lstm_explorer.runs.scheduler import Trouble
from lstm_explorer.runs.training.files import training_from_query, whole_query, write_file

Wanted = Literal["run", "pause", "stop"]

#: The environment variable that names the folder.
VARIABLE = "LSTM_EXPLORER_RUNS"
#: Bounds of the folder: groups that are not being trained go, the oldest first.
MOST_BYTES, MOST_SECONDS, MOST_WAITING = 200e6, 7 * 24 * 3600.0, 20
#: A group is made, or removed, within a moment; what is half done after so many seconds is of one that was killed.
_HALF_DONE = 3600.0
#: Bytes of weights that are kept of one training, and of one group.
MOST_WEIGHTS, MOST_WEIGHTS_OF_A_GROUP = 16e6, 48e6

_ID = re.compile(r"[A-Za-z0-9_-]{22}")
_VERSION = 1
_LOCK = "worker.lock"

UNKNOWN = N_("There is no such training any more: it was removed, or is older than a week. Start it again.")
_DAMAGED = N_("The files of this training are damaged: {reason}. Start it again.")
_FULL = N_("{waiting} trainings are waiting already. Try again later, or run it on your own machine.")


@dataclass(frozen=True)
class Order:
    """What the reader wants: the number grows with every order, and the worker says which one it has followed."""

    want: Wanted = "run"
    number: int = 1
    at: float = 0.0


@dataclass(frozen=True)
class State:
    """What the worker did last.

    Attributes:
        name: ``"running"``, ``"paused"``, ``"stopped"``, ``"done"``, ``"interrupted"`` or ``"failed"``.
        order: Number of the order that it follows.
        done: Optimizer steps of each training.
        left: Seconds left, estimated; negative where it is not known.
        problem: Template and values of the reason for a failure.
        workers: How many workers the cluster had that trained; 0 where none did.
        trouble: Why the cluster that this server is set to use does nothing (:mod:`lstm_explorer.runs.scheduler`).
    """

    name: str
    order: int
    done: tuple[int, ...]
    left: float = -1.0
    problem: tuple[str, Mapping[str, Any]] | None = None
    workers: int = 0
    trouble: Trouble = ""


@dataclass(frozen=True)
class Group:
    """One group of trainings in its folder."""

    folder: Path

    @property
    def id(self) -> str:
        """Its name."""
        return self.folder.name

    def trainings(self) -> tuple[Training, ...]:
        """Return what is trained.

        Raises:
            ExplainedError: The file is damaged.
        """
        with _damaged():
            document = json.loads((self.folder / "group.json").read_bytes())
            return tuple(training_from_query(query) for query in document["trainings"])

    def table(self) -> TableLike | None:
        """Return the reader's own table, if there is one."""
        path = self.folder / "table.npy"
        with _damaged():
            return np.load(path, allow_pickle=False) if path.exists() else None

    @property
    def order(self) -> Order:
        """What the reader wants; lost or damaged, it is to be stopped."""
        try:
            return Order(**json.loads((self.folder / "order.json").read_bytes()))
        except (OSError, ValueError, TypeError):
            return Order("stop", 0)

    def write_order(self, want: Wanted) -> None:
        """Say what is wanted from now on, behind all others: by a number, as clocks may be set back."""
        last = max((group.order.at for group in Store(self.folder.parent).groups()), default=0.0)
        order = {"want": want, "number": self.order.number + 1, "at": last + 1.0}
        write_file(self.folder / "order.json", json.dumps(order).encode())

    @property
    def state(self) -> State | None:
        """What the worker did last; None before it began.

        Raises:
            ExplainedError: The file is damaged.
        """
        with _damaged():
            try:
                document = json.loads((self.folder / "state.json").read_bytes())
            except FileNotFoundError:
                return None
            return State(**document | {"done": tuple(int(one) for one in document["done"])})

    def write_state(self, state: State) -> None:
        """Say what was done."""
        write_file(self.folder / "state.json", json.dumps(vars(state)).encode())

    def forget(self) -> None:
        """Take away what was wanted and done last, where it cannot be written that it failed: it counts as stopped."""
        for name in ("order.json", "state.json"):
            (self.folder / name).unlink(missing_ok=True)

    @property
    def runnable(self) -> bool:
        """Whether the worker is to take it: it is wanted, by an order that it has not followed yet."""
        order = self.order
        with contextlib.suppress(ExplainedError):
            state = self.state
            return order.want == "run" and (state is None or (state.order < order.number and state.name != "done"))
        return False

    def numbers(self, which: int) -> Path:
        """Return the file of a training's numbers."""
        return self.folder / f"{which}.parquet"

    def resume(self, which: int) -> Path:
        """Return the file from which a training goes on."""
        return self.folder / f"{which}.resume.safetensors"

    def weights(self, which: int, step: int) -> Path:
        """Return the file of its weights after an optimizer step."""
        return self.folder / f"{which}-{step:08d}.safetensors"

    def moments(self, which: int) -> tuple[int, ...]:
        """Return the optimizer steps of which there are weights."""
        with contextlib.suppress(FileNotFoundError):
            names = (re.fullmatch(rf"{which}-(\d+)\.safetensors", entry.name) for entry in os.scandir(self.folder))
            return tuple(sorted(int(found[1]) for found in names if found))
        return ()


@dataclass(frozen=True)
class Store:
    """The folder of all groups, private to the user of the process.

    Raises:
        OSError: It cannot be made, or belongs to somebody else.
    """

    folder: Path = field(default_factory=lambda: root())

    def __post_init__(self) -> None:
        """Make it, and see that it is nobody else's."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        about = self.folder.lstat()
        if not stat.S_ISDIR(about.st_mode) or about.st_uid != os.getuid():
            message = f"{self.folder} is not a folder of this user: set {VARIABLE} to one that is."
            raise PermissionError(errno.EACCES, message)

    def group(self, id: str) -> Group:
        """Return a group by the name that an address holds.

        Raises:
            ExplainedError: There is none.
        """
        group = Group(self.folder / id) if isinstance(id, str) and _ID.fullmatch(id) else None
        if group is None or not group.folder.is_dir() or group.folder.is_symlink():
            raise ExplainedError(UNKNOWN, {})
        return group

    def groups(self) -> list[Group]:
        """Return all groups, in the order in which they are to be trained."""
        found = [Group(Path(entry.path)) for entry in os.scandir(self.folder) if _ID.fullmatch(entry.name)]
        return sorted(found, key=lambda group: (group.order.at, group.id))

    def waiting(self) -> list[Group]:
        """Return the groups that the worker is to take, in their order."""
        return [group for group in self.groups() if group.runnable]

    def add(self, trainings: Sequence[Training], table: TableLike | None) -> Group:
        """Make a group that waits to be trained.

        Raises:
            ExplainedError: Too many are waiting.
            OSError: It cannot be written.
        """
        self.tidy()
        if (many := len(self.waiting())) >= MOST_WAITING:
            raise ExplainedError(_FULL, {"waiting": many})
        name = secrets.token_urlsafe(16)
        group, new = Group(self.folder / name), self.folder / f".{name}"
        document = {"version": _VERSION, "trainings": [whole_query(training) for training in trainings]}
        try:
            new.mkdir(mode=0o700)
            write_file(new / "group.json", json.dumps(document).encode())
            if table is not None:
                np.save(new / "table.npy", np.asarray(table, dtype=np.float64), allow_pickle=False)
            Group(new).write_order("run")
            new.rename(group.folder)
        except OSError:
            shutil.rmtree(new, ignore_errors=True)
            raise
        return group

    def remove(self, group: Group) -> None:
        """Take a group away; the worker, if it is at it, goes on with the next."""
        gone = self.folder / f".{group.id}"
        with contextlib.suppress(OSError):
            group.folder.rename(gone)
        shutil.rmtree(gone, ignore_errors=True)

    def tidy(self) -> None:
        """Remove what is too old and, from the oldest on, what is too much, unless it waits or is trained now."""
        for half in self.folder.glob(".*"):
            if time.time() - _changed(half) > _HALF_DONE:
                shutil.rmtree(half, ignore_errors=True)
        idle = [group for group in self.groups() if not group.runnable and not self._trained_now(group)]
        sizes = {group: _size(group.folder) for group in self.groups()}
        ages = {group: time.time() - _changed(group.folder) for group in idle}
        for group in sorted(idle, key=lambda group: -ages[group]):
            if ages[group] > MOST_SECONDS or sum(sizes.values()) > MOST_BYTES:
                self.remove(group)
                sizes.pop(group)

    def _trained_now(self, group: Group) -> bool:
        with contextlib.suppress(ExplainedError):
            state = group.state
            return state is not None and state.name == "running" and self.held()
        return False

    def lock(self, tries: int = 5) -> int | None:
        """Return the open lock file of the one worker; None where another has it. Whoever inherits it has it too."""
        lock = os.open(self.folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        for _ in range(tries):  # who only asks whether it is held has it for a moment
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return lock
            time.sleep(0.01)
        os.close(lock)
        return None

    def held(self) -> bool:
        """Tell whether there is a worker."""
        try:
            lock = os.open(self.folder / _LOCK, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(lock)
        return False


def root() -> Path:
    """Return the folder that ``LSTM_EXPLORER_RUNS`` names, by default one of this user's own."""
    named = os.environ.get(VARIABLE)
    return Path(named) if named else Path(tempfile.gettempdir()) / f"lstm-explorer-runs-{os.getuid()}"


def _size(folder: Path) -> int:
    total = 0
    with contextlib.suppress(OSError):
        for entry in os.scandir(folder):
            with contextlib.suppress(OSError):
                total += entry.stat(follow_symlinks=False).st_size
    return total


def _changed(folder: Path) -> float:
    """Return when something in a group was last written."""
    with contextlib.suppress(OSError):
        return folder.stat().st_mtime
    return 0.0


@contextlib.contextmanager
def _damaged() -> Iterator[None]:
    """Say of a file that cannot be read that it is damaged, in words that can be translated."""
    try:
        yield
    except (ValueError, KeyError, TypeError, AttributeError, OSError, EOFError) as error:
        raise ExplainedError(_DAMAGED, {"reason": reason_of(error)}) from error
