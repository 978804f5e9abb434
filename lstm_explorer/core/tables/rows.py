"""Lines and cells of a text, and what stands between the cells."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from lstm_explorer.core.tables.messages import error
from lstm_explorer.core.tables.numbers import is_gap, looks_numeric
from lstm_explorer.core.tables.reading import SEPARATORS

#: A wider line is not one of a time series.
MOST_CELLS_IN_A_ROW = 4096
#: Of separators in one line, those inside quotation marks too.
_MOST_MARKS = 16 * MOST_CELLS_IN_A_ROW
#: Characters that a separator is judged by, at the beginning of a text; half as many at its end.
_LOOKED_AT = 60_000
#: Excel's own first line, which says what stands between cells.
_DECLARED = re.compile(r'"?sep=(.)"?\n', re.IGNORECASE)
_WRAPPED = re.compile(r'"[^"]*"')
#: Characters that are rarely part of a cell, where they are not between cells.
_HARD = frozenset(";\t|")


class Row(NamedTuple):
    """The cells of a line that is not blank, and its number, from 1."""

    line: int
    cells: list[str]


def declared_separator(text: str) -> tuple[str | None, str]:
    r"""Return the separator that Excel's line ``sep=;`` declares, and the text with that line emptied.

    Example:
        >>> declared_separator("sep=;\na;b\n")
        ('semicolon', '\na;b\n')
    """
    found = _DECLARED.match(text)
    known = {character: name for name, character in SEPARATORS.items()}
    return (known.get(found.group(1)), text[found.end() - 1 :]) if found else (None, text)


def unwrapped(text: str) -> str:
    r"""Return a text without the quotation marks around its lines, where every line is one quoted cell.

    Example:
        >>> unwrapped('"a,b"\n"1,2"\n')
        'a,b\n1,2\n'
    """
    wrapped = all(_WRAPPED.fullmatch(line) for line in _lines(text) if line.strip())
    return text.replace('"', "") if wrapped else text


def _lines(text: str) -> Iterator[str]:
    """Yield the lines of a text one by one: all at once would take up to fifty times as much memory as the text."""
    start = 0
    while (stop := text.find("\n", start)) >= 0:
        yield text[start:stop]
        start = stop + 1
    yield text[start:]


def rows(text: str, separator: str) -> Iterator[Row]:
    r"""Yield the lines of a text that are not blank, as cells.

    Args:
        text: With ``\n`` at the end of lines.
        separator: A name of :data:`~lstm_explorer.core.tables.reading.SEPARATORS` but ``"auto"``.

    Raises:
        TableError: A quotation mark is never closed, or a line has too many cells.
    """
    if separator == "none":
        lines = enumerate(_lines(text), start=1)
        yield from (Row(number, [line.strip().strip('"')]) for number, line in lines if line.strip())
        return
    reader = csv.reader(_narrow(text, separator), delimiter=SEPARATORS[separator])
    begins, cells = 1, []
    try:
        for cells in reader:
            if len(cells) > MOST_CELLS_IN_A_ROW:
                raise error("too_wide", line=begins, came=len(cells), limit=MOST_CELLS_IN_A_ROW)
            if len(cells) > 1 or (cells and cells[0].strip()):
                yield Row(begins, cells)
            begins = reader.line_num + 1
    except csv.Error as reason:
        raise error("malformed", reason=str(reason)) from reason
    if any("\n" in cell for cell in cells) and text.count('"') % 2:
        raise error("malformed", reason=f"line {begins - 1}")


def _narrow(text: str, separator: str) -> Iterator[str]:
    """Yield lines with their ends; one is refused before its millions of cells are made."""
    mark = SEPARATORS[separator]
    for number, line in enumerate(_lines(text), start=1):
        if len(line) > _MOST_MARKS and (came := line.count(mark)) > _MOST_MARKS:
            raise error("too_wide", line=number, came=came + 1, limit=MOST_CELLS_IN_A_ROW)
        yield (" ".join(line.split()) if separator == "space" else line) + "\n"


def separator_of(text: str) -> str:
    """Return the name of what stands between the cells of a text.

    Each is tried on the whole of many lines: most of them should then have as many cells as the others, and cells
    without another separator inside.

    Raises:
        TableError: Every line may be one number or two.
    """
    sample = _sample(text)
    scores = {name: _score(sample, name) for name in SEPARATORS if name != "none"}
    best = max(scores, key=lambda name: scores[name])
    if not scores[best]:
        # Not even this parts anything: say what is wrong with the lines as such.
        return "comma" if _broken(sample) else "none"
    return best if best not in ("comma", "space") else _one_column_or(best, sample)


def _sample(text: str) -> str:
    """Return the beginning and the end of a text, in whole lines that are not blank."""
    head, tail = text[:_LOOKED_AT], ""
    if len(text) > _LOOKED_AT:
        head = head.rpartition("\n")[0] or head
        tail = text[max(len(head), len(text) - _LOOKED_AT // 2) :].partition("\n")[2]
    return "\n".join(line for line in f"{head}\n{tail}".split("\n") if line.strip())


def _taken(sample: str, name: str) -> list[Row]:
    """Return the rows of a sample up to where they are no table."""
    taken: list[Row] = []
    try:
        taken.extend(rows(sample, name))
    except ValueError:
        return []
    return taken


def _broken(sample: str) -> bool:
    return not _taken(sample, "comma")


def _score(sample: str, name: str) -> float:
    """Return how well a separator explains a sample, 0 to 1."""
    taken = _taken(sample, name)
    widths = Counter(len(row.cells) for row in taken)
    wide = [(count, width) for width, count in widths.items() if width > 1]
    if not wide:
        return 0.0
    count, width = max(wide)
    cells = [cell for row in taken if len(row.cells) == width for cell in row.cells]
    foreign = (_HARD | {","} if name == "space" else _HARD) - {SEPARATORS[name]}
    numeric = sum(map(looks_numeric, cells))
    clean = sum(1 for cell in cells if not foreign & set(cell) or (name == "space" and looks_numeric(cell)))
    score = count / len(taken) * clean / len(cells) * (0.5 + 0.5 * numeric / len(cells))
    # Words have spaces between them too: here most cells must be numbers, and most lines alike.
    return score if name != "space" or (numeric >= 0.3 * len(cells) and count > 0.6 * len(taken)) else 0.0


def _one_column_or(name: str, sample: str) -> str:
    """Return ``"none"`` where every line is a number such as 1,5, and refuse to guess where it may be two."""
    first, *body = _taken(sample, name)
    lines = [line for line in sample.split("\n")[1:] if not is_gap(line)]
    if not body or not all(map(looks_numeric, lines)):
        return name
    if any(len(row.cells) == 1 and not is_gap(row.cells[0]) for row in body):
        return "none"
    if len(first.cells) == 1 and not looks_numeric(first.cells[0]):
        raise error("which_separator", example=lines[0].strip()[:40])
    return name


def widest(taken: Sequence[Row]) -> int:
    """Return how many cells most rows have."""
    widths = Counter(len(row.cells) for row in taken if len(row.cells) > 1) or Counter([1])
    return max(widths, key=lambda width: (widths[width], width))
