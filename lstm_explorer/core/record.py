"""Frozen records of choices and numbers, declared once: from the declaration come checks, addresses and messages.

A record is a frozen dataclass that derives from :class:`Record`, with a default for every field:

- ``Literal[...]`` of text, or :func:`choice`: one of several;
- ``tuple[Literal[...], ...]``, or ``tuple[str, ...]`` with :func:`subset`: some of several;
- ``bool``; ``str``, plain or declared with :func:`text`;
- ``int`` or ``float`` declared with :func:`number`, which says the limits.

>>> @dataclass(frozen=True, kw_only=True)
... class Lab(Record):
...     scale: Literal["log", "linear"] = "log"
...     shown: tuple[str, ...] = subset(("rnn", "lstm"), ("rnn", "lstm", "gru"))
...     steps: int = number(100, 1, 2000)
>>> Lab(scale="linear", shown=("lstm",)).to_query()
{'scale': 'linear', 'shown': 'lstm'}
>>> Lab.parse_query({"scale": "cubic", "steps": "-4"}).corrections
(Correction(name='scale', given='cubic', used='log'), Correction(name='steps', given='-4', used=1))
"""

from __future__ import annotations

import dataclasses
import functools
import inspect
import math
import re
import types
import typing
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Literal, NamedTuple, Self, TypeVar, cast

from lstm_explorer.core.escape import short, whole

R = TypeVar("R")

#: Between the members of a subset in an address; it survives URL encoding unchanged.
_SEPARATOR = "-"


class Limits(NamedTuple):
    """The smallest and the largest legal value of a number."""

    low: float
    high: float


class Correction(NamedTuple):
    """One parameter that was not legal: what was given, and what is used instead; empty where it is dropped."""

    name: str
    given: str
    used: Any


class LeftOut(NamedTuple):
    """One parameter that is not used at all: what was given, and why, in the reader's language."""

    name: str
    given: str
    why: str


class Parsed(NamedTuple, Generic[R]):
    """A record read from texts, and what had to be corrected to make it legal."""

    record: R
    corrections: tuple[Correction, ...]


def number(default: float, low: float, high: float, *, app: tuple[float, float] | None = None, **metadata: Any) -> Any:
    """Declare a numeric field.

    Args:
        default: Its default.
        low: Smallest legal value.
        high: Largest legal value.
        app: Narrower limits of the app, where it allows less than Python does.
        **metadata: ``read_when``: field name to its values with which this field is read at all.
    """
    limits = Limits(low, high)
    return dataclasses.field(
        default=default, metadata={"limits": limits, "app_limits": Limits(*app) if app else limits, **metadata}
    )


def choice(default: str, options: Sequence[str], **metadata: Any) -> Any:
    """Declare a choice whose options are known at run time only; others are written as ``Literal``."""
    return dataclasses.field(default=default, metadata={"options": tuple(options), **metadata})


def subset(default: tuple[str, ...], options: Sequence[str]) -> Any:
    """Declare a choice of several."""
    return dataclasses.field(default=default, metadata={"options": tuple(options)})


def text(
    default: str, *, longest: int | None = None, reader: Callable[[str], object] | None = None, **metadata: Any
) -> Any:
    """Declare a text; the app reads no more than ``longest`` characters, ``reader`` raises ValueError on nonsense."""
    return dataclasses.field(default=default, metadata={"longest": longest, "reader": reader, **metadata})


