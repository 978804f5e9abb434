"""The sweeps that the app offers: the one shipped with it, and those in the folder that this machine names.

``lstm-explorer sweep lstm_explorer/data/sweeps/adding.toml --out FOLDER`` makes the shipped one anew; its table is
``FOLDER/sweep.parquet``.
"""

from __future__ import annotations

import functools
import os
from pathlib import Path

from lstm_explorer.core.errors import ExplainedError, Reason, reason_of
from lstm_explorer.core.escape import one_line
from lstm_explorer.locales import N_
from lstm_explorer.runs.sweeps.store import GRID, TABLE
from lstm_explorer.runs.sweeps.table import SweepTable, load_sweep

#: The environment variable that names a folder of sweeps, each a folder of its own.
VARIABLE = "LSTM_EXPLORER_SWEEPS"
#: Name of the shipped one.
SHIPPED = "adding"
#: Folders that are offered.
_MOST = 200


def names() -> list[str]:
    """Return the names of the sweeps, the shipped one first."""
    return [SHIPPED, *_folders()]


def find(name: str) -> SweepTable:
    """Return a sweep by its name; of one that goes on, what is done by now.

    Raises:
        ExplainedError: There is none of that name, or it cannot be read.
    """
    folder = _folders().get(name)
    if name != SHIPPED and folder is None:
        raise ExplainedError(N_("There is no sweep {name} on this machine."), {"name": one_line(name)})
    try:
        return shipped() if folder is None else _read(folder, _stamp(folder))
    except (OSError, ValueError) as error:
        message = N_("The sweep {name} cannot be read: {reason}")
        reason = Reason(one_line(reason_of(error), 300))
        raise ExplainedError(message, {"name": one_line(name), "reason": reason}) from error


@functools.cache
def shipped() -> SweepTable:
    """Return the sweep that is shipped: who learns the adding problem, by length, forget bias and network."""
    return load_sweep()


def _folders() -> dict[str, Path]:
    """Return the folders of sweeps by their names."""
    named = os.environ.get(VARIABLE)
    if not named or not Path(named).is_dir():
        return {}
    found = sorted(path for path in Path(named).iterdir() if (path / TABLE).is_file() or (path / GRID).is_file())
    return {path.name: path for path in found[:_MOST] if path.name != SHIPPED}


def _stamp(folder: Path) -> tuple[int, ...]:
    """Return what changes when more of a sweep is done."""
    parts = (folder / TABLE, folder / GRID, folder / "cells")
    return tuple(part.stat().st_mtime_ns if part.exists() else 0 for part in parts)


@functools.lru_cache(maxsize=4)
def _read(folder: Path, _stamp: tuple[int, ...]) -> SweepTable:
    return load_sweep(folder)
