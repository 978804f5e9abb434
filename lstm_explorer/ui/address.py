"""Keep what a page shows in the address bar, so that a copied address opens the same picture.

The session's record (``ui/session.py``) is authoritative: the address is written from it, and read into it where it was
entered or followed from elsewhere.

Which one counts at the start of a run:

- a first visit, the back and forward buttons, or an address this session never wrote: the address;
- an empty address (a click in the navigation drops the query), or one that this session wrote a moment ago (a widget
  moved before the browser received the last write): the session.
"""

from __future__ import annotations

import difflib
import re
import types
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar
from urllib.parse import parse_qsl, urlencode

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from lstm_explorer.core.errors import ExplainedError
from lstm_explorer.core.escape import QUOTED
from lstm_explorer.core.record import Correction, LeftOut, Limits, Record, plain_name, schema
from lstm_explorer.core.settings import Settings, parse_query
from lstm_explorer.exhibits.view import View
from lstm_explorer.locales import DEFAULT_LANGUAGE, _, current_language, translated
from lstm_explorer.ui.limits import page_limits, view_limits
from lstm_explorer.ui.presets import opening
from lstm_explorer.ui.session import Address, Session, current_session, merge

R = TypeVar("R", bound=Record)


class ListParameter(NamedTuple):
    """A parameter that may be repeated: what reads one text of it (``ValueError`` on nonsense), and how many count."""

    read: Callable[[str], object]
    most: int


#: Parameters of every page: the language (``ui/language.py``) and the report (``ui/report.py``).
LANGUAGE, REPORT = "lang", "report"
#: What mails and networks append to an address to follow its readers.
_FOLLOWS_READERS = re.compile(r"utm_.*|.*clid|mc_[ce]id|embed|embed_options")
#: What stays at the beginning of a name where "&" was written as "&amp;", or a mark doubled.
_BEFORE_A_NAME = re.compile(r"^(?:amp;|[?&;\s])+")
#: Texts of a repeated parameter that are looked at, for each that counts; and names that are looked up.
_LOOKED_AT, _LOOKED_UP = 4, 50

NO_LISTS: Mapping[str, ListParameter] = types.MappingProxyType({})


# Reading and composing addresses: pure functions.


def mark(address: Address) -> int:
    """Return what tells an address from others: a hundred long ones would take 50 MB of a session's memory."""
    return hash(frozenset(address.items()))


def is_incoming(now: Address, written: Sequence[int], *, from_history: bool) -> bool:
    """Tell whether an address was entered or followed from elsewhere, rather than written by this session.

    Args:
        now: The address of this run.
        written: Marks of the addresses seen or written before in this session, oldest first.
        from_history: Whether the back or forward button led here.
    """
    return from_history or not written or (bool(now) and mark(now) not in written)


def compose(
    settings: Settings,
    view: View,
    lists: Mapping[str, tuple[str, ...]],
    shared: Mapping[str, str],
    *,
    bare: Settings = Settings(),  # noqa: B008 - frozen
) -> Address:
    """Return the address of a picture: only what differs from a default.

    Args:
        settings: The settings.
        view: How the page shows them.
        lists: Repeated parameters.
        shared: Parameters that every page carries.
        bare: What an address without settings opens. Any other settings have at least one parameter, and what is then
            missing is at its default.
    """
    own = {} if view.own_settings or settings == bare else settings.to_query() or _differing(settings, bare)
    single = {**shared, **own, **view.to_query()}
    return {name: (text,) for name, text in single.items()} | {name: texts for name, texts in lists.items() if texts}


def _differing(settings: Settings, other: Settings) -> dict[str, str]:
    """Return the parameters of settings that another record has otherwise, defaults too."""
    fields = schema(Settings)
    return {name: fields[name].to_text(getattr(settings, name)) for name in other.to_query()}


def last_values(address: Address) -> dict[str, str]:
    """Return one text for each parameter: the last, where it is repeated."""
    return {name: texts[-1] for name, texts in address.items() if texts}