@dataclass(frozen=True, kw_only=True)
class Field:
    """The declaration of one field.

    Attributes:
        name: Its name, in Python, in addresses and, with hyphens, on the command line.
        kind: ``int``, ``float``, ``bool``, ``str``, or ``tuple`` for a subset.
        default: Its default.
        options: Legal values of a choice, or the members of a subset; empty for other fields.
        limits: Of a number, else None.
        app_limits: The app's own limits of a number, else None.
        longest: Of a text in the app, else None.
        reader: Of a text with a form of its own, raises ``ValueError`` where it has not; else None.
        read_when: Field name to the values with which this one is read; empty where it always is.
    """

    name: str
    kind: type
    default: Any
    options: tuple[str, ...] = ()
    limits: Limits | None = None
    app_limits: Limits | None = None
    longest: int | None = None
    reader: Callable[[str], object] | None = None
    read_when: Mapping[str, tuple[str, ...]] = dataclasses.field(default_factory=dict)

    @property
    def expected(self) -> str:
        """The legal values, in words for a programmer."""
        if self.kind is tuple:
            return f"a tuple of at least one of {', '.join(map(repr, self.options))}"
        if self.options:
            return f"one of {', '.join(map(repr, self.options))}"
        if self.limits is not None:
            wanted = "a whole number" if self.kind is int else "a number"
            return f"{wanted} from {self.limits.low:g} to {self.limits.high:g}"
        return self.kind.__name__

    def checked(self, value: Any) -> Any:
        """Return the value as the field's type.

        Raises:
            TypeError: It is of another type.
            ValueError: It is outside the limits or none of the options.
        """
        if self.limits is not None:
            return self._checked_number(value)
        if self.kind is tuple:
            if not isinstance(value, tuple) or not value or any(one not in self.options for one in value):
                raise ValueError(f"{self.name} is {short(value)}: expected {self.expected}.")
        elif self.options:
            if value not in self.options:
                raise ValueError(f"{self.name} is {short(value)}: expected {self.expected}.")
        elif not isinstance(value, self.kind):
            raise TypeError(f"{self.name} is {short(value)} ({type(value).__name__}): expected {self.expected}.")
        elif isinstance(value, str) and whole(value) != value:
            raise ValueError(f"{self.name} is {short(value)}: expected whole characters; it holds half of one.")
        elif self.reader is not None:
            self.reader(cast(str, value))
        return value

    def to_text(self, value: Any) -> str:
        """Return a legal value as it stands in an address."""
        if self.kind is tuple:
            return _SEPARATOR.join(value)
        return str(int(value)) if self.kind is bool else str(value)

    def from_text(self, text: str) -> tuple[Any, bool]:
        """Return the nearest legal value, and whether the text was legal as it came."""
        if self.limits is not None:
            return self._number_from_text(text)
        if self.kind is tuple:
            parts = {plain_name(part) for part in text.split(_SEPARATOR)}
            known = tuple(option for option in self.options if plain_name(option) in parts)
            return known or self.default, len(known) == len(parts)
        if self.options:
            meant = [option for option in self.options if plain_name(option) == plain_name(text)]
            return (meant[0], True) if meant else (self.default, False)
        if self.kind is bool:
            return _SWITCHES.get(text.strip().lower(), self.default), text.strip().lower() in _SWITCHES
        try:
            return self.checked(whole(text)), whole(text) == text
        except ValueError:
            return self.default, False

    def _checked_number(self, value: Any) -> float:
        assert self.limits is not None
        low, high = self.limits
        if isinstance(value, bool) or not hasattr(value, "__float__"):
            raise TypeError(f"{self.name} is {short(value)} ({type(value).__name__}): expected {self.expected}.")
        try:
            legal = math.isfinite(value) and low <= value <= high and self.kind(value) == value
        except (TypeError, ValueError, OverflowError):  # an array, or more than a float holds
            legal = False
        if not legal:
            raise ValueError(f"{self.name} is {short(value)}: expected {self.expected}.")
        return self.kind(value)

    def _number_from_text(self, text: str) -> tuple[Any, bool]:
        assert self.limits is not None
        try:
            given = float(text)
        except ValueError:
            given = math.nan
        if math.isnan(given):
            return self.default, False
        nearest = min(max(given, self.limits.low), self.limits.high)
        value = round(nearest) if self.kind is int else nearest
        return value, value == given


#: How a switch may be written in an address.
_SWITCHES = types.MappingProxyType({"0": False, "1": True, "false": False, "true": True})


