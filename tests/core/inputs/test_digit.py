"""A handwritten digit: the pixels are those of the data set."""

import numpy as np

from lstm_explorer.core.datasets import load_digits
from lstm_explorer.core.inputs import make_inputs
from lstm_explorer.core.settings import Settings


def test_digit_samples_are_the_examples_of_the_class_from_the_seed_on():
    digits = load_digits()
    threes = digits.images[digits.labels == 3]
    settings = Settings(input_kind="digit", digit=3, seed=len(threes) - 1, batch_size=2, dtype="float64")
    inputs = make_inputs(settings)
    np.testing.assert_array_equal(inputs[:, 0, 0].numpy() * 16, threes[-1].ravel())
    np.testing.assert_array_equal(inputs[:, 1, 0].numpy() * 16, threes[0].ravel())
    assert inputs.min() == 0
    assert inputs.max() == 1
