"""The shipped data are the published ones, and nobody can change them for the next reader."""

import numpy as np
import pytest

from lstm_explorer.core.datasets import load_digits, load_sunspots


def test_sunspots_are_the_published_series():
    frame = load_sunspots()
    assert frame["year"].tolist() == list(range(1700, 2009))
    by_year = frame.set_index("year")["sunspots"]
    assert by_year[1957] == 190.2  # the record of the series
    assert by_year.max() == 190.2
    assert by_year.dtype == np.float64


def test_sunspots_are_yours_to_change():
    mine = load_sunspots()
    mine.loc[0, "sunspots"] = -1
    assert load_sunspots().loc[0, "sunspots"] == 5


def test_digits_are_the_published_set():
    digits = load_digits()
    assert digits.images.shape == (1797, 8, 8)
    assert (digits.images.min(), digits.images.max()) == (0, 16)
    # Class counts as UCI's optdigits.names gives them for the test set.
    assert np.bincount(digits.labels).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]


def test_rows_of_a_digit_are_rows_of_the_picture():
    zero = load_digits().images[0]
    assert zero[0].tolist() == [0, 0, 5, 13, 9, 1, 0, 0]
    assert zero[3:5, 3:5].sum() == 0  # the hole of the zero


def test_digits_are_read_only():
    with pytest.raises(ValueError, match="read-only"):
        load_digits().images[0, 0, 0] = 1
    with pytest.raises(ValueError, match="read-only"):
        load_digits().labels[0] = 1
