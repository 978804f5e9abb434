"""What the networks read: generated signals, text, real series, or the user's own table."""

from __future__ import annotations

import math
import types
import unicodedata
from collections.abc import Callable, Mapping
from typing import TypeAlias

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from lstm_explorer.core.datasets import load_digits, load_sunspots
from lstm_explorer.core.settings import Settings
from lstm_explorer.locales import N_

#: Rows are steps, columns are features.
TableLike: TypeAlias = pd.DataFrame | NDArray[np.float64]

#: Steps in a period of the sine of feature 0; feature ``i`` has ``i + 1`` times as many.
SINE_PERIOD = 10

#: What :func:`step_labels` fills in, by input kind; translate these.
LABEL_TEMPLATES: Mapping[str, str] = types.MappingProxyType(
    {"digit": N_("pixel row {row}, column {column}"), "sunspots": "{year}", "csv": N_("row {row}")}
)

# Weights are drawn with seeds 0 to 2**31 - 1. The inputs' seeds begin where those end, so that no input is made of the
# random numbers that made the weights. Not 2**32 + seed: PyTorch's CPU generator reads only the low 32 bits of a seed.
_INPUT_SEEDS = 2**31

_DIGIT_SIDE = 8
_DIGIT_INK = 16.0


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
    values = _MAKERS[settings.input_kind](settings, _checked_table(settings, table))
    return values.to(getattr(torch, settings.dtype)) * settings.input_scale


def step_labels(
    settings: Settings, *, table: TableLike | None = None, translate: Callable[[str], str] = str
) -> list[str]:
    """Say what sample 0 reads at each step, for hovering over a figure.

    Args:
        settings: What is read.
        table: The table of ``input_kind="csv"``.
        translate: Turns a template of :data:`LABEL_TEMPLATES` into another language, with the same fields.

    Returns:
        One label for each of the ``T`` steps of :func:`make_inputs`: the character, the pixel, the year, or the row of
        the table (all counted from 1); empty for generated signals.

    Raises:
        ValueError: As :func:`make_inputs`.

    Example:
        >>> step_labels(Settings(input_kind="digit", sequence_length=9))[-2:]
        ['pixel row 1, column 8', 'pixel row 2, column 1']
        >>> step_labels(Settings(input_kind="text", text="cat"))
        ['c', 'a', 't']
    """
    rows = _checked_table(settings, table)
    if settings.input_kind == "text":
        return list(_characters(settings))[: settings.sequence_length]
    template = translate(LABEL_TEMPLATES.get(settings.input_kind, ""))
    return [template.format(**fields) for fields in _label_fields(settings, rows)]


