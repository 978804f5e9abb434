import math

import numpy as np

from lstm_explorer.core.watching.record import median_share, numbers_of


def test_the_median_is_one_of_the_samples_and_knows_their_lengths():
    short, long = np.array([[0.0, 0.0], [-1.0, -3.0]]), np.array([[0.0], [-2.0], [-math.inf]])
    assert median_share([short, long]).tolist() == [0.0, -2.0, -math.inf]
    assert median_share([short]).tolist() == [0.0, -3.0]  # of two the smaller


def test_the_numbers_are_those_of_the_way_back():
    numbers = numbers_of(np.linspace(0.0, -8.0, 81))
    assert numbers == {
        "half_life": 10 * math.log10(2), "lags": 80.0, "log10_share_at_25_percent": -2.0,
        "log10_share_at_50_percent": -4.0, "log10_share_at_100_percent": -8.0,
    }  # fmt: skip
    assert numbers_of(np.array([0.0, -1.0, np.nan]))["lags"] == 1.0
    assert math.isnan(numbers_of(np.array([0.0]))["half_life"])
    assert numbers_of(np.array([0.0, -math.inf]))["half_life"] == 0.0
