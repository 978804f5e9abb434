"""How a file of numbers is written: what its reader may say of it, and what was understood."""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from lstm_explorer.core.record import Record, choice, number
from lstm_explorer.locales import N_

#: Python's name of an encoding -> what people call it.
ENCODINGS: Mapping[str, str] = types.MappingProxyType(
    {
        "utf-8": "UTF-8",
        "utf-16": "UTF-16",
        "cp949": N_("Korean (CP949)"),
        "cp932": N_("Japanese (Shift JIS)"),
        "gb18030": N_("Chinese (GB 18030)"),
        "big5hkscs": N_("Chinese, traditional (Big5)"),
        "cp1252": N_("Western European (Windows-1252)"),
        "cp1250": N_("Central European (Windows-1250)"),
        "cp1251": N_("Cyrillic (Windows-1251)"),
        "koi8-r": N_("Cyrillic (KOI8-R)"),
        "cp1253": N_("Greek (Windows-1253)"),
        "cp1254": N_("Turkish (Windows-1254)"),
        "cp1255": N_("Hebrew (Windows-1255)"),
        "cp1256": N_("Arabic (Windows-1256)"),
    }
)
#: Name of a separator -> the character between cells; empty where each line is one cell.
SEPARATORS: Mapping[str, str] = types.MappingProxyType(
    {"tab": "\t", "semicolon": ";", "pipe": "|", "comma": ",", "space": " ", "none": ""}
)
#: Name of a decimal mark -> the character.
DECIMALS: Mapping[str, str] = types.MappingProxyType({"point": ".", "comma": ","})

#: What is said of a choice.
SEPARATOR_WORDS: Mapping[str, str] = types.MappingProxyType(
    {
        "tab": N_("tab between columns"),
        "semicolon": N_("; between columns"),
        "pipe": N_("| between columns"),
        "comma": N_("commas between columns"),
        "space": N_("spaces between columns"),
        "none": N_("one column"),
    }
)
DECIMAL_WORDS: Mapping[str, str] = types.MappingProxyType({"point": N_("decimal point"), "comma": N_("decimal comma")})
#: Header lines of a reading that are no number of a line.
FIND, NO_HEADER = -1, 0


@dataclass(frozen=True, kw_only=True)
class TableReading(Record):
    """How a file of numbers is written; what is not said is found out.

    Args:
        encoding: Of its characters; ``"auto"`` finds it.
        separator: What stands between the cells of a line; ``"auto"`` finds it.
        decimal: The decimal mark, ``"point"`` or ``"comma"``; ``"auto"`` finds it.
        header_line: The line that names the columns, counted from 1; 0 where none does, -1 finds it.

    Raises:
        TypeError: A value is of another type.
        ValueError: A value is none of the choices.
    """

    encoding: str = choice("auto", ("auto", *ENCODINGS))
    separator: str = choice("auto", ("auto", *SEPARATORS))
    decimal: str = choice("auto", ("auto", *DECIMALS))
    header_line: int = number(FIND, FIND, 10_000)


def understood(reading: TableReading, translate: Callable[[str], str] = str) -> str:
    """Say how a file was read, in half a sentence.

    Args:
        reading: Of a table that was read: nothing in it is left to be found.
        translate: Of the words.

    Example:
        >>> understood(TableReading(encoding="utf-8", separator="semicolon", decimal="comma", header_line=3))
        'UTF-8, ; between columns, decimal comma, names in line 3'
    """
    header = N_("names in line {line}") if reading.header_line > NO_HEADER else N_("no names")
    words = [ENCODINGS[reading.encoding], SEPARATOR_WORDS[reading.separator], DECIMAL_WORDS[reading.decimal], header]
    return ", ".join(translate(word).format(line=reading.header_line) for word in words)
