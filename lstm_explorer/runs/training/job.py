"""A training run as a job: its units are optimizer steps, and a piece passes on weights and optimizer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from lstm_explorer.core.training.options import Training
from lstm_explorer.core.training.result import TrainingRun, join_runs
from lstm_explorer.core.training.task import Problem
from lstm_explorer.core.training.tasks import TASKS
from lstm_explorer.core.training.trainer import Carried, Trainer
from lstm_explorer.runs.experiment import Experiment, OwnTable
from lstm_explorer.runs.job import Unit
from lstm_explorer.runs.training.cost import seconds

#: Numbers of one state of 64 units that a second is worth; see :class:`lstm_explorer.runs.job.Job`.
_PER_SECOND = 3e6


@dataclass(frozen=True, kw_only=True)
class TrainingJob:
    """One training run (:func:`lstm_explorer.train`).

    Attributes:
        training: What is trained.
        table: The reader's own table, where the task reads it.
    """

    training: Training
    table: OwnTable | None = None

    unit: ClassVar[Unit] = "steps"
    carries: ClassVar[bool] = True

    def __post_init__(self) -> None:
        """Drop a table that is not read, so that jobs with equal results are equal."""
        if not TASKS[self.training.task].reads_table:
            object.__setattr__(self, "table", None)

    @property
    def experiment(self) -> Experiment:
        """The network that is trained."""
        settings = self.training.network_settings(self._problem().features)
        return Experiment(architecture=self.training.architecture, settings=settings)

    @property
    def total(self) -> int:
        """How many optimizer steps it has."""
        return self.training.steps

    @property
    def work(self) -> float:
        """Cost of one step, in numbers of one state."""
        return seconds(self.training) / self.training.steps * _PER_SECOND

    @property
    def result_numbers(self) -> int:
        """How many numbers the whole result holds, at most."""
        maps = 6 * len(self.training.measured_at) * (self._problem().length + 1)
        return maps + 3 * self.training.steps

    def piece(self, first: int, last: int, carried: Carried | None = None) -> tuple[TrainingRun, Carried]:
        """Do some optimizer steps, from where the piece before stopped."""
        trainer = Trainer(self.training, self._problem(), TASKS[self.training.task], carried)
        return trainer.advance(last), trainer.carried()

    def join(self, pieces: Sequence[TrainingRun]) -> TrainingRun:
        """Return the pieces, in their order, as one run."""
        return join_runs(pieces)

    def _problem(self) -> Problem:
        return TASKS[self.training.task].pose(self.training, self.table.values if self.table else None)
