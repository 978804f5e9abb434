"""Pinned curves: drawn with their own settings while the page's change, and kept in the address."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode

import streamlit as st

from lstm_explorer.core.architectures import ARCHITECTURES
from lstm_explorer.core.errors import ExplainedError
from lstm_explorer.core.escape import one_line
from lstm_explorer.core.record import schema
from lstm_explorer.core.settings import Settings, parse_query
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


@dataclass(frozen=True, kw_only=True)
class Pin(Experiment):
    """One pinned curve: its architecture, settings and name."""

    def to_text(self) -> str:
        """Return the pin as one parameter of an address."""
        return urlencode({"name": self.name, "network": self.architecture, **self.settings.to_query()})

    @classmethod
    def from_text(cls, text: str) -> Pin:
        """Read a pin from an address.

        Raises:
            ExplainedError: It names no network, or a setting that is none or not legal: the curve would be another.
        """
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
        return cls(name=name or default_name(network, settings), architecture=network, settings=settings)


def _query(text: str) -> dict[str, str]:
    pairs = parse_qsl(text, keep_blank_values=True)
    return address.last_values(address.readable({name: (value,) for name, value in pairs}))


#: How pins stand in an address.
PINS = address.ListParameter(Pin.from_text, MOST_PINS)


def default_name(architecture: str, settings: Settings) -> str:
    """Return a name that says what differs from the defaults, such as ``LSTM forget_bias=5``."""
    differs = " ".join(f"{name}={text.removesuffix('.0')}" for name, text in settings.to_query().items())
    return one_line(f"{network_name(architecture)} {differs}", _LONGEST_NAME)


def current_pins() -> list[Pin]:
    """Return the pins of this page, each name once."""
    pins = {pin.name: pin for pin in map(Pin.from_text, session.current_list(PARAMETER))}
    return list(pins.values())[:MOST_PINS]


def pin_controls(networks: tuple[str, ...], settings: Settings) -> None:
    """Draw the buttons that pin curves, and the list that removes pins."""
    pins = current_pins()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.text_input(
            _("Name of the pin"),
            key="pin_name",
            max_chars=_LONGEST_NAME,
            placeholder=_("made from the settings"),
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
    pins = current_pins()
    name = one_line(st.session_state.get("pin_name", ""), _LONGEST_NAME) or default_name(network, settings)
    taken = {pin.name for pin in pins}
    unique = next(n for n in [name, *(f"{name} ({i})" for i in range(2, MOST_PINS + 2))] if n not in taken)
    pin = Pin(name=unique, architecture=network, settings=settings)
    session.apply_list(PARAMETER, [*(p.to_text() for p in pins), pin.to_text()])
    st.session_state["pin_name"] = ""


def _unpin() -> None:
    kept = st.session_state["pins"]
    session.apply_list(PARAMETER, [pin.to_text() for pin in current_pins() if pin.name in kept])
