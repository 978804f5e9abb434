"""The language of this session, also in fragments and downloads."""

from __future__ import annotations

import functools
from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar

import streamlit as st

from lstm_explorer.core.record import Correction
from lstm_explorer.locales import DEFAULT_LANGUAGE, LANGUAGES, _, current_language, use_language
from lstm_explorer.ui import address, session
from lstm_explorer.ui.drawing import DRAWING
from lstm_explorer.ui.errors import shielded

#: The URL parameter; it appears only where the language is not the one the browser asks for.
PARAMETER = address.LANGUAGE

_CHOSEN = "lstm_explorer_language"
_WIDGET = "language"

F = TypeVar("F", bound=Callable[..., Any])


def language_of_locale(locale: str | None) -> str:
    """Return the language a browser's locale asks for: Korean for ``ko*``, else English.

    Example:
        >>> language_of_locale("ko-KR"), language_of_locale("de"), language_of_locale(None)
        ('ko', 'en', 'en')
    """
    code = (locale or "").lower().replace("_", "-").split("-")[0]
    return code if code in LANGUAGES else DEFAULT_LANGUAGE


def begin(incoming: address.Address | None) -> None:
    """Settle the language of this run: the address's, else the session's, else the browser's.

    Args:
        incoming: What :func:`address.begin` returned.
    """
    asked = address.last_values(incoming or {}).get(PARAMETER)
    if asked in LANGUAGES:
        st.session_state[_CHOSEN] = asked
    elif asked is not None:
        session.report(Correction(PARAMETER, asked, chosen()))
    use_language(chosen())
    _share()


def chosen() -> str:
    """Return the session's language."""
    return st.session_state.get(_CHOSEN) or language_of_locale(st.context.locale)


def language_picker() -> None:
    """Draw the choice of language; the address follows it."""
    if st.session_state.get(_WIDGET) != current_language():
        st.session_state[_WIDGET] = current_language()
    st.segmented_control(
        _("Language"),
        list(LANGUAGES),
        format_func=lambda code: LANGUAGES[code],
        key=_WIDGET,
        required=True,
        on_change=_choose,
        label_visibility="collapsed",
    )


def fragment(
    function: F | None = None, *, run_every: float | timedelta | str | None = None, key: str | None = None
) -> Any:
    """Make a part of a page rerun on its own, like ``st.fragment``, in the session's language and shielded.

    A fragment's own rerun happens in a fresh context without the entry: it would fall back to English, leave the
    address as it was, and show an exception to the reader.

    Args:
        function: The part of the page.
        run_every: Seconds between reruns by itself, as in ``st.fragment``.
        key: Name for ``st.rerun(key)``, as in ``st.fragment``.
    """
    if function is None:
        return functools.partial(fragment, run_every=run_every, key=key)

    @functools.wraps(function)
    def run(*args: Any, **kwargs: Any) -> Any:
        use_language(chosen())
        result = None
        with DRAWING.run(), shielded():
            result = function(*args, **kwargs)
        address.publish()  # last: the browser draws the picture before it looks at the address
        return result

    return st.fragment(run, run_every=run_every, key=key)


def _choose() -> None:
    st.session_state[_CHOSEN] = st.session_state[_WIDGET]
    use_language(chosen())
    _share()


def _share() -> None:
    differs = chosen() != language_of_locale(st.context.locale)
    session.share(PARAMETER, chosen() if differs else None)
