"""Where the numbers of a table begin and end, and which line names its columns."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence, Set
from typing import NamedTuple

from lstm_explorer.core.escape import one_line
from lstm_explorer.core.tables.messages import Note, error, note
from lstm_explorer.core.tables.numbers import is_gap, looks_numeric, trimmed
from lstm_explorer.core.tables.reading import FIND, NO_HEADER
from lstm_explorer.core.tables.rows import Row, widest

#: Rows that the kind of a column is judged by, and rows that may stand above the numbers.
_JUDGED, _ABOVE = 400, 60
_LONGEST_NAME = 60
_COMMENT = re.compile(r"\s*(#|%|//|!)")
_UNIT = re.compile(
    r":?--+:?|=+|\[.*\]|\(.*\)|°?[CFK]|%|-|m|s|h|g|kg|t|d|min|ms|sec|mm|cm|km|m/s|km/h|m3/s|[kMG]?W|[kMG]?Wh|[mk]?V|m?A|[kM]?Hz|h?Pa|bar"
    r"|ppm|USD|EUR|KRW|€|\$|원|명|건|개"
)
_DATE = re.compile(r"\d{1,4}[-./:년]\s*\d{1,2}([-./:월].*)?")
_NUMBER, _GAP, _EMPTY, _TEXT = "number", "gap", "empty", "text"


class Layout(NamedTuple):
    """The parts of a table: names, rows of values as wide as these, the line of the names (0: none), and notes."""

    names: list[str]
    body: list[Row]
    line: int
    notes: list[Note]


def layout(taken: Sequence[Row], header_line: int = FIND) -> Layout:
    """Find the names and the values among the rows of a file.

    Args:
        taken: Its rows.
        header_line: Line of the names, 0 for none, -1 to find it: above the first row of numbers.

    Raises:
        TableError: The said line is none of the table's, or a row has more cells than there are columns.
    """
    kept = [row for row in taken if any(map(str.strip, row.cells))]
    width = widest(kept)
    lines = [row for row in kept if not _is_comment(row)] or kept
    numeric = _numeric_columns(lines, width)
    start, header = _start(lines, width, numeric), None
    if header_line == FIND:
        header = _header(lines[:start], width) or _commented(kept, width)
    elif header_line != NO_HEADER:
        header = _said(kept, header_line)
        start = max(start, sum(1 for row in lines if row.line <= header_line))
    end = _end(lines, start, numeric)
    # Rows of nothing between others are gaps; those above and below the numbers are only room.
    first, last = (lines[start].line, lines[end - 1].line) if start < end else (0, -1)
    skipped = {row.line for row in kept} - {row.line for row in lines}
    body = [row for row in taken if first <= row.line <= last and row.line not in skipped]
    notes = _notes_on_lines(taken, body, header)
    names, width = _names(header, body, width, notes)
    return Layout(names, [_fitted(row, width) for row in body], header.line if header else NO_HEADER, notes)


def _is_comment(row: Row) -> bool:
    """Tell whether a line begins with the mark of a comment, and is no row of numbers: #1 may be a name."""
    first = row.cells[0]
    return bool(_COMMENT.match(first)) and not is_gap(first) and not any(map(looks_numeric, row.cells[1:]))


def _kinds(row: Row, columns: Iterable[int]) -> set[str]:
    """Return what a row has in some columns."""
    return {_kind(row.cells[column]) for column in columns if column < len(row.cells)}


def _kind(cell: str) -> str:
    if not cell or cell.isspace():
        return _EMPTY
    return _GAP if is_gap(cell) else _NUMBER if looks_numeric(cell) else _TEXT


