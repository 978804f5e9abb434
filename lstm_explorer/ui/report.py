"""The report: views the reader collected, in order, titled and annotated.

It is kept in the address as one parameter of every page, so that a change of page, a reload and a copied link keep it.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import streamlit as st

from lstm_explorer.core.errors import ExplainedError
from lstm_explorer.core.escape import clean, one_line
from lstm_explorer.core.record import Correction, LeftOut, schema
from lstm_explorer.core.settings import Settings, parse_query
from lstm_explorer.exhibits.exhibit import Exhibit
from lstm_explorer.exhibits.registry import EXHIBITS
from lstm_explorer.exhibits.view import View
from lstm_explorer.locales import _, translated
from lstm_explorer.runs.job import Runner
from lstm_explorer.ui import address, session
from lstm_explorer.ui.limits import page_limits, view_limits
from lstm_explorer.ui.pins import MOST_PINS, Pin, with_names
from lstm_explorer.ui.pins import PARAMETER as PIN

#: Parameter of the address.
PARAMETER = address.REPORT
#: Most figures: more do not fit an address.
MOST_ITEMS = 24
LONGEST_TITLE, LONGEST_NOTE = 120, 1500

_KEY = "lstm_explorer_report"
#: Bytes that a report in an address may unpack to.
_LARGEST = 400_000


@dataclass(frozen=True, kw_only=True)
class Item:
    """One figure: its exhibit, settings, view and pins, and the reader's title and note."""

    figure: str
    settings: Settings
    view: View = field(default_factory=View)
    pins: tuple[str, ...] = ()
    title: str = ""
    note: str = ""

    def build(self, runner: Runner) -> Exhibit | None:
        """Make the exhibit."""
        pins = with_names([Pin.from_text(text) for text in self.pins], self.settings)
        return EXHIBITS[self.figure].build(runner, self.settings, self.view, pins)

    def same_view(self, other: Item) -> bool:
        """Tell whether another item shows the same figure, whatever its title and note."""
        return replace(self, title="", note="") == replace(other, title="", note="")


@dataclass(frozen=True, kw_only=True)
class Report:
    """The reader's report."""

    title: str = ""
    items: tuple[Item, ...] = ()


def begin(incoming: address.Address | None) -> None:
    """Read the report from a new session's address; a session's own report is never overwritten."""
    text = address.last_values(incoming or {}).get(PARAMETER)
    if _KEY in st.session_state or text is None:
        return
    remarks: list[session.Remark] = []
    try:
        _set(from_text(text, remarks))
    except ValueError:
        remarks.append(Correction(PARAMETER, text, ""))
    session.report(*remarks)


def current() -> Report:
    """Return the session's report."""
    return st.session_state.get(_KEY, Report())


def item_of(exhibit: Exhibit) -> Item:
    """Return an exhibit on screen as an item."""
    entry = EXHIBITS[exhibit.name]
    pins, view = session.current_list(PIN) if entry.pins else (), entry.view()
    if type(exhibit.view) is type(view):
        view = exhibit.view
    return Item(figure=exhibit.name, settings=exhibit.settings, view=view, pins=pins)


def contains(item: Item) -> bool:
    """Tell whether the report shows this view already."""
    return any(item.same_view(other) for other in current().items)


# Changing: in widgets' callbacks, like everything that changes the address.


def toggle(item: Item) -> None:
    """Put a view at the end of the report, or remove it."""
    rest = tuple(other for other in current().items if not item.same_view(other))
    _set(replace(current(), items=rest if len(rest) < len(current().items) else (*rest, item)))


def remove(index: int) -> None:
    """Remove an item."""
    items = current().items
    _set(replace(current(), items=(*items[:index], *items[index + 1 :])))


def move(index: int, by: int) -> None:
    """Move an item up (-1) or down (+1)."""
    items = list(current().items)
    items.insert(index + by, items.pop(index))
    _set(replace(current(), items=tuple(items)))


