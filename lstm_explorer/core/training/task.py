"""A task as one record: what is read, what is to be said, and what one gets by knowing nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor, nn

from lstm_explorer.core.inputs.kind import TableLike
from lstm_explorer.core.training.options import Training

#: Held-out batches that are drawn have a number that no optimizer step reaches.
HELD_OUT = 2**30
#: Samples of the held-out data that are scored at every measurement; all of it is scored at the end.
SCORED = 128


class Batch(NamedTuple):
    """Samples of one optimizer step.

    Attributes:
        inputs: ``(T, B, features)``; shorter samples are padded at their end.
        targets: Numbers or classes: ``(B, ...)`` where the last step is read, ``(T, B, ...)`` where every step is.
        lengths: Steps of each sample, ``(B,)``; None where all have T.
    """

    inputs: Tensor
    targets: Tensor
    lengths: Tensor | None = None


@dataclass(frozen=True, eq=False, kw_only=True)
class Problem:
    """A task with its data: what one training run reads and is asked.

    Attributes:
        features: Numbers read per step.
        outputs: Numbers given for each answer: classes, or values.
        length: Steps T of the longest sample.
        lag: Steps that the gradient must travel back for the task to be learnt.
        batch: Number of an optimizer step -> its samples; the same for the same number.
        held_out: Samples that are never trained on.
        know_nothing: The training loss of the best answer that does not look at the inputs.
        chance: The score of that answer.
        references: Name of other simple answers, marked for translation, to their scores.
        source_steps: Of a translation, how many of the steps an encoder reads; a decoder of the same architecture goes
            on from its last states, and answers at every step of its own. 0 where one network reads everything.
        symbols: Of a task that reads or writes symbols, their texts in order.
    """

    features: int
    outputs: int
    length: int
    lag: int
    batch: Callable[[int], Batch]
    held_out: Batch
    know_nothing: float
    chance: float
    references: Mapping[str, float] = field(default_factory=dict)
    source_steps: int = 0
    symbols: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Task:
    """Everything that is true of one task alone.

    Attributes:
        name: Its key, as in ``Training.task``.
        title: Its name, marked for translation; so are the texts below.
        about: What is read and what is to be said, in a sentence or two.
        lag_about: Why the gradient must travel as far as :attr:`Problem.lag` says.
        loss: ``"mse"``: mean squared error; ``"cross_entropy"``: of classes, in nats.
        reads: Whether the answer is read from the ``"last"`` hidden state or from ``"every"`` one.
        pose: ``(training, table)`` -> the problem.
        extra_steps: Steps that it has besides ``sequence_length``, where it reads that.
        width: Numbers read and answered per step, about, where they are many: what memory grows with.
        scored_steps: Of a task that reads every step, how many at the end are scored; 0 scores all.
        source: Where it comes from, a key of :mod:`lstm_explorer.core.sources`; empty for real data.
        reads_table: Whether it reads the reader's own table.
        own_loss: The loss of a task of the reader's own, which is its score too.
        own_score: ``(model, batch)`` -> the score, where the answers of the training loss do not tell it.
    """

    name: str
    title: str
    about: str
    lag_about: str
    loss: Literal["mse", "cross_entropy"]
    reads: Literal["last", "every"] = "last"
    pose: Callable[[Training, TableLike | None], Problem]
    extra_steps: int = 0
    width: Callable[[Training], int] = lambda training: 16
    scored_steps: int = 0
    source: str = ""
    reads_table: bool = False
    own_loss: Callable[[Tensor, Tensor], Tensor] | None = None
    own_score: Callable[[Any, Batch], float] | None = None

    @property
    def score_name(self) -> str:
        """What is scored on held-out data: ``"error"``, the mean squared one, or ``"accuracy"``."""
        return "error" if self.loss == "mse" else "accuracy"

    def posed(self, training: Training, table: TableLike | None = None) -> Problem:
        """Return the problem of a training run.

        Args:
            training: The run; its ``task`` is this one.
            table: The reader's own, where the task reads one.

        Raises:
            ValueError: There is no table, or one that the task does not read or that does not suit it; or the data is
                too short for the sequences.
        """
        if table is not None and not self.reads_table:
            raise ValueError(f'table came with task="{self.name}": expected "csv", or leave table out.')
        if table is None and self.reads_table:
            raise ValueError(f'table is None with task="{self.name}": expected rows of numbers; pass table=...')
        return self.pose(training, table)

    def loss_of(self, answers: Tensor, targets: Tensor) -> Tensor:
        """Return the loss, a mean over samples and, where every step is read, over steps."""
        if self.own_loss is not None:
            return self.own_loss(answers, targets)
        if self.loss == "mse":
            return nn.functional.mse_loss(answers, targets)
        return nn.functional.cross_entropy(answers.flatten(0, -2), targets.flatten())

    def first(self, batch: Batch, samples: int) -> Batch:
        """Return the first samples of a batch; all of a task of the reader's own, whose targets have any shape."""
        if self.own_loss is not None:
            return batch
        many = slice(samples)
        targets = batch.targets[:, many] if self.reads == "every" else batch.targets[many]
        return Batch(batch.inputs[:, many], targets, None if batch.lengths is None else batch.lengths[many])

    def score_of(self, answers: Tensor, targets: Tensor) -> float:
        """Return the mean squared error, or the share of answers that are right."""
        if self.own_loss is not None:
            return float(self.own_loss(answers, targets))
        if self.scored_steps:
            answers, targets = answers[-self.scored_steps :], targets[-self.scored_steps :]
        if self.loss == "mse":
            return float(nn.functional.mse_loss(answers, targets))
        return float((answers.argmax(-1) == targets).double().mean())


@dataclass(frozen=True, eq=False)
class Recipe:
    """How the batches of a task are made: what it is called with is the number of an optimizer step.

    The function and all that it calls need only ``torch``, so that a script can hold them as they stand here.

    Attributes:
        function: ``(*arguments, seed, step)`` -> the batch.
        arguments: Functions, numbers and tensors.
        seed: Of the run.
    """

    function: Callable[..., Batch]
    arguments: tuple[Any, ...]
    seed: int

    def __call__(self, step: int) -> Batch:
        """Return the samples of one optimizer step."""
        return self.function(*self.arguments, self.seed, step)


def generator_at(seed: int, step: int) -> torch.Generator:
    """Return the generator of one optimizer step's samples: a run in pieces needs to pass on none.

    PyTorch's generator reads the low 32 bits of a seed; weights are drawn with seeds below 2^31.
    """
    return torch.Generator().manual_seed(2**31 + (seed * 1_000_003 + step) % 2**31)


def draw_batch(draw: Callable[..., Batch], length: int, samples: int, seed: int, step: int) -> Batch:
    """Return samples that are drawn anew at every optimizer step."""
    return draw(length, samples, generator_at(seed, step))


def drawn(training: Training, draw: Callable[..., Batch], length: int) -> tuple[Recipe, Batch]:
    """Return the batches of a task whose samples are drawn, and its held-out ones."""
    recipe = Recipe(draw_batch, (draw, length, training.batch_size), training.seed)
    return recipe, draw_batch(draw, length, 4 * SCORED, training.seed, HELD_OUT)
