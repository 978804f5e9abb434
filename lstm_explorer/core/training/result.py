"""What a training run gives: losses, scores, and how far its gradient reached at every moment that was measured."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lstm_explorer.core.architectures import Network
from lstm_explorer.core.training.measuring import GATE_SUMMARY
from lstm_explorer.core.training.model import Model
from lstm_explorer.core.training.options import Training
from lstm_explorer.core.training.tasks import TASKS

Array = NDArray[np.float64]

#: Optimizer steps over which the loss is smoothed before it is asked whether the network has learnt.
SMOOTHED = 25


@dataclass(frozen=True, eq=False, kw_only=True)
class TrainingRun:
    r"""A training run, or as much of it as is done; ``K`` optimizer steps, measured at ``M`` of them.

    The gradients are those of the training loss itself, on the batch of the next step, with respect to the last layer's
    states: log10 of the norm, the median over samples. Index ``T`` is the last step and 0 the initial state; where a
    truncation detaches a state, nothing reaches what lies before it (``-inf``).

    Attributes:
        training: What was trained, and how.
        loss: The training loss of every optimizer step, before its update, ``(K,)``.
        gradient_norm: Norm of the gradient of all parameters, before and after clipping, ``(K, 2)``.
        steps: Optimizer steps that were done at each measurement, ``(M,)``.
        score: Accuracy or mean squared error on held-out data at each measurement, ``(M,)``.
        log10_hidden: log10 ||dL/dh_t||, ``(M, T + 1)``.
        log10_cell: log10 ||dL/dc_t||; None unless LSTM.
        log10_cell_path: The part of it that travels by the cell state alone; None unless LSTM.
        forget_gate: How far the memory gate keeps, averaged over samples and steps: mean and quartiles over units,
            ``(M, 4)``; NaN for a network without such a gate.
        know_nothing: The training loss of the best answer that does not look at the inputs; NaN for your own task.
        chance: The score of that answer.
        references: Names of other simple answers to their scores.
        lag: Steps that the gradient must travel back for the task to be learnt.
        final_score: The score on all held-out data after the last step; NaN before.
        model: The trained network with its linear layer; None where only numbers were kept.
    """

    training: Training
    loss: Array
    gradient_norm: Array
    steps: NDArray[np.int64]
    score: Array
    log10_hidden: Array
    log10_cell: Array | None
    log10_cell_path: Array | None
    log10_ratios: Mapping[str, Array]
    forget_gate: Array
    know_nothing: float
    chance: float
    references: Mapping[str, float] = field(default_factory=dict)
    lag: int
    final_score: float = math.nan
    model: Model | None = None

    @property
    def network(self) -> Network:
        """The trained ``nn.RNN``, ``nn.LSTM``, ``nn.GRU`` or network of the app; of a translation its encoder.

        Raises:
            ValueError: Only the numbers of this run were kept.
        """
        if self.model is None:
            raise ValueError("this run has no weights, only its numbers: expected a run that lx.train returned.")
        return self.model.network

    def ratios(self, quantity: str) -> Array:
        """Return log10 of a gradient relative to the last step, the median over samples, ``(M, T + 1)``.

        Args:
            quantity: ``"hidden"``, ``"cell"`` or ``"cell_path"``.

        Raises:
            ValueError: The network has no such gradient.
        """
        if quantity not in self.log10_ratios:
            expected = ", ".join(map(repr, self.log10_ratios))
            raise ValueError(
                f"quantity is {quantity!r}: expected one of {expected}, which the {self.training.name} has."
            )
        return self.log10_ratios[quantity]

    @property
    def smooth_loss(self) -> Array:
        """The mean loss of the last 25 optimizer steps, or of as many as there were, ``(K,)``; NaN once one is lost."""
        mean = pd.Series(self.loss).rolling(SMOOTHED, min_periods=1).mean().to_numpy()
        return np.where(np.logical_and.accumulate(np.isfinite(self.loss)), mean, np.nan)

    @property
    def learnt_at(self) -> int | None:
        """The first optimizer step from which the loss stays below half of knowing nothing; None where it never does.

        The loss is smoothed over 25 steps, and a run that has lost its way (NaN) has learnt nothing.
        """
        smooth = self.smooth_loss
        above = np.flatnonzero(~(smooth < self.know_nothing / 2))
        first = int(above[-1]) + 1 if len(above) else 0
        return first if first < len(smooth) else None

    def to_frame(self) -> pd.DataFrame:
        """Return every number as a tidy table.

        Returns:
            Columns ``architecture, seed, optimizer_step, quantity, lag, value``. Gradients, ``log10_hidden`` and so on,
            and their ``..._ratio`` have a lag, in steps back from the last one; other quantities have none.
        """
        done, gates = np.arange(len(self.loss)), [f"memory_gate_{name.replace(' ', '_')}" for name in GATE_SUMMARY]
        scalars = {
            "loss": (done, self.loss),
            "gradient_norm": (done, self.gradient_norm[:, 0]),
            "gradient_norm_clipped": (done, self.gradient_norm[:, 1]),
            f"held_out_{TASKS[self.training.task].score_name}": (self.steps, self.score),
            **{name: (self.steps, self.forget_gate[:, at]) for at, name in enumerate(gates)},
        }
        frames = [_rows(name, at, values) for name, (at, values) in scalars.items()]
        for name, ratios in self.log10_ratios.items():
            frames += [
                _rows(f"log10_{name}", self.steps, getattr(self, f"log10_{name}")),
                _rows(f"log10_{name}_ratio", self.steps, ratios),
            ]
        frame = pd.concat(frames, ignore_index=True).astype({"lag": "Int64"})
        return frame.assign(architecture=self.training.architecture, seed=self.training.seed)[list(COLUMNS)]


#: Columns of the table.
COLUMNS = ("architecture", "seed", "optimizer_step", "quantity", "lag", "value")


def _rows(quantity: str, steps: NDArray[np.int64], values: Array) -> pd.DataFrame:
    """Return values ``(M,)``, or ``(M, T + 1)`` with a lag, as rows."""
    lags = np.arange(values.shape[1])[::-1] if values.ndim == 2 else None
    return pd.DataFrame(
        {
            "optimizer_step": steps if lags is None else np.repeat(steps, len(lags)),
            "quantity": quantity,
            "lag": pd.array([None] * len(values) if lags is None else np.tile(lags, len(steps)), dtype="Int64"),
            "value": values.ravel(),
        }
    )


def join_runs(pieces: Sequence[TrainingRun]) -> TrainingRun:
    """Return the pieces of one run, in their order, as the run."""
    last = pieces[-1]
    if len(pieces) == 1:
        return last
    joined: dict[str, Any] = {
        name: np.concatenate([getattr(piece, name) for piece in pieces])
        for name in (
            "loss",
            "gradient_norm",
            "steps",
            "score",
            "log10_hidden",
            "log10_cell",
            "log10_cell_path",
            "forget_gate",
        )
        if getattr(last, name) is not None
    }
    ratios = {name: np.concatenate([piece.log10_ratios[name] for piece in pieces]) for name in last.log10_ratios}
    return replace(last, **joined, log10_ratios=ratios)