def readable(address: Address) -> Address:
    """Return an address with the names that it means: through a mail or a hand, they come in other forms.

    Example:
        >>> readable({"amp;Forget-Bias": ("5",), "seed=3": ("",)})
        {'forget_bias': ('5',), 'seed': ('3',)}
    """
    found: dict[str, list[str]] = {}
    for name, texts in address.items():
        for meant, value in (pair for text in texts for pair in _pairs(name, text)):
            found.setdefault(meant, []).append(value)
    return {name: tuple(texts) for name, texts in found.items()}


def _pairs(name: str, text: str) -> Iterator[tuple[str, str]]:
    """Yield the parameters that one name holds: more than one where the equals signs were encoded too."""
    bare = _BEFORE_A_NAME.sub("", name)
    pairs = parse_qsl(f"{bare}={text}" if text else bare, keep_blank_values=True) if "=" in bare else [(bare, text)]
    for meant, value in pairs:
        yield plain_name(_BEFORE_A_NAME.sub("", meant)), value


def not_understood(address: Address, known: Collection[str]) -> tuple[LeftOut, ...]:
    """Return the parameters that a page does not have, each with the nearest that it has."""
    unknown = [name for name in address if name and name not in known and not _FOLLOWS_READERS.fullmatch(name)]
    return tuple(LeftOut(name, (address[name] or ("",))[-1], _nearest(name, known)) for name in unknown[:_LOOKED_UP])


def _nearest(name: str, known: Collection[str]) -> str:
    nearest = difflib.get_close_matches(name[:QUOTED], known, n=1)
    if not nearest:
        return _("nothing on this page has this name")
    return _("nothing on this page has this name, the nearest is {nearest}").format(nearest=nearest[0])


def clamp(record: R, limits: Mapping[str, Limits]) -> tuple[R, tuple[Correction, ...]]:
    """Bring settings, or a view, inside a page's limits.

    Returns:
        The nearest record inside the limits, and one :class:`Correction` for each value that was outside.
    """
    changes: dict[str, Any] = {}
    corrections: list[Correction] = []
    for name, field in schema(type(record)).items():
        value = getattr(record, name)
        if field.limits is not None and name in limits:
            low, high = limits[name]
            nearest = type(value)(min(max(value, low), high))
            if nearest != value:
                changes[name] = nearest
                corrections.append(Correction(name, f"{value:g}", nearest))
        elif field.longest is not None and isinstance(value, str) and len(value) > field.longest:
            changes[name] = value[: field.longest]
            corrections.append(Correction(name, value, changes[name]))
    return record.replace(**changes), tuple(corrections)


def link() -> str:
    """Return the full address of the session's state, as a reader would copy it: it opens in the same language."""
    return _full((st.context.url or "").split("?")[0], _wanted(current_session()))


def link_to(page: str, settings: Settings, view: View) -> str:
    """Return the full address of a picture on any page, which opens in the same language.

    Args:
        page: The page's file name without ``.py``.
        settings: The settings.
        view: How that page shows them.
    """
    folder = (st.context.url or "").split("?")[0].rpartition("/")[0]
    return _full(f"{folder}/{page}", compose(settings, view, {}, {}, bare=opening(page)))


def _full(base: str, address: Address) -> str:
    spoken = {} if current_language() == DEFAULT_LANGUAGE else {LANGUAGE: (current_language(),)}
    query = urlencode({**spoken, **address}, doseq=True)
    return f"{base}?{query}" if query else base


# One run: ``begin`` in the entry, then ``open_page`` in the page; afterwards the address matches the session.


def begin() -> Address | None:
    """Read the address once per full run, before anything is drawn.

    Returns:
        The address where it counts, else None.
    """
    session = current_session()
    now = _read()
    if not is_incoming(now, session.written, from_history=_from_history()):
        return None
    session.pending = readable(now)
    session.corrections = ()
    session.written.append(mark(now))
    return session.pending


