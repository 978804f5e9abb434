"""Training that outlives the page: groups of runs that a process of its own does, one after the other.

Functions of the module, all of them quick: :func:`start` gives an identifier that nobody can guess; every other one
takes it, as it comes from an address. A group that is not there any more is an :class:`ExplainedError`.
"""

from __future__ import annotations

import contextlib
import functools
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from torch import Tensor

import lstm_explorer
from lstm_explorer.core.errors import ExplainedError, Reason, reason_of
from lstm_explorer.core.inputs import TableLike
from lstm_explorer.core.training.options import Training
from lstm_explorer.core.training.result import TrainingRun
from lstm_explorer.locales import N_, translated
from lstm_explorer.runs.scheduler import Trouble
from lstm_explorer.runs.training.cost import refusal, seconds
from lstm_explorer.runs.training.files import run_from_bytes, tensors_from_bytes
from lstm_explorer.runs.training.store import Group, State, Store

RunState = Literal["waiting", "running", "paused", "stopped", "done", "interrupted", "failed"]

#: Runs that are kept in memory as read: several pages of several readers look at the same.
_READ = 128
_UNREADABLE = N_("The numbers of this training cannot be read: {reason}")

#: Of the worker: little memory, and one thread, as two that wait for each other on a busy machine may take minutes.
_ENVIRONMENT = {"OMP_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2", "ARROW_DEFAULT_MEMORY_POOL": "system"}
#: Workers that this process started, and when: none stays a zombie.
_started: list[tuple[subprocess.Popen[bytes], float]] = []
#: Seconds until another is started after one that failed.
_AGAIN = 30.0


@dataclass(frozen=True, kw_only=True)
class RunStatus:
    """How far a group is.

    Attributes:
        id: Its identifier.
        state: ``"interrupted"``: the process was ended; :func:`resume` goes on from the last checkpoint.
        place: Of a waiting group, how many are trained before it; else 0.
        trainings: What is trained; empty where the file is damaged.
        done: Optimizer steps that are done of each.
        total: All optimizer steps of each.
        seconds_left: Of this group alone, estimated; None where it is over, or there is nothing to go by.
        message: Why it failed, in the language of the running context; else empty.
        workers: How many workers the cluster had that trained; 0 where none did.
        trouble: Why the cluster that this server is set to use does nothing (:mod:`lstm_explorer.runs.scheduler`).
    """

    id: str
    state: RunState
    place: int = 0
    trainings: tuple[Training, ...] = ()
    done: tuple[int, ...] = ()
    total: tuple[int, ...] = ()
    seconds_left: float | None = None
    message: str = ""
    workers: int = 0
    trouble: Trouble = ""


def start(trainings: Sequence[Training], table: TableLike | None = None) -> str:
    """Have some networks trained; return the identifier of the group.

    Args:
        trainings: What is trained: their curves grow together.
        table: The reader's own table, where the task reads it.

    Raises:
        ValueError: It would take too long or too much memory (:func:`refusal`), or too many are waiting.
        OSError: The folder cannot be written.
    """
    if reason := refusal(trainings):
        raise ValueError(reason)
    store = Store()
    group = store.add(trainings, table)
    _have_a_worker(store)
    return group.id


def prepare() -> None:
    """Start the process that trains, so that it is there when the first run is started; it ends when it stays idle."""
    _have_a_worker(Store())


def status(id: str) -> RunStatus:
    """Return how far a group is; also see that there is a process where one waits.

    Raises:
        ExplainedError: There is no such group any more.
    """
    store = Store()
    group = store.group(id)
    try:
        trainings, last = group.trainings(), group.state
    except ExplainedError as error:
        return RunStatus(id=id, state="failed", message=translated(error.template).format(**error.values))
    state, message = _state_of(store, group, last), ""
    if last is not None and last.problem is not None and state == "failed":
        message = _told(*last.problem)
    place, left = 0, None
    if state == "waiting":
        _have_a_worker(store)
        place, left = _place(store, group), sum(map(seconds, trainings))
    elif state == "running" and last is not None and last.left > 0:
        left = last.left
    elif state not in ("running", "failed") and (broken := _unreadable(group, len(trainings))):
        state, message = "failed", broken
    done = last.done if last is not None and len(last.done) == len(trainings) else (0,) * len(trainings)
    return RunStatus(
        id=id, state=state, place=place, trainings=trainings, done=done, seconds_left=left, message=message,
        total=tuple(training.steps for training in trainings), workers=last.workers if last else 0,
        trouble=last.trouble if last and state == "running" else "",
    )  # fmt: skip


def read(id: str) -> list[TrainingRun | None]:
    """Return what is done of every training so far, without weights; None where nothing is, or cannot be read.

    What has not changed since the last call is the same object.

    Raises:
        ExplainedError: There is no such group any more, or its files are damaged.
    """
    group, runs = Store().group(id), list[TrainingRun | None]()
    for which in range(len(group.trainings())):
        runs.append(None)
        with contextlib.suppress(OSError, ValueError):
            runs[-1] = _run_of(group.numbers(which))
    return runs


