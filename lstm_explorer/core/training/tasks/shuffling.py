"""Batches of a data set that is small enough to be gone through many times."""

from __future__ import annotations

import torch
from torch import Tensor

from lstm_explorer.core.training.options import Training
from lstm_explorer.core.training.task import generator_of


def epoch_indices(training: Training, step: int, many: int) -> Tensor:
    """Return which of ``many`` samples an optimizer step reads: each once an epoch, in a new order every epoch.

    The last batch of an epoch is smaller where the batch size does not divide the samples.
    """
    size = min(training.batch_size, many)
    batches = -(-many // size)
    epoch, place = divmod(step, batches)
    order = torch.randperm(many, generator=generator_of(training, epoch))
    return order[place * size : (place + 1) * size]


def most_frequent(trained: Tensor, held_out: Tensor) -> tuple[float, float]:
    """Return the cross-entropy of always giving the classes' shares, and the accuracy of the most frequent one."""
    shares = torch.bincount(trained).double() / len(trained)
    present = shares[shares > 0]
    return float(-(present * present.log()).sum()), float((held_out == shares.argmax()).double().mean())
