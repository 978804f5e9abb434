"""Numbers as people write them: decimal points and commas, marks between thousands, gaps, signs of money."""

from __future__ import annotations

import math
import re
import types
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lstm_explorer.core.tables.messages import error
from lstm_explorer.core.tables.reading import DECIMALS

_GAPS = """
- -- – — ? ?? . .. ... … * / na n/a #n/a #na <na> n.a. n.a k.a. nan -nan 1.#qnan null nil none nd n.d. missing unknown
#value! #div/0! #ref! #name? #num! #nv #wert! 결측 없음 해당없음 欠損 無 无 缺失 нет н/д
"""
#: What stands for no number, in small letters.
GAPS = frozenset(["", *_GAPS.split()])
_SIGNS = "%‰$€£¥₩￦元円원₽₹"
#: By far the most numbers: no marks but one.
_PLAIN = re.compile(r"-?\d+(?:[.,]\d+)?")
#: Without any of these no cell is a number: most cells of words are known by it, in a tenth of the time.
_TELLING = re.compile(r"\d|inf|∞", re.IGNORECASE)
#: Numbers that may be of thousands or have three decimals.
_EITHER = re.compile(r"[+-]?[1-9]\d{0,2}[.,]\d{3}")
#: More characters are no number.
_LONGEST = 64
_SIGN_OF_MONEY = re.compile(rf"^([+-])[{_SIGNS}]\s*")
#: Day and month, 01.02, which would pass for a number with a decimal point.
_DAY = re.compile(r"(?:0[1-9]|[12]\d|3[01])\.(?:0[1-9]|1[0-2])")
#: A mark between thousands that no decimal mark can be mistaken for.
_QUIET = " \u00a0\u2009\u202f'’"
# Thousands in threes; with commas also as in India, 1,00,000.
_GROUPED = (
    r"[1-9]\d{{0,2}}(?:(?P<mark>[{marks}])\d{{3}})(?:(?P=mark)\d{{3}})*"
    r"|\d{{1,2}}(?:{indian}\d{{2}})+{indian}\d{{3}}"
)
_WHOLE = r"[+-]?(?=[^eE]*\d)(?:{grouped}|\d*)(?:{decimal}\d*)?(?:[eE][+-]?\d+)?"
_INFINITE = re.compile(r"[+-]?(?:inf|infinity|∞)", re.IGNORECASE)


def _pattern(decimal: str) -> re.Pattern[str]:
    other = "," if decimal == "." else "."
    grouped = _GROUPED.format(marks=other + _QUIET, indian=re.escape(other))
    return re.compile(_WHOLE.format(decimal=re.escape(decimal), grouped=grouped))


#: Name of a decimal mark -> a number written with it.
_NUMBER: Mapping[str, re.Pattern[str]] = types.MappingProxyType({n: _pattern(mark) for n, mark in DECIMALS.items()})
_MARKS: Mapping[str, dict[int, int | None]] = types.MappingProxyType(
    {
        "point": str.maketrans("", "", "," + _QUIET),
        "comma": str.maketrans(",", ".", "." + _QUIET),
    }
)


class Read(NamedTuple):
    """A cell as a number: NaN for a gap, None where it is neither; and whether something was taken off it."""

    value: float | None
    signs: bool = False
    thousands: bool = False


def trimmed(cell: str) -> str:
    """Return a cell without the space and the single quotation marks around it.

    Example:
        >>> trimmed(" '−5' ")
        '-5'
    """
    text = cell.strip()
    if len(text) > 1 and text[0] == text[-1] == "'":
        text = text[1:-1].strip()
    return text.replace("−", "-")


def is_gap(cell: str) -> bool:
    """Tell whether a cell stands for no number."""
    return not cell or cell.isspace() or (len(cell) < 12 and trimmed(cell).lower() in GAPS)


def looks_numeric(cell: str) -> bool:
    """Tell whether a cell is a number with one of the decimal marks.

    Example:
        >>> [looks_numeric(cell) for cell in ("1.250,5", "€ 3", "01.02.2020", "12:30", "x")]
        [True, True, False, False, False]
    """
    if _PLAIN.fullmatch(cell):
        return True
    if not _TELLING.search(cell):
        return False
    return not is_gap(cell) and any(read(cell, name).value is not None for name in DECIMALS)


