"""Widgets bound to one setting, or one field of the page's view, each keyed by its name.

The session's record is authoritative: a widget gets its value from it before it is drawn, and its callback writes back
through the record's own validation. So values survive a change of page, presets move the widgets, and the address
follows. Every ``name`` below is a setting or a field of the view class given to ``open_page``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import streamlit as st

from lstm_explorer.core.escape import markdown
from lstm_explorer.core.record import Correction, Field, Limits, Record, schema
from lstm_explorer.locales import _, current_language
from lstm_explorer.ui import session

#: More options than this are offered in a list instead of side by side.
_SIDE_BY_SIDE = 4

#: Key of a widget -> the page, language and limits with which it was last drawn.
_DRAWN = "lstm_explorer_drawn"

#: Setting -> what was typed for it and could not be taken.
_REFUSED = "lstm_explorer_refused"

#: One decade of the logarithmic slider: round numbers, each 10 to 30 % above the last.
_DECADE = (10, 12, 15, 20, 25, 30, 40, 50, 60, 80)


def setting_slider(
    name: str,
    label: str,
    *,
    step: float = 1.0,
    limits: tuple[float, float] | None = None,
    help: str | None = None,
    idle: str = "",
) -> None:
    """Draw a linear slider: for biases, gains and small whole numbers.

    Args:
        name: The setting.
        label: Its visible name, with the unit.
        step: Distance of one key press; whole numbers take the nearest whole step.
        limits: Narrower limits than the page's; the setting's value always fits in.
        help: Its meaning, in a sentence.
        idle: Why it changes nothing now; it is then written beneath, and the slider cannot be moved.
    """
    value, (low, high) = _value(name), limits or _limits(name)
    kind = type(value)
    low, high = kind(min(low, value)), kind(max(high, value))
    step = kind(max(step, 1) if kind is int else step)
    if low == high:
        st.caption(f"{label}: {value:g}")
        return
    _synchronise(name, value, low, high, step)
    st.slider(
        label, low, high, step=step, key=name, help=help, disabled=bool(idle),
        on_change=_write_back, args=(name, name),
    )  # fmt: skip
    if idle:
        st.caption(idle)


def setting_number(name: str, label: str, *, help: str | None = None) -> None:
    """Draw a logarithmic slider and a box for the exact value: for whole numbers that span decades.

    The slider's stops are round numbers (2, 3, 4, ... 10, 12, 15, 20, 25 ... 2000), so an arrow key or a thumb moves by
    10 to 30 %; the box beside it takes any whole number. A value from the box becomes a stop of its own. What is typed
    and cannot be taken is quoted beneath, with what was expected: Streamlit's box for numbers only turns red.

    Args:
        name: The setting, a whole number.
        label: Its visible name, with the unit.
        help: Its meaning, in a sentence.
    """
    value, limits = _value(name), _limits(name)
    low, high = int(limits.low), int(limits.high)
    slider, box = f"{name}_slider", name
    _synchronise(slider, value)
    _synchronise(box, str(value))
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key=f"{name}_row", wrap=False):
        st.select_slider(
            label, log_stops(low, high, value), key=slider, help=help, on_change=_write_back, args=(name, slider)
        )
        st.text_input(
            _("{label}, exactly").format(label=label), key=box, label_visibility="collapsed", max_chars=20,
            width=96, on_change=_write_back_typed, args=(name, box),
        )  # fmt: skip
    if name in _refused():
        expected = _("{came} is not possible: expected a whole number from {low} to {high}. It stays {value}.")
        came = markdown(_refused()[name]) or _("Nothing")
        st.caption(f":red[{expected.format(came=came, low=low, high=high, value=value)}]")


def setting_stops(name: str, label: str, stops: Sequence[int], *, help: str | None = None) -> None:
    """Draw a slider over given numbers; it stands at the one nearest to the setting, and at the last for -1.

    Args:
        name: The setting, a whole number.
        label: Its visible name, with the unit.
        stops: The numbers, in order; at least one.
        help: Its meaning, in a sentence.
    """
    wanted, key = _value(name), f"{name}_stops"
    value = stops[-1] if wanted < 0 else min(stops, key=lambda stop: abs(stop - wanted))
    if len(stops) == 1:
        st.caption(f"{label}: {value}")
        return
    _synchronise(key, value, tuple(stops))
    st.select_slider(label, list(stops), key=key, help=help, on_change=_write_back, args=(name, key))


def setting_choice(
    name: str,
    label: str,
    options: Mapping[str, str] | None = None,
    *,
    side_by_side: int = _SIDE_BY_SIDE,
    pills: bool = False,
    help: str | None = None,
) -> None:
    """Draw one choice: side by side where there are few options, else a list.

    Args:
        name: The setting.
        label: Its visible name.
        options: Legal value to visible name, in the order they are offered; defaults to every legal value as it is.
        side_by_side: Up to how many options are drawn side by side.
        pills: Whether to draw them as separate pills, which wrap better.
        help: Its meaning, in a sentence.
    """
    value, names = _value(name), dict(options or {option: option for option in _field(name).options})
    names.setdefault(value, str(value))  # an address may ask for a value that this page does not offer
    _synchronise(name, value)
    shared: dict[str, Any] = {"format_func": names.__getitem__, "key": name, "help": help, "on_change": _write_back}
    if pills or len(names) <= side_by_side:
        draw = st.pills if pills else st.segmented_control
        draw(label, list(names), required=True, wrap=True, args=(name, name), **shared)
    else:
        st.selectbox(label, list(names), args=(name, name), **shared)


def choice_of(
    key: str,
    label: str,
    options: Mapping[Any, str],
    value: Any,
    take: Callable[[Any], None],
    *,
    width: int | None = None,
) -> None:
    """Draw a list to choose from, of what is no setting as it stands: what it means here is computed.

    Args:
        key: Of the widget.
        label: Its visible name.
        options: Value to visible name, in the order they are offered.
        value: The one that is chosen now.
        take: Called with a new choice, as a widget's callback is.
        width: In pixels; that of its place by default.
    """
    _synchronise(key, value, tuple(options))
    st.selectbox(
        label, list(options), format_func=options.__getitem__, key=key, width=width or "stretch",
        on_change=lambda: take(st.session_state[key]),
    )  # fmt: skip


def setting_subset(name: str, label: str, options: Mapping[str, str], *, help: str | None = None) -> None:
    """Draw a choice of several, at least one: for a view's field that is a tuple.

    Args:
        name: The field.
        label: Its visible name.
        options: Legal value to visible name, in the order they are offered.
        help: Its meaning, in a sentence.
    """
    _synchronise(name, list(_value(name)))
    st.pills(
        label, list(options), selection_mode="multi", format_func=options.__getitem__, key=name, help=help, wrap=True,
        on_change=_write_back, args=(name, name),
    )  # fmt: skip


def setting_toggle(name: str, label: str, *, help: str | None = None) -> None:
    """Draw a switch."""
    _synchronise(name, _value(name))
    st.toggle(label, key=name, help=help, on_change=_write_back, args=(name, name))


def setting_text(name: str, label: str, *, tall: bool = False, help: str | None = None) -> None:
    """Draw a box for a text; one that is refused is dropped, and the last text stays.

    Args:
        name: The setting.
        label: Its visible name.
        tall: Whether it has several lines.
        help: Its meaning, in a sentence.
    """
    _synchronise(name, _value(name))
    draw = st.text_area if tall else st.text_input
    draw(label, key=name, help=help, max_chars=_field(name).longest, on_change=_write_back, args=(name, name))


def presets(
    label: str, options: Mapping[str, tuple[str, Mapping[str, Any]]], *, key: str = "preset", help: str | None = None
) -> str | None:
    """Draw one-click sets of changes as pills; the one that matches the settings is highlighted.

    Args:
        label: Visible name of the group.
        options: Code of a preset to its visible name and the changes it makes.
        key: Key of the widget, where a page has more than one group.
        help: Its meaning, in a sentence.

    Returns:
        Code of the preset that matches the settings now, or None.
    """
    lit = matching(session.current_record(), {code: changes for code, (_name, changes) in options.items()})
    _synchronise(key, lit)
    st.pills(
        label, list(options), format_func=lambda code: options[code][0], key=key, help=help, wrap=True,
        on_change=_write_back_preset, args=(key, {code: dict(changes) for code, (_name, changes) in options.items()}),
    )  # fmt: skip
    return lit


def matching(record: Record, options: Mapping[str, Mapping[str, Any]]) -> str | None:
    """Return the first set of changes that would change nothing."""
    return next((code for code, changes in options.items() if record.replace(**changes) == record), None)


def log_stops(low: int, high: int, value: int) -> list[int]:
    """Return round numbers from low to high, about equally far apart in ratio, and the value itself.

    Example:
        >>> log_stops(2, 30, 17)
        [2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 15, 17, 20, 25, 30]
    """
    stops = set(range(1, 10)) | {stop * 10**power for power in range(6) for stop in _DECADE}
    return sorted({stop for stop in stops if low < stop < high} | {low, high, value})


def _record(name: str) -> Record:
    """Return the record that has a field: the settings, or the open page's view."""
    view: Record = session.current_view()
    return view if name in schema(type(view)) else session.current_settings()


