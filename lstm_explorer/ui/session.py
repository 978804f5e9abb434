"""The state of one browser tab: the settings, each page's view and repeated parameters (pins), and corrections.

Widgets get their values from this record and write back to it (``ui/controls.py``); the address is written from it, and
read into it where it was entered or followed from elsewhere (``ui/address.py``).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from lstm_explorer.core.record import Correction, LeftOut, Limits
from lstm_explorer.core.settings import NetworkSettings, Settings
from lstm_explorer.exhibits.view import View
from lstm_explorer.ui.limits import page_limits, view_limits

#: Parameter name -> its values, in the order they stand in the address.
Address = dict[str, tuple[str, ...]]

#: What an address asked for that is not as it asked.
Remark = Correction | LeftOut

_KEY = "lstm_explorer_session"


@dataclass(kw_only=True)
class Session:
    """The state of one browser tab. The only mutable record; this module and ``ui/address.py`` alone change it."""

    settings: Settings = field(default_factory=Settings)
    views: dict[str, View] = field(default_factory=dict)
    lists: dict[str, dict[str, tuple[str, ...]]] = field(default_factory=dict)
    shared: dict[str, str] = field(default_factory=dict)
    corrections: tuple[Remark, ...] = ()
    page: str = ""
    pending: Address | None = None
    written: deque[int] = field(default_factory=lambda: deque(maxlen=100))
    entered_bare: set[str] = field(default_factory=set)


def current_session() -> Session:
    """Return the record of this browser tab."""
    try:  # asked for some fifty times in a run
        return st.session_state[_KEY]
    except KeyError:
        st.session_state[_KEY] = Session()
        return st.session_state[_KEY]


def merge(first: Sequence[Remark], second: Sequence[Remark]) -> tuple[Remark, ...]:
    """Join two lists: one correction per name, with the first given and the last used value; all that was left out."""
    joined: dict[object, Remark] = {}
    for remark in (*first, *second):
        key = remark if isinstance(remark, LeftOut) else remark.name
        joined[key] = remark._replace(given=joined[key].given) if key in joined else remark
    return tuple(joined.values())


# Reading, by pages.


def current_page() -> str:
    """Return the open page's file name without ``.py``."""
    return current_session().page


def current_settings() -> Settings:
    """Return the settings of this session; always legal on the open page."""
    return current_session().settings


def current_view() -> Any:
    """Return the open page's view record, of the class given to :func:`lstm_explorer.ui.page.open_page`."""
    session = current_session()
    return session.views[session.page]


def current_record() -> NetworkSettings:
    """Return what the presets of the open page change: the shared settings, or its view where it has its own."""
    view = current_session().views.get(current_session().page)
    return view if isinstance(view, NetworkSettings) else current_settings()


def current_list(name: str) -> tuple[str, ...]:
    """Return the texts of a repeated parameter of the open page, such as its pins."""
    session = current_session()
    return session.lists.get(session.page, {}).get(name, ())


def current_limits() -> dict[str, Limits]:
    """Return the limits of every numeric setting on the open page, and of every number of its view."""
    session = current_session()
    return page_limits(session.page) | view_limits(type(session.views.get(session.page, View())))


def current_corrections() -> tuple[Remark, ...]:
    """Return the corrections to the address, until they are dismissed or settings change."""
    return current_session().corrections


# Changing, in a widget's callback, so that the following run uses it and writes the address.


def apply(**changes: Any) -> None:
    """Change settings or fields of the open page's view. For callbacks; the run that follows writes the address.

    Raises:
        TypeError: A value is not of the setting's type.
        ValueError: A value is outside the setting's limits or choices.
    """
    session = current_session()
    view = session.views[session.page]
    names = {name for name in changes if hasattr(view, name)}
    new_view = view.replace(**{name: changes[name] for name in names})
    session.settings = session.settings.replace(**{k: v for k, v in changes.items() if k not in names})
    session.views[session.page] = new_view
    if session.corrections:
        session.corrections = ()
        # The box with the corrections stands outside any fragment: only a run of the whole page takes it away.
        st.rerun()


def apply_list(name: str, texts: Sequence[str]) -> None:
    """Replace the texts of a repeated parameter of the open page. For callbacks, like :func:`apply`."""
    session = current_session()
    session.lists.setdefault(session.page, {})[name] = tuple(texts)


def report(*corrections: Remark) -> None:
    """Add corrections to the address, such as a pin that cannot be read."""
    session = current_session()
    session.corrections = merge(session.corrections, corrections)


def dismiss() -> None:
    """Drop the corrections."""
    current_session().corrections = ()


def share(name: str, text: str | None) -> None:
    """Set a parameter that every page carries, such as the language; None takes it out."""
    shared = current_session().shared
    shared.pop(name, None)
    if text is not None:
        shared[name] = text