def _label_fields(settings: Settings, rows: NDArray[np.float64]) -> list[dict[str, int]]:
    if settings.input_kind == "digit":
        fields = [{"row": n // _DIGIT_SIDE + 1, "column": n % _DIGIT_SIDE + 1} for n in range(_DIGIT_SIDE**2)]
    elif settings.input_kind == "sunspots":
        fields = [{"year": int(year)} for year in load_sunspots()["year"]]
    elif settings.input_kind == "csv":
        fields = [{"row": n + 1} for n in range(len(rows))]
    else:
        fields = [{}] * settings.sequence_length
    return fields[: settings.sequence_length]


def _generator(settings: Settings) -> torch.Generator:
    return torch.Generator().manual_seed(_INPUT_SEEDS + settings.seed)


def _shape(settings: Settings) -> tuple[int, int, int]:
    return settings.sequence_length, settings.batch_size, settings.features


def _noise(settings: Settings, rows: NDArray[np.float64]) -> Tensor:
    return torch.randn(_shape(settings), generator=_generator(settings), dtype=getattr(torch, settings.dtype))


def _zeros(settings: Settings, rows: NDArray[np.float64]) -> Tensor:
    return torch.zeros(_shape(settings), dtype=getattr(torch, settings.dtype))


def _impulse(settings: Settings, rows: NDArray[np.float64]) -> Tensor:
    return torch.cat([torch.ones(1, *_shape(settings)[1:]), torch.zeros(_shape(settings))[1:]])


def _sine(settings: Settings, rows: NDArray[np.float64]) -> Tensor:
    steps, samples, features = (torch.arange(size, dtype=torch.float64) for size in _shape(settings))
    periods = SINE_PERIOD * (features + 1)
    phases = 2 * math.pi * torch.rand(len(samples), generator=_generator(settings), dtype=torch.float64)
    return torch.sin(2 * math.pi * steps[:, None, None] / periods + phases[:, None])


def _text(settings: Settings, rows: NDArray[np.float64]) -> Tensor:
    characters = _characters(settings)
    vectors = {character: _character_vector(settings, character) for character in set(characters)}
    return _windows(settings, np.stack([vectors[character] for character in characters]))


def _characters(settings: Settings) -> str:
    # One Hangul syllable or accented letter can be typed as one code point or as several; NFC makes them one.
    return unicodedata.normalize("NFC", settings.text)


def _character_vector(settings: Settings, character: str) -> NDArray[np.float64]:
    # NumPy's seed may be a pair of numbers; PyTorch's 32 bits cannot hold both the seed and the code point.
    return np.random.default_rng((settings.seed, ord(character))).standard_normal(settings.features)


def _digit(settings: Settings, rows: NDArray[np.float64]) -> Tensor:
    digits = load_digits()
    examples = digits.images[digits.labels == settings.digit].reshape(-1, _DIGIT_SIDE**2) / _DIGIT_INK
    chosen = (settings.seed + np.arange(settings.batch_size)) % len(examples)
    return torch.from_numpy(examples[chosen].T[: settings.sequence_length, :, None].copy())


def _sunspots(settings: Settings, rows: NDArray[np.float64]) -> Tensor:
    return _windows(settings, _standardised(load_sunspots()[["sunspots"]].to_numpy()))


def _csv(settings: Settings, rows: NDArray[np.float64]) -> Tensor:
    return _windows(settings, _standardised(rows))


def _windows(settings: Settings, series: NDArray[np.float64]) -> Tensor:
    """Return windows ``(T, B, I)`` of a series ``(length, I)``, their starts evenly spaced."""
    steps = min(settings.sequence_length, len(series))
    starts = np.linspace(0, len(series) - steps, settings.batch_size).astype(int)
    return torch.from_numpy(series[np.arange(steps)[:, None] + starts])


def _standardised(columns: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return columns of mean 0 and standard deviation 1, zeros where a column is constant; (rows, columns)."""
    # By an exact power of two first, so that neither squares nor differences leave the float range.
    scaled = np.ldexp(columns, -np.frexp(np.abs(columns).max(axis=0))[1])
    centred = scaled - scaled.min(axis=0)
    unit = centred / np.where(centred.any(axis=0), centred.max(axis=0), 1.0)
    deviation = unit - unit.mean(axis=0)
    return deviation / np.where(centred.any(axis=0), deviation.std(axis=0), 1.0)


def _checked_table(settings: Settings, table: TableLike | None) -> NDArray[np.float64]:
    """Return the rows of the table, none for kinds that read no table; or say what is wrong."""
    if settings.input_kind != "csv":
        if table is not None:
            raise ValueError(f'table came with input_kind={settings.input_kind!r}: expected "csv", or leave table out.')
        return np.empty((0, settings.features))
    if table is None:
        raise ValueError('table is None with input_kind="csv": expected rows of numbers; pass table=...')
    try:
        rows = np.asarray(table, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"table is not numbers ({error}): expected numeric columns; leave the others out.") from error
    if rows.ndim != 2 or not rows.size:
        raise ValueError(f"table has shape {rows.shape}: expected (rows, columns), at least one of each.")
    if not np.isfinite(rows).all():
        bad = np.argwhere(~np.isfinite(rows))[0] + 1
        raise ValueError(f"table is not finite in row {bad[0]}, column {bad[1]}: fill the gaps, as read_table does.")
    if rows.shape[1] != settings.input_size:
        expected, came = settings.input_size, rows.shape[1]
        raise ValueError(f"table has {came} columns: expected input_size={expected}; replace(input_size={came}).")
    return rows


_MAKERS: Mapping[str, Callable[[Settings, NDArray[np.float64]], Tensor]] = types.MappingProxyType(
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
