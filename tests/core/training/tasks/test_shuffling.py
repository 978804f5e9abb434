"""Data that is gone through many times: each sample once an epoch."""

import pytest
import torch

from lstm_explorer.core.training.task import Batch
from lstm_explorer.core.training.tasks.shuffling import most_frequent, shuffled_batch


@pytest.mark.parametrize(("many", "size"), [(10, 3), (12, 4), (5, 50)])
def test_every_sample_is_read_once_an_epoch(many, size):
    numbers = torch.arange(many)
    samples = Batch(numbers[None, :, None].float(), numbers, numbers + 1)
    per_epoch = -(-many // size)
    epochs = []
    for epoch in range(3):
        batches = [shuffled_batch(samples, size, 0, epoch * per_epoch + place) for place in range(per_epoch)]
        for inputs, targets, lengths in batches:
            assert inputs[0, :, 0].tolist() == targets.tolist() == (lengths - 1).tolist()
        epochs.append(torch.cat([batch.targets for batch in batches]).tolist())
        assert sorted(epochs[-1]) == list(range(many))
    assert epochs[0] != epochs[1] != epochs[2]


def test_another_seed_is_another_order():
    samples = Batch(torch.zeros(1, 100, 1), torch.arange(100))
    one, same, other = (shuffled_batch(samples, 10, seed, 3).targets.tolist() for seed in (1, 1, 2))
    assert one == same != other


def test_knowing_only_how_often_each_class_comes():
    nothing, chance = most_frequent(torch.tensor([0, 0, 0, 2]), torch.tensor([0, 2, 2, 2]))
    shares = torch.tensor([0.75, 0.25])
    assert nothing == pytest.approx(float(-(shares * shares.log()).sum()))
    assert chance == 0.25
