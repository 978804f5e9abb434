"""A handwritten digit, pixel by pixel, row by row."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from lstm_explorer.core.datasets import load_digits
from lstm_explorer.core.inputs.code import check_size, listed
from lstm_explorer.core.inputs.kind import InputSource, Kind, Rows
from lstm_explorer.core.settings import Settings
from lstm_explorer.locales import N_

_SIDE, _INK = 8, 16


def _examples(settings: Settings) -> Rows:
    """Return all examples of the class, ``(n, 64)``, with pixels 0 (paper) to 16 (ink)."""
    digits = load_digits()
    return digits.images[digits.labels == settings.digit].reshape(-1, _SIDE**2)


def _digit(settings: Settings, rows: Rows) -> Tensor:
    examples = _examples(settings) / _INK
    chosen = (settings.seed + np.arange(settings.batch_size)) % len(examples)
    return torch.from_numpy(examples[chosen].T[: settings.sequence_length, :, None].copy())


def _script(settings: Settings, rows: Rows) -> InputSource:
    # Replica r reads the examples seed + r to seed + r + B - 1 of the class, counted round.
    examples = _examples(settings)
    count = min(settings.batch_size + settings.num_seeds - 1, len(examples))
    chosen = (settings.seed + np.arange(count)) % len(examples)
    pixels = examples[chosen, : settings.sequence_length].astype(int).tolist()
    check_size(count * len(pixels[0]), settings)
    comment = f"# Handwritten examples of the digit {settings.digit}: pixels from 0 (paper) to 16 (ink), row by row."
    lines = "".join(listed("    ", example, ",\n") for example in pixels)
    first = f"seed - {settings.seed} + sample" if settings.num_seeds > 1 else "sample"
    code = f"""\
# The inputs, (steps, samples, 1): one pixel per step.
samples = [pixels[({first}) % {count}] for sample in range({settings.batch_size})]
inputs = torch.tensor(samples).T[:, :, None] / {_INK}"""
    return InputSource(code, (f"{comment}\npixels = [\n{lines}]",))


DIGIT = Kind(
    name="digit",
    title=N_("a handwritten digit, pixel by pixel"),
    make=_digit,
    script=_script,
    length=lambda settings, rows: _SIDE**2,
    label=N_("pixel row {row}, column {column}"),
    fields=lambda settings, rows: [{"row": n // _SIDE + 1, "column": n % _SIDE + 1} for n in range(_SIDE**2)],
)