def table(id: str) -> TableLike | None:
    """Return the reader's own table that a group was started with; None where it reads none.

    Raises:
        ExplainedError: There is no such group any more, or its files are damaged.
    """
    return Store().group(id).table()


def pause(id: str) -> None:
    """Have a group stop for now."""
    Store().group(id).write_order("pause")


def stop(id: str) -> None:
    """Have a group stop for good; what is done is kept."""
    Store().group(id).write_order("stop")


def resume(id: str) -> None:
    """Have a group go on from where it was paused, stopped, interrupted or failed."""
    store = Store()
    store.group(id).write_order("run")
    _have_a_worker(store)


def remove(id: str) -> None:
    """Take a group with all its files away."""
    store = Store()
    store.remove(store.group(id))


def moments(id: str, which: int) -> tuple[int, ...]:
    """Return the optimizer steps after which the weights of a training were kept.

    Args:
        id: The group.
        which: Place of the training in it, from 0.
    """
    return Store().group(id).moments(which)


def weights(id: str, which: int, optimizer_step: int | None = None) -> dict[str, Tensor]:
    """Return the weights of a training at a moment, by the names of :class:`lstm_explorer.core.training.model.Model`.

    Args:
        id: The group.
        which: Place of the training in it, from 0.
        optimizer_step: One of :func:`moments`; by default the last.

    Raises:
        ExplainedError: There are no such weights, or their file is damaged.
    """
    group, known = Store().group(id), moments(id, which)
    step = (known[-1] if known else -1) if optimizer_step is None else optimizer_step
    if step not in known:
        raise ExplainedError(
            N_("No weights were kept after step {step}: expected one of {known}."),
            {"step": step, "known": ", ".join(map(str, known)) or "-"},
        )
    try:
        return tensors_from_bytes(group.weights(which, step).read_bytes())[0]
    except (OSError, ValueError) as error:
        raise ExplainedError(N_("These weights cannot be read: {reason}"), {"reason": reason_of(error)}) from error


def _told(template: str, values: Mapping[str, Any]) -> str:
    """Return a sentence of the worker's, whose words of the system's came as plain text."""
    said = {name: Reason(value) if isinstance(value, str) else value for name, value in values.items()}
    return translated(template).format(**said)


def _state_of(store: Store, group: Group, last: State | None) -> RunState:
    order = group.order
    newer = last is None or last.order < order.number
    if last is not None and last.name == "done":
        return "done"
    if last is not None and last.name == "running" and store.held():
        return "running"
    if newer:
        return {"run": "waiting", "pause": "paused", "stop": "stopped"}[order.want]  # type: ignore[return-value]
    assert last is not None
    return "interrupted" if last.name == "running" else last.name  # type: ignore[return-value]


def _place(store: Store, group: Group) -> int:
    """Return how many groups are trained before a waiting one."""
    waiting = [other.id for other in store.waiting()]
    before = waiting.index(group.id) if group.id in waiting else 0
    return before + any(_running(store, other) for other in store.groups() if other.id not in waiting)


def _running(store: Store, group: Group) -> bool:
    with contextlib.suppress(ExplainedError):
        return _state_of(store, group, group.state) == "running"
    return False


def _unreadable(group: Group, many: int) -> str:
    """Return why the numbers of a group cannot be read; empty where they can."""
    for which in range(many):
        path = group.numbers(which)
        if not path.exists():
            continue
        try:
            _run_of(path)
        except (OSError, ValueError) as error:
            return translated(_UNREADABLE).format(reason=reason_of(error))
    return ""


def _run_of(path: Path) -> TrainingRun:
    about = path.stat()
    return _read(str(path), about.st_mtime_ns, about.st_size, about.st_ino)


@functools.lru_cache(maxsize=_READ)
def _read(path: str, *_version: int) -> TrainingRun:
    return run_from_bytes(Path(path).read_bytes())


def _have_a_worker(store: Store) -> None:
    """Start the process that trains, unless there is one: it inherits the lock, so that there never are two."""
    now = time.monotonic()
    # One that cannot even start must not be started again with every look at the page.
    broken = any(
        process.poll() is not None and process.returncode > 0 and now - at < _AGAIN for process, at in _started
    )
    _started[:] = [one for one in _started if one[0].poll() is None or now - one[1] < _AGAIN]
    lock = None if broken else store.lock(tries=1)
    if lock is None:
        return
    package = str(Path(lstm_explorer.__file__).parents[1])
    paths = os.pathsep.join(filter(None, (package, os.environ.get("PYTHONPATH"))))
    environment = os.environ | {"PYTHONPATH": paths} | _ENVIRONMENT
    command = [sys.executable, "-P", "-m", "lstm_explorer.runs.training.worker", str(store.folder), "--lock", str(lock)]
    try:
        with (store.folder / "worker.log").open("wb") as log:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=store.folder, env=environment,
                pass_fds=(lock,), start_new_session=True,
            )  # fmt: skip
        _started.append((process, time.monotonic()))
    finally:
        os.close(lock)
