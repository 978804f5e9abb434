r"""Speech: vowels of nine speakers, of any length, and who spoke is to be said."""

from __future__ import annotations

import torch

from lstm_explorer.core.datasets import load_vowels
from lstm_explorer.core.inputs.kind import TableLike
from lstm_explorer.core.training.options import Training
from lstm_explorer.core.training.task import Batch, Problem, Recipe, Task
from lstm_explorer.core.training.tasks.shuffling import most_frequent, shuffled_batch
from lstm_explorer.locales import N_

#: The published training set comes first.
TRAINED_VOWELS = 270


def _pose(training: Training, table: TableLike | None) -> Problem:
    frames, lengths, speakers = (torch.tensor(part) for part in load_vowels())
    inputs = frames.float().transpose(0, 1).contiguous()
    parts = [
        Batch(inputs[:, part], speakers[part], lengths[part])
        for part in (slice(TRAINED_VOWELS), slice(TRAINED_VOWELS, None))
    ]
    trained, held_out = parts
    nothing, chance = most_frequent(trained.targets, held_out.targets)
    return Problem(
        features=inputs.shape[-1], outputs=9, length=len(inputs), lag=int(lengths[:TRAINED_VOWELS].median()),
        batch=Recipe(shuffled_batch, (trained, training.batch_size), training.seed), held_out=held_out,
        know_nothing=nothing, chance=chance, symbols=tuple(str(speaker) for speaker in range(1, 10)),
    )  # fmt: skip


TASK = Task(
    name="vowels",
    title=N_("Speech: who spoke the vowels"),
    about=N_(
        "Nine speakers say the Japanese vowels /ae/. The network reads 12 numbers of the sound's spectrum per step, "
        "for 7 to 29 steps; at the end of each utterance it is to say who spoke. 270 utterances are trained on, 370 "
        "others are held out, as the data was published."
    ),
    lag_about=N_("Half of the utterances have begun by this many steps before their end."),
    loss="cross_entropy",
    pose=_pose,
    source="kudo1999",
)
