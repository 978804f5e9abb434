"""Sweeps as they are read again: from a folder, its table, or the bytes of one, with the settings that vary in it."""

from __future__ import annotations

import hashlib
import json
import types
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import pandas as pd

from lstm_explorer.core.architectures import architecture_named
from lstm_explorer.core.escape import one_line, short
from lstm_explorer.core.kinds import checks_kinds
from lstm_explorer.core.record import Field, schema
from lstm_explorer.core.settings import Settings
from lstm_explorer.core.training.options import Training
from lstm_explorer.runs.sweeps.grid import MEASURES, Grid
from lstm_explorer.runs.sweeps.store import GRID, MOST_BYTES, NO_TABLE, TABLE, Folder, read_table
from lstm_explorer.runs.sweeps.sweep import Sweep

#: Every setting that can vary, by its name.
SETTINGS: Mapping[str, Field] = types.MappingProxyType({**schema(Settings), **schema(Training)})
#: What is found in a cell, as columns of its table.
_NUMBERS = (
    "learnt_at", "loss", "score", "know_nothing", "lag", "log10_share", "log10_share_before", "log10_share_after",
    "log10_share_lower", "log10_share_upper", "largest_exponent", "seconds",
)  # fmt: skip
_TEXTS = ("quantity", "error", "cell")
_CURVES = ("loss_steps", "loss_curve")
_SHIPPED = resources.files("lstm_explorer").joinpath("data", "sweeps", "adding.parquet")


@dataclass(frozen=True, eq=False, kw_only=True)
class SweepTable:
    """What a sweep has come to so far.

    Attributes:
        frame: One row per cell and gradient, as :func:`lstm_explorer.sweep` returns it.
        measure: What is measured in every cell, a name of :data:`lstm_explorer.runs.sweeps.grid.MEASURES`; empty where
            jobs were given one by one.
        settings: What all cells have in common.
        axes: The settings that vary, each with its values.
        planned: How many cells the grid has; those that are not done are no rows yet.
        digest: What tells its content from others.
    """

    frame: pd.DataFrame
    measure: str
    settings: Mapping[str, Any]
    axes: Mapping[str, tuple[Any, ...]]
    planned: int
    digest: str

    def of_gradient(self, gradient: str) -> pd.DataFrame:
        """Return one row per cell, that of a gradient; all rows where no gradient is told from another.

        Args:
            gradient: ``"memory"``: of the state that remembers, c in the LSTM; ``"hidden"``; ``"cell_path"`` where the
                network has one, else as ``"memory"``.
        """
        frame = self.frame
        if "quantity" not in frame:
            return frame
        network = frame["architecture"] if "architecture" in frame else self.settings.get("architecture", "lstm")
        wanted = pd.Series(network, index=frame.index).map(lambda name: _quantity(name, gradient))
        return frame[(frame["quantity"] == wanted) | frame["quantity"].isna()]

    def training(self, **place: Any) -> Training:
        """Return the training of a cell.

        Args:
            **place: The values of all settings that vary.

        Raises:
            ValueError: The sweep trains nothing, or a value is not legal.
        """
        if self.measure != "training":
            raise ValueError(f"this sweep measures {self.measure or 'jobs'!r}: expected one that trains.")
        return Training(**{**self.settings, **place}).essential()


def _quantity(architecture: str, gradient: str) -> str:
    record = architecture_named(architecture)
    if gradient == "hidden":
        return gradient
    return "cell_path" if gradient == "cell_path" and len(record.states) > 1 else record.memory


