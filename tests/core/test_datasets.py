"""The shipped data are the published ones, and nobody can change them for the next reader."""

import numpy as np
import pytest

from lstm_explorer.core.datasets import load_co2, load_digits, load_sunspots, load_text, load_vowels


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


def test_vowels_are_the_published_set():
    vowels = load_vowels()
    assert vowels.frames.shape == (640, 29, 12)
    assert (vowels.lengths.min(), vowels.lengths.max()) == (7, 29)
    # Thirty utterances of each in the training set; in the test set as UCI's description gives them.
    assert np.bincount(vowels.speakers[:270]).tolist() == [30] * 9
    assert np.bincount(vowels.speakers[270:]).tolist() == [31, 35, 88, 44, 29, 24, 40, 50, 29]
    assert vowels.frames[0, 0, :3].tolist() == [1.860936, -0.207383, 0.261557]
    for utterance, length in enumerate(vowels.lengths):
        assert (vowels.frames[utterance, length:] == 0).all()
        assert (vowels.frames[utterance, :length] != 0).any(axis=1).all()
    with pytest.raises(ValueError, match="read-only"):
        vowels.frames[0, 0, 0] = 1


def test_co2_is_the_published_series_with_its_gaps():
    frame = load_co2()
    assert len(frame) == 2284
    assert frame["co2"].isna().sum() == 59
    assert (frame["date"].diff().dropna().dt.days == 7).all()
    assert frame["co2"].iloc[-1] == 371.5
    frame.loc[0, "co2"] = -1
    assert load_co2().loc[0, "co2"] == 316.1


def test_the_text_is_plain():
    assert load_text().isascii()
    assert 3000 < len(load_text()) < 20_000
