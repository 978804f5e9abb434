"""A training run in pieces: PyTorch's own optimizers and clipping, and a look at the gradient now and then."""

from __future__ import annotations

import contextlib
import copy
import math
import types
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, cast

import numpy as np
import torch
from torch import Tensor, nn, optim

from lstm_explorer.core.architectures import architecture_of
from lstm_explorer.core.training.measuring import QUANTITIES, Moment, measure
from lstm_explorer.core.training.model import Model
from lstm_explorer.core.training.options import Training
from lstm_explorer.core.training.result import TrainingRun
from lstm_explorer.core.training.task import SCORED, Batch, Problem, Task


class Carried(NamedTuple):
    """What a piece of a run passes on to the next.

    Attributes:
        step: Optimizer steps that are done.
        weights: The model's tensors by name.
        optimizer: The optimizer's ``state_dict()``.
        lost: Whether the loss or its gradient left the float range: nothing is updated any more.
    """

    step: int
    weights: Mapping[str, Tensor]
    optimizer: Mapping[str, Any]
    lost: bool = False


@dataclass
class _Log:
    """What was measured in a piece."""

    loss: list[float] = field(default_factory=list)
    norms: list[tuple[float, float]] = field(default_factory=list)
    steps: list[int] = field(default_factory=list)
    moments: list[Moment] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)


class Trainer:
    """Trains a network; pieces of a run are together, bit for bit, the run at once.

    Args:
        training: What is trained, and how.
        problem: The task with its data.
        task: How the answers are read, and their loss.
        carried: What the piece before passed on; None begins.
    """

    def __init__(self, training: Training, problem: Problem, task: Task, carried: Carried | None = None) -> None:
        """Build the network and its optimizer, and go on where the piece before stopped."""
        self.training, self.problem, self.task = training, problem, task
        self.model = Model(training, problem.features, problem.outputs, task.reads, problem.source_steps)
        optimizer, options = OPTIMIZERS[training.optimizer]
        self.optimizer = optimizer(self.model.parameters(), **{k: getattr(training, v) for k, v in options.items()})
        self.step, self.lost = 0, False
        if carried is not None:
            self.go_on_from(carried)
        self._scored = self._as_trained(task.first(problem.held_out, SCORED))
        self._measured_at = frozenset(training.measured_at)

    def go_on_from(self, carried: Carried) -> None:
        """Take the place of the trainer that passed this on; what it passed on stays as it is.

        Args:
            carried: Of the same training.
        """
        self.step, self.lost = carried.step, carried.lost
        self.model.load_state_dict(dict(carried.weights))
        self.optimizer.load_state_dict(copy.deepcopy(dict(carried.optimizer)))

    def carried(self) -> Carried:
        """Return what the next piece needs, as copies."""
        weights = {name: tensor.clone() for name, tensor in self.model.state_dict().items()}
        return Carried(self.step, weights, copy.deepcopy(self.optimizer.state_dict()), self.lost)

    def advance(self, last: int) -> TrainingRun:
        """Train up to an optimizer step; return what was measured since the last call."""
        log = _Log()
        while self.step < last:
            self._train(log)
            self.step += 1
        at_the_end = self.step == self.training.steps
        if at_the_end and not self.lost:
            self._look(log, *self._backward(keep=True)[1:])
        return self._run(log, self._score(self.problem.held_out) if at_the_end and not self.lost else math.nan)

    def _train(self, log: _Log) -> None:
        """Do one optimizer step."""
        if self.lost:
            log.loss.append(math.nan)
            log.norms.append((math.nan, math.nan))
            return
        measured = self.step in self._measured_at
        loss, batch, hidden = self._backward(keep=measured)
        norms = _clipped(self.model, self.training)
        log.loss.append(loss)
        log.norms.append(norms)
        self.lost = not (math.isfinite(loss) and math.isfinite(norms[0]))
        if self.lost:
            return
        if measured:
            self._look(log, batch, hidden)
        self.optimizer.step()

    def _backward(self, *, keep: bool) -> tuple[float, Batch, Tensor]:
        """Do the forward and the backward pass of the next batch; keep what reaches the hidden states if asked to."""
        batch = self._as_trained(self.problem.batch(self.step))
        self.optimizer.zero_grad()
        answers, hidden = self.model(batch.inputs, batch.lengths)
        if keep:
            hidden.retain_grad()
        loss = self.task.loss_of(answers, batch.targets)
        with _subnormals_as_zero():
            loss.backward()
        return loss.item(), batch, hidden

    def _look(self, log: _Log, batch: Batch, hidden: Tensor) -> None:
        """Measure the gradient of the loss that was just taken, and score the held-out data."""
        few = slice(self.training.samples)
        log.steps.append(self.step)
        log.moments.append(
            measure(
                self.model,
                batch.inputs[:, few],
                # The recurrence does not pass through the stacked outputs: this is what the loss itself puts there.
                cast(Tensor, hidden.grad)[:, few],
                lengths=None if batch.lengths is None else batch.lengths[few],
            )
        )
        log.scores.append(self._score(self._scored))

    @torch.no_grad()
    def _score(self, batch: Batch) -> float:
        """Score in portions: the gates of all samples of a long sequence would take hundreds of megabytes."""
        batch = self._as_trained(batch)
        if self.task.own_score is not None:
            return self.task.own_score(self.model, batch)
        inputs = batch.inputs.split(SCORED, dim=1)
        lengths = [None] * len(inputs) if batch.lengths is None else batch.lengths.split(SCORED)
        answers = [self.model(*some).answers for some in zip(inputs, lengths, strict=True)]
        return self.task.score_of(torch.cat(answers, dim=1 if self.task.reads == "every" else 0), batch.targets)

    def _as_trained(self, batch: Batch) -> Batch:
        """Return a batch in the dtype of the network."""
        dtype = getattr(torch, self.training.dtype)
        targets = batch.targets.to(dtype) if batch.targets.is_floating_point() else batch.targets
        return batch._replace(inputs=batch.inputs.to(dtype), targets=targets)

    def _run(self, log: _Log, final_score: float) -> TrainingRun:
        names = QUANTITIES if len(architecture_of(self.model.network).states) == 2 else QUANTITIES[:1]
        width = self.problem.length + 1

        def stacked(rows: list[Any], columns: int) -> Any:
            return np.array(rows, dtype=np.float64).reshape(-1, columns)

        norms = {name: stacked([m.log10_norms[name] for m in log.moments], width) for name in names}
        return TrainingRun(
            training=self.training,
            loss=np.array(log.loss),
            gradient_norm=stacked(log.norms, 2),
            steps=np.array(log.steps, dtype=np.int64),
            score=np.array(log.scores),
            log10_hidden=norms["hidden"],
            log10_cell=norms.get("cell"),
            log10_cell_path=norms.get("cell_path"),
            log10_ratios={name: stacked([m.log10_ratios[name] for m in log.moments], width) for name in names},
            forget_gate=stacked([moment.gate for moment in log.moments], 4),
            know_nothing=self.problem.know_nothing,
            chance=self.problem.chance,
            references=self.problem.references,
            lag=self.problem.lag,
            final_score=final_score,
            model=self.model,
        )


