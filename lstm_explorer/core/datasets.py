"""The small real data sets that ship with the package; origin and licence in ``lstm_explorer/data/README.md``."""

from __future__ import annotations

import functools
import gzip
import io
from importlib import resources
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray


class Digits(NamedTuple):
    """Handwritten digits: ``images (n, 8, 8)`` of pixels 0 (paper) to 16 (ink), ``labels (n,)`` 0 to 9; read-only."""

    images: NDArray[np.float64]
    labels: NDArray[np.int64]


class Vowels(NamedTuple):
    """Spoken vowels: ``frames (n, 29, 12)``, zeros after the end, ``lengths (n,)``, ``speakers (n,)``; read-only.

    The first 270 are the published training set, the others the published test set.
    """

    frames: NDArray[np.float64]
    lengths: NDArray[np.int64]
    speakers: NDArray[np.int64]


def load_co2() -> pd.DataFrame:
    """Return the weekly CO2 concentration of the air at Mauna Loa, 1958 to 2001.

    Returns:
        2,284 rows with the columns ``date`` and ``co2`` (in ppm; NaN where nothing was measured); yours to change.

    Source:
        C. D. Keeling and T. P. Whorf, Scripps, public domain.

    Example:
        >>> load_co2().head(2)
                date    co2
        0 1958-03-29  316.1
        1 1958-04-05  317.3
    """
    return _co2().copy()


def load_sunspots() -> pd.DataFrame:
    """Return the yearly sunspot numbers, 1700 to 2008.

    Returns:
        309 rows with the columns ``year`` and ``sunspots`` (mean number seen in that year); yours to change.

    Source:
        NOAA National Geophysical Data Center, public domain.

    Example:
        >>> load_sunspots().head(2)
           year  sunspots
        0  1700       5.0
        1  1701      11.0
    """
    return _sunspots().copy()


@functools.lru_cache(maxsize=1)
def load_digits() -> Digits:
    """Return 1,797 handwritten digits of 8 by 8 pixels.

    Returns:
        Images ``(1797, 8, 8)`` with pixels from 0 (paper) to 16 (ink), and labels ``(1797,)``. Both are read-only.

    Source:
        UCI, E. Alpaydin and C. Kaynak 1998, CC BY 4.0.

    Example:
        >>> digits = load_digits()
        >>> digits.images.shape, digits.labels[:3].tolist()
        ((1797, 8, 8), [0, 1, 2])
    """
    rows = np.loadtxt(io.StringIO(gzip.decompress(_read("digits.csv.gz")).decode("ascii")), delimiter=",")
    images, labels = rows[:, :-1].reshape(-1, 8, 8), rows[:, -1].astype(np.int64)
    return Digits(*_read_only(images, labels))


@functools.lru_cache(maxsize=1)
def load_vowels() -> Vowels:
    """Return 640 utterances of the Japanese vowels /ae/ by nine speakers.

    Returns:
        Frames of 12 cepstrum coefficients, the number of frames of each utterance, and who spoke. All are read-only.

    Source:
        UCI, M. Kudo, J. Toyama and M. Shimbo 1999, CC BY 4.0.

    Example:
        >>> vowels = load_vowels()
        >>> vowels.frames.shape, vowels.lengths[:3].tolist()
        ((640, 29, 12), [20, 26, 22])
    """
    table = pd.read_csv(io.BytesIO(gzip.decompress(_read("japanese_vowels.csv.gz"))))
    utterance = table["utterance"].to_numpy()
    firsts, lengths = np.unique(utterance, return_index=True, return_counts=True)[1:]
    frames = np.zeros((len(firsts), int(lengths.max()), 12))
    frames[utterance, np.arange(len(table)) - firsts[utterance]] = table.iloc[:, 2:].to_numpy() / 1e6
    return Vowels(*_read_only(frames, lengths.astype(np.int64), table["speaker"].to_numpy()[firsts] - 1))


def load_text() -> str:
    """Return the beginning of *Alice's Adventures in Wonderland*.

    Source:
        Lewis Carroll, 1865, public domain.

    Example:
        >>> load_text()[:31]
        'Alice was beginning to get very'
    """
    return _read("alice.txt").decode()


@functools.lru_cache(maxsize=1)
def _sunspots() -> pd.DataFrame:
    frame = pd.read_csv(io.BytesIO(_read("sunspots.csv")), dtype={"SUNACTIVITY": np.float64})
    return frame.rename(columns={"YEAR": "year", "SUNACTIVITY": "sunspots"})


@functools.lru_cache(maxsize=1)
def _co2() -> pd.DataFrame:
    return pd.read_csv(io.BytesIO(_read("co2.csv")), parse_dates=["date"], date_format="%Y%m%d")


def _read_only(*arrays: NDArray[Any]) -> tuple[NDArray[Any], ...]:
    for array in arrays:
        array.flags.writeable = False  # The cache hands the same arrays to everyone.
    return arrays


def _read(name: str) -> bytes:
    return resources.files("lstm_explorer").joinpath("data", name).read_bytes()
