"""Errors whose sentence can be told in another language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class Explained(ValueError):  # noqa: N818 - named for what it adds to a ValueError
    """Say what was expected, what came and the mend: a template in English, and the values that fill it.

    Args:
        template: Sentence with named fields, marked with :func:`lstm_explorer.locales.N_`.
        values: What fills the fields.

    Example:
        >>> str(Explained("the answer is {answer}", {"answer": 42}))
        'the answer is 42'
    """

    def __init__(self, template: str, values: Mapping[str, Any]) -> None:
        """Keep the sentence and its fields apart, so that it can be translated."""
        super().__init__(template, values)
        self.template = template
        self.values = values

    def __str__(self) -> str:
        """Return the sentence in English."""
        return self.template.format(**self.values)
