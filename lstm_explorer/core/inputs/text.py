"""A sentence, character by character: each character is a random vector, always the same one for the same seed."""

from __future__ import annotations

import unicodedata

import numpy as np
from torch import Tensor

from lstm_explorer.core.inputs.code import check_size, cut_windows, listed, quoted, read_windows
from lstm_explorer.core.inputs.kind import InputSource, Kind, Rows, windows
from lstm_explorer.core.settings import Settings
from lstm_explorer.locales import N_


def characters(settings: Settings) -> str:
    """Return what is read: one Hangul syllable or accented letter can be typed in several ways; NFC makes them one."""
    return unicodedata.normalize("NFC", settings.text)


def _vector(settings: Settings, character: str) -> Rows:
    # NumPy's seed may be a pair of numbers; PyTorch's 32 bits cannot hold both the seed and the code point.
    return np.random.default_rng((settings.seed, ord(character))).standard_normal(settings.features)


def _text(settings: Settings, rows: Rows) -> Tensor:
    read = characters(settings)
    vectors = {character: _vector(settings, character) for character in set(read)}
    return windows(settings, np.stack([vectors[character] for character in read]))


def _script(settings: Settings, rows: Rows) -> InputSource:
    every = characters(settings)
    series = read_windows(settings, len(every))
    read = "".join(every[row] for row in series.rows)
    alphabet = sorted(set(read))
    check_size(len(alphabet) * settings.features * settings.num_seeds + len(read) + series.listed, settings)
    many = settings.num_seeds > 1
    entries = "".join(
        listed(f"    {(seed, one) if many else one!r}: ", _vector(settings.replace(seed=seed), one).tolist(), ",\n")
        for seed in range(settings.seed, settings.seed + settings.num_seeds)
        for one in alphabet
    )
    comment = f"# A random vector for each character{', by seed' if many else ''} (drawn with NumPy)."
    literals = (f"text = {quoted(read)}", f"{comment}\nvectors = {{\n{entries}}}")
    key = "seed, character" if many else "character"
    code = f"# The inputs: one character per step.\nrows = torch.tensor([vectors[{key}] for character in text])"
    return InputSource(f"{code}\n{cut_windows(settings, series)}", literals)


TEXT = Kind(
    name="text",
    title=N_("a sentence, character by character"),
    make=_text,
    script=_script,
    length=lambda settings, rows: len(characters(settings)),
    label="{character}",
    fields=lambda settings, rows: [{"character": character} for character in characters(settings)],
)
