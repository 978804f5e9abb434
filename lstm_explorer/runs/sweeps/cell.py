"""One cell of a sweep: a job under a key that is the same wherever and whenever it runs."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lstm_explorer.core.escape import short
from lstm_explorer.core.record import Record, schema
from lstm_explorer.core.training.options import Training
from lstm_explorer.runs.experiment import Experiment
from lstm_explorer.runs.job import Job
from lstm_explorer.runs.training.job import TrainingJob

#: Numbers of one state of 64 units that a second is worth; see :class:`lstm_explorer.runs.job.Job`.
_PER_SECOND = 3e6


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One cell.

    Attributes:
        job: What is measured.
        varies: Name to value of what tells it from the other cells.
        key: Equal for jobs with equal results, and for no others.
    """

    job: Job[Any]
    varies: Mapping[str, Any]
    key: str

    @property
    def seconds(self) -> float:
        """About how long it takes on one thread."""
        return self.job.total * self.job.work / _PER_SECOND


def described(job: Job[Any]) -> dict[str, Any]:
    """Return all that a job says, flat, by name: settings in full, digests for tables and networks of one's own.

    Args:
        job: A frozen record.

    Example:
        >>> from lstm_explorer.core.settings import Settings
        >>> from lstm_explorer.runs.measurements import Flow
        >>> facts = described(Flow(experiment=Experiment(architecture="rnn", settings=Settings(seed=3))))
        >>> facts["measure"], facts["architecture"], facts["seed"], facts["units"]
        ('Flow', 'rnn', 3, False)
    """
    facts: dict[str, Any] = {"measure": type(job).__name__}
    for name, value in _fields(job).items():
        if isinstance(value, Experiment):
            own = {"table": value.table, "moment": value.moment}
            facts |= {"architecture": value.architecture} | _fields(value.settings)
            facts |= {part: one.digest for part, one in own.items() if one is not None}
        elif isinstance(value, Record):
            facts |= _fields(value)
        elif value is not None:
            facts[name] = getattr(value, "digest", value)
    return facts


def key_of(facts: Mapping[str, Any]) -> str:
    """Return the key of what :func:`described` says.

    Raises:
        TypeError: Something in it has no text of its own.
    """
    text = json.dumps(facts, sort_keys=True, ensure_ascii=False, default=_no_text)
    return hashlib.sha256(text.encode()).hexdigest()[:20]


def cells_of(jobs: Sequence[Job[Any] | Training]) -> list[Cell]:
    """Return a cell for every job; what varies is what differs among them.

    Args:
        jobs: Jobs, or trainings.

    Raises:
        TypeError: One is neither.
    """
    whole = [as_job(job) for job in jobs]
    facts = [described(job) for job in whole]
    names = dict.fromkeys(name for one in facts for name in one)
    varying = [name for name in names if len({repr(one.get(name)) for one in facts}) > 1]
    return [
        Cell(job=job, varies={name: one.get(name) for name in varying}, key=key_of(one))
        for job, one in zip(whole, facts, strict=True)
    ]


def as_job(job: Job[Any] | Training) -> Job[Any]:
    """Return a job as it is, and a training as the job that does it.

    Raises:
        TypeError: It is neither.
    """
    if isinstance(job, Training):
        return TrainingJob(training=job.essential())
    if not (dataclasses.is_dataclass(job) and callable(getattr(job, "piece", None))) or isinstance(job, type):
        raise TypeError(f"jobs holds {short(job)}: expected a Grid, or a list of jobs and of lx.Training.")
    return job


def _fields(record: Any) -> dict[str, Any]:
    names = schema(type(record)) if isinstance(record, Record) else [one.name for one in dataclasses.fields(record)]
    return {name: getattr(record, name) for name in names}


def _no_text(value: Any) -> Any:
    raise TypeError(f"a job holds a {type(value).__name__}: expected numbers, texts and records, by which it is known.")