def annotate(index: int, *, title: str, note: str) -> None:
    """Change an item's title and note."""
    items = list(current().items)
    items[index] = replace(items[index], title=one_line(title, LONGEST_TITLE), note=clean(note)[:LONGEST_NOTE])
    _set(replace(current(), items=tuple(items)))


def set_title(title: str) -> None:
    """Name the report."""
    _set(replace(current(), title=one_line(title, LONGEST_TITLE)))


def _set(report: Report) -> None:
    st.session_state[_KEY] = report
    session.share(PARAMETER, to_text(report) if report != Report() else None)


# In the address: JSON, packed.


def to_text(report: Report) -> str:
    """Return a report as one parameter of an address."""
    items = [
        {"figure": item.figure, "settings": item.settings.to_query(), "view": item.view.to_query(),
         "pins": item.pins, "title": item.title, "note": item.note}
        for item in report.items
    ]  # fmt: skip
    text = json.dumps({"title": report.title, "items": items}, ensure_ascii=False, separators=(",", ":"))
    return base64.urlsafe_b64encode(zlib.compress(text.encode(), 9)).decode().rstrip("=")


def from_text(text: str, remarks: list[session.Remark] | None = None) -> Report:
    """Read a report from an address; illegal settings are corrected like those of any address.

    Args:
        text: The parameter.
        remarks: Takes up what was corrected and left out: more figures and pins than the buttons allow, too.

    Raises:
        ValueError: It is no report.
    """
    try:
        document, remarks = _unpacked(text), [] if remarks is None else remarks
        items = document["items"]
        if len(items) > MOST_ITEMS:
            remarks.append(Correction(PARAMETER, _("more than {most} figures").format(most=MOST_ITEMS), ""))
        read = tuple(_item(item, number, remarks) for number, item in enumerate(items[:MOST_ITEMS], start=1))
        return Report(title=one_line(str(document["title"]), LONGEST_TITLE), items=read)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"report is {one_line(text)}: expected one that this app wrote.") from error


def _unpacked(text: str) -> Any:
    try:
        packed = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        return json.loads(zlib.decompressobj().decompress(packed, _LARGEST))
    except zlib.error as error:
        raise ValueError("report is not packed as this app does it.") from error


def _item(item: Any, number: int, remarks: list[session.Remark]) -> Item:
    """Return an item; of its pins, as many as the buttons allow and as draw what they name."""
    entry = EXHIBITS[item["figure"]]
    texts = address.readable({str(name): (str(text),) for name, text in item["settings"].items()})
    parsed = parse_query(address.last_values(texts))
    settings, beyond = address.clamp(parsed.record, page_limits(entry.page))
    view, of_view = entry.view.parse_query({str(name): str(text) for name, text in item["view"].items()})
    view, outside = address.clamp(view, view_limits(entry.view))
    for name, came, used in (*parsed.corrections, *beyond, *of_view, *outside):
        why = _("{name} of figure {number} cannot be that, and is {used}").format(name=name, number=number, used=used)
        remarks.append(LeftOut(PARAMETER, came, why))
    remarks += address.not_understood(texts, schema(Settings))
    return Item(
        figure=item["figure"],
        settings=settings,
        view=view,
        pins=tuple(_pins(item["pins"], remarks)),
        title=one_line(str(item["title"]), LONGEST_TITLE),
        note=clean(str(item["note"]))[:LONGEST_NOTE],
    )


def _pins(texts: Sequence[Any], remarks: list[session.Remark]) -> list[str]:
    if len(texts) > MOST_PINS:
        remarks.append(Correction(PIN, _("more than {most} pins under one figure").format(most=MOST_PINS), ""))
    pins = []
    for text in map(str, texts[:MOST_PINS]):
        try:
            pins.append(Pin.from_text(text).to_text())
        except ExplainedError as error:
            remarks.append(LeftOut(PIN, text, translated(error.template).format(**error.values)))
    return pins
