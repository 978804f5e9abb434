"""The folder of a sweep: one Parquet file for every cell that is done, and one table of them all."""

from __future__ import annotations

import contextlib
import fcntl
import io
import json
import os
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from lstm_explorer.runs.sweeps.cell import Cell, described, key_of
from lstm_explorer.runs.sweeps.measured import Measured
from lstm_explorer.runs.training.files import versions, write_file

#: What the files are, and their version: raised when an older reader would misunderstand them.
FORMAT, FORMAT_VERSION = "lstm-explorer sweep", 1
#: The table of all cells, and what was asked for, in the folder.
TABLE, GRID = "sweep.parquet", "grid.json"
#: Most rows and columns of a table, and bytes of its numbers.
_MOST_ROWS, _MOST_COLUMNS, MOST_BYTES = 5_000_000, 100, 500_000_000
_META = "lstm-explorer"
NO_TABLE = "expected the table of a sweep, but this is none, or it is damaged"


class Folder:
    """A folder of finished cells, each in a file under its key: whatever else is in it is of other grids.

    Args:
        path: Where it is, or will be.
    """

    def __init__(self, path: Path) -> None:
        """Keep the path."""
        self.path, self.parts = path, path / "cells"

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Make the folder, and have it for oneself; whoever is killed lets go of it.

        Raises:
            OSError: It cannot be made.
            ValueError: Another sweep is at it.
        """
        self.parts.mkdir(parents=True, exist_ok=True)
        lock = os.open(self.path / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ValueError(f"another sweep is at {self.path}: expected another folder, or to wait for it.") from None
        else:
            for left_over in self.parts.glob(".*"):  # of one that was killed while it wrote
                left_over.unlink()
            yield
        finally:
            os.close(lock)

    def read(self, keys: Collection[str]) -> tuple[dict[str, Measured], list[Path]]:
        """Return the cells that are there, by their keys, and the files that are damaged.

        Args:
            keys: Which are wanted.
        """
        found: dict[str, Measured] = {}
        damaged: list[Path] = []
        for path in self.parts.glob("[!.]*.parquet"):
            if path.stem in keys:
                try:
                    found[path.stem] = _read(path)
                except (ValueError, KeyError, TypeError, AttributeError, OSError, pa.ArrowException):
                    damaged.append(path)
        return found, damaged

    def write(self, cell: Cell, found: Measured) -> None:
        """Write a cell, as a whole or not at all.

        Raises:
            OSError: It cannot be written.
        """
        ends = {"seconds": found.seconds, "error": found.error}
        about = {"cell": described(cell.job)}
        content = _to_bytes(pa.Table.from_pylist([{**row, **ends} for row in found.rows or [{}]]), about)
        write_file(self.parts / f"{cell.key}.parquet", content)
        _make_younger(self.parts, self.path / TABLE)

    def write_grid(self, grid: Mapping[str, Any]) -> None:
        """Write what was asked for: with it the cells can be read before all of them are done.

        Raises:
            OSError: It cannot be written.
        """
        write_file(self.path / GRID, json.dumps(grid, indent=1).encode())

    def write_table(self, frame: pd.DataFrame, about: Mapping[str, Any]) -> None:
        """Write the table of all cells.

        Args:
            frame: The table.
            about: What was asked for, which the file's metadata says.

        Raises:
            OSError: It cannot be written.
        """
        write_file(self.path / TABLE, _to_bytes(pa.Table.from_pandas(frame, preserve_index=False), about))
        _make_younger(self.path / TABLE, self.parts)

    def is_whole(self) -> bool:
        """Tell whether the table has all cells that are in the folder: it is written after them."""
        table = self.path / TABLE
        return table.is_file() and not (self.parts.is_dir() and _time(self.parts) > _time(table))


def _make_younger(path: Path, other: Path) -> None:
    """Let what was just written be younger than another, also where the clock was set back or has not ticked."""
    if other.exists() and _time(path) <= _time(other):
        os.utime(path, ns=(_time(other) + 1,) * 2)


def _time(path: Path) -> int:
    return path.stat().st_mtime_ns


def read_table(content: bytes, most_bytes: float = MOST_BYTES) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Return the table of a sweep, and what was asked for.

    Args:
        content: A file of :meth:`Folder.write_table`.
        most_bytes: How large its numbers may be.

    Raises:
        ValueError: It is damaged, or no such file.
    """
    try:
        _check_size(pq.read_metadata(pa.BufferReader(content)), most_bytes)
        texts = _checked_texts(pq.read_schema(pa.BufferReader(content)))
        # A long text that stands in every row takes no room in the file: it is to take none here.
        table = pq.read_table(pa.BufferReader(content), read_dictionary=texts)
        return table.to_pandas(ignore_metadata=True), _about(table)
    except (ValueError, KeyError, TypeError, AttributeError, OSError, pa.ArrowException) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise ValueError(f"{NO_TABLE}: {reason}") from error


def _check_size(about: pq.FileMetaData, most_bytes: float) -> None:
    """Refuse a table that is larger than any sweep's, before it is read.

    Raises:
        ValueError: It is.
    """
    groups = [about.row_group(group) for group in range(about.num_row_groups)]
    numbers = sum(group.column(column).num_values for group in groups for column in range(group.num_columns))
    size = max(sum(group.total_byte_size for group in groups), 8 * numbers)
    if about.num_rows > _MOST_ROWS or about.num_columns > _MOST_COLUMNS or size > most_bytes:
        raise ValueError(
            f"it has {about.num_rows:,} rows and {about.num_columns:,} columns, {size / 1e6:,.0f} MB: expected at most "
            f"{_MOST_ROWS:,}, {_MOST_COLUMNS} and {most_bytes / 1e6:,.0f} MB."
        )


def _checked_texts(schema: pa.Schema) -> list[str]:
    """Return which columns are texts.

    Raises:
        ValueError: One holds something else than numbers, lists of numbers, and texts.
    """
    texts = [field.name for field in schema if pa.types.is_string(field.type) or pa.types.is_large_string(field.type)]
    for field in schema:
        inner = field.type.value_type if pa.types.is_list(field.type) else field.type
        number = pa.types.is_integer(inner) or pa.types.is_floating(inner) or pa.types.is_boolean(inner)
        if not (number or field.name in texts or pa.types.is_null(inner)):
            raise ValueError(f"a column holds {field.type}: expected numbers, lists of numbers, and texts.")
    return texts


def _read(path: Path) -> Measured:
    table = pq.read_table(pa.BufferReader(path.read_bytes()))
    if key_of(_about(table)["cell"]) != path.stem:
        raise ValueError("it is of another cell.")
    rows = table.to_pylist()
    ends = [(row.pop("seconds"), row.pop("error")) for row in rows]
    seconds, error = ends[0]
    return Measured([row for row in rows if row], float(seconds), error)


def _to_bytes(table: pa.Table, about: Mapping[str, Any]) -> bytes:
    whole = {"format": FORMAT, "version": FORMAT_VERSION, "versions": versions(), **about}
    metadata = {**(table.schema.metadata or {}), _META: json.dumps(whole)}
    buffer = io.BytesIO()
    pq.write_table(table.replace_schema_metadata(metadata), buffer, compression="zstd")
    return buffer.getvalue()


def _about(table: pa.Table) -> dict[str, Any]:
    about: dict[str, Any] = json.loads((table.schema.metadata or {})[_META.encode()])
    if (about["format"], about["version"]) != (FORMAT, FORMAT_VERSION):
        raise ValueError("it is of another version.")
    return about