def _field(name: str) -> Field:
    return schema(type(_record(name)))[name]


def _value(name: str) -> Any:
    return getattr(_record(name), name)


def _limits(name: str) -> Limits:
    return session.current_limits().get(name) or _field(name).limits or Limits(0, 0)


def _synchronise(key: str, value: Any, *identity: Any) -> None:
    """Give a widget the record's value, where it is new or has another.

    Not on every run: that would pull a slider back under a moving thumb. A widget is new on another page, with other
    limits, or with labels in another language, even though its key still has a value from the one before.
    """
    drawn = st.session_state.setdefault(_DRAWN, {})
    now = (session.current_page(), current_language(), *identity)
    if drawn.get(key) != now or key not in st.session_state or st.session_state[key] != value:
        st.session_state[key] = value
        drawn[key] = now


def _write_back(name: str, key: str) -> None:
    """Write a widget's value to the record; one that is not legal is dropped and reported."""
    value, field = st.session_state[key], _field(name)
    if field.kind is tuple:
        value = tuple(option for option in field.options if option in value)
        if not value:
            return  # at least one must stay: the next run selects it again
    try:
        if name in session.current_limits():
            low, high = session.current_limits()[name]
            value = field.kind(min(max(value, low), high))
        _refused().pop(name, None)
        session.apply(**{name: value})
    except (TypeError, ValueError):
        session.report(Correction(name, str(value), _value(name)))


def _write_back_typed(name: str, key: str) -> None:
    """Write a typed whole number to the record; keep any other text, to say why it was not taken."""
    typed, (low, high) = st.session_state[key].strip(), _limits(name)
    try:
        number = int(typed.replace(",", "").replace(" ", ""))
    except ValueError:
        number = None
    if number is None or not low <= number <= high:
        _refused()[name] = typed
        return
    _refused().pop(name, None)
    session.apply(**{name: number})


def _refused() -> dict[str, str]:
    """Return what was typed last and not taken, by the setting's name."""
    refused: dict[str, str] = st.session_state.setdefault(_REFUSED, {})
    return refused


def _write_back_preset(key: str, options: Mapping[str, Mapping[str, Any]]) -> None:
    code = st.session_state[key]
    if code in options:
        session.apply(**options[code])
