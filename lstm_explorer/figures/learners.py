"""Networks as they learn, and the ranges of the axes on which they are drawn."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lstm_explorer.core.architectures import architecture_named
from lstm_explorer.core.training.result import TrainingRun
from lstm_explorer.core.training.tasks import TASKS

Array = NDArray[np.float64]
Ranges = Mapping[str, tuple[float, float]]

#: The curves at the cursor go down this far, log10.
_DEEPEST = -30.0


@dataclass(frozen=True, eq=False, kw_only=True)
class Learner:
    """One network as it learns, from one or several seeds; maps and curves over lags are those of the first.

    Attributes:
        network: Name of its architecture.
        runs: Its runs, or as much of them as is done.
        quantity: Which gradient is drawn: ``"hidden"``, ``"cell"`` or ``"cell_path"``.
    """

    network: str
    runs: tuple[TrainingRun, ...]
    quantity: str

    @property
    def first(self) -> TrainingRun:
        """The run of the first seed."""
        return self.runs[0]

    def row_at(self, moment: int) -> int:
        """Return the last measurement of the first run up to an optimizer step."""
        return max(int(np.searchsorted(self.first.steps, moment, side="right")) - 1, 0)

    def share(self, moment: int) -> float:
        """Return log10 of the share that arrives at the lag that the task needs; NaN where nothing was measured."""
        shares = self.arriving()
        if not len(shares):
            return math.nan
        return float(shares[self.row_at(moment), min(self.first.lag, shares.shape[1] - 1)])

    def arriving(self) -> Array:
        """Return log10 of the surviving share of the first run, by measurement and lag, ``(M, T + 1)``."""
        return self.first.ratios(self.quantity)[:, ::-1]


def learners(runs: Sequence[TrainingRun], gradient: str = "memory") -> list[Learner]:
    """Return the runs by network.

    Args:
        runs: Runs of any networks and seeds.
        gradient: ``"memory"``: of the state that remembers; ``"hidden"``; ``"cell_path"`` where there is one.
    """
    grouped = itertools.groupby(runs, key=lambda run: run.training.architecture)
    found = []
    for network, of_network in grouped:
        record = architecture_named(network)
        path = "cell_path" if len(record.states) > 1 else record.memory
        quantity = {"memory": record.memory, "hidden": "hidden", "cell_path": path}[gradient]
        found.append(Learner(network=network, runs=tuple(of_network), quantity=quantity))
    return found


def measured_moments(everyone: Sequence[Learner]) -> list[int]:
    """Return the optimizer steps at which some network was measured."""
    return sorted({int(step) for one in everyone for step in one.first.steps})


def scored_by_error(everyone: Sequence[Learner]) -> bool:
    """Tell whether held-out data is scored by an error, on a logarithmic axis like the loss; else by an accuracy."""
    task = TASKS.get(everyone[0].first.training.task)
    return task is None or task.score_name == "error"


def ranges_of(everyone: Sequence[Learner]) -> Ranges:
    """Return the range of every panel's axis, log10 where it is logarithmic.

    They are those of all moments: no axis moves while the cursor does.
    """
    runs = [run for one in everyone for run in one.runs]
    losses = np.concatenate([[run.know_nothing, *run.smooth_loss] for run in runs])
    scores = np.concatenate([[run.chance, *run.references.values(), *run.score] for run in runs])
    shares = np.concatenate([one.arriving().ravel() for one in everyone])
    shares = shares[np.isfinite(shares)]
    deep, up = max(float(shares.min(initial=-3.0)), _DEEPEST), float(shares.max(initial=0.0))
    return {
        "loss": _decades(losses),
        "score": _decades(scores) if scored_by_error(everyone) else (-0.05, 1.08),
        "map": (0.0, float(everyone[0].first.log10_hidden.shape[1] - 1)),
        "gate": (-0.04, 1.04),
        "norm": _decades(np.concatenate([one.first.gradient_norm.ravel() for one in everyone])),
        "lags": (deep - 0.04 * (up - deep), up + 0.06 * (up - deep)),
    }


def _decades(values: Array) -> tuple[float, float]:
    positive = np.log10(values[np.isfinite(values) & (values > 0)])
    low, high = (float(positive.min()), float(positive.max())) if positive.size else (-1.0, 0.0)
    pad = 0.06 * (high - low + 0.5)
    return low - pad, high + pad