def read(cell: str, decimal: str) -> Read:
    """Read a cell.

    Args:
        cell: As it stands in the file.
        decimal: ``"point"`` or ``"comma"``.

    Example:
        >>> read("1.250,5 €", "comma")
        Read(value=1250.5, signs=True, thousands=True)
    """
    if is_gap(cell):
        return Read(math.nan)
    if len(cell) > _LONGEST:
        return Read(None)
    text = trimmed(cell)
    bare = re.sub(r"^([+-]?)\s+", r"\1", text.strip(_SIGNS + " \u00a0\u202f"))
    bare = _SIGN_OF_MONEY.sub(r"\1", bare)
    if _NUMBER[decimal].fullmatch(bare):
        plain = bare.translate(_MARKS[decimal])
        return Read(float(plain), bare != text, len(plain) < len(bare))
    if _INFINITE.fullmatch(bare):
        return Read(-math.inf if bare.startswith("-") else math.inf)
    return Read(None)


def decimal_mark(columns: Iterable[Sequence[str]], *, separator: str) -> str:
    """Return the decimal mark of a whole file.

    A number such as 1,5 or 1,250.5 or 0,125 says which it is; 1,250 does not.

    Args:
        columns: The cells of its columns of numbers.
        separator: What stands between cells: where it is a comma, the decimal mark is none.

    Raises:
        TableError: Nothing in the file says which, or it says both.

    Example:
        >>> decimal_mark([["1.250", "0,5"]], separator="semicolon")
        'comma'
    """
    only: dict[str, str] = {}
    either: dict[str, str] = {}
    of_numbers = [column for column in columns if not _days(column)]
    for mark, name in ((".", "point"), (",", "comma")):
        for cell in (cell for column in of_numbers for cell in column if mark in cell):
            if _EITHER.fullmatch(cell):
                either.setdefault(mark, cell)
                continue
            readable = [name for name in DECIMALS if read(cell, name).value is not None and not is_gap(cell)]
            if len(readable) == 1:
                only.setdefault(readable[0], cell.strip())
            elif readable:
                either.setdefault(mark, cell.strip())
            if name in only:
                break  # one is as good as all
    if len(only) == 1:
        return next(iter(only))
    if len(only) == 2:
        if separator == "comma":
            return "point"
        raise error("two_decimals", **{name: example[:40] for name, example in only.items()})
    asked = either.get(",") if separator != "comma" else None
    # 1.250 is a decimal point to every program; only where cells are parted as in Germany may it be something else.
    asked = asked or (either.get(".") if separator == "semicolon" or len(either) == 2 else None)
    if asked:
        values = {name: read(asked, name).value for name in DECIMALS}
        whole, fraction = sorted(map(float, filter(None, values.values())), key=abs, reverse=True)
        raise error("which_decimal", example=asked[:40], thousands=f"{whole:.15g}", decimals=f"{fraction:.15g}")
    return "point"


def _days(column: Sequence[str]) -> bool:
    """Tell whether a column holds days of some months, all of them with a point: 01.02 beside 13.12."""
    held = (trimmed(cell) for cell in column if not is_gap(cell))
    return len(set(column)) > 1 and all(map(_DAY.fullmatch, held))


def to_numbers(cells: Sequence[str], decimal: str) -> tuple[NDArray[np.float64], dict[int, Read]]:
    """Read a column.

    Args:
        cells: As they stand in the file.
        decimal: ``"point"`` or ``"comma"``.

    Returns:
        The numbers ``(rows,)``, NaN where there is none; and by row, what is neither plain nor empty.

    Example:
        >>> to_numbers(["1,5", "", "x"], "comma")
        (array([1.5, nan, nan]), {2: Read(value=None, signs=False, thousands=False)})
    """
    plain = [cell if _PLAIN.fullmatch(cell) else "" for cell in cells]
    if decimal == "comma":
        plain = "\n".join(plain).replace(".", "x").replace(",", ".").split("\n")
    numbers = pd.to_numeric(pd.Series(plain, dtype=object), errors="coerce").to_numpy(np.float64, copy=True)
    others = {row: read(cells[row], decimal) for row in np.flatnonzero(np.isnan(numbers)).tolist() if cells[row]}
    for row, one in others.items():
        numbers[row] = math.nan if one.value is None else one.value
    return numbers, others
