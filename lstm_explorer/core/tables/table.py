"""The user's own CSV, made safe to read; every change to it is reported in a note."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from lstm_explorer.core.escape import one_line
from lstm_explorer.core.kinds import checks_kinds
from lstm_explorer.core.tables.header import layout
from lstm_explorer.core.tables.messages import Note, error, note
from lstm_explorer.core.tables.numbers import Read, decimal_mark, is_gap, looks_numeric, to_numbers
from lstm_explorer.core.tables.reading import ENCODINGS, TableReading
from lstm_explorer.core.tables.rows import Row, declared_separator, rows, separator_of, unwrapped
from lstm_explorer.core.tables.text import decoded

MAX_ROWS = 100_000
MAX_BYTES = 10_000_000
MAX_COLUMNS = 64
#: Cells that are looked at, and numbers that are kept: 8 MB.
MAX_CELLS = 1_000_000

#: Columns that are looked at.
_MOST_COLUMNS = 256
#: Rows more than are kept that may stand above the numbers.
_ROWS_ABOVE = 61
#: Cells of a column that tell whether it is one of numbers.
_CELLS_JUDGED = 2000
_NAMES_SHOWN, _QUOTED = 10, 40


class Table(NamedTuple):
    """Finite numbers as float64, one column per feature and one row per step; what was changed, and how it was read."""

    values: pd.DataFrame
    notes: tuple[Note, ...]
    reading: TableReading


@checks_kinds
def read_table(
    data: bytes, reading: TableReading | None = None, *, max_rows: int = MAX_ROWS, max_bytes: int = MAX_BYTES
) -> Table:
    r"""Read a CSV file, keep its columns of numbers and fill their gaps.

    Encoding, separator, decimal mark and the line of the names are found by the whole file, not by its first line. What
    can be read in two ways, such as 1,250 between semicolons, is refused: say which it is with ``reading``.

    Args:
        data: The file's bytes.
        reading: What is known of how the file is written; the rest is found.
        max_rows: Rows of values to read, from the top.
        max_bytes: A larger file is refused unread.

    Returns:
        At most 64 columns of finite numbers, at least 2 rows; a note on everything that was changed or dropped; and how
        the file was read.

    Raises:
        TypeError: The data is not bytes.
        TableError: The file is too large, empty, not text, not a table, ambiguous, without numbers, or holds infinite
            values.

    Example:
        >>> table = read_table(b"city;load\nSeoul;1,5\nBusan;\nJeju;3\n")
        >>> table.values["load"].tolist()
        [1.5, 2.25, 3.0]
        >>> [str(note) for note in table.notes][1]
        'Gaps filled by straight lines between their neighbours: 1, in load.'
        >>> read_table(b"a;b\n1,250;2,500\n3,125;4\n", TableReading(decimal="comma")).values["a"].tolist()
        [1.25, 3.125]
    """
    if not isinstance(data, bytes | bytearray | memoryview):
        raise TypeError(f"data is a {type(data).__name__}: expected bytes; open the file in binary mode.")
    if len(data) > max_bytes:
        raise error("too_large", came=len(data) / 1e6, limit=max_bytes / 1e6)
    if not bytes(data[:100_000]).strip():
        raise error("empty")
    return _read(bytes(data), reading or TableReading(), max_rows)


def _read(data: bytes, reading: TableReading, max_rows: int) -> Table:
    text, encoding = decoded(data, reading.encoding)
    notes = [] if encoding == "utf-8" else [note("encoding", encoding=ENCODINGS[encoding])]
    declared, text = declared_separator(unwrapped(text))
    separator = declared if reading.separator == "auto" else reading.separator
    separator = separator or separator_of(text)
    taken, whole = _bounded(rows(text, separator), max_rows, notes)
    found = layout(taken, reading.header_line)
    notes += found.notes
    body = found.body[:max_rows]
    if len(found.body) > max_rows or not whole:
        notes.append(note("rows_cut", rows=len(body)))
    if len(body) < 2:
        raise error("few_rows", came=len(body))
    columns = dict(zip(found.names, zip(*(row.cells for row in body), strict=True), strict=True))
    likely = [name for name, cells in columns.items() if _mostly_numbers(cells)]
    decimal = reading.decimal
    if decimal == "auto":
        decimal = decimal_mark([columns[name] for name in likely], separator=separator)
    numbers = _numbers(columns, likely, decimal, notes)
    _check_finite(numbers, body)
    said = TableReading(encoding=encoding, separator=separator, decimal=decimal, header_line=found.line)
    return Table(_filled(numbers, notes), tuple(notes), said)


def _bounded(taken: Iterator[Row], max_rows: int, notes: list[Note]) -> tuple[list[Row], bool]:
    """Return as many rows and cells as are looked at, and whether that is all."""
    bounded: list[Row] = []
    cells = widest = 0
    for row in taken:
        if len(bounded) == max_rows + _ROWS_ABOVE or cells > MAX_CELLS:
            break
        bounded.append(Row(row.line, row.cells[:_MOST_COLUMNS]) if len(row.cells) > _MOST_COLUMNS else row)
        widest = max(widest, len(row.cells))
        cells += min(len(row.cells), _MOST_COLUMNS)
    else:
        row = None
    if widest > _MOST_COLUMNS:
        notes.append(note("cells_cut", kept=_MOST_COLUMNS, count=widest))
    return bounded, row is None


def _mostly_numbers(cells: Sequence[str]) -> bool:
    """Tell whether a column is one of numbers, two thirds of what it holds here and there."""
    held = [cell for cell in cells[:: len(cells) // _CELLS_JUDGED + 1] if not is_gap(cell)]
    held = held or [cell for cell in cells if not is_gap(cell)]
    return 3 * sum(map(looks_numeric, held)) >= 2 * len(held) > 0


def _numbers(
    columns: Mapping[str, Sequence[str]], likely: Sequence[str], decimal: str, notes: list[Note]
) -> pd.DataFrame:
    """Return the columns of numbers as float64 with their gaps, without the empty and the surplus ones."""
    read = {name: to_numbers(columns[name], decimal) for name in likely}
    # With another decimal mark than the file's, as its reader may say, a column may hold none.
    kept = {name: one for name, one in read.items() if not np.isnan(one[0]).all()}
    empty = [name for name, cells in columns.items() if name not in kept and all(map(is_gap, cells))]
    text = [name for name in columns if name not in kept and name not in empty]
    if not kept:
        raise error("no_numbers", columns=_names(list(columns)))
    for code, left_out in (("columns_text", text), ("columns_empty", empty)):
        if left_out:
            notes.append(note(code, columns=_names(left_out)))
    if len(kept) > MAX_COLUMNS:
        notes.append(note("columns_cut", kept=MAX_COLUMNS, count=len(kept)))
        kept = dict(itertools.islice(kept.items(), MAX_COLUMNS))
    others = [(name, columns[name][row], cell) for name, one in kept.items() for row, cell in one[1].items()]
    notes += _notes_on_cells(others)
    return pd.DataFrame({name: one[0] for name, one in kept.items()})


def _notes_on_cells(others: Sequence[tuple[str, str, Read]]) -> list[Note]:
    """Say what was taken off numbers, and which cells are none."""
    signs = dict.fromkeys(name for name, _cell, one in others if one.signs)
    grouped = [cell for _name, cell, one in others if one.thousands]
    wrong = [(name, cell) for name, cell, one in others if one.value is None]
    notes = [note("signs", columns=_names(list(signs)))] if signs else []
    notes += [note("thousands", example=one_line(grouped[0], _QUOTED))] if grouped else []
    if wrong:
        column, cell = wrong[0]
        notes.append(note("no_number", count=len(wrong), example=one_line(cell, _QUOTED), column=column))
    return notes


def _check_finite(numbers: pd.DataFrame, body: Sequence[Row]) -> None:
    infinite = np.argwhere(np.isinf(numbers.to_numpy()))
    if len(infinite):
        row, column = infinite[0]
        raise error("infinite", line=body[row].line, column=numbers.columns[column])


def _filled(numbers: pd.DataFrame, notes: list[Note]) -> pd.DataFrame:
    gaps = numbers.isna().sum()
    if not gaps.any():
        return numbers
    notes.append(note("gaps", count=int(gaps.sum()), columns=_names(list(numbers.columns[gaps > 0]))))
    return numbers.interpolate(method="linear", limit_direction="both")


def _names(columns: Sequence[str]) -> str:
    shown = ", ".join(columns[:_NAMES_SHOWN])
    return shown if len(columns) <= _NAMES_SHOWN else f"{shown}, … (+{len(columns) - _NAMES_SHOWN})"
