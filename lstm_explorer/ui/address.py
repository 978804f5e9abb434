"""Keep what a page shows in the address bar, so that a copied address opens the same picture.

One record is the truth: the session's :class:`Settings`, with each page's :class:`View` and its repeated parameters
(pins). Widgets are seeded from it and write back to it (``ui/controls.py``); the address is written from it.

Who wins, at the start of a run:

- a first visit, the back and forward buttons, or an address this session never wrote: the address;
- an empty address (a click in the navigation drops the query), or one that this session wrote a moment ago (a widget
  moved before the browser heard of the last write): the session.
"""

from __future__ import annotations

import types
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from lstm_explorer.core.settings import LIMITS, Limits, Repair, Settings, parse_query
from lstm_explorer.exhibits.view import View
from lstm_explorer.ui.limits import LONGEST_TEXT, page_limits

#: Parameter name -> its values, in the order they stand in the address.
Address = dict[str, tuple[str, ...]]

#: Reads one text of a repeated parameter; raises ``ValueError`` on nonsense.
Reader = Callable[[str], object]
NO_LISTS: Mapping[str, Reader] = types.MappingProxyType({})

_KEY = "lstm_explorer_session"


@dataclass(kw_only=True)
class Session:
    """What one browser tab shows. The only mutable record of the app; nothing outside this module changes it."""

    settings: Settings = field(default_factory=Settings)
    views: dict[str, View] = field(default_factory=dict)
    lists: dict[str, dict[str, tuple[str, ...]]] = field(default_factory=dict)
    shared: dict[str, str] = field(default_factory=dict)
    repairs: tuple[Repair, ...] = ()
    page: str = ""
    pending: Address | None = None
    written: deque[Address] = field(default_factory=lambda: deque(maxlen=100))
    entered_bare: set[str] = field(default_factory=set)


# What an address means: pure functions.


def is_news(now: Address, written: Sequence[Address], *, from_history: bool) -> bool:
    """Tell whether the address is to be obeyed, rather than overwritten by what the session shows.

    Args:
        now: The address of this run.
        written: Addresses seen or written before in this session, oldest first.
        from_history: Whether the back or forward button led here.
    """
    return from_history or not written or (bool(now) and now not in written)


def compose(settings: Settings, view: View, lists: Mapping[str, tuple[str, ...]], shared: Mapping[str, str]) -> Address:
    """Return the address of a picture: only what differs from a default."""
    single = {**shared, **settings.to_query(), **view.to_query()}
    return {name: (text,) for name, text in single.items()} | {name: texts for name, texts in lists.items() if texts}


def last_values(address: Address) -> dict[str, str]:
    """Return one text for each parameter: the last, where it is repeated."""
    return {name: texts[-1] for name, texts in address.items() if texts}


def clamp(settings: Settings, limits: Mapping[str, Limits]) -> tuple[Settings, tuple[Repair, ...]]:
    """Bring settings inside a page's limits.

    Returns:
        The nearest settings inside the limits, and one :class:`Repair` for each that was outside.
    """
    changes: dict[str, Any] = {}
    repairs: list[Repair] = []
    for name in LIMITS:
        value, (low, high) = getattr(settings, name), limits[name]
        nearest = type(value)(min(max(value, low), high))
        if nearest != value:
            changes[name] = nearest
            repairs.append(Repair(name, f"{value:g}", nearest))
    if len(settings.text) > LONGEST_TEXT:
        changes["text"] = settings.text[:LONGEST_TEXT]
        repairs.append(Repair("text", settings.text, changes["text"]))
    return settings.replace(**changes), tuple(repairs)


def merge(first: Sequence[Repair], second: Sequence[Repair]) -> tuple[Repair, ...]:
    """Join two lists of repairs: one entry a name, with what came first and what was taken last."""
    joined = {repair.name: repair for repair in first}
    for repair in second:
        came = joined[repair.name].came if repair.name in joined else repair.came
        joined[repair.name] = Repair(repair.name, came, repair.taken)
    return tuple(joined.values())


# Reading: what a page asks.


def current_page() -> str:
    """Return the open page's file name without ``.py``."""
    return _session().page


def current_settings() -> Settings:
    """Return the settings this session shows; always legal on the page that is open."""
    return _session().settings


def current_view() -> Any:
    """Return the open page's view record, of the class given to :func:`open_page`."""
    session = _session()
    return session.views[session.page]


def current_list(name: str) -> tuple[str, ...]:
    """Return the texts of a repeated parameter of the open page, such as its pins."""
    session = _session()
    return session.lists.get(session.page, {}).get(name, ())


def current_limits() -> dict[str, Limits]:
    """Return the limits of every numeric setting on the open page."""
    return page_limits(_session().page)


def current_repairs() -> tuple[Repair, ...]:
    """Return what had to be mended in the address, until it is dismissed or settings change."""
    return _session().repairs


def link() -> str:
    """Return the whole address of what this session shows, as a reader would copy it."""
    query = urlencode(_wanted(_session()), doseq=True)
    base = (st.context.url or "").split("?")[0]
    return f"{base}?{query}" if query else base


# Changing: in a widget's callback, so that the run that follows already sees it, and writes the address.


