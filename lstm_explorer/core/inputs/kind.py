"""A kind of input as one record: how it is made, how long it is, the names of its steps, and its script."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from lstm_explorer.core.settings import Settings

#: Rows are steps, columns are features.
TableLike: TypeAlias = pd.DataFrame | NDArray[np.float64]
Rows: TypeAlias = NDArray[np.float64]

# Weights are drawn with seeds 0 to 2**31 - 1. The inputs' seeds begin where those end, so that no input is made of the
# random numbers that made the weights. Not 2**32 + seed: PyTorch's CPU generator reads only the low 32 bits of a seed.
INPUT_SEEDS = 2**31


class InputSource(NamedTuple):
    """Code that sets ``inputs``, given ``seed``; and what it reads, assignments that hold for every seed."""

    code: str
    literals: tuple[str, ...] = ()


def _no_labels(settings: Settings, rows: Rows) -> Sequence[Mapping[str, Any]]:
    return ()


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One kind of input; ``rows`` below are those of the reader's own table, none for other kinds.

    Attributes:
        name: Its key, as in ``Settings.input_kind``.
        title: What the networks read, marked for translation.
        make: ``(settings, rows)`` -> inputs ``(T, B, features)``, before ``input_scale`` and ``dtype``.
        script: ``(settings, rows)`` -> the same as code that needs only torch.
        length: ``(settings, rows)`` -> how many steps there are to read; None where there are as many as are wanted.
        label: The name of a step, with named fields, marked for translation; empty for generated signals.
        fields: ``(settings, rows)`` -> the fields of every step's label.
        reads_table: Whether it reads the reader's own table.
    """

    name: str
    title: str
    make: Callable[[Settings, Rows], Tensor]
    script: Callable[[Settings, Rows], InputSource]
    length: Callable[[Settings, Rows], int] | None = None
    label: str = ""
    fields: Callable[[Settings, Rows], Sequence[Mapping[str, Any]]] = _no_labels
    reads_table: bool = False


def rows_of(table: TableLike) -> Rows:
    """Return the rows of a reader's table, ``(rows, columns)``.

    Raises:
        ValueError: It is not numbers, not rows and columns, or not finite.
    """
    try:
        rows = np.asarray(table, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"table is not numbers ({error}): expected numeric columns; leave the others out.") from error
    if rows.ndim != 2 or not rows.size:
        raise ValueError(f"table has shape {rows.shape}: expected (rows, columns), at least one of each.")
    if not np.isfinite(rows).all():
        bad = np.argwhere(~np.isfinite(rows))[0] + 1
        raise ValueError(f"table is not finite in row {bad[0]}, column {bad[1]}: fill the gaps, as read_table does.")
    return rows


def generator(settings: Settings) -> torch.Generator:
    """Return the generator of random inputs."""
    return torch.Generator().manual_seed(INPUT_SEEDS + settings.seed)


def window_starts(settings: Settings, length: int) -> tuple[int, NDArray[np.int64]]:
    """Return how many steps are read of a series, and where each sample's window begins: evenly spaced."""
    steps = min(settings.sequence_length, length)
    return steps, np.linspace(0, length - steps, settings.batch_size).astype(int)


def windows(settings: Settings, series: Rows) -> Tensor:
    """Return windows ``(T, B, I)`` of a series ``(length, I)``."""
    steps, starts = window_starts(settings, len(series))
    return torch.from_numpy(series[np.arange(steps)[:, None] + starts])
