"""How a page shows its numbers: small frozen records that live in the address beside the settings."""

from __future__ import annotations

import math
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal, NamedTuple, Self

from lstm_explorer.core.settings import Limits, Repair

#: Between the members of a subset in an address; it survives URL encoding unchanged.
_SEPARATOR = "-"


class ParsedView(NamedTuple):
    """A view read from an address, and what had to be mended to make it legal."""

    view: Any
    repairs: tuple[Repair, ...]


def number(default: float, low: float, high: float) -> Any:
    """Declare a numeric field of a view, with its limits."""
    return field(default=default, metadata={"limits": Limits(low, high)})


@dataclass(frozen=True, kw_only=True)
class View:
    """Base of a page's view record: subclass it as a frozen dataclass with a default for every field.

    A field is a ``Literal[...]`` of text (one choice), a ``tuple[Literal[...], ...]`` (a subset), a ``bool``,
    a ``str``, or an ``int`` or ``float`` declared with :func:`number`. Its name becomes a URL parameter, so it must
    differ from the names of settings.

    Example:
        >>> @dataclass(frozen=True, kw_only=True)
        ... class Lab(View):
        ...     scale: Literal["log", "linear"] = "log"
        ...     shown: tuple[Literal["rnn", "lstm"], ...] = ("rnn", "lstm")
        >>> Lab(scale="linear", shown=("lstm",)).to_query()
        {'scale': 'linear', 'shown': 'lstm'}
        >>> Lab.parse_query({"scale": "cubic"}).repairs
        (Repair(name='scale', came='cubic', taken='log'),)
    """

    def to_query(self) -> dict[str, str]:
        """Return the fields that differ from their defaults as URL parameters."""
        changed = {f.name: getattr(self, f.name) for f in fields(self) if getattr(self, f.name) != f.default}
        return {name: _to_text(value) for name, value in changed.items()}

    def replace(self, **changes: Any) -> Self:
        """Return a copy with some fields changed.

        Raises:
            ValueError: A value is not legal for its field.
        """
        for name, value in changes.items():
            if not _is_legal(type(self), name, value):
                raise ValueError(f"{name} is {value!r}: expected {self.expected(name)}.")
        return replace(self, **changes)

    @classmethod
    def parse_query(cls, mapping: Mapping[str, str]) -> ParsedView:
        """Read a view from URL parameters; nonsense becomes the nearest legal value and is listed."""
        taken: dict[str, Any] = {}
        repairs: list[Repair] = []
        for f in fields(cls):
            if f.name in mapping:
                taken[f.name], legal = _from_text(cls, f, mapping[f.name])
                repairs += [] if legal else [Repair(f.name, mapping[f.name], taken[f.name])]
        return ParsedView(cls(**taken), tuple(repairs))

    @classmethod
    def choices(cls, name: str) -> tuple[str, ...]:
        """Return the legal values of a choice, or the members of a subset; empty for other fields."""
        return _options(kind_of(cls, name))

    @classmethod
    def limits(cls, name: str) -> Limits:
        """Return the smallest and the largest legal value of a number."""
        return next(f.metadata["limits"] for f in fields(cls) if f.name == name)

    @classmethod
    def expected(cls, name: str) -> str:
        """Say in words what a field takes, for a programmer."""
        if options := cls.choices(name):
            return f"one of {', '.join(map(repr, options))}"
        kind = kind_of(cls, name)
        if kind in (int, float):
            low, high = cls.limits(name)
            return f"{'a whole number' if kind is int else 'a number'} from {low:g} to {high:g}"
        return "True or False" if kind is bool else "a text"


def kind_of(record: type, name: str) -> Any:
    """Return the type of a field of a record class."""
    return typing.get_type_hints(record)[name]


def _options(kind: Any) -> tuple[str, ...]:
    if typing.get_origin(kind) is tuple:
        kind = typing.get_args(kind)[0]
    return typing.get_args(kind) if typing.get_origin(kind) is Literal else ()


def _is_legal(record: type[View], name: str, value: Any) -> bool:
    kind = kind_of(record, name)
    if typing.get_origin(kind) is tuple:
        return isinstance(value, tuple) and set(value) <= set(_options(kind))
    if options := _options(kind):
        return value in options
    if kind in (bool, str):
        return isinstance(value, kind)
    low, high = record.limits(name)
    return isinstance(value, kind) and not isinstance(value, bool) and low <= value <= high


def _to_text(value: Any) -> str:
    if isinstance(value, tuple):
        return _SEPARATOR.join(value)
    return str(int(value)) if isinstance(value, bool) else str(value)


def _from_text(record: type[View], f: Any, text: str) -> tuple[Any, bool]:
    """Return the nearest legal value, and whether the text was legal as it came."""
    kind = kind_of(record, f.name)
    if kind is str:
        return text, True
    if kind is bool:
        return (text == "1", True) if text in ("0", "1") else (f.default, False)
    if typing.get_origin(kind) is tuple:
        parts = text.split(_SEPARATOR) if text else []
        known = tuple(option for option in _options(kind) if option in parts)
        legal = set(parts) == set(known)
        return (known if known or legal else f.default), legal
    if options := _options(kind):
        return (text, True) if text in options else (f.default, False)
    return _number_from_text(kind, f, text)


def _number_from_text(kind: Any, f: Any, text: str) -> tuple[Any, bool]:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if math.isnan(value):
        return f.default, False
    low, high = f.metadata["limits"]
    nearest = kind(round(min(max(value, low), high))) if kind is int else min(max(value, low), high)
    return nearest, nearest == value