@checks_kinds
def load_sweep(source: str | Path | bytes | None = None) -> SweepTable:
    """Read a sweep.

    Args:
        source: Its folder, also while it goes on or after it was killed; its table, ``sweep.parquet``; or the bytes of
            one. By default the one that is shipped: who learns the adding problem, by length, forget bias and network.

    Raises:
        OSError: It cannot be read.
        TypeError: The source is of another kind.
        ValueError: It holds no sweep, or is damaged.

    Example:
        >>> list(load_sweep().axes)
        ['architecture', 'sequence_length', 'forget_bias', 'seed']
    """
    if source is None:
        return from_bytes(_SHIPPED.read_bytes())
    if isinstance(source, bytes):
        return from_bytes(source)
    path = Path(source)
    if not path.exists():
        raise ValueError(f"there is nothing at {one_line(str(path))}: expected the folder of a sweep, or its {TABLE}.")
    if not path.is_dir():
        return from_bytes(path.read_bytes())
    table, grid = path / TABLE, path / GRID
    if grid.is_file() and not Folder(path).is_whole():
        return _from_cells(path, grid.read_bytes())
    if not table.is_file():
        raise ValueError(f"{path} holds no sweep: expected a folder that lstm-explorer sweep --out made.")
    return from_bytes(table.read_bytes())


def _from_cells(folder: Path, content: bytes) -> SweepTable:
    try:
        grid = Grid(**json.loads(content))
    except (ValueError, TypeError) as error:
        raise ValueError(f"{folder / GRID} is damaged: {error}") from error
    return _table(Sweep(grid, folder).to_frame(), grid.to_dict(), (), repr((str(folder), content)).encode())


def from_bytes(content: bytes, most_bytes: float = MOST_BYTES) -> SweepTable:
    """Return the sweep of a table.

    Args:
        content: The bytes of ``sweep.parquet``.
        most_bytes: How large its numbers may be.

    Raises:
        ValueError: It is larger, damaged, or no such table.
    """
    frame, about = read_table(content, most_bytes)
    return _table(frame, about.get("grid"), about.get("varies", ()), content)


def _table(frame: pd.DataFrame, described: Any, varies: Sequence[str], content: bytes) -> SweepTable:
    """Return a table of which every part is checked: it may come from anybody.

    Raises:
        ValueError: Something in it is not what a sweep writes.
    """
    try:
        grid = None if described is None else Grid(**described)
        axes = dict(grid.grid) | dict(grid.across) if grid else _varying(frame, varies)
        fields = MEASURES[grid.measure].fields if grid else SETTINGS
        columns = {name: _settings_of(frame, fields[name]) for name in axes}
        columns |= {name: pd.to_numeric(frame[name]) for name in _NUMBERS if name in frame and name not in columns}
        columns |= {name: frame[name] for name in _CURVES if name in frame}
        columns |= {name: frame[name].astype(object).map(_text) for name in _TEXTS if name in frame}
    except (KeyError, TypeError, AttributeError, ValueError, OverflowError) as error:
        raise ValueError(f"{NO_TABLE}: {one_line(str(error), 300)}") from error
    return SweepTable(
        frame=pd.DataFrame(columns), measure=grid.measure if grid else "", settings=grid.settings if grid else {},
        axes=types.MappingProxyType({name: tuple(values) for name, values in axes.items()}),
        planned=len(grid) if grid else frame["cell"].nunique(), digest=hashlib.sha256(content).hexdigest()[:16],
    )  # fmt: skip


def _varying(frame: pd.DataFrame, varies: Sequence[str]) -> dict[str, list[Any]]:
    """Return the settings that vary among jobs that were given one by one, with their values."""
    unknown = [name for name in varies if name not in SETTINGS]
    if unknown:
        raise ValueError(f"{short(unknown[0])} varies: expected a setting.")
    return {name: sorted(frame[name].dropna().unique()) for name in varies}


def _settings_of(frame: pd.DataFrame, field: Field) -> pd.Series[Any]:
    """Return a column of settings, each checked once."""
    values: pd.Series[Any] = frame[field.name].astype(object)
    legal = {value: field.checked(field.kind(value)) for value in values.unique()}
    return values.map(legal)


def _text(value: Any) -> str | None:
    return one_line(value, 500) if isinstance(value, str) else None
