r"""Copy memory: ten symbols are read first, then nothing for T steps, and then they are to be said again."""

from __future__ import annotations

import math

import torch
from torch import Generator, nn

from lstm_explorer.core.inputs.kind import TableLike
from lstm_explorer.core.training.options import Training
from lstm_explorer.core.training.task import Batch, Problem, Task, drawn
from lstm_explorer.locales import N_

#: Symbols to be copied, and how many of them; two more are the blank (0) and the signal to answer (9).
SYMBOLS, COPIED = 8, 10


def copy_memory(delay: int, samples: int, generator: Generator) -> Batch:
    """Draw ten of the symbols 1 to 8; blanks; the signal 9 after the delay; and the ten as the last targets."""
    length, copied, signal = delay + 20, 10, 9
    symbols = torch.randint(1, signal, (copied, samples), generator=generator)
    read, said = torch.zeros(length, samples, dtype=torch.long), torch.zeros(length, samples, dtype=torch.long)
    read[:copied] = said[-copied:] = symbols
    read[delay + copied - 1] = signal
    return Batch(nn.functional.one_hot(read, 10).float(), said)


def _pose(training: Training, table: TableLike | None) -> Problem:
    delay = training.sequence_length
    batch, held_out = drawn(training, copy_memory, delay)
    return Problem(
        features=SYMBOLS + 2, outputs=SYMBOLS + 2, length=delay + 2 * COPIED, lag=delay + COPIED, batch=batch,
        held_out=held_out, know_nothing=COPIED * math.log(SYMBOLS) / (delay + 2 * COPIED), chance=1 / SYMBOLS,
    )  # fmt: skip


TASK = Task(
    name="copy",
    title=N_("Copying ten symbols after a delay"),
    about=N_(
        "The network reads ten of eight symbols, then blanks; after the delay a signal asks for the ten, in their "
        "order. Who says blanks until the signal and then guesses has a cross-entropy of 10 ln 8 / (T + 20)."
    ),
    lag_about=N_("Every symbol is asked for ten steps after the delay."),
    loss="cross_entropy",
    reads="every",
    pose=_pose,
    scored_steps=COPIED,
    extra_steps=2 * COPIED,
    source="hochreiter1997",
)