def _numeric_columns(lines: Sequence[Row], width: int) -> list[int]:
    """Return the columns of numbers, by the lower half of the first rows: no header reaches down there."""
    lower = lines[:_JUDGED][min(len(lines), _JUDGED) // 2 :]
    numeric = []
    for column in range(width):
        kinds = [_kind(row.cells[column]) for row in lower if column < len(row.cells)]
        numbers, texts = kinds.count(_NUMBER), kinds.count(_TEXT)
        if numbers and numbers >= 2 * texts:
            numeric.append(column)
    return numeric


def _start(lines: Sequence[Row], width: int, numeric: Sequence[int]) -> int:
    """Return the index of the first row of values: what names columns stands above, and nothing that is values."""
    start, several = 0, len(numeric) > 1
    partial = False
    for index, row in enumerate(lines[: min(_ABOVE, len(lines))]):
        kinds = _kinds(row, numeric)
        names = (_TEXT in kinds and _NUMBER not in kinds) or _counts(row, kinds)
        room = kinds <= {_EMPTY} and not _dated(row)
        if (names or room) and (not partial or (kinds == {_TEXT} and not _dated(row))):
            start = index + 1
        elif _TEXT not in kinds and not (several and (_EMPTY in kinds or len(row.cells) < width)):
            break
        else:  # values with a gap or a word in them, or what is said of a station, above the names
            partial = True
    return start if numeric else min(1, len(lines))


def _dated(row: Row) -> bool:
    """Tell whether a row is of some time: what is empty in it is a gap, at the end of a table too."""
    return any(_DATE.fullmatch(trimmed(cell)) for cell in row.cells)


def _counts(row: Row, kinds: Set[str]) -> bool:
    """Tell whether a row of numbers names columns: years or a count from 0 or 1, beside a word or nothing."""
    others = [trimmed(cell) for cell in row.cells if not looks_numeric(cell)]
    numbers = [trimmed(cell) for cell in row.cells if looks_numeric(cell)]
    if not others or len(numbers) < 2 or not all(number.isdecimal() and len(number) < 5 for number in numbers):
        return False
    first = int(numbers[0])
    counted = [int(number) for number in numbers] == list(range(first, first + len(numbers)))
    years = 1900 <= first <= 2100 and not _dated(row)
    return counted and (years or (first == 0 and others == [""]) or (_TEXT in kinds and first in (0, 1)))


def _header(above: Sequence[Row], width: int) -> Row | None:
    """Return the row that names the columns: the fullest above the numbers, the last of these that is no units."""
    filled = {row.line: sum(1 for cell in row.cells if cell.strip()) for row in above}
    fullest = [row for row in above if filled[row.line] == max(filled.values()) and 2 * len(row.cells) > width]
    named = [row for row in fullest if not all(_UNIT.fullmatch(trimmed(cell)) for cell in row.cells if cell.strip())]
    return next(reversed(named or fullest), None)


def _commented(kept: Sequence[Row], width: int) -> Row | None:
    """Return names after a comment's mark, as numpy.savetxt writes them: "# time load"."""
    bare = [_without_mark(row) for row in kept[:_ABOVE] if _is_comment(row)]
    return next((row for row in bare if len(row.cells) == width and not any(map(looks_numeric, row.cells))), None)


def _without_mark(row: Row) -> Row:
    bare = [_COMMENT.sub("", row.cells[0], count=1).strip(), *row.cells[1:]]
    return Row(row.line, bare if bare[0] else bare[1:])


def _said(kept: Sequence[Row], header_line: int) -> Row:
    """Return the row that is said to name the columns."""
    row = next((row for row in kept[:-1] if row.line == header_line), None)
    if row is None:
        raise error("no_such_line", line=header_line)
    return _without_mark(row) if _is_comment(row) else row


def _end(lines: Sequence[Row], start: int, numeric: Sequence[int]) -> int:
    """Return the index behind the last row that holds a number: sums of nothing, sources and bare marks follow it."""
    end = len(lines)
    while numeric and end > start:
        kinds = _kinds(lines[end - 1], numeric)
        if kinds & {_NUMBER, _GAP} or (_TEXT not in kinds and _dated(lines[end - 1])):
            break
        end -= 1
    return end


def _notes_on_lines(taken: Sequence[Row], body: Sequence[Row], header: Row | None) -> list[Note]:
    """Say which lines are in the table neither as names nor as values."""
    if not body:
        return []
    notes = [] if header else [note("no_header")]
    inside = {row.line for row in body} | ({header.line} if header else set())
    left_out = [row.line for row in taken if row.line <= body[-1].line and row.line not in inside]
    below = [row.line for row in taken if row.line > body[-1].line]
    if left_out:
        notes.append(note("lines", lines=", ".join(map(str, left_out[:10])) + (", …" if len(left_out) > 10 else "")))
    if below:
        notes.append(note("lines_below", count=len(below), line=below[0]))
    return notes


def _names(header: Row | None, body: Sequence[Row], width: int, notes: list[Note]) -> tuple[list[str], int]:
    """Return one name for each column, every name once, and how many columns there are."""
    given = [one_line(trimmed(cell), _LONGEST_NAME) for cell in header.cells] if header else []
    while given and not given[-1] and len(given) > width:
        given.pop()
    filled = max((_filled_width(row) for row in body[:_JUDGED]), default=width)
    if header and len(given) == width - 1 and filled == width and all(given):
        notes.append(note("no_name", line=header.line))
        given = ["", *given]
    width = max(width, len(given))
    given += [""] * (width - len(given))
    names: dict[str, None] = {}
    for index, name in enumerate(given):
        name = name or f"column {index + 1}"
        again = (f"{name} ({n})" for n in range(2, width + 2))
        names[name if name not in names else next(one for one in again if one not in names)] = None
    return list(names), width


def _filled_width(row: Row) -> int:
    return max((index + 1 for index, cell in enumerate(row.cells) if cell.strip()), default=0)


def _fitted(row: Row, width: int) -> Row:
    """Return a row as wide as the table; what is beyond it must be empty."""
    if len(row.cells) == width:
        return row
    if (came := _filled_width(row)) > width:
        raise error("ragged", line=row.line, came=came, expected=width)
    return Row(row.line, (row.cells + [""] * width)[:width])
