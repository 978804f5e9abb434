"""Pinned curves: drawn with their own settings while the page's change, and kept in the address."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import parse_qsl, urlencode

import streamlit as st

from lstm_explorer.core.architectures import ARCHITECTURES
from lstm_explorer.core.errors import ExplainedError
from lstm_explorer.core.escape import one_line
from lstm_explorer.core.record import schema
from lstm_explorer.core.settings import Settings, parse_query
from lstm_explorer.exhibits.words import difference_words
from lstm_explorer.figures.names import network_name
from lstm_explorer.locales import N_, _
from lstm_explorer.runs.experiment import Experiment
from lstm_explorer.ui import address, session
from lstm_explorer.ui.limits import page_limits

#: Repeated parameter of the address.
PARAMETER = "pin"
#: Most pins: more curves cannot be told apart.
MOST_PINS = 8
_LONGEST_NAME = 40
#: Characters of a pin: a text of 2000 takes up to nine for each. More is no pin, and not taken apart.
_LONGEST_PIN = 30_000


@dataclass(frozen=True, kw_only=True)
class Pin(Experiment):
    """One pinned curve: its architecture, settings and, where the reader gave one, its own name."""

    own_name: str = field(default="", compare=False)

    def to_text(self) -> str:
        """Return the pin as one parameter of an address."""
        named = {"name": self.own_name} if self.own_name else {}
        return urlencode({**named, "network": self.architecture, **self.settings.to_query()})

    @classmethod
    def from_text(cls, text: str) -> Pin:
        """Read a pin from an address.

        Raises:
            ExplainedError: It names no network, is far too long, or has a setting that is none or not legal: the curve
                would be another.
        """
        if len(text) > _LONGEST_PIN:
            raise ExplainedError(
                N_("{name} is {came}, which no curve can have"), {"name": PARAMETER, "came": text[:99]}
            )
        query = _query(text)
        network = query.get("network", "").lower()
        if network not in ARCHITECTURES:
            known = ", ".join(ARCHITECTURES)
            raise ExplainedError(N_("network= is {came}: expected one of {known}"), {"came": network, "known": known})
        if unknown := set(query) - {"name", "network", *schema(Settings)}:
            raise ExplainedError(N_("no setting has the name {name}"), {"name": min(unknown)})
        parsed = parse_query(query)
        settings, beyond = address.clamp(parsed.record, page_limits("gradients"))
        for name, came, _used in (*parsed.corrections, *beyond):
            raise ExplainedError(N_("{name} is {came}, which no curve can have"), {"name": name, "came": came})
        name = one_line(query.get("name", ""), _LONGEST_NAME)
        return cls(own_name=name, name=name, architecture=network, settings=settings)


def _query(text: str) -> dict[str, str]:
    pairs = parse_qsl(text, keep_blank_values=True)
    return address.last_values(address.readable({name: (value,) for name, value in pairs}))


#: How pins stand in an address.
PINS = address.ListParameter(Pin.from_text, MOST_PINS)


def with_names(pins: Sequence[Pin], settings: Settings) -> list[Pin]:
    """Return pins under the reader's names or, of a pin without one, its network and what sets it apart.

    Args:
        pins: In the order they were pinned.
        settings: The page's; a pin is told apart from the curves that these draw, too.
    """
    shown = Experiment(architecture="rnn", settings=settings)
    names: list[str] = []
    for pin in pins:
        apart = difference_words(pin, [shown, *pins])
        title = network_name(pin.architecture)
        name = pin.own_name or one_line(
            f"{title}, {apart}" if apart else _("{network}, pinned").format(network=title), 80
        )
        names.append(next(n for n in [name, *(f"{name} ({i})" for i in range(2, len(pins) + 2))] if n not in names))
    return [replace(pin, name=name) for pin, name in zip(pins, names, strict=True)]


def current_pins() -> list[Pin]:
    """Return the pins of this page, with their names."""
    return with_names(list(map(Pin.from_text, session.current_list(PARAMETER))), session.current_settings())


def pin_controls(networks: tuple[str, ...], settings: Settings) -> None:
    """Draw the buttons that pin curves, and the list that removes pins."""
    pins = current_pins()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.text_input(
            _("Name of the pin"),
            key="pin_name",
            max_chars=_LONGEST_NAME,
            placeholder=_("what sets it apart"),
            width=220,
        )
        for network in networks:
            st.button(
                _("Pin {network}").format(network=network_name(network)), key=f"pin_{network}", icon=":material/keep:",
                disabled=len(pins) >= MOST_PINS, on_click=_pin, args=(network, settings),
            )  # fmt: skip
    if not pins:
        return
    names = [pin.name for pin in pins]
    if st.session_state.get("pins") != names:
        st.session_state["pins"] = names
    st.multiselect(_("Pinned curves (take one out to unpin it)"), names, key="pins", on_change=_unpin)


def _pin(network: str, settings: Settings) -> None:
    own_name = one_line(st.session_state.get("pin_name", ""), _LONGEST_NAME)
    pin = Pin(own_name=own_name, name=own_name, architecture=network, settings=settings)
    session.apply_list(PARAMETER, [*session.current_list(PARAMETER), pin.to_text()])
    st.session_state["pin_name"] = ""


def _unpin() -> None:
    kept = st.session_state["pins"]
    session.apply_list(PARAMETER, [pin.to_text() for pin in current_pins() if pin.name in kept])
