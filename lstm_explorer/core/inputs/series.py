"""Real series: the yearly sunspot numbers, and the reader's own table; standardised over their whole length."""

from __future__ import annotations

import numpy as np
from torch import Tensor

from lstm_explorer.core.datasets import load_sunspots
from lstm_explorer.core.inputs.code import check_size, cut_windows, listed, read_windows
from lstm_explorer.core.inputs.kind import InputSource, Kind, Rows, windows
from lstm_explorer.core.settings import Settings
from lstm_explorer.locales import N_


def standardised(columns: Rows) -> Rows:
    """Return columns of mean 0 and standard deviation 1, zeros where a column is constant; (rows, columns)."""
    # By an exact power of two first, so that neither squares nor differences leave the float range.
    scaled = np.ldexp(columns, -np.frexp(np.abs(columns).max(axis=0))[1])
    centred = scaled - scaled.min(axis=0)
    unit = centred / np.where(centred.any(axis=0), centred.max(axis=0), 1.0)
    deviation = unit - unit.mean(axis=0)
    return deviation / np.where(centred.any(axis=0), deviation.std(axis=0), 1.0)


def _sunspots(settings: Settings, rows: Rows) -> Tensor:
    return windows(settings, standardised(_sunspot_numbers()))


def _sunspot_numbers() -> Rows:
    return load_sunspots()[["sunspots"]].to_numpy()


def _csv(settings: Settings, rows: Rows) -> Tensor:
    return windows(settings, standardised(rows))


def _script(name: str, settings: Settings, columns: Rows) -> InputSource:
    """Write the rows that are read of a series."""
    series = read_windows(settings, len(columns))
    check_size(len(series.rows) * settings.features + series.listed, settings)
    numbers = standardised(columns)[series.rows]
    comment = f"# {name}, standardised: mean 0 and standard deviation 1 over its whole length."
    literal = f"{comment}\n{listed('series = ', numbers.ravel().tolist())}"
    code = f"# The inputs: one row per step.\nrows = torch.tensor(series).reshape(-1, {settings.features})"
    return InputSource(f"{code}\n{cut_windows(settings, series)}", (literal,))


SUNSPOTS = Kind(
    name="sunspots",
    title=N_("the sunspot numbers since 1700"),
    make=_sunspots,
    script=lambda settings, rows: _script("The yearly sunspot series", settings, _sunspot_numbers()),
    length=lambda settings, rows: len(load_sunspots()),
    label="{year}",
    fields=lambda settings, rows: [{"year": int(year)} for year in load_sunspots()["year"]],
)
CSV = Kind(
    name="csv",
    title=N_("your own table (CSV)"),
    make=_csv,
    script=lambda settings, rows: _script("The table, row by row, each column", settings, rows),
    length=lambda settings, rows: len(rows),
    label=N_("row {row}"),
    fields=lambda settings, rows: [{"row": n + 1} for n in range(len(rows))],
    reads_table=True,
)
