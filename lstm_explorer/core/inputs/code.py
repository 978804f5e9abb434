"""Data as code: how the scripts of the inputs write their numbers."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstm_explorer.core.inputs.kind import window_starts
from lstm_explorer.core.settings import Settings

#: More numbers than this are a file, not a program to read.
MOST_NUMBERS = 20_000

#: Columns of a line; eight less than 120, because the code may become the body of a function.
_WIDTH = 112
_LENGTH_OF_TEXT = 100


class Windows(NamedTuple):
    """The rows of a series that are read, and where among them each sample's window of ``steps`` begins."""

    rows: NDArray[np.int64]
    starts: list[int]
    steps: int

    @property
    def listed(self) -> int:
        """How many starts the program has to list: none where all windows coincide."""
        return len(self.starts) if any(self.starts) else 0


def read_windows(settings: Settings, length: int) -> Windows:
    """Return which rows of a series of some length the samples read."""
    steps, starts = window_starts(settings, length)
    is_read = np.zeros(length, dtype=bool)
    for start in np.unique(starts):
        is_read[start : start + steps] = True
    rows = np.flatnonzero(is_read)
    # Windows stay in one piece when the rows between them are left out.
    return Windows(rows, np.searchsorted(rows, starts).tolist(), steps)


def cut_windows(settings: Settings, series: Windows) -> str:
    """Return the line that makes ``inputs`` of ``rows``."""
    if settings.batch_size == 1:
        return "inputs = rows[:, None]  # steps, samples, features"
    if not series.listed:
        return f"inputs = rows[:, None].repeat(1, {settings.batch_size}, 1)  # steps, samples, features"
    starts = listed("starts = ", series.starts, "  # of each sample's window")
    return f"{starts}\ninputs = torch.stack([rows[start : start + {series.steps}] for start in starts], dim=1)"


def listed(before: str, values: Iterable[Any], after: str = "") -> str:
    """Return a list in full precision after a key or a name, in as many lines as it takes."""
    numbers = ", ".join(map(repr, values))
    if len(before) + len(numbers) + len(after) + 2 <= _WIDTH:
        return f"{before}[{numbers}]{after}"
    margin = before[: len(before) - len(before.lstrip())]
    lines = textwrap.fill(
        numbers + ",",
        _WIDTH,
        initial_indent=f"{margin}    ",
        subsequent_indent=f"{margin}    ",
        break_on_hyphens=False,  # a hyphen may be the sign of an exponent
        break_long_words=False,
    )
    return f"{before}[\n{lines}\n{margin}]{after}"


def quoted(text: str) -> str:
    """Return a string literal, in several lines where it is long."""
    parts = [text[start : start + _LENGTH_OF_TEXT] for start in range(0, len(text), _LENGTH_OF_TEXT)]
    if len(parts) <= 1:
        return repr(text)
    return "(\n" + "".join(f"    {part!r}\n" for part in parts) + ")"


def check_size(count: int, settings: Settings) -> None:
    """Refuse data that would make the program unreadable.

    Args:
        count: Numbers and characters that the program would contain.
        settings: What the message suggests to lower.

    Raises:
        ValueError: There are more than :data:`MOST_NUMBERS`.
    """
    if count > MOST_NUMBERS:
        raise ValueError(
            f"input_kind={settings.input_kind!r} would put {count} numbers into the script: expected at most "
            f"{MOST_NUMBERS}; lower sequence_length, input_size (leave columns out), batch_size or num_seeds."
        )