def open_page(name: str, *, view: type[View] = View, lists: Mapping[str, ListParameter] = NO_LISTS) -> None:
    """Make a page the open one: read a new address, apply the page's limits, and write the address.

    Args:
        name: The page's file name without ``.py``.
        view: Class of the page's view record.
        lists: Name of each repeated parameter, and how it is read; texts that are nonsense, or too many, are dropped.

    Raises:
        ValueError: A field of the view has the name of a setting.
    """
    taken = set(schema(view)) & set(schema(Settings))
    if taken and not view.own_settings:
        raise ValueError(f"{view.__name__} uses names of settings: {', '.join(sorted(taken))}. Rename these fields.")
    session = current_session()
    arrived, session.page = session.page != name, name
    session.views.setdefault(name, view())
    if session.pending is not None:
        _adopt(session, session.pending, view, lists)
        session.pending = None
    elif arrived:
        session.corrections = ()  # they are of an address of another page, whose view this one does not know
        if not _read():
            session.entered_bare.add(name)
    session.settings, corrections = clamp(session.settings, page_limits(name))
    session.views[name], of_view = clamp(session.views[name], view_limits(view))
    session.corrections = merge(session.corrections, (*corrections, *of_view))
    publish()


def publish() -> None:
    """Write the address where it differs from the session. Costs no rerun, and works inside a fragment.

    Never call it, or anything else that sends to the browser, in a widget's callback: there Streamlit picks up the next
    pending interaction, takes it for the callback's own ``st.rerun()``, and queues it again *behind* newer ones, so
    that a slider moved quickly jumps back.
    """
    session = current_session()
    wanted = _wanted(session)
    if mark(wanted) not in list(session.written)[-1:]:
        session.written.append(mark(wanted))
    if wanted != _read():
        st.query_params.from_dict({name: list(texts) for name, texts in wanted.items()})


def _wanted(session: Session) -> Address:
    """Return the address that matches the session."""
    page = session.page
    view, lists = session.views.get(page, View()), session.lists.get(page, {})
    return compose(session.settings, view, lists, session.shared, bare=opening(page))


def _adopt(session: Session, address: Address, view: type[View], lists: Mapping[str, ListParameter]) -> None:
    # A click in the navigation leaves /page and then /page?settings in the browser's history. Going back to the bare
    # one must not throw the settings away; what every page carries does not make it another.
    if not address.keys() - {LANGUAGE, REPORT} and session.page in session.entered_bare:
        return
    texts = last_values(address)
    corrections: tuple[Correction, ...] = ()
    if not view.own_settings:
        session.settings, corrections = parse_query(texts)
        if not texts.keys() & schema(Settings).keys():
            session.settings = opening(session.page)
    session.views[session.page], view_corrections = view.parse_query(texts)
    left_out: list[LeftOut] = []
    kept = {name: _readable_texts(name, parameter, address, left_out) for name, parameter in lists.items()}
    session.lists[session.page] = kept
    shared = () if view.own_settings else schema(Settings)
    left_out += not_understood(address, {*shared, *schema(view), *lists, LANGUAGE, REPORT})
    session.corrections = merge(session.corrections, (*corrections, *view_corrections, *left_out))


def _readable_texts(name: str, parameter: ListParameter, address: Address, left_out: list[LeftOut]) -> tuple[str, ...]:
    """Return the texts of a repeated parameter that count; say of the others why they do not."""
    kept: list[str] = []
    for text in address.get(name, ())[: _LOOKED_AT * parameter.most]:
        if len(kept) == parameter.most:
            left_out.append(LeftOut(name, text, _("there are {most} before it already").format(most=len(kept))))
            continue
        try:
            parameter.read(text)
        except ExplainedError as error:
            left_out.append(LeftOut(name, text, translated(error.template).format(**error.values)))
        except ValueError:
            left_out.append(LeftOut(name, text, _("this page cannot read that")))
        else:
            kept.append(text)
    return tuple(kept)


def _read() -> Address:
    return {name: tuple(st.query_params.get_all(name)) for name in st.query_params}


def _from_history() -> bool:
    # Not a public field, but the only sign of it: without it, back to an address seen before would be overwritten.
    # tests/ui/test_private_names.py checks that it still exists.
    return bool(getattr(get_script_run_ctx(), "is_history_navigation", False))
