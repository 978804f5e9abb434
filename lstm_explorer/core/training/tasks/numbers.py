r"""A small translation: a number written out in English is read, and to be said in Korean or in digits."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from lstm_explorer.core.inputs.kind import TableLike
from lstm_explorer.core.training.options import Training
from lstm_explorer.core.training.task import Batch, Problem, Recipe, Task, generator_at
from lstm_explorer.locales import N_

#: Numbers from 0 up to this one, without it; every one of them is either trained on or held out.
NUMBERS = 1000
HELD_OUT_NUMBERS = 200
#: Codes of what is no letter: nothing (before a short number), the signal to answer, and the end of the answer.
NOTHING, ANSWER, END = 0, 1, 2
#: What is no part of an answer any more: PyTorch's cross-entropy leaves it out.
IGNORED = -100


@functools.cache
def written_out(target: str) -> tuple[tuple[str, str], ...]:
    """Return every number in English, and in Korean or digits.

    Korean is said in syllables, not in their letters: there are twelve, each of them a whole number word.

    Example:
        >>> written_out("korean")[342], written_out("digits")[20]
        (('three hundred and forty-two', '삼백사십이'), ('twenty', '20'))
    """
    from num2words import num2words  # all its languages are imported, which this task alone waits for

    said = (lambda number: num2words(number, lang="ko")) if target == "korean" else str
    return tuple((num2words(number), said(number)) for number in range(NUMBERS))


def translated_batch(
    read: Tensor, asked: Tensor, chosen: Tensor, symbols: int, size: int, seed: int, step: int
) -> Batch:
    """Draw numbers of those chosen: the encoder's symbols, then what the decoder reads: the signal and the answer."""
    drawn = chosen[torch.randint(len(chosen), (size,), generator=generator_at(seed, step))]
    return translated(read[:, drawn], asked[:, drawn], symbols)


def translated(read: Tensor, asked: Tensor, symbols: int) -> Batch:
    """Return numbers as a batch: the symbol before each one of the answer is read, which is then to be said."""
    signal = torch.ones_like(asked[:1])  # the code of the signal is 1
    codes = torch.cat([read, signal, asked[:-1].clamp(min=0)])
    return Batch(nn.functional.one_hot(codes, symbols).float(), asked)


def _pose(training: Training, table: TableLike | None) -> Problem:
    pairs = written_out(training.target)
    letters = sorted({letter for pair in pairs for text in pair for letter in text})
    symbols = ("∅", "→", "■", *letters)
    code = {symbol: at for at, symbol in enumerate(symbols)}
    longest = max(len(english) for english, _ in pairs)
    ends = max(len(said) for _, said in pairs) + 1
    # Short numbers come after blanks: all end at the same step, where the decoder goes on.
    read = _columns([[NOTHING] * (longest - len(text)) + [code[letter] for letter in text] for text, _ in pairs])
    asked = _columns(
        [[*(code[letter] for letter in said), END] + [IGNORED] * (ends - len(said) - 1) for _, said in pairs]
    )
    order = torch.randperm(NUMBERS, generator=torch.Generator().manual_seed(0))
    trained, held_out = order[HELD_OUT_NUMBERS:].sort().values, order[:HELD_OUT_NUMBERS]
    return Problem(
        features=len(symbols), outputs=len(symbols), length=longest + ends, lag=longest + ends, source_steps=longest,
        batch=Recipe(
            translated_batch, (read, asked, trained, len(symbols), training.batch_size), training.seed
        ),
        held_out=translated(read[:, held_out], asked[:, held_out], len(symbols)),
        # All answers are equally frequent and none is another with more at its end: by the chain rule the losses of
        # its symbols, given those before, add up to the logarithm of how many there are.
        know_nothing=math.log(len(trained)) / float((asked[:, trained] != IGNORED).sum(0).double().mean()),
        chance=0.0, symbols=symbols,
    )  # fmt: skip


def _columns(rows: Sequence[Sequence[int]]) -> Tensor:
    return torch.tensor(rows).T.contiguous()


def whole_answers_right(model: Any, batch: Batch) -> float:
    """Return the share of numbers that are said right from the first symbol to the last, each after what was said.

    Args:
        model: With an encoder and a decoder.
        batch: Of it only the encoder's symbols and the signal are read.
    """
    start = model.source_steps
    _, state = model.network(batch.inputs[:start])
    symbol, said = batch.inputs[start], []
    for _ in range(len(batch.targets)):
        output, state = model.decoder(symbol[None], state)
        said.append(model.head(output[0]).argmax(-1))
        symbol = nn.functional.one_hot(said[-1], symbol.shape[-1]).to(symbol)
    right = (torch.stack(said) == batch.targets) | (batch.targets == IGNORED)
    return float(right.all(0).double().mean())


TASK = Task(
    name="numbers",
    title=N_("Translation: numbers written out"),
    about=N_(
        "One network, the encoder, reads a number from 0 to 999 written out in English, character by character. "
        "Another, the decoder, goes on from its last state alone and says the number in Korean or in digits, symbol by "
        "symbol. 800 numbers are trained on, 200 others are held out; right is an answer that is right as a whole. Who "
        "does not look at the English, but knows all answers, has a cross-entropy of ln 800 by the mean length of an "
        "answer."
    ),
    lag_about=N_(
        "The first word of the longest number is read at the very first step, and the answer ends at the last."
    ),
    loss="cross_entropy",
    reads="every",
    pose=_pose,
    own_score=whole_answers_right,
)
