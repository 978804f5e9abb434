"""One training of a group, with its files."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from torch import Tensor

from lstm_explorer.core.errors import ExplainedError, reason_of
from lstm_explorer.core.inputs import TableLike
from lstm_explorer.core.training.options import Training
from lstm_explorer.core.training.result import TrainingRun, join_runs
from lstm_explorer.core.training.tasks import TASKS
from lstm_explorer.core.training.trainer import Carried, Trainer
from lstm_explorer.locales import N_
from lstm_explorer.runs.training.cost import seconds
from lstm_explorer.runs.training.files import (
    carried_from_bytes,
    carried_to_bytes,
    run_from_bytes,
    run_to_bytes,
    tensors_to_bytes,
    until,
    write_file,
)
from lstm_explorer.runs.training.store import Group

#: Seconds that a piece takes, where nothing else is said.
PIECE = 0.3

_DAMAGED = N_("The files from which this training would go on are damaged: {reason}. Start it again.")


class Member:
    """Trains one network of a group piece by piece.

    Args:
        group: Where its files are; it goes on from there.
        which: Its place in the group, from 0.
        training: What is trained.
        table: The reader's own table.
        most_weights: Bytes that the weights of all moments may take; of more, every second is kept, every third, ...
        piece: Seconds that a piece takes.
    """

    def __init__(
        self, group: Group, which: int, training: Training, table: TableLike | None, most_weights: float,
        piece: float | None = None,
    ) -> None:  # fmt: skip
        """Go on from the last checkpoint, if there is one."""
        self.group, self.which, self.training = group, which, training
        self._piece = PIECE if piece is None else piece
        carried, self.run = self._read()
        task = TASKS[training.task]
        self._trainer = Trainer(training, task.pose(training, table), task, carried)
        size = sum(tensor.numel() * tensor.element_size() for tensor in self._trainer.model.state_dict().values())
        self._kept = kept_moments(training, size, most_weights)
        self._seconds_per_step = seconds(training) / training.steps
        self._written = self._saved = self.step if carried else -1

    def _read(self) -> tuple[Carried | None, TrainingRun | None]:
        path = self.group.resume(self.which)
        if not path.exists():
            return None, None
        try:
            carried = carried_from_bytes(path.read_bytes(), self.training)
            run = run_from_bytes(self.group.numbers(self.which).read_bytes())
            if run.training != self.training or len(run.loss) < carried.step:
                raise ValueError("the numbers are not of this training.")
        except (OSError, ValueError) as error:
            raise ExplainedError(_DAMAGED, {"reason": reason_of(error)}) from error
        return carried, until(run, carried.step)

    @property
    def step(self) -> int:
        """Optimizer steps that are done."""
        return self._trainer.step

    @property
    def over(self) -> bool:
        """Whether all of them are."""
        return self.step == self.training.steps

    @property
    def seconds_left(self) -> float:
        """How long the other steps take, by what the last ones took."""
        return (self.training.steps - self.step) * self._seconds_per_step

    def advance(self) -> None:
        """Train for a short while, at most to the next moment of which the weights are kept; at first for one step."""
        if self.over:
            return
        self._keep_weights()
        began, first = time.perf_counter(), self.step
        piece = self._trainer.advance(self._stops(self._piece)[0])
        self._add(piece, (time.perf_counter() - began) / (self.step - first))

    def next_piece(self, seconds: float) -> tuple[Carried | None, tuple[int, ...]]:
        """Return what :func:`trained_further` needs for about so many seconds, where this process does not train.

        Args:
            seconds: How long; at first for one step.
        """
        self._keep_weights()
        return self._trainer.carried() if self.step else None, self._stops(seconds)

    def take(self, further: Further) -> None:
        """Go on from where :func:`trained_further` came to."""
        took = further.seconds / (further.carried.step - self.step)
        for step, weights in further.weights.items():
            self._keep(step, weights)
        self._trainer.go_on_from(further.carried)
        self._add(further.run, took)

    def _add(self, piece: TrainingRun, took: float) -> None:
        """Add a piece to the run, which took so many seconds a step."""
        if self.run is not None:  # the very first step loads code, and says little about the others
            self._seconds_per_step = 0.8 * self._seconds_per_step + 0.2 * took
        self.run = piece if self.run is None else join_runs([self.run, piece])
        if self.over:
            self._keep_weights()

    def _stops(self, seconds: float) -> tuple[int, ...]:
        """Return the moments of the next seconds of which the weights are kept, and where they end."""
        many = max(1, int(seconds / self._seconds_per_step)) if self.run is not None else 1
        last = min(self.step + many, self.training.steps)
        return (*sorted(moment for moment in self._kept if self.step < moment < last), last)

    @property
    def written(self) -> bool:
        """Whether there is something for a reader to see."""
        return self._written >= 0

    def write(self) -> None:
        """Write the numbers, if there are new ones."""
        if self.run is not None and self._written != self.step:
            write_file(self.group.numbers(self.which), run_to_bytes(self.run))
            self._written = self.step

    def save(self) -> None:
        """Write the numbers and then from where it goes on: they reach at least as far."""
        self.write()
        if self.run is not None and self._saved != self.step:
            content = carried_to_bytes(self._trainer.carried(), self.training)
            write_file(self.group.resume(self.which), content)
            self._saved = self.step

    def finish(self) -> None:
        """Write the numbers, and take away what nobody goes on from any more."""
        self.write()
        self.group.resume(self.which).unlink(missing_ok=True)

    def _keep_weights(self) -> None:
        if self.step in self._kept:
            self._keep(self.step, self._trainer.model.state_dict())

    def _keep(self, step: int, weights: Mapping[str, Tensor]) -> None:
        path = self.group.weights(self.which, step)
        if not path.exists():
            write_file(path, tensors_to_bytes(weights))


class Further(NamedTuple):
    """A piece of a training that another process has done.

    Attributes:
        run: What was measured, without weights.
        carried: Where it goes on.
        weights: Optimizer step to the weights that are kept of it, by name.
        seconds: How long it took.
    """

    run: TrainingRun
    carried: Carried
    weights: Mapping[int, Mapping[str, Tensor]]
    seconds: float


def trained_further(
    training: Training, table: TableLike | None, carried: Carried | None, stops: Sequence[int]
) -> Further:
    """Train a network further, in a process that has nothing of it yet.

    Args:
        training: What is trained.
        table: The reader's own table.
        carried: What the piece before passed on; None begins.
        stops: Optimizer steps of which the weights are kept, and the last one.
    """
    task = TASKS[training.task]
    trainer = Trainer(training, task.pose(training, table), task, carried)
    began, runs, weights = time.perf_counter(), [], {}
    for stop in stops:
        runs.append(trainer.advance(stop))
        weights[stop] = trainer.carried().weights
    weights.popitem()  # of the last step, they are in what is passed on
    run = replace(join_runs(runs), model=None)
    return Further(run, trainer.carried(), weights, time.perf_counter() - began)


def kept_moments(training: Training, size: int, most: float) -> frozenset[int]:
    """Return the optimizer steps of which the weights are kept: as many measured moments as fit, and the last step.

    Args:
        training: What is trained.
        size: Bytes of all weights.
        most: Bytes that all moments may take; 0 keeps the last alone.

    Example:
        >>> sorted(kept_moments(Training(steps=100, measurements=10), 1000, 6000))
        [0, 20, 40, 60, 80, 100]
    """
    if most <= 0:
        return frozenset({training.steps})
    moments = training.measured_at
    every = max(1, -(-size * len(moments) // int(most)))
    return frozenset(moments[::every]) | {training.steps}
