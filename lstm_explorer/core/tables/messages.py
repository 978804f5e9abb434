"""What is said of a file: notes on what was changed, and reasons why it cannot be read."""

from __future__ import annotations

import types
from collections.abc import Mapping
from typing import Any, NamedTuple

from lstm_explorer.core.errors import ExplainedError
from lstm_explorer.locales import N_

#: Sentences of notes and errors, by code; translate these, then fill in the fields.
MESSAGES: Mapping[str, str] = types.MappingProxyType(
    {
        "encoding": N_(
            "The file is not UTF-8 and was read as {encoding}. Where names look wrong, choose another encoding."
        ),
        "no_header": N_("No line names the columns, so they were named column 1, column 2, and so on."),
        "no_name": N_("The first column has no name: line {line} has one name less than there are columns."),
        "lines": N_("Lines that hold no values and were left out: {lines}."),
        "lines_below": N_("Lines at the end that hold no values and were left out: {count}, from line {line} on."),
        "signs": N_("Signs of money and % were left out of the numbers in {columns}."),
        "thousands": N_("Marks between thousands, as in {example}, were left out."),
        "rows_cut": N_("Only the first {rows} rows were read."),
        "columns_text": N_("Columns that are not numbers were left out: {columns}."),
        "columns_empty": N_("Columns with no values were left out: {columns}."),
        "columns_cut": N_("Only the first {kept} of {count} columns of numbers were kept."),
        "cells_cut": N_("Only the first {kept} of {count} columns were looked at."),
        "no_number": N_("Cells that are no numbers count as gaps: {count}, such as {example} in {column}."),
        "gaps": N_("Gaps filled by straight lines between their neighbours: {count}, in {columns}."),
        "too_large": N_("The file has {came:.1f} MB: expected at most {limit:.1f} MB; cut it into smaller files."),
        "empty": N_("The file is empty: expected column names and at least 2 rows of numbers; choose another file."),
        "binary": N_("The file is not text: expected a CSV; save the table as CSV in UTF-8 and choose that file."),
        "undecodable": N_("The file's characters cannot be read as {encoding}: choose another encoding."),
        "too_wide": N_("Line {line} has {came} cells: expected at most {limit}; leave columns out."),
        "ragged": N_(
            "Line {line} has {came} cells: expected {expected}, as in most lines; correct that line, or choose what "
            "stands between columns."
        ),
        "malformed": N_("The file is not a table ({reason}): expected rows of cells; look for an open quotation mark."),
        "few_rows": N_("Rows of values in the file: {came}. Expected at least 2; add rows."),
        "no_numbers": N_(
            "None of the columns holds numbers ({columns}): expected at least one; choose what stands between columns, "
            "and the decimal mark."
        ),
        "no_such_line": N_("The names are said to be in line {line}: expected a line with cells above the numbers."),
        "infinite": N_("Line {line} is infinite in column {column}: expected a number; leave it empty."),
        "which_decimal": N_(
            "{example} can be {thousands} or {decimals}, and nothing in the file says which: choose the decimal mark."
        ),
        "two_decimals": N_(
            "Some numbers have a decimal point and others a decimal comma ({point} and {comma}): choose the decimal "
            "mark; the others then count as gaps."
        ),
        "which_separator": N_(
            "{example} can be one number or two, and nothing in the file says which: choose what stands between "
            "columns, or one column."
        ),
    }
)


class Note(NamedTuple):
    """A sentence with fields: ``message`` is a template of :data:`MESSAGES`, ``values`` fills it; ``str()`` does."""

    message: str
    values: Mapping[str, Any]

    def __str__(self) -> str:
        """Return the sentence in English."""
        return self.message.format(**self.values)


class TableError(ExplainedError):
    """The reason why a file cannot be read as a table; ``template`` and ``values`` are those of a :class:`Note`."""


def note(code: str, **values: Any) -> Note:
    """Return a note by its code in :data:`MESSAGES`."""
    return Note(MESSAGES[code], values)


def error(code: str, **values: Any) -> TableError:
    """Return an error by its code in :data:`MESSAGES`."""
    return TableError(MESSAGES[code], values)
