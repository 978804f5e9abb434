r"""Translate visible strings: the English text is the key, and the language belongs to the running context.

Every visible string is written ``_("English text")``, with a literal, and filled afterwards:
``_("{steps} steps").format(steps=12)``. Never at import time (the language is not known yet), and never inside a cached
function (the cache does not know the language).

After a string was added or changed, with Babel from requirements-dev.txt, at the root of the repository::

    pybabel extract -F lstm_explorer/locales/babel.cfg --no-location -o /tmp/lstm_explorer.pot .
    pybabel update  -D lstm_explorer -i /tmp/lstm_explorer.pot -d lstm_explorer/locales -l ko -N -w 120 \
        --ignore-obsolete
    pybabel compile -D lstm_explorer -d lstm_explorer/locales

Write the Korean into the ``.po`` between the second and the third. ``tests/ui/test_locales.py`` fails on whatever is
still missing then.
"""

from __future__ import annotations

import contextvars
import functools
import gettext
import types
from collections.abc import Mapping
from pathlib import Path

DOMAIN = "lstm_explorer"

#: Language code -> its name in that language.
LANGUAGES: Mapping[str, str] = types.MappingProxyType({"en": "English", "ko": "한국어"})

#: The language of the keys, and of a notebook or script that chooses none.
DEFAULT_LANGUAGE = "en"

_language = contextvars.ContextVar("lstm_explorer_language", default=DEFAULT_LANGUAGE)


def use_language(code: str) -> None:
    """Use this language from here on in the running context (a thread, a task).

    Args:
        code: One of :data:`LANGUAGES`.

    Raises:
        ValueError: There is no catalogue for the code.

    Example:
        >>> use_language("en")
        >>> current_language()
        'en'
    """
    if code not in LANGUAGES:
        raise ValueError(f"language is {code!r}: expected one of {', '.join(map(repr, LANGUAGES))}.")
    _language.set(code)


def current_language() -> str:
    """Return the code of the language of the running context."""
    return _language.get()


def _(message: str) -> str:
    """Return the message in the running context's language; untranslated messages come back in English."""
    return _catalogue(_language.get()).gettext(message)


def N_(message: str) -> str:  # noqa: N802 - gettext's own name
    """Mark a message for the catalogues and return it as it is: for tables made at import, translated later."""
    return message


def translated(message: str) -> str:
    """Translate a message that was marked with :func:`N_` elsewhere."""
    return _catalogue(_language.get()).gettext(message) if message else ""


@functools.cache
def _catalogue(code: str) -> gettext.NullTranslations:
    """Read a compiled catalogue once per process; a language without one (English, the key) gives English."""
    return gettext.translation(DOMAIN, Path(__file__).parent, [code], fallback=True)
