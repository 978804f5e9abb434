"""Handwriting: pixels in their order, blanks after them, and no held-out digit in training."""

import numpy as np
import torch

from lstm_explorer.core.datasets import load_digits
from lstm_explorer.core.training.options import Training
from lstm_explorer.core.training.tasks import TASKS


def test_pixels_row_by_row_then_blanks():
    problem = TASKS["digits"].posed(Training(task="digits", blank_steps=5))
    digits = load_digits()
    held_out = problem.held_out
    assert problem.length == 69
    assert held_out.inputs.shape == (69, 360, 1)
    np.testing.assert_allclose(held_out.inputs[:64, 7, 0] * 16, digits.images[1437 + 7].ravel())
    assert (held_out.inputs[64:] == 0).all()
    assert held_out.targets.tolist() == digits.labels[1437:].tolist()


def test_no_held_out_digit_is_trained_on():
    problem = TASKS["digits"].posed(Training(task="digits", batch_size=480))
    read = torch.cat([problem.batch(step).inputs for step in range(3)], dim=1)
    assert read.shape[1] == 1437
    labels = torch.cat([problem.batch(step).targets for step in range(3)])
    digits = load_digits()
    mine = sorted(
        (*pixels, label) for pixels, label in zip((read[..., 0].T * 16).tolist(), labels.tolist(), strict=True)
    )
    there = sorted((*image.ravel(), label) for image, label in zip(digits.images[:1437], digits.labels, strict=False))
    np.testing.assert_allclose(mine, there)


def test_knowing_nothing_is_close_to_ten_equal_classes():
    problem = TASKS["digits"].posed(Training(task="digits"))
    assert abs(problem.know_nothing - np.log(10)) < 0.001
    labels = load_digits().labels
    assert problem.chance == (labels[1437:] == np.bincount(labels[:1437]).argmax()).mean()
