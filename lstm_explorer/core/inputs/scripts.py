"""The part of a generated program that makes the inputs; :func:`lstm_explorer.core.scripts.to_script` has the rest."""

from __future__ import annotations

import textwrap
import types
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lstm_explorer.core.datasets import load_digits, load_sunspots
from lstm_explorer.core.inputs.kinds import SINE_PERIOD, TableLike, make_inputs
from lstm_explorer.core.settings import Settings

#: More numbers than this are a file, not a program to read.
MOST_NUMBERS = 20_000

#: Columns of a line; eight less than 120, because the code may become the body of a function.
_WIDTH = 112
_LENGTH_OF_TEXT = 100


class InputSource(NamedTuple):
    """Code that sets ``inputs``, given ``seed``; and what it reads, assignments that hold for every seed."""

    code: str
    literals: tuple[str, ...] = ()


class _Windows(NamedTuple):
    """The rows of a series that are read, and where among them each sample's window of ``steps`` begins."""

    rows: NDArray[np.int64]
    starts: list[int]
    steps: int

    @property
    def listed(self) -> int:
        """How many starts the program has to list: none where all windows coincide."""
        return len(self.starts) if any(self.starts) else 0


def input_source(settings: Settings, *, table: TableLike | None = None) -> InputSource:
    """Write the code that makes the inputs of the settings, as :func:`lstm_explorer.make_inputs` does.

    Args:
        settings: Sizes, seed, dtype and what to read.
        table: The table of ``input_kind="csv"``.

    Returns:
        Code that sets ``inputs`` ``(T, B, features)`` in PyTorch's default dtype, and the data it reads.

    Raises:
        ValueError: As :func:`make_inputs`; or there is too much data to be written into a program.

    Example:
        >>> input_source(Settings(input_kind="zeros", sequence_length=5)).code
        'inputs = torch.zeros(5, 1, 8)  # steps, samples, features'
    """
    make_inputs(settings.replace(sequence_length=1, batch_size=1), table=table)  # refuses a table that does not suit
    source = _SOURCES[settings.input_kind](settings, table)
    if settings.input_scale == 1 or settings.input_kind == "zeros":
        return source
    return source._replace(code=f"{source.code}\ninputs *= {settings.input_scale!r}")


def _noise(settings: Settings, table: TableLike | None) -> InputSource:
    code = f"""\
# The inputs: noise from a seed that is no network's.
torch.manual_seed(2**31 + seed)
inputs = torch.randn({_shape(settings)})  # steps, samples, features"""
    return InputSource(code)


def _zeros(settings: Settings, table: TableLike | None) -> InputSource:
    return InputSource(f"inputs = torch.zeros({_shape(settings)})  # steps, samples, features")


def _impulse(settings: Settings, table: TableLike | None) -> InputSource:
    return InputSource(f"inputs = torch.zeros({_shape(settings)})  # steps, samples, features\ninputs[0] = 1.0")


def _sine(settings: Settings, table: TableLike | None) -> InputSource:
    single = ".float()" if settings.dtype == "float32" else ""
    code = f"""\
# The inputs, (steps, samples, features): sines with a random phase a sample, and slower from feature to feature.
torch.manual_seed(2**31 + seed)
phases = 2 * math.pi * torch.rand({settings.batch_size}, dtype=torch.float64)
periods = {SINE_PERIOD} * torch.arange(1, {settings.features + 1})
steps = torch.arange({settings.sequence_length}, dtype=torch.float64)
inputs = torch.sin(2 * math.pi * steps[:, None, None] / periods + phases[:, None]){single}"""
    return InputSource(code)


def _digit(settings: Settings, table: TableLike | None) -> InputSource:
    # Replica r reads the examples seed + r to seed + r + B - 1 of the class, counted round.
    available = int((load_digits().labels == settings.digit).sum())
    count = min(settings.batch_size + settings.num_seeds - 1, available)
    inputs = make_inputs(settings.replace(batch_size=count, dtype="float64", input_scale=1))
    pixels = (inputs[:, :, 0].T * 16).int().tolist()
    _check_size(count * len(inputs), settings)
    rows = "".join(_listed("    ", example, ",\n") for example in pixels)
    comment = f"# Handwritten examples of the digit {settings.digit}: pixels from 0 (paper) to 16 (ink), row by row."
    literal = f"{comment}\npixels = [\n{rows}]"
    chosen = f"seed - {settings.seed} + sample" if settings.num_seeds > 1 else "sample"
    code = f"""\
# The inputs, (steps, samples, 1): a pixel a step.
samples = [pixels[({chosen}) % {count}] for sample in range({settings.batch_size})]
inputs = torch.tensor(samples).T[:, :, None] / 16"""
    return InputSource(code, (literal,))


