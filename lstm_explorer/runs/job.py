"""Jobs: measurements of an experiment that can be done in pieces, here or elsewhere.

A job is a frozen record: equal jobs have equal results, so a job is the key in every cache. ``piece`` does part of it
and passes on what the next part needs (a training run passes on weights and optimizer; a measurement of many seeds
nothing); ``join`` makes one result of the pieces. A runner decides whether it runs at once, piece by piece while a page
is drawn, or on another machine.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol, TypeVar

from lstm_explorer.runs.experiment import Experiment, Moment, OwnTable
from lstm_explorer.runs.own_networks import OwnFile

if TYPE_CHECKING:  # sweeps are of jobs
    from lstm_explorer.runs.sweeps.table import SweepTable

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

Unit = Literal["seeds", "biases", "steps", "rows"]


class Job(Protocol[T]):
    """Work on one experiment, a frozen record.

    Attributes:
        unit: What it can be cut into.
        carries: Whether a piece needs what the one before it passes on; else all can be done at once.
    """

    unit: ClassVar[Unit]
    carries: ClassVar[bool]

    @property
    def experiment(self) -> Experiment:
        """What is measured."""
        ...

    @property
    def total(self) -> int:
        """How many units it has."""
        ...

    @property
    def work(self) -> float:
        """Cost of one unit, in numbers of one state of 64 units: about 3 million of them take a second."""
        ...

    @property
    def result_numbers(self) -> int:
        """How many numbers the whole result holds."""
        ...

    def piece(self, first: int, last: int, carried: Any = None) -> tuple[T, Any]:
        """Do the units ``first`` to ``last - 1``; return their result, and what the next piece is to be given."""
        ...

    def join(self, pieces: Sequence[T]) -> T:
        """Return the pieces, in their order, as one result."""
        ...


class Runner(Protocol):
    """Does jobs; a job that fails gives None where the runner has shown the reason, else an error."""

    @property
    def table(self) -> OwnTable | None:
        """The reader's own table."""
        ...

    @property
    def moment(self) -> Moment | None:
        """A network with weights and inputs of its own, which stands for those that the settings draw."""
        ...

    @property
    def own_file(self) -> OwnFile | None:
        """The reader's own checkpoint."""
        ...

    @property
    def own_sweep(self) -> SweepTable | None:
        """The reader's own sweep."""
        ...

    def run(self, job: Job[T]) -> T | None:
        """Return a job's result, or as much of it as is done by now."""
        ...
