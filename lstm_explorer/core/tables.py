"""The user's own CSV, made safe to read; every change to it is reported in a note."""

from __future__ import annotations

import csv
import io
import itertools
import re
import types
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from lstm_explorer.core.errors import ExplainedError
from lstm_explorer.locales import N_

#: Sentences of notes and errors, by code; translate these, then fill in the fields.
MESSAGES: Mapping[str, str] = types.MappingProxyType(
    {
        "encoding": N_("The file is not UTF-8 and was read as {encoding}."),
        "no_header": N_("The first row is numbers, so the columns were named column 1, column 2, and so on."),
        "rows_cut": N_("Only the first {rows} rows were read."),
        "columns_text": N_("Columns that are not numbers were left out: {columns}."),
        "columns_empty": N_("Columns with no values were left out: {columns}."),
        "columns_cut": N_("Only the first {kept} of {count} columns of numbers were kept."),
        "gaps": N_("Gaps filled by straight lines between their neighbours: {count}, in {columns}."),
        "too_large": N_("The file has {came:.1f} MB: expected at most {limit:.1f} MB; cut it into smaller files."),
        "empty": N_("The file is empty: expected column names and at least 2 rows of numbers; choose another file."),
        "binary": N_("The file is not text: expected a CSV; save the table as CSV in UTF-8 and choose that file."),
        "undecodable": N_("The file's characters cannot be read as {encodings}: save it as CSV in UTF-8."),
        "too_wide": N_("The first row has {came} cells: expected at most {limit}; leave columns out."),
        "ragged": N_("Line {line} has {came} cells: expected {expected}, as in the lines above it; correct that line."),
        "malformed": N_("The file is not a table ({reason}): expected rows of cells; look for an open quotation mark."),
        "few_rows": N_("Rows of values in the file: {came}. Expected at least 2; add rows."),
        "no_numbers": N_(
            "None of the columns holds numbers ({columns}): expected at least one; use a point for decimals."
        ),
        "infinite": N_("Row {row} below the names is infinite in column {column}: expected a number; leave it empty."),
    }
)

MAX_ROWS = 100_000
MAX_BYTES = 50_000_000
MAX_COLUMNS = 64

# pandas spends time and memory by the column, whatever is in it; a file this wide is not a time series.
_MAX_CELLS_IN_A_ROW = 4096
_ENCODINGS = types.MappingProxyType({"utf-8-sig": "UTF-8", "cp949": "CP949", "cp1252": "CP1252"})
_LINES_SNIFFED = 50
_DELIMITERS = (",", ";", "\t")
_NAMES_SHOWN = 10


class Note(NamedTuple):
    """A sentence with fields: ``message`` is a template of :data:`MESSAGES`, ``values`` fills it; ``str()`` does."""

    message: str
    values: Mapping[str, Any]

    def __str__(self) -> str:
        """Return the sentence in English."""
        return self.message.format(**self.values)


class TableError(ExplainedError):
    """The reason why a file cannot be read as a table; ``template`` and ``values`` are those of a :class:`Note`."""


class Table(NamedTuple):
    """Finite numbers as float64, one column per feature and one row per step, and notes on what was changed."""

    values: pd.DataFrame
    notes: tuple[Note, ...]


def read_table(data: bytes, *, max_rows: int = MAX_ROWS, max_bytes: int = MAX_BYTES) -> Table:
    r"""Read a CSV file, keep its columns of numbers and fill their gaps.

    Comma, semicolon and tab are told apart by the first row, decimal commas by the rows below it. Text is UTF-8, or
    else Korean (CP949), or else Western European (CP1252).

    Args:
        data: The file's bytes.
        max_rows: Rows of values to read, from the top.
        max_bytes: A larger file is refused unread.

    Returns:
        At most 64 columns of finite numbers, at least 2 rows; and a note on everything that was changed or dropped.

    Raises:
        TypeError: The data is not bytes.
        TableError: The file is too large, empty, not text, not a table, without numbers, or holds infinite values.

    Example:
        >>> table = read_table(b"city,load\nSeoul,1\nBusan,\nJeju,3\n")
        >>> table.values["load"].tolist()
        [1.0, 2.0, 3.0]
        >>> [str(note) for note in table.notes][1]
        'Gaps filled by straight lines between their neighbours: 1, in load.'
    """
    if not isinstance(data, bytes | bytearray | memoryview):
        raise TypeError(f"data is a {type(data).__name__}: expected bytes; open the file in binary mode.")
    notes: list[Note] = []
    frame = _parsed(_checked_bytes(bytes(data), max_bytes), max_rows, notes)
    if len(frame) < 2:
        raise _error("few_rows", came=len(frame))
    numbers = _numeric_columns(frame, notes)
    _check_finite(numbers)
    return Table(_filled(numbers, notes), tuple(notes))


def _note(code: str, **values: Any) -> Note:
    return Note(MESSAGES[code], values)


def _error(code: str, **values: Any) -> TableError:
    return TableError(MESSAGES[code], values)


