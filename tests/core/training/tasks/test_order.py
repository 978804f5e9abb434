"""Temporal order: the class is told by the two symbols that are no distractors."""

import pytest
import torch

from lstm_explorer.core.training.tasks.order import temporal_order


@pytest.mark.parametrize("length", [4, 10, 100])
def test_the_class_is_which_two_symbols_came_in_which_order(length):
    inputs, targets, _ = temporal_order(length, 300, torch.Generator().manual_seed(0))
    symbols = inputs.argmax(-1)
    assert inputs.shape == (length, 300, 6)
    assert (inputs.sum(-1) == 1).all()
    for sample in range(300):
        places = [t for t in range(length) if symbols[t, sample] < 2]
        first, second = (int(symbols[t, sample]) for t in places)
        assert int(targets[sample]) == 2 * first + second
        assert length // 10 <= places[0] <= length // 5
        assert length // 2 <= places[1] <= 6 * length // 10
    assert set(targets.tolist()) == {0, 1, 2, 3}
