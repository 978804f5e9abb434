r"""Temporal order: among distractors stand two symbols, and the order in which they came is to be said."""

from __future__ import annotations

import math

import torch
from torch import Generator, nn

from lstm_explorer.core.inputs.kind import TableLike
from lstm_explorer.core.training.options import Training
from lstm_explorer.core.training.task import Batch, Problem, Task, drawn
from lstm_explorer.locales import N_


def temporal_order(length: int, samples: int, generator: Generator) -> Batch:
    """Draw distractors 2 to 5, and symbols 0 or 1 at a tenth to a fifth and at five to six tenths of the sequence."""
    symbols = torch.randint(2, 6, (length, samples), generator=generator)
    sample, relevant = torch.arange(samples), torch.randint(0, 2, (2, samples), generator=generator)
    first = torch.randint(length // 10, max(length // 5, length // 10 + 1), (samples,), generator=generator)
    second = torch.randint(length // 2, max(6 * length // 10, length // 2 + 1), (samples,), generator=generator)
    symbols[first, sample], symbols[second, sample] = relevant
    return Batch(nn.functional.one_hot(symbols, 6).float(), 2 * relevant[0] + relevant[1])


def _pose(training: Training, table: TableLike | None) -> Problem:
    length = training.sequence_length
    batch, held_out = drawn(training, temporal_order, length)
    return Problem(
        features=6, outputs=4, length=length, lag=length - length // 10, batch=batch, held_out=held_out,
        know_nothing=math.log(4), chance=1 / 4,
    )  # fmt: skip


TASK = Task(
    name="order",
    title=N_("Which symbol came first"),
    about=N_(
        "Among distractors stand two symbols, each X or Y: one after a tenth to a fifth of the sequence, the other "
        "after half of it. At the end the network is to say which two came, in their order. Guessing one of the four "
        "answers has a cross-entropy of ln 4."
    ),
    lag_about=N_("The first symbol stands after a tenth of the sequence at the earliest."),
    loss="cross_entropy",
    pose=_pose,
    source="hochreiter1997",
)
