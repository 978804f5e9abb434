"""Errors whose message can be translated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class ExplainedError(ValueError):
    """An error whose message is a template in English and the values that fill it.

    The message says what was expected, what came instead, and what to do.

    Args:
        template: Sentence with named fields, marked with :func:`lstm_explorer.locales.N_`.
        values: What fills the fields.

    Example:
        >>> str(ExplainedError("the answer is {answer}", {"answer": 42}))
        'the answer is 42'
    """

    def __init__(self, template: str, values: Mapping[str, Any]) -> None:
        """Keep the template and its values apart, so that the message can be translated."""
        super().__init__(template, values)
        self.template = template
        self.values = values

    def __str__(self) -> str:
        """Return the sentence in English."""
        return self.template.format(**self.values)
