"""Errors whose message can be translated."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from lstm_explorer.locales import N_, translated

#: What the system says when it refuses a file: the words that are translated.
_WORDS = (
    N_("No space left on device"), N_("Read-only file system"), N_("Permission denied"),
    N_("No such file or directory"), N_("Disk quota exceeded"), N_("Input/output error"), N_("Too many open files"),
)  # fmt: skip


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


class Reason(str):
    """Why the system refused something: it fills a sentence in the language of that sentence."""

    __slots__ = ()

    def __format__(self, spec: str) -> str:
        """Translate the words."""
        return format(translated(str(self)), spec)


def reason_of(error: Exception) -> Reason:
    """Return why something failed, for whoever looks at a page.

    Args:
        error: Where the system refused, its words alone: the message names folders of the server, which are nobody's
            business but of who runs it.

    Example:
        >>> print(reason_of(FileNotFoundError(2, "No usable temporary directory found in ['/srv/app']")))
        No such file or directory
    """
    if isinstance(error, OSError) and error.errno:
        return Reason(os.strerror(error.errno))
    return Reason(str(error) or type(error).__name__)
