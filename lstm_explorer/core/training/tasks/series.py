"""Time series: from a window of rows a value some rows ahead is to be said; sunspots, CO2, and your own table."""

from __future__ import annotations

import functools
import math
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from lstm_explorer.core.datasets import load_co2, load_sunspots
from lstm_explorer.core.errors import ExplainedError
from lstm_explorer.core.inputs.kind import Rows, TableLike, rows_of
from lstm_explorer.core.training.options import Training
from lstm_explorer.core.training.task import Batch, Problem, Recipe, Task, generator_at
from lstm_explorer.locales import N_

#: Share of the rows, the first ones, that is trained on.
TRAINED_SHARE = 0.8


class Series(NamedTuple):
    """Rows ``(n, columns)`` in the order of time, the column that is predicted, and the rows of a season; 0 without."""

    rows: Rows
    column: int
    season: int


def window_batch(series: Tensor, column: int, length: int, horizon: int, samples: int, seed: int, step: int) -> Batch:
    """Draw windows of a series; the target is the value of a column some rows after the last row of a window."""
    starts = torch.randint(len(series) - length - horizon + 1, (samples,), generator=generator_at(seed, step))
    rows = torch.arange(length)[:, None] + starts
    return Batch(series[rows], series[starts + length - 1 + horizon, column][:, None])


def _sunspots(table: TableLike | None, column: int) -> Series:
    return Series(load_sunspots()[["sunspots"]].to_numpy(), 0, 11)


def _co2(table: TableLike | None, column: int) -> Series:
    # To interpolate would be to look into the future: the week after a gap tells of the weeks inside it.
    return Series(load_co2()[["co2"]].ffill().to_numpy(), 0, 52)


def _csv(table: TableLike | None, column: int) -> Series:
    rows = rows_of(table if table is not None else np.empty((0, 0)))
    if column > rows.shape[1]:
        raise ExplainedError(
            N_("Column {column} is to be predicted: expected a column from 1 to {columns}, those of the table."),
            {"column": column, "columns": rows.shape[1]},
        )
    return Series(rows, column - 1, 0)


#: Most held-out windows, evenly spaced: of a long table all would take gigabytes.
MOST_WINDOWS = 1024

_SERIES = {"sunspots": _sunspots, "co2": _co2, "csv": _csv}


def _pose(training: Training, table: TableLike | None) -> Problem:
    series = _SERIES[training.task](table, training.column)
    length, horizon, column = training.sequence_length, training.horizon, series.column
    many = int(TRAINED_SHARE * len(series.rows))
    _check_length(training, len(series.rows), many)
    scaled = _standardised(series.rows, many)
    trained = torch.from_numpy(scaled[:many]).float()
    # The inputs of held-out windows may lie in the past that was trained on; what they are asked for never does.
    asked = np.unique(np.linspace(many, len(scaled) - 1, min(MOST_WINDOWS, len(scaled) - many)).astype(int))
    rows = np.arange(1 - length, 1)[:, None] + asked - horizon
    numbers = torch.from_numpy(scaled).float()
    held_out = Batch(numbers[torch.from_numpy(rows)], numbers[torch.from_numpy(asked)][:, [column]])
    targets = scaled[length - 1 + horizon : many, column]
    return Problem(
        features=scaled.shape[1], outputs=1, length=length, lag=_lag(training, series.season),
        batch=Recipe(window_batch, (trained, column, length, horizon, training.batch_size), training.seed),
        held_out=held_out, know_nothing=float(targets.var()),
        chance=float(np.mean((scaled[many:, column] - targets.mean()) ** 2)),
        references=_references(scaled[:, column], many, horizon, series.season),
    )  # fmt: skip


def _check_length(training: Training, rows: int, many: int) -> None:
    """Refuse a series of which not even two windows can be trained on, or whose first held-out one has no past."""
    longest = many - training.horizon - 1
    if training.sequence_length <= longest:
        return
    raise ExplainedError(
        N_(
            "The series has {rows} rows, and the first {many} are trained on: expected a sequence length of at most "
            "{longest} with a horizon of {horizon}, not {length}. Shorten the sequence or the horizon, or take a "
            "longer series."
        ),
        {
            "rows": rows, "many": many, "longest": max(longest, 0), "horizon": training.horizon,
            "length": training.sequence_length,
        },
    )  # fmt: skip


def _standardised(rows: Rows, many: int) -> Rows:
    """Return every column with mean 0 and deviation 1 over the training part alone; a constant one becomes zeros."""
    # By an exact power of two first, so that no sum or square leaves the float range.
    rows = np.ldexp(rows, -np.frexp(np.abs(rows[:many]).max(axis=0))[1])
    mean, deviation = rows[:many].mean(axis=0), rows[:many].std(axis=0)
    constant = np.ptp(rows[:many], axis=0) == 0  # the deviation itself may be a rounding error
    centred = np.where(constant, 0.0, rows - mean)
    return centred / np.where(constant, 1.0, deviation)


def _lag(training: Training, season: int) -> int:
    """Return how far back of the last row read lies the value one season before the one to be predicted."""
    if not season:
        return training.sequence_length
    return min(training.sequence_length, -training.horizon % season or season)


def _references(values: Rows, many: int, horizon: int, season: int) -> dict[str, float]:
    """Return the held-out errors of repeating a value that was read."""

    def error(back: int) -> float:
        return float(np.mean((values[many:] - values[many - back : len(values) - back]) ** 2))

    found = {N_("the last value again"): error(horizon)}
    if season:
        found[N_("the value of a season before again")] = error(math.ceil(horizon / season) * season)
    return found


_task = functools.partial(Task, loss="mse", pose=_pose)
_SEASON = N_("One season before the value to be predicted lies this many steps before the last step read.")

TASKS = (
    _task(
        name="sunspots",
        title=N_("Time series: sunspots"),
        about=N_(
            "The network reads the mean number of sunspots of each year in a window of years, and is to say it "
            "some years ahead; they come and go in about 11 years. The first four fifths of the years 1700 to 2008 are "
            "trained on, the last are held out. Numbers are standardised by the training part: an error of 1 is the "
            "one of always saying its mean."
        ),
        lag_about=_SEASON,
    ),
    _task(
        name="co2",
        title=N_("Time series: carbon dioxide in the air"),
        about=N_(
            "The network reads the carbon dioxide in the air of Mauna Loa week by week, and is to say it some weeks "
            "ahead; it swings with the year, and rises. The first four fifths of the weeks 1958 to 2001 are trained "
            "on, the last are held out. Where a week is missing, the value of the week before stands: to interpolate "
            "would be to look ahead. Numbers are standardised by the training part."
        ),
        lag_about=_SEASON,
    ),
    _task(
        name="csv",
        title=N_("Time series: your own table"),
        about=N_(
            "The network reads the rows of your table, every column of them, in a window, and is to say the value of "
            "one column some rows ahead. The first four fifths of the rows are trained on, the last are held out. Each "
            "column is standardised by the training part."
        ),
        lag_about=N_("What counts may lie anywhere in the window, as far back as its first row."),
        reads_table=True,
    ),
)  # fmt: skip
