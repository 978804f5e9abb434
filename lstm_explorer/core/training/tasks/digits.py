r"""Handwriting: a digit is read pixel by pixel, then blanks, and which one it was is to be said."""

from __future__ import annotations

import torch

from lstm_explorer.core.datasets import load_digits
from lstm_explorer.core.inputs.kind import TableLike
from lstm_explorer.core.training.options import Training
from lstm_explorer.core.training.task import Batch, Problem, Recipe, Task
from lstm_explorer.core.training.tasks.shuffling import most_frequent, shuffled_batch
from lstm_explorer.locales import N_

#: The last digits of the file were written by other people than the first; as many are held out.
HELD_OUT_DIGITS = 360


def _pose(training: Training, table: TableLike | None) -> Problem:
    digits = load_digits()
    pixels = torch.tensor(digits.images, dtype=torch.float32).reshape(-1, 64, 1) / 16
    blanks = torch.zeros(len(pixels), training.blank_steps, 1)
    inputs = torch.cat([pixels, blanks], dim=1).transpose(0, 1)
    labels = torch.tensor(digits.labels)
    many = len(labels) - HELD_OUT_DIGITS
    nothing, chance = most_frequent(labels[:many], labels[many:])

    trained = Batch(inputs[:, :many], labels[:many])
    return Problem(
        features=1, outputs=10, length=len(inputs), lag=training.blank_steps + 32,
        batch=Recipe(shuffled_batch, (trained, training.batch_size), training.seed),
        held_out=Batch(inputs[:, many:], labels[many:]), know_nothing=nothing, chance=chance,
        symbols=tuple(map(str, range(10))),
    )  # fmt: skip


TASK = Task(
    name="digits",
    title=N_("Handwriting: reading a digit pixel by pixel"),
    about=N_(
        "A handwritten digit of 8 by 8 pixels is read row by row, one pixel per step, then blank steps. At the end the "
        "network is to say which digit it was. 1,437 digits are trained on, 360 others are held out."
    ),
    lag_about=N_("The middle of the picture lies 32 steps before its end."),
    loss="cross_entropy",
    pose=_pose,
)
