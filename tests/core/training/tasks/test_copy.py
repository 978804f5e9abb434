"""Copy memory: what is to be said is what was read."""

import pytest
import torch

from lstm_explorer.core.training.tasks.copy import copy_memory


@pytest.mark.parametrize("delay", [1, 2, 30])
def test_the_last_ten_answers_are_the_first_ten_symbols(delay):
    inputs, targets, _ = copy_memory(delay, 50, torch.Generator().manual_seed(0))
    read = inputs.argmax(-1)
    assert inputs.shape == (delay + 20, 50, 10)
    assert (inputs.sum(-1) == 1).all()
    assert torch.equal(targets[-10:], read[:10])
    assert set(read[:10].unique().tolist()) == set(range(1, 9))
    assert (targets[:-10] == 0).all()
    # One signal, ten steps before the end: the answer begins right after the network has read it.
    assert (read == 9).sum(0).tolist() == [1] * 50
    assert (read[delay + 9] == 9).all()
    assert (read[10 : delay + 9] == 0).all()
    assert (read[-10:] == 0).all()
