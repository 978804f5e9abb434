"""What the networks read: generated signals, text, real series, or the user's own table; one record per kind."""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping

import numpy as np
import torch
from torch import Tensor

from lstm_explorer.core.inputs.digit import DIGIT
from lstm_explorer.core.inputs.generated import IMPULSE, NOISE, SINE, ZEROS
from lstm_explorer.core.inputs.kind import InputSource, Kind, Rows, TableLike, rows_of
from lstm_explorer.core.inputs.series import CSV, SUNSPOTS
from lstm_explorer.core.inputs.text import TEXT
from lstm_explorer.core.kinds import checks_kinds
from lstm_explorer.core.settings import Settings

__all__ = ["INPUTS", "InputSource", "Kind", "TableLike", "input_length", "input_source", "make_inputs", "step_labels"]

#: Name -> kind, in the order in which they are offered.
INPUTS: Mapping[str, Kind] = types.MappingProxyType(
    {kind.name: kind for kind in (NOISE, ZEROS, IMPULSE, SINE, TEXT, DIGIT, SUNSPOTS, CSV)}
)


@checks_kinds
def make_inputs(settings: Settings, *, table: TableLike | None = None) -> Tensor:
    r"""Make the input sequence that the settings describe.

    By ``input_kind``, times ``input_scale``:

    - ``"noise"``: every number from :math:`N(0, 1)`; ``"zeros"``: 0; ``"impulse"``: ones at the first step, then zeros,
    - ``"sine"``: :math:`\sin(2 \pi t / p_i + \varphi_b)`, period :math:`p_i = 10 (i + 1)` steps for feature ``i`` from
      0, ``t`` from 0, random phase :math:`\varphi_b` for sample ``b``,
    - ``"text"``: a vector from :math:`N(0, 1)` for each character (of the NFC form), always the same one for the same
      seed and character, whatever else is in the text,
    - ``"digit"``: 64 pixels, 0 to 1, row by row; sample ``b`` is example ``seed + b`` of the class, counted round,
    - ``"sunspots"``: the yearly series, 1700 to 2008; ``"csv"``: the rows of ``table``. Each column is standardised to
      mean 0 and standard deviation 1 over its whole length; a column that never changes becomes zeros.

    Where a series is longer than :math:`T`, the samples read windows that start evenly spaced from its first step to
    the last that still gives :math:`T` steps; sample 0 is its beginning. Otherwise all samples coincide.

    Args:
        settings: Sizes, seed, dtype and what to read.
        table: Rows of numbers ``(rows, input_size)`` for ``input_kind="csv"``, as :func:`lstm_explorer.read_table`
            gives in ``values``; None for every other kind.

    Returns:
        Inputs ``(T, B, features)`` in the settings' dtype, where ``T`` is ``sequence_length`` or, if that is less, the
        length of what is read. The global random state is neither read nor changed.

    Raises:
        TypeError: An argument is of another kind.
        ValueError: A table is missing, not wanted, not finite, not rows and columns of numbers, or does not have
            ``input_size`` columns.

    Example:
        >>> make_inputs(Settings(input_kind="impulse", sequence_length=3, input_size=2, input_scale=5))[:, 0]
        tensor([[5., 5.],
                [0., 0.],
                [0., 0.]])
        >>> make_inputs(Settings(input_kind="text", text="abba")).shape
        torch.Size([4, 1, 8])
    """
    values = INPUTS[settings.input_kind].make(settings, _checked_table(settings, table))
    return values.to(getattr(torch, settings.dtype)) * settings.input_scale


def input_length(settings: Settings, *, table: TableLike | None = None) -> int:
    """Return how many steps :func:`make_inputs` gives, without making them.

    Raises:
        ValueError: As :func:`make_inputs`.

    Example:
        >>> input_length(Settings(input_kind="text", text="abba"))
        4
    """
    kind, rows = INPUTS[settings.input_kind], _checked_table(settings, table)
    steps = settings.sequence_length
    return min(steps, kind.length(settings, rows)) if kind.length else steps


@checks_kinds
def step_labels(
    settings: Settings, *, table: TableLike | None = None, translate: Callable[[str], str] = str
) -> list[str]:
    """Say what sample 0 reads at each step, for hovering over a figure.

    Args:
        settings: What is read.
        table: The table of ``input_kind="csv"``.
        translate: Turns a kind's label into another language, with the same fields.

    Returns:
        One label for each of the ``T`` steps of :func:`make_inputs`: the character, the pixel, the year, or the row of
        the table (all counted from 1); empty for generated signals.

    Raises:
        TypeError: An argument is of another kind.
        ValueError: As :func:`make_inputs`.

    Example:
        >>> step_labels(Settings(input_kind="digit", sequence_length=9))[-2:]
        ['pixel row 1, column 8', 'pixel row 2, column 1']
        >>> step_labels(Settings(input_kind="text", text="cat"))
        ['c', 'a', 't']
    """
    kind, rows = INPUTS[settings.input_kind], _checked_table(settings, table)
    if not kind.label:
        return [""] * settings.sequence_length
    label = translate(kind.label)
    return [label.format(**fields) for fields in kind.fields(settings, rows)[: settings.sequence_length]]


def input_source(settings: Settings, *, table: TableLike | None = None) -> InputSource:
    """Write the code that makes the inputs of the settings, as :func:`make_inputs` does.

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
    source = INPUTS[settings.input_kind].script(settings, _checked_table(settings, table))
    if settings.input_scale == 1 or settings.input_kind == "zeros":
        return source
    return source._replace(code=f"{source.code}\ninputs *= {settings.input_scale!r}")


def _checked_table(settings: Settings, table: TableLike | None) -> Rows:
    """Return the rows of the table, none for kinds that read no table; refuse a table that does not fit."""
    if not INPUTS[settings.input_kind].reads_table:
        if table is not None:
            raise ValueError(f'table came with input_kind={settings.input_kind!r}: expected "csv", or leave table out.')
        return np.empty((0, settings.features))
    if table is None:
        raise ValueError('table is None with input_kind="csv": expected rows of numbers; pass table=...')
    rows = rows_of(table)
    if rows.shape[1] != settings.input_size:
        expected, came = settings.input_size, rows.shape[1]
        raise ValueError(f"table has {came} columns: expected input_size={expected}; replace(input_size={came}).")
    return rows
