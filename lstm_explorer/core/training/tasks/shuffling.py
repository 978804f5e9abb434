"""Batches of a data set that is small enough to be gone through many times."""

from __future__ import annotations

import torch
from torch import Tensor

from lstm_explorer.core.training.task import Batch, generator_at


def shuffled_batch(samples: Batch, size: int, seed: int, step: int) -> Batch:
    """Return the samples that an optimizer step reads: each once an epoch, in a new order every epoch.

    The last batch of an epoch is smaller where the batch size does not divide the samples.
    """
    inputs, targets, lengths = samples
    many = inputs.shape[1]
    batches = -(-many // size)
    epoch, place = divmod(step, batches)
    order = torch.randperm(many, generator=generator_at(seed, epoch))
    chosen = order[place * size : (place + 1) * size]
    return Batch(inputs[:, chosen], targets[chosen], None if lengths is None else lengths[chosen])


def most_frequent(trained: Tensor, held_out: Tensor) -> tuple[float, float]:
    """Return the cross-entropy of always giving the classes' shares, and the accuracy of the most frequent one."""
    shares = torch.bincount(trained.flatten()).double() / trained.numel()
    present = shares[shares > 0]
    return float(-(present * present.log()).sum()), float((held_out == shares.argmax()).double().mean())
