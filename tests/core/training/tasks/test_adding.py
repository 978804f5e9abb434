"""The adding problem: its target recomputed from what is read."""

import pytest
import torch

from lstm_explorer.core.training.tasks.adding import adding


@pytest.mark.parametrize("length", [2, 3, 51])
def test_the_target_is_the_sum_of_the_two_marked_numbers(length):
    inputs, targets, lengths = adding(length, 400, torch.Generator().manual_seed(0))
    numbers, marks = inputs.unbind(-1)
    assert lengths is None
    assert inputs.shape == (length, 400, 2)
    assert set(marks.unique().tolist()) <= {0.0, 1.0}
    assert (marks[: length // 2].sum(0) == 1).all()
    assert (marks[length // 2 :].sum(0) == 1).all()
    torch.testing.assert_close(targets[:, 0], (numbers * marks).sum(0))
    assert numbers.min() >= 0
    assert numbers.max() < 1


def test_every_place_is_marked_at_times():
    marks = adding(7, 500, torch.Generator().manual_seed(0)).inputs[..., 1]
    assert (marks.sum(1) > 0).all()