def apply(**changes: Any) -> None:
    """Change settings or fields of the open page's view. For callbacks; the run that follows writes the address.

    Raises:
        TypeError: A value is not of the setting's type.
        ValueError: A value is outside the setting's limits or choices.
    """
    session = _session()
    view = session.views[session.page]
    names = {name for name in changes if hasattr(view, name)}
    new_view = view.replace(**{name: changes[name] for name in names})
    session.settings = session.settings.replace(**{k: v for k, v in changes.items() if k not in names})
    session.views[session.page] = new_view
    if session.repairs:
        session.repairs = ()
        # The box with the repairs stands outside any fragment: only a run of the whole page takes it away.
        st.rerun()


def apply_list(name: str, texts: Sequence[str]) -> None:
    """Replace the texts of a repeated parameter of the open page. For callbacks, like :func:`apply`."""
    session = _session()
    session.lists.setdefault(session.page, {})[name] = tuple(texts)


def report(*repairs: Repair) -> None:
    """Say that something else in the address had to be mended, such as a pin that cannot be read."""
    session = _session()
    session.repairs = merge(session.repairs, repairs)


def dismiss() -> None:
    """Forget what was mended."""
    _session().repairs = ()


def share(name: str, text: str | None) -> None:
    """Set a parameter that every page carries, such as the language; None takes it out."""
    shared = _session().shared
    shared.pop(name, None)
    if text is not None:
        shared[name] = text


# The run: the entry begins, the page opens, and both leave the address as it should read.


def begin() -> Address | None:
    """Look at the address once a full run, before anything is drawn.

    Returns:
        The address where it is to be obeyed, else None.
    """
    session = _session()
    now = _read()
    if not is_news(now, session.written, from_history=_from_history()):
        return None
    session.pending = now
    session.repairs = ()
    session.written.append(now)
    return now


def open_page(name: str, *, view: type[View] = View, lists: Mapping[str, Reader] = NO_LISTS) -> None:
    """Make a page the open one: obey a new address, keep to the page's limits, and write the address.

    Args:
        name: The page's file name without ``.py``.
        view: Class of the page's view record.
        lists: Name of each repeated parameter, and what reads one text of it (a ``ValueError`` drops the text).

    Raises:
        ValueError: A field of the view has the name of a setting.
    """
    if taken := set(view.__dataclass_fields__) & set(Settings.__dataclass_fields__):
        raise ValueError(f"{view.__name__} uses names of settings: {', '.join(sorted(taken))}. Rename these fields.")
    session = _session()
    arrived, session.page = session.page != name, name
    session.views.setdefault(name, view())
    if session.pending is not None:
        _obey(session, session.pending, view, lists)
        session.pending = None
    elif arrived and not _read():
        session.entered_bare.add(name)
    session.settings, repairs = clamp(session.settings, page_limits(name))
    session.repairs = merge(session.repairs, repairs)
    publish()


def publish() -> None:
    """Write the address, where it does not read as it should. Costs no rerun, and works inside a fragment.

    Never call it, or anything else that sends to the browser, in a widget's callback: there Streamlit picks up the next
    pending interaction, takes it for the callback's own ``st.rerun()``, and queues it again *behind* newer ones, so
    that a slider moved quickly jumps back.
    """
    session = _session()
    wanted = _wanted(session)
    if wanted not in list(session.written)[-1:]:
        session.written.append(wanted)
    if wanted != _read():
        st.query_params.from_dict({name: list(texts) for name, texts in wanted.items()})


def _wanted(session: Session) -> Address:
    """Return the address as it should read."""
    page = session.page
    return compose(session.settings, session.views.get(page, View()), session.lists.get(page, {}), session.shared)


def _obey(session: Session, address: Address, view: type[View], lists: Mapping[str, Reader]) -> None:
    # A click in the navigation leaves /page and then /page?settings in the browser's history. Going back to the bare
    # one must not throw the settings away.
    if not address and session.page in session.entered_bare:
        return
    texts = last_values(address)
    session.settings, repairs = parse_query(texts)
    session.views[session.page], view_repairs = view.parse_query(texts)
    readable = {name: tuple(filter(_reads(reader), address.get(name, ()))) for name, reader in lists.items()}
    dropped = [
        Repair(name, text, "")
        for name, texts in readable.items()
        for text in address.get(name, ())
        if text not in texts
    ]
    session.lists[session.page] = readable
    session.repairs = merge(session.repairs, (*repairs, *view_repairs, *dropped))


def _reads(reader: Reader) -> Callable[[str], bool]:
    def reads(text: str) -> bool:
        try:
            reader(text)
        except ValueError:
            return False
        return True

    return reads


def _session() -> Session:
    if _KEY not in st.session_state:
        st.session_state[_KEY] = Session()
    return st.session_state[_KEY]


def _read() -> Address:
    return {name: tuple(st.query_params.get_all(name)) for name in st.query_params}


def _from_history() -> bool:
    # Not a public field: without it (an older or later Streamlit) back and forward to an address seen before would be
    # overwritten, which tests/browser/test_frame.py notices.
    return bool(getattr(get_script_run_ctx(), "is_history_navigation", False))
