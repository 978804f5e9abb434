"""Widgets bound to one setting, or one field of the page's view, each keyed by its name.

The session's record is the truth: a widget is seeded from it before it is drawn, and its callback writes back through
the record's own validation. So values survive a change of page, presets move the widgets, and the address follows.
Every ``name`` below is a setting or a field of the view class given to ``open_page``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from lstm_explorer.core.settings import Limits, Repair, Settings, choices
from lstm_explorer.exhibits.view import kind_of
from lstm_explorer.locales import _, current_language
from lstm_explorer.ui import address
from lstm_explorer.ui.limits import LONGEST_TEXT

#: More options than this stand in a list instead of side by side.
_SIDE_BY_SIDE = 4

#: Key of a widget -> what it was when it was last seeded.
_DRAWN = "lstm_explorer_drawn"

#: One decade of the logarithmic slider: round numbers, each 10 to 30 % above the last.
_DECADE = (10, 12, 15, 20, 25, 30, 40, 50, 60, 80)


def setting_slider(
    name: str, label: str, *, step: float = 1.0, limits: tuple[float, float] | None = None, help: str | None = None
) -> None:
    """Draw a linear slider: for biases, gains and small whole numbers.

    Args:
        name: The setting.
        label: Its visible name, with the unit.
        step: Distance of one key press; whole numbers take the nearest whole step.
        limits: Narrower limits than the page's; the setting's value always fits in.
        help: What it means, in a sentence.
    """
    value, (low, high) = _value(name), limits or _limits(name)
    kind = type(value)
    low, high = kind(min(low, value)), kind(max(high, value))
    step = kind(max(step, 1) if kind is int else step)
    _seed(name, value, low, high, step)
    st.slider(
        label, low, high, step=step, key=name, help=help,
        on_change=_take, args=(name, name),
    )  # fmt: skip


def setting_number(name: str, label: str, *, help: str | None = None) -> None:
    """Draw a logarithmic slider and a box for the exact value: for whole numbers that span decades.

    The slider's stops are round numbers (2, 3, 4, ... 10, 12, 15, 20, 25 ... 2000), so an arrow key or a thumb moves by
    10 to 30 %; the box beside it takes any whole number. A value from the box becomes a stop of its own.

    Args:
        name: The setting, a whole number.
        label: Its visible name, with the unit.
        help: What it means, in a sentence.
    """
    value, limits = _value(name), _limits(name)
    low, high = int(limits.low), int(limits.high)
    slider, box = f"{name}_slider", name
    _seed(slider, value)
    _seed(box, value)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key=f"{name}_row", wrap=False):
        st.select_slider(
            label, log_stops(low, high, value), key=slider, help=help, on_change=_take, args=(name, slider)
        )
        st.number_input(
            _("{label}, exactly").format(label=label), low, high, step=1, key=box, on_change=_take, args=(name, box),
            label_visibility="collapsed", width=120,
        )  # fmt: skip


def setting_choice(
    name: str,
    label: str,
    options: Mapping[str, str] | None = None,
    *,
    side_by_side: int = _SIDE_BY_SIDE,
    help: str | None = None,
) -> None:
    """Draw one choice: side by side where there are few options, else a list.

    Args:
        name: The setting.
        label: Its visible name.
        options: Legal value to visible name, in the order they are offered; defaults to every legal value as it is.
        side_by_side: How many are few.
        help: What it means, in a sentence.
    """
    value, names = _value(name), dict(options or {option: option for option in _choices(name)})
    names.setdefault(value, str(value))  # an address may ask for a value that this page does not offer
    _seed(name, value)
    shared: dict[str, Any] = {"format_func": names.__getitem__, "key": name, "help": help, "on_change": _take}
    if len(names) <= side_by_side:
        st.segmented_control(label, list(names), required=True, args=(name, name), **shared)
    else:
        st.selectbox(label, list(names), args=(name, name), **shared)


def setting_subset(name: str, label: str, options: Mapping[str, str], *, help: str | None = None) -> None:
    """Draw a choice of several, at least one: for a view's field that is a tuple.

    Args:
        name: The field.
        label: Its visible name.
        options: Legal value to visible name, in the order they are offered.
        help: What it means, in a sentence.
    """
    _seed(name, list(_value(name)))
    st.segmented_control(
        label, list(options), selection_mode="multi", format_func=options.__getitem__, key=name,
        help=help, on_change=_take, args=(name, name),
    )  # fmt: skip


def setting_toggle(name: str, label: str, *, help: str | None = None) -> None:
    """Draw a switch."""
    _seed(name, _value(name))
    st.toggle(label, key=name, help=help, on_change=_take, args=(name, name))


def setting_text(name: str, label: str, *, help: str | None = None) -> None:
    """Draw a box for a line of text; an empty one is refused and the last text stays."""
    _seed(name, _value(name))
    st.text_input(label, key=name, help=help, max_chars=LONGEST_TEXT, on_change=_take, args=(name, name))


def presets(
    label: str, options: Mapping[str, tuple[str, Mapping[str, Any]]], *, key: str = "preset", help: str | None = None
) -> str | None:
    """Draw one-click sets of changes as pills; the one that matches what is shown is lit.

    Args:
        label: Visible name of the group.
        options: Code of a preset to its visible name and the changes it makes.
        key: Key of the widget, where a page has more than one group.
        help: What it means, in a sentence.

    Returns:
        Code of the preset that matches the settings now, or None.
    """
    lit = matching(address.current_settings(), {code: changes for code, (_name, changes) in options.items()})
    _seed(key, lit)
    st.pills(
        label, list(options), format_func=lambda code: options[code][0], key=key, help=help,
        on_change=_take_preset, args=(key, {code: dict(changes) for code, (_name, changes) in options.items()}),
    )  # fmt: skip
    return lit


def matching(settings: Settings, options: Mapping[str, Mapping[str, Any]]) -> str | None:
    """Return the first set of changes that would change nothing."""
    return next((code for code, changes in options.items() if settings.replace(**changes) == settings), None)


def log_stops(low: int, high: int, value: int) -> list[int]:
    """Return round numbers from low to high, about equally far apart in ratio, and the value itself.

    Example:
        >>> log_stops(2, 30, 17)
        [2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 15, 17, 20, 25, 30]
    """
    stops = set(range(1, 10)) | {stop * 10**power for power in range(6) for stop in _DECADE}
    return sorted({stop for stop in stops if low < stop < high} | {low, high, value})


def _value(name: str) -> Any:
    settings = address.current_settings()
    return getattr(settings, name) if hasattr(settings, name) else getattr(address.current_view(), name)


def _limits(name: str) -> Limits:
    limits = address.current_limits()
    return limits[name] if name in limits else address.current_view().limits(name)


def _choices(name: str) -> tuple[str, ...]:
    return choices(name) if name in Settings.__dataclass_fields__ else address.current_view().choices(name)


def _seed(key: str, value: Any, *identity: Any) -> None:
    """Give a widget the record's value, where it is new or shows another.

    Not on every run: that would pull a slider back under a moving thumb. A widget is new on another page, with other
    limits, or with labels in another language, even though its key still has a value from the one before.
    """
    drawn = st.session_state.setdefault(_DRAWN, {})
    now = (address.current_page(), current_language(), *identity)
    if drawn.get(key) != now or key not in st.session_state or st.session_state[key] != value:
        st.session_state[key] = value
        drawn[key] = now


def _take(name: str, key: str) -> None:
    """Write a widget's value to the record; one that is not legal is dropped and said."""
    value = st.session_state[key]
    is_setting = name in Settings.__dataclass_fields__
    record: Any = address.current_settings() if is_setting else address.current_view()
    if isinstance(getattr(record, name), tuple):
        value = tuple(option for option in record.choices(name) if option in value)
        if not value:
            return  # at least one stays: the next run lights it again
    try:
        if name in address.current_limits():
            low, high = address.current_limits()[name]
            value = kind_of(Settings, name)(min(max(value, low), high))
        address.apply(**{name: value})
    except (TypeError, ValueError):
        address.report(Repair(name, str(value), getattr(record, name)))


def _take_preset(key: str, options: Mapping[str, Mapping[str, Any]]) -> None:
    code = st.session_state[key]
    if code in options:
        address.apply(**options[code])