def plain_name(text: str) -> str:
    """Return a name as this app writes it: small letters, and underscores for hyphens.

    Example:
        >>> plain_name(" Forget-Bias")
        'forget_bias'
    """
    return text.strip().lower().replace("-", "_")


def schema(record: type[Record]) -> Mapping[str, Field]:
    """Return the declarations of a record's fields, by name, in their order."""
    return _schema(cast(Hashable, record))


@functools.cache
def _schema(record: Any) -> Mapping[str, Field]:
    hints = typing.get_type_hints(record)
    return types.MappingProxyType({one.name: _field(one, hints[one.name]) for one in dataclasses.fields(record)})


def _field(declared: dataclasses.Field[Any], hint: Any) -> Field:
    is_subset, options = typing.get_origin(hint) is tuple, declared.metadata.get("options", ())
    inner = typing.get_args(hint)[0] if is_subset else hint
    if typing.get_origin(inner) is Literal:
        hint, options = str, typing.get_args(inner)
    known = {name: declared.metadata[name] for name in _DECLARED if name in declared.metadata}
    kind = tuple if is_subset else hint
    return Field(name=declared.name, kind=kind, default=declared.default, options=options, **known)


_DECLARED = ("limits", "app_limits", "longest", "reader", "read_when")


@dataclass(frozen=True, kw_only=True)
class Record:
    """Base of every frozen record of choices and numbers."""

    def __post_init__(self) -> None:
        """Check every value once, here; whole numbers given for a float become floats."""
        for name, field in schema(type(self)).items():
            object.__setattr__(self, name, field.checked(getattr(self, name)))

    def replace(self, **changes: Any) -> Self:
        """Return a copy with some fields changed, checked like a new one.

        Raises:
            TypeError: There is no such field, or a value is of another type.
            ValueError: A value is outside the limits or none of the options.
        """
        return dataclasses.replace(self, **changes)

    def to_query(self) -> dict[str, str]:
        """Return the fields that differ from their defaults as URL parameters, exactly."""
        fields = schema(type(self)).values()
        values = {field.name: (field, getattr(self, field.name)) for field in fields}
        return {name: field.to_text(value) for name, (field, value) in values.items() if value != field.default}

    @classmethod
    def parse_query(cls, mapping: Mapping[str, str]) -> Parsed[Self]:
        """Read a record from URL parameters, and list what had to be corrected.

        A number beyond a limit becomes the limit; text that is no number and an unknown choice become the default.
        Names that are no field are ignored: an address may carry other things.

        Args:
            mapping: Parameter name to text, as in an address.
        """
        values: dict[str, Any] = {}
        corrections: list[Correction] = []
        for name, field in schema(cls).items():
            if name in mapping:
                values[name], legal = field.from_text(mapping[name])
                corrections += [] if legal else [Correction(name, mapping[name], values[name])]
        return Parsed(cls(**values), tuple(corrections))

    @classmethod
    def from_query(cls, mapping: Mapping[str, str]) -> Self:
        """Read a record from URL parameters; nonsense gives the nearest legal value (see :meth:`parse_query`)."""
        return cls.parse_query(mapping).record

    def reads(self, name: str) -> bool:
        """Tell whether a field counts, given the others."""
        conditions = schema(type(self))[name].read_when.items()
        return all(getattr(self, other) in values for other, values in conditions)


def described(record: type[Record]) -> Mapping[str, str]:
    """Return the first sentence of the docstrings of a record and of those it builds on, for each field, plain."""
    about: dict[str, str] = {}
    for owner in record.__mro__:
        body = inspect.cleandoc(owner.__doc__ or "").partition("Args:\n")[2].partition("\n\n")[0]
        entries = re.findall(r"^    (\w+): (.*?)(?=^    \w+: |\Z)", body + "\n", re.DOTALL | re.MULTILINE)
        plain = {name: re.sub(r":\w+:(?=`)|``|`|[{}]", "", " ".join(text.split())) for name, text in entries}
        own = {name: re.split(r"(?<=[.;])\s", text)[0].rstrip(".;") + "." for name, text in plain.items()}
        about = own | about
    return about