def _text(settings: Settings, table: TableLike | None) -> InputSource:
    characters = unicodedata.normalize("NFC", settings.text)
    windows = _windows(settings, len(characters))
    read = "".join(characters[row] for row in windows.rows)
    alphabet = sorted(set(read))
    _check_size(len(alphabet) * settings.features * settings.num_seeds + len(read) + windows.listed, settings)
    seeds = range(settings.seed, settings.seed + settings.num_seeds)
    vectors = "".join(_vectors(settings.replace(seed=seed), alphabet) for seed in seeds)
    literals = (
        f"text = {_quoted(read)}",
        f"# A random vector for each character{', by seed' if settings.num_seeds > 1 else ''} (drawn with NumPy).\n"
        f"vectors = {{\n{vectors}}}",
    )
    key = "seed, character" if settings.num_seeds > 1 else "character"
    code = f"# The inputs: a character a step.\nrows = torch.tensor([vectors[{key}] for character in text])"
    return InputSource(f"{code}\n{_cut(settings, windows)}", literals)


def _vectors(settings: Settings, alphabet: list[str]) -> str:
    """Return one entry a character of a dict from character, or seed and character, to vector."""
    entries = []
    for character in alphabet:
        one = settings.replace(text=character, sequence_length=1, batch_size=1, dtype="float64", input_scale=1)
        key = repr((settings.seed, character)) if settings.num_seeds > 1 else repr(character)
        entries.append(_listed(f"    {key}: ", make_inputs(one)[0, 0].tolist(), ",\n"))
    return "".join(entries)


def _sunspots(settings: Settings, table: TableLike | None) -> InputSource:
    return _series(settings, None, len(load_sunspots()), "The yearly sunspot series")


def _csv(settings: Settings, table: TableLike | None) -> InputSource:
    return _series(settings, table, len(np.asarray(table)), "The table, row by row, each column")


def _series(settings: Settings, table: TableLike | None, length: int, name: str) -> InputSource:
    """Write the rows that are read of a series, standardised over its whole length."""
    windows = _windows(settings, length)
    _check_size(len(windows.rows) * settings.features + windows.listed, settings)
    inputs = make_inputs(settings.replace(dtype="float64", input_scale=1), table=table).numpy()
    rows = np.empty((len(windows.rows), settings.features))
    for sample, start in enumerate(windows.starts):
        rows[start : start + windows.steps] = inputs[:, sample]
    comment = f"# {name}, standardised: mean 0 and standard deviation 1 over its whole length."
    literal = f"{comment}\n{_listed('series = ', rows.ravel().tolist())}"
    code = f"# The inputs: a row a step.\nrows = torch.tensor(series).reshape(-1, {settings.features})"
    return InputSource(f"{code}\n{_cut(settings, windows)}", (literal,))


def _windows(settings: Settings, length: int) -> _Windows:
    """Say which rows of a series of some length the samples read."""
    steps = min(settings.sequence_length, length)
    starts = np.linspace(0, length - steps, settings.batch_size).astype(int)
    is_read = np.zeros(length, dtype=bool)
    for start in np.unique(starts):
        is_read[start : start + steps] = True
    rows = np.flatnonzero(is_read)
    # Windows stay in one piece when the rows between them are left out.
    return _Windows(rows, np.searchsorted(rows, starts).tolist(), steps)


def _cut(settings: Settings, windows: _Windows) -> str:
    """Return the line that makes ``inputs`` of ``rows``."""
    if settings.batch_size == 1:
        return "inputs = rows[:, None]  # steps, samples, features"
    if not windows.listed:
        return f"inputs = rows[:, None].repeat(1, {settings.batch_size}, 1)  # steps, samples, features"
    starts = _listed("starts = ", windows.starts, "  # of each sample's window")
    return f"{starts}\ninputs = torch.stack([rows[start : start + {windows.steps}] for start in starts], dim=1)"


def _shape(settings: Settings) -> str:
    return f"{settings.sequence_length}, {settings.batch_size}, {settings.features}"


def _listed(before: str, values: Iterable[Any], after: str = "") -> str:
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


def _quoted(text: str) -> str:
    """Return a string literal, in several lines where it is long."""
    parts = [text[start : start + _LENGTH_OF_TEXT] for start in range(0, len(text), _LENGTH_OF_TEXT)]
    if len(parts) == 1:
        return repr(text)
    return "(\n" + "".join(f"    {part!r}\n" for part in parts) + ")"


def _check_size(count: int, settings: Settings) -> None:
    """Refuse data that would make the program unreadable."""
    if count > MOST_NUMBERS:
        raise ValueError(
            f"input_kind={settings.input_kind!r} would put {count} numbers into the script: expected at most "
            f"{MOST_NUMBERS}; lower sequence_length, input_size (leave columns out), batch_size or num_seeds."
        )


_SOURCES: Mapping[str, Callable[[Settings, TableLike | None], InputSource]] = types.MappingProxyType(
    {
        "noise": _noise,
        "zeros": _zeros,
        "impulse": _impulse,
        "sine": _sine,
        "text": _text,
        "digit": _digit,
        "sunspots": _sunspots,
        "csv": _csv,
    }
)
