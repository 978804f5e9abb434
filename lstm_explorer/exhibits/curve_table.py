"""Curves as a tidy table: one row per curve and step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lstm_explorer.figures.curves import Series, TheoryLine


def curve_numbers(series: Sequence[Series], theory: Sequence[TheoryLine]) -> pd.DataFrame:
    """Return measured curves and theory as rows, one per curve and step.

    Returns:
        Columns ``name, kind, architecture, quantity, runs, relative, step, lag, log10_median, log10_lower_quartile,
        log10_upper_quartile``; ``relative`` says whether the norm is divided by that of the last step.
    """
    frames = []
    for one in series:
        curve = one.curve
        about = {"name": one.name, "kind": "measured", "architecture": one.network, "quantity": curve.quantity}
        run = {"runs": curve.runs, "relative": curve.relative}
        frames.append(_rows({**about, **run}, curve.steps, (curve.median, curve.lower, curve.upper)))
    steps = np.arange(int(series[0].curve.steps[-1]) + 1)
    for line in theory:
        about = {"name": line.name, "kind": "theory", "architecture": line.about[0], "quantity": line.about[1]}
        log10 = line.log10_at(steps[::-1])
        frames.append(_rows({**about, "runs": 0, "relative": True}, steps, (log10, log10, log10)))
    return pd.concat(frames, ignore_index=True)


def _rows(about: Mapping[str, object], steps: NDArray[np.int64], log10: tuple[NDArray[Any], ...]) -> pd.DataFrame:
    median, lower, upper = log10
    rows = {"step": steps, "lag": steps[-1] - steps, "log10_median": median}
    return pd.DataFrame({**about, **rows, "log10_lower_quartile": lower, "log10_upper_quartile": upper})
