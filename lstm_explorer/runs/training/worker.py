"""The process that trains: one per folder of runs, one thread, in turn a short piece of every training of a group.

The app starts it (:mod:`lstm_explorer.runs.training.background`); ``python -m lstm_explorer.runs.training.worker`` does
so by hand. It ends when it has been idle for a minute.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import gc
import logging
import os
import signal
import sys
import time
import types
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from lstm_explorer.core.architectures import ARCHITECTURES
from lstm_explorer.core.errors import ExplainedError, reason_of
from lstm_explorer.core.inputs import TableLike
from lstm_explorer.core.training.options import Training
from lstm_explorer.core.training.run import train
from lstm_explorer.locales import N_
from lstm_explorer.runs.scheduler import scheduler
from lstm_explorer.runs.training.member import PIECE, Member
from lstm_explorer.runs.training.rounds import Rounds
from lstm_explorer.runs.training.store import MOST_WEIGHTS, MOST_WEIGHTS_OF_A_GROUP, Group, State, Store

#: Seconds between two looks at the folder, two writings of numbers (more where writing is slow), and two checkpoints.
_LOOK, _NUMBERS, _CHECKPOINT = 0.1, 0.6, 5.0
#: A piece is shorter where many networks take turns, but not so short that changing turns is work.
_SHORTEST_PIECE = 0.1
#: Writing may take this share of the time.
_WRITING = 0.1
#: Ends a worker that has nothing to do.
IDLE_SECONDS = 60.0

_STATES = {"pause": "paused", "stop": "stopped"}
_DISK = N_("What was trained cannot be kept: {reason}. Free some space on the disk, then resume.")
_MEMORY = N_("There is not enough memory for this training. Choose a smaller network, batch or length.")
_REFUSED = N_("This cannot be trained: {reason}")
_UNEXPECTED = N_("The training failed ({reason}). The log of the process that trains says more.")

_log = logging.getLogger("lstm_explorer.training")


class Worker:
    """Trains group after group.

    Args:
        store: The folder.
    """

    def __init__(self, store: Store) -> None:
        """Groups that a worker before this one was at were interrupted."""
        self.store, self.leaving = store, False
        for group in store.groups():
            with contextlib.suppress(ExplainedError, OSError):
                state = group.state
                if state is not None and state.name == "running":
                    group.write_state(State("interrupted", state.order, state.done))

    def serve(self, idle: float = IDLE_SECONDS) -> None:
        """Train what waits, until there has been nothing to do for so many seconds."""
        since, warm = time.monotonic(), False
        while not self.leaving and time.monotonic() - since < idle and self.store.folder.is_dir():
            waiting = self.store.waiting()
            if waiting:
                self.train(waiting[0])
                self.store.tidy()
                since = time.monotonic()
            elif not warm:
                if named := scheduler():
                    named.link()  # begins to connect
                warm_up()
                warm = True
            else:
                time.sleep(_LOOK)

    def train(self, group: Group) -> None:
        """Train a group until it is done, or something else is wanted."""
        order, members = group.order, []
        try:
            try:
                trainings, table = group.trainings(), group.table()
                before = group.state
                done = before.done if before else (0,) * len(trainings)
                group.write_state(State("running", order.number, done))
                members = self._members(group, trainings, table)
                self._work(group, members, Rounds(members, table))
            except ExplainedError as error:
                self._fail(group, members, (error.template, error.values))
            except OSError as error:
                self._fail(group, members, (_DISK, {"reason": reason_of(error)}))
            except MemoryError:
                self._fail(group, members, (_MEMORY, {}))
            except (ValueError, TypeError) as error:
                self._fail(group, members, (_REFUSED, {"reason": str(error)}))
            except Exception as error:  # a group that fails must not take those after it along
                _log.exception("a training failed")
                self._fail(group, members, (_UNEXPECTED, {"reason": type(error).__name__}))
        finally:
            members.clear()
            gc.collect()
            with contextlib.suppress(OSError, AttributeError):  # the GNU library's alone
                ctypes.CDLL(None).malloc_trim(0)

    def _members(self, group: Group, trainings: Sequence[Training], table: TableLike | None) -> list[Member]:
        most = min(MOST_WEIGHTS, MOST_WEIGHTS_OF_A_GROUP / len(trainings))
        piece = max(_SHORTEST_PIECE, min(PIECE, _NUMBERS / len(trainings)))
        return [Member(group, which, training, table, most, piece) for which, training in enumerate(trainings)]

    def _work(self, group: Group, members: list[Member], rounds: Rounds) -> None:
        order, written, checkpoint, cost = group.order.number, 0.0, time.monotonic(), 0.0
        while True:
            for member in rounds.round():
                began = time.monotonic()
                if not member.written or began - written > max(_NUMBERS, cost / _WRITING):
                    _write(group, members, rounds, order)
                    written = time.monotonic()
                    cost = written - began
                if self.leaving or group.order.number != order:
                    break
            if not group.folder.is_dir():
                return
            new, over = group.order, all(member.over for member in members)
            if over or self.leaving or new.want != "run":
                for member in members:
                    member.finish() if over else member.save()
                name = "done" if over else "interrupted" if self.leaving else _STATES[new.want]
                group.write_state(_state(name, members, new.number, rounds=rounds))
                return
            order, now = new.number, time.monotonic()
            if now - checkpoint > max(_CHECKPOINT, cost / _WRITING):
                for member in members:
                    member.save()
                checkpoint = time.monotonic()

    def _fail(self, group: Group, members: Sequence[Member], problem: tuple[str, Any]) -> None:
        if not group.folder.is_dir():  # it was removed
            return
        try:
            group.write_state(_state("failed", members, group.order.number, problem=problem))
        except OSError:  # not even that: what it claimed to be doing goes, and it counts as stopped
            group.forget()


def _state(
    name: str, members: Sequence[Member], order: int, *, rounds: Rounds | None = None, problem: Any = None
) -> State:
    done, each = tuple(member.step for member in members), [member.seconds_left for member in members]
    if rounds is None:
        return State(name, order, done, sum(each), problem)
    left = max(sum(each) / rounds.at_once, max(each))
    return State(name, order, done, left, problem, rounds.workers, rounds.trouble)


def _write(group: Group, members: Sequence[Member], rounds: Rounds, order: int) -> None:
    for member in members:
        member.write()
    group.write_state(_state("running", members, order, rounds=rounds))


def warm_up() -> None:
    """Load what the first step of every network loads, while nobody waits."""
    for architecture in ARCHITECTURES:
        train(Training(architecture=architecture, sequence_length=2, hidden_size=2, batch_size=2, steps=1, samples=1))


def without_compiler() -> None:
    """Keep PyTorch's compiler out: its optimizers import it before the first step, 1.4 seconds and 110 MB.

    Nothing is compiled here, and outside a compilation the two functions that they call do nothing.
    """
    nothing: Any = types.ModuleType("torch._dynamo")
    nothing.graph_break = lambda: None
    nothing.disable = lambda function=None, *_arguments, **_options: function
    sys.modules["torch._dynamo"] = torch._dynamo = nothing


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the process.

    Args:
        arguments: ``--lock`` with the number of an open file that holds the lock, ``--idle`` with seconds.

    Returns:
        0, also where another worker is there already.
    """
    parser = argparse.ArgumentParser(prog="python -m lstm_explorer.runs.training.worker", description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", help="default: as the app has it")
    parser.add_argument("--lock", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--idle", type=float, default=IDLE_SECONDS, help=f"default: {IDLE_SECONDS:g} seconds")
    options = parser.parse_args(arguments)
    store = Store(options.folder) if options.folder else Store()
    lock = store.lock() if options.lock is None else options.lock
    if lock is None:
        return 0
    os.nice(10)
    logging.basicConfig(format="%(asctime)s %(message)s")
    torch.set_num_threads(1)
    without_compiler()
    worker = Worker(store)

    def leave(*_signal: object) -> None:
        worker.leaving = True

    signal.signal(signal.SIGTERM, leave)
    signal.signal(signal.SIGINT, leave)
    while True:
        worker.serve(options.idle)
        os.close(lock)
        # What was added after the last look found the lock held.
        lock = store.lock() if store.folder.is_dir() and store.waiting() and not worker.leaving else None
        if lock is None:
            return 0


if __name__ == "__main__":
    sys.exit(main())
