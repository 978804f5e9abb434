"""A trained network at one moment, with one sample of its task: to be looked at like any other network."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from lstm_explorer.core.errors import ExplainedError
from lstm_explorer.core.inputs import TableLike
from lstm_explorer.core.training.model import Model
from lstm_explorer.core.training.options import Training
from lstm_explorer.core.training.task import Batch, Problem, Task
from lstm_explorer.core.training.tasks import TASKS
from lstm_explorer.locales import N_
from lstm_explorer.runs.experiment import Moment


@dataclass(frozen=True, eq=False, kw_only=True)
class Look:
    """What a trained network makes of one held-out sample.

    Attributes:
        moment: The network, what it reads, and what the loss puts on its outputs.
        answer: What it answers, in words; empty where it answers at every step.
        right: What would be right.
        samples: How many samples are held out.
    """

    moment: Moment
    answer: str
    right: str
    samples: int


def look(training: Training, weights: Mapping[str, Tensor], *, sample: int = 0, table: TableLike | None = None) -> Look:
    """Return a trained network with one held-out sample, and the gradient of the loss of that sample alone.

    Args:
        training: What was trained.
        weights: The tensors of :class:`lstm_explorer.core.training.model.Model`, by name.
        sample: Which held-out sample, counted round.
        table: The reader's own table, for ``task="csv"``.

    Raises:
        ValueError: The weights are not those of this training.
        ExplainedError: The task has two networks, an encoder and a decoder.
    """
    task = TASKS[training.task]
    problem = task.posed(training, table if task.reads_table else None)
    if problem.source_steps:
        raise ExplainedError(N_("This task has two networks, an encoder and a decoder: expected a task with one."), {})
    model = Model(training, problem.features, problem.outputs, task.reads)
    try:
        model.load_state_dict(dict(weights))
    except RuntimeError as error:
        raise ValueError(f"these weights are of another network than {training.name}: {error}") from error
    many = problem.held_out.inputs.shape[1]
    one = _one(task, problem.held_out, sample % many, getattr(torch, training.dtype))
    answers, hidden = model(one.inputs, one.lengths)
    hidden.retain_grad()
    task.loss_of(answers, one.targets).backward()
    assert hidden.grad is not None
    digest = hashlib.sha256(repr((training.to_query(), sample)).encode())
    for name, tensor in sorted(weights.items()):
        digest.update(name.encode() + tensor.detach().cpu().numpy().tobytes())
    for tensor in (one.inputs, hidden.grad):
        digest.update(tensor.detach().numpy().tobytes())
    moment = Moment(
        network=model.network.requires_grad_(False),
        inputs=one.inputs,
        cotangent=hidden.grad,
        labels=tuple(step_words(problem, x) for x in one.inputs[:, 0]),
        digest=digest.hexdigest(),
    )
    said, right = ("", "") if task.reads == "every" else _words(task, problem, answers.detach(), one.targets)
    return Look(moment=moment, answer=said, right=right, samples=many)


def _one(task: Task, batch: Batch, sample: int, dtype: torch.dtype) -> Batch:
    """Return one sample without its padding."""
    length = len(batch.inputs) if batch.lengths is None else int(batch.lengths[sample])
    only = slice(sample, sample + 1)
    targets = batch.targets[:length, only] if task.reads == "every" else batch.targets[only]
    return Batch(
        batch.inputs[:length, only].to(dtype), targets.to(dtype) if targets.is_floating_point() else targets,
    )  # fmt: skip


def step_words(problem: Problem, x: Tensor) -> str:
    """Return what is read at a step: a symbol where there are symbols, else the numbers."""
    if problem.symbols and len(problem.symbols) == len(x):
        return problem.symbols[int(x.argmax())]
    return ", ".join(f"{value:.3g}" for value in x[:4].tolist()) + (", …" if len(x) > 4 else "")


def _words(task: Task, problem: Problem, answers: Tensor, targets: Tensor) -> tuple[str, str]:
    if task.loss == "mse":
        return f"{float(answers.flatten()[0]):.3f}", f"{float(targets.flatten()[0]):.3f}"
    said, right = int(answers.argmax()), int(targets)
    names = problem.symbols if len(problem.symbols) == problem.outputs else tuple(map(str, range(problem.outputs)))
    return names[said], names[right]