def _checked_bytes(data: bytes, max_bytes: int) -> bytes:
    if len(data) > max_bytes:
        raise _error("too_large", came=len(data) / 1e6, limit=max_bytes / 1e6)
    if not data.strip():
        raise _error("empty")
    # A text file holds no control characters but tabs and line ends; archives, pictures and spreadsheets all do.
    if re.search(rb"[\x00-\x08\x0e-\x1f]", data):
        raise _error("binary")
    return data


def _parsed(data: bytes, max_rows: int, notes: list[Note]) -> pd.DataFrame:
    """Return the first rows as pandas reads them."""
    encoding, sample = _decoded(data)
    if encoding != "utf-8-sig":
        notes.append(_note("encoding", encoding=_ENCODINGS[encoding]))
    delimiter = max(_DELIMITERS, key=sample[0].count)
    cells = _first_cells(sample, delimiter)
    decimal = _decimal(delimiter, sample)
    names = None
    if all(_is_number(cell.replace(decimal, ".")) for cell in cells):
        names = [f"column {n + 1}" for n in range(len(cells))]
        notes.append(_note("no_header"))
    # One row more than is kept, to know whether there are more; nrows keeps a file of a million rows fast.
    how = {"sep": delimiter, "decimal": decimal, "names": names, "header": None if names else 0, "nrows": max_rows + 1}
    frame = _read_csv(data, {**how, "encoding": encoding})
    if len(frame) > max_rows:
        notes.append(_note("rows_cut", rows=max_rows))
    return frame.head(max_rows)


def _read_csv(data: bytes, how: Mapping[str, Any]) -> pd.DataFrame:
    try:
        return pd.read_csv(io.BytesIO(data), skipinitialspace=True, **how)
    except pd.errors.ParserError as error:
        ragged = re.search(r"Expected (\d+) fields in line (\d+), saw (\d+)", str(error))
        if ragged:
            expected, line, came = map(int, ragged.groups())
            raise _error("ragged", line=line, came=came, expected=expected) from error
        raise _error("malformed", reason=str(error).strip()) from error


def _decoded(data: bytes) -> tuple[str, list[str]]:
    """Return the first encoding that fits the whole file, and the file's first lines that are not blank."""
    for encoding in _ENCODINGS:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        lines = (line.group() for line in re.finditer(r"[^\r\n]+", text))
        sample = list(itertools.islice(filter(str.strip, lines), _LINES_SNIFFED))
        if not sample:  # spaces that are none in bytes, such as the no-break space
            raise _error("empty")
        return encoding, sample
    raise _error("undecodable", encodings=", ".join(_ENCODINGS.values()))


def _first_cells(sample: Sequence[str], delimiter: str) -> list[str]:
    """Return the cells of the first row, after looking at the second."""
    try:
        first, *second = itertools.islice(csv.reader(sample, delimiter=delimiter), 2)
    except csv.Error as error:
        raise _error("malformed", reason=str(error)) from error
    if len(first) > _MAX_CELLS_IN_A_ROW:
        raise _error("too_wide", came=len(first), limit=_MAX_CELLS_IN_A_ROW)
    # pandas would take the surplus cells for row labels and shift every column without a word.
    if second and len(second[0]) > len(first):
        raise _error("ragged", line=2, came=len(second[0]), expected=len(first))
    return first


def _decimal(delimiter: str, sample: Sequence[str]) -> str:
    """Return the decimal mark: a comma where cells are parted otherwise and only commas stand between digits."""
    body = "\n".join(sample)
    commas = delimiter != "," and re.search(r"\d,\d", body) and not re.search(r"\d\.\d", body)
    return "," if commas else "."


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _numeric_columns(frame: pd.DataFrame, notes: list[Note]) -> pd.DataFrame:
    """Return the columns of numbers as float64, without the empty and the surplus ones."""
    numbers = frame.select_dtypes("number")
    text = frame.columns.difference(numbers.columns, sort=False)
    empty = numbers.columns[numbers.isna().all()]
    kept = numbers.columns.difference(empty, sort=False)
    if not len(kept):
        raise _error("no_numbers", columns=_names(frame.columns))
    for code, left_out in (("columns_text", text), ("columns_empty", empty)):
        if len(left_out):
            notes.append(_note(code, columns=_names(left_out)))
    if len(kept) > MAX_COLUMNS:
        notes.append(_note("columns_cut", kept=MAX_COLUMNS, count=len(kept)))
    return numbers[kept[:MAX_COLUMNS]].astype(np.float64)


def _check_finite(numbers: pd.DataFrame) -> None:
    infinite = np.argwhere(np.isinf(numbers.to_numpy()))
    if len(infinite):
        row, column = infinite[0]
        raise _error("infinite", row=int(row) + 1, column=numbers.columns[column])


def _filled(numbers: pd.DataFrame, notes: list[Note]) -> pd.DataFrame:
    gaps = numbers.isna().sum()
    if not gaps.any():
        return numbers
    notes.append(_note("gaps", count=int(gaps.sum()), columns=_names(numbers.columns[gaps > 0])))
    return numbers.interpolate(method="linear", limit_direction="both")


def _names(columns: Sequence[Any] | pd.Index) -> str:
    shown = ", ".join(map(str, columns[:_NAMES_SHOWN]))
    return shown if len(columns) <= _NAMES_SHOWN else f"{shown}, … (+{len(columns) - _NAMES_SHOWN})"
