"""The small real data sets that ship with the package; origin and licence in ``lstm_explorer/data/README.md``."""

from __future__ import annotations

import functools
import gzip
import io
from importlib import resources
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray


class Digits(NamedTuple):
    """Handwritten digits: ``images (n, 8, 8)`` of pixels 0 (paper) to 16 (ink), ``labels (n,)`` 0 to 9; read-only."""

    images: NDArray[np.float64]
    labels: NDArray[np.int64]


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
    for array in (images, labels):
        array.flags.writeable = False  # The cache hands the same arrays to everyone.
    return Digits(images, labels)


@functools.lru_cache(maxsize=1)
def _sunspots() -> pd.DataFrame:
    frame = pd.read_csv(io.BytesIO(_read("sunspots.csv")), dtype={"SUNACTIVITY": np.float64})
    return frame.rename(columns={"YEAR": "year", "SUNACTIVITY": "sunspots"})


def _read(name: str) -> bytes:
    return resources.files("lstm_explorer").joinpath("data", name).read_bytes()