@contextlib.contextmanager
def _subnormals_as_zero() -> Iterator[None]:
    """Take numbers below 1e-38 as zero: a gradient that dies passes through them, at up to ten times the cost.

    They would be added to numbers that differ from theirs by far more digits than a float holds.
    """
    already = not bool(torch.tensor(1e-40) * 1.0)
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(already)


def _clipped(model: Model, training: Training) -> tuple[float, float]:
    """Clip the gradient as PyTorch does; return the norm of all of it, before and after."""
    parameters = list(model.parameters())
    if training.clipping == "norm":
        norm = nn.utils.clip_grad_norm_(parameters, training.clip_at).item()
        return norm, min(norm, norm * training.clip_at / (norm + 1e-6))
    norm = _norm(parameters)
    if training.clipping == "none":
        return norm, norm
    nn.utils.clip_grad_value_(parameters, training.clip_at)
    return norm, _norm(parameters)


def _norm(parameters: list[nn.Parameter]) -> float:
    return nn.utils.get_total_norm([one.grad for one in parameters if one.grad is not None]).item()


#: Name -> PyTorch's optimizer, and its arguments that options of a training set.
OPTIMIZERS: Mapping[str, tuple[Callable[..., optim.Optimizer], Mapping[str, str]]] = types.MappingProxyType(
    {
        "adam": (optim.Adam, {"lr": "learning_rate"}),
        "adamw": (optim.AdamW, {"lr": "learning_rate", "weight_decay": "weight_decay"}),
        "sgd": (optim.SGD, {"lr": "learning_rate", "momentum": "momentum"}),
        "rmsprop": (optim.RMSprop, {"lr": "learning_rate"}),
    }
)
