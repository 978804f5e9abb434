r"""The adding problem: of T numbers two are marked, and their sum is to be said."""

from __future__ import annotations

import torch
from torch import Generator

from lstm_explorer.core.inputs.kind import TableLike
from lstm_explorer.core.training.options import Training
from lstm_explorer.core.training.task import Batch, Problem, Task, drawn
from lstm_explorer.locales import N_


def adding(length: int, samples: int, generator: Generator) -> Batch:
    """Draw numbers from U(0, 1), a mark in each half of the sequence, and the sum of the two marked numbers."""
    numbers = torch.rand(length, samples, generator=generator)
    half, marks, sample = length // 2, torch.zeros(length, samples), torch.arange(samples)
    first = torch.randint(0, half, (samples,), generator=generator)
    second = torch.randint(half, length, (samples,), generator=generator)
    marks[first, sample] = marks[second, sample] = 1.0
    total = numbers[first, sample] + numbers[second, sample]
    return Batch(torch.stack([numbers, marks], dim=-1), total[:, None])


def _pose(training: Training, table: TableLike | None) -> Problem:
    batch, held_out = drawn(training, adding, training.sequence_length)
    return Problem(
        features=2, outputs=1, length=training.sequence_length, lag=training.sequence_length, batch=batch,
        held_out=held_out, know_nothing=1 / 6, chance=1 / 6,
    )  # fmt: skip


TASK = Task(
    name="adding",
    title=N_("Adding two marked numbers"),
    about=N_(
        "At every step the network reads a number from 0 to 1 and a mark. Two numbers are marked, one in each half; at "
        "the end it is to say their sum. Who always says 1 has a mean squared error of 1/6."
    ),
    lag_about=N_("The first mark may stand at the very first step."),
    loss="mse",
    pose=_pose,
    source="hochreiter1997",
)
