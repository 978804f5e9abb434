r"""Text: after every character that is read the next one is to be said."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from lstm_explorer.core.datasets import load_text
from lstm_explorer.core.errors import ExplainedError
from lstm_explorer.core.inputs.kind import TableLike
from lstm_explorer.core.training.options import Training
from lstm_explorer.core.training.task import Batch, Problem, Recipe, Task, generator_at
from lstm_explorer.core.training.tasks.shuffling import most_frequent
from lstm_explorer.locales import N_

#: Share of the characters, the first ones, that is trained on.
TRAINED_SHARE = 0.8
#: Most different characters: each is a number that is read and one that is answered, at every step.
MOST_SYMBOLS = 500
#: Characters back from which what comes next can mostly be told: a word and the one before it.
LAG = 10


def next_character_batch(codes: Tensor, symbols: int, length: int, samples: int, seed: int, step: int) -> Batch:
    """Draw windows of a text, one character after another, and what stands one character further on."""
    starts = torch.randint(len(codes) - length, (samples,), generator=generator_at(seed, step))
    places = torch.arange(length)[:, None] + starts
    return Batch(nn.functional.one_hot(codes[places], symbols).float(), codes[places + 1])


def _pose(training: Training, table: TableLike | None) -> Problem:
    text = training.text or load_text()
    symbols = tuple(sorted(set(text)))
    if len(symbols) > MOST_SYMBOLS:
        raise ExplainedError(
            N_("The text has {came} different characters: expected at most {most}. Take a shorter text."),
            {"came": len(symbols), "most": MOST_SYMBOLS},
        )
    number = {symbol: code for code, symbol in enumerate(symbols)}
    codes, length = torch.tensor([number[symbol] for symbol in text]), training.sequence_length
    many = int(TRAINED_SHARE * len(codes))
    if length >= min(many, len(codes) - many):
        raise ExplainedError(
            N_(
                "The text has {characters} characters, of which the last {held_out} are held out: expected a sequence "
                "length below {held_out}, not {length}. Shorten the sequence, or give a longer text."
            ),
            {"characters": len(codes), "held_out": min(many, len(codes) - many), "length": length},
        )
    trained, rest = codes[:many], codes[many:]
    starts = torch.arange(0, len(rest) - length, length)
    places = torch.arange(length)[:, None] + starts
    held_out = Batch(nn.functional.one_hot(rest[places], len(symbols)).float(), rest[places + 1])
    nothing, chance = most_frequent(trained, held_out.targets)
    return Problem(
        features=len(symbols), outputs=len(symbols), length=length, lag=min(LAG, length),
        batch=Recipe(next_character_batch, (trained, len(symbols), length, training.batch_size), training.seed),
        held_out=held_out, know_nothing=nothing, chance=chance, symbols=symbols,
    )  # fmt: skip


TASK = Task(
    name="text",
    title=N_("Text: the next character"),
    about=N_(
        "The network reads a text character by character, and after each it is to say the next. The first four fifths "
        "of the text are trained on, the last are held out. Who knows only how often each character comes has the "
        "entropy of their shares. Every step has a loss of its own, so the gradient is large at every step; the parts "
        "that come from far ahead are among it."
    ),
    lag_about=N_("What comes next can mostly be told from the last word or two, some ten characters."),
    loss="cross_entropy",
    reads="every",
    pose=_pose,
    width=lambda training: 2 * len(set(training.text or load_text())),
)
