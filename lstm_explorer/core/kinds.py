"""Arguments of the wrong kind, refused at the public boundary: a function's annotations say what it takes."""

from __future__ import annotations

import functools
import inspect
import math
import types
import typing
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from numbers import Integral, Real
from typing import Any, Literal, ParamSpec, TypeVar

import numpy as np
from numpy.typing import ArrayLike
from torch import Tensor, nn

from lstm_explorer.core.escape import one_line, short
from lstm_explorer.core.record import Record

P = ParamSpec("P")
R = TypeVar("R")

#: What a public function returns -> the functions that do: where to get what is missing.
_MAKERS: dict[str, list[str]] = defaultdict(list)
#: Values that are shown as they are written; of others, the kind says more.
_SHOWN = (str, bytes, int, float, nn.Module, types.NoneType)


def checks_kinds(function: Callable[P, R]) -> Callable[P, R]:
    """Make a function refuse arguments that are not of the kind that its annotations say.

    Records, tensors, numbers, texts, choices, functions and what is made of them are checked. Networks, tables, and
    lists of numbers or names are left to the function, which knows more about them.

    Args:
        function: A public function.

    Returns:
        The same function; it raises ``TypeError`` for another kind, ``ValueError`` for a number that is not finite or
        a choice that there is not, and says what was expected, what came, and how to mend it.

    Example:
        >>> @checks_kinds
        ... def halved(number: float) -> float:
        ...     return number / 2
        >>> halved("10%")
        Traceback (most recent call last):
        TypeError: number is '10%': expected a finite number; write 10% as 0.1.
    """
    _MAKERS[str(function.__annotations__.get("return"))].append(function.__name__)
    signature = inspect.signature(function)
    hints = functools.cache(lambda: typing.get_type_hints(function))  # once all modules are there

    @functools.wraps(function)
    def checked(*args: P.args, **kwargs: P.kwargs) -> R:
        for name, value in signature.bind(*args, **kwargs).arguments.items():
            check_kind(name, value, hints()[name])
        return function(*args, **kwargs)

    return checked


def check_kind(name: str, value: Any, hint: Any) -> None:
    """Refuse a value that an annotation does not allow.

    Raises:
        TypeError: It is of another kind.
        ValueError: It is a number that is not finite, or no option of the choice.
    """
    options = _options(hint)
    if any(_is(value, option) for option in options):
        return
    expected = " or ".join(dict.fromkeys(_described(option) for option in options if option is not types.NoneType))
    came = one_line(short(value), 80) if isinstance(value, _SHOWN) else f"a {type(value).__name__}"
    misspelt = isinstance(value, str) and any(typing.get_origin(option) is Literal for option in options)
    endless = float in options and _is_real(value)
    kind = ValueError if misspelt or endless else TypeError
    raise kind(f"{name} is {came}: expected {expected}{_mend(value, options)}.")


def _mend(value: Any, options: Sequence[Any]) -> str:
    if isinstance(value, nn.Module):
        return "; a network goes into gradient_flow or unroll"
    of_numbers = float in options or ArrayLike in options
    return "; write 10% as 0.1" if of_numbers and isinstance(value, str) and "%" in value else ""


def _options(hint: Any) -> tuple[Any, ...]:
    """Return the members of a union; what NumPy takes for an array is one kind."""
    is_union = hint != ArrayLike and typing.get_origin(hint) in (typing.Union, types.UnionType)
    return typing.get_args(hint) if is_union else (hint,)


def _is(value: Any, hint: Any) -> bool:
    """Tell whether a value is of a kind; True of kinds that are not checked here."""
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin is Literal:
        return isinstance(value, str) and value in inner
    if origin is Callable:
        return callable(value)
    if origin in (tuple, Sequence) and not (_is_record(inner[0]) or (inner[0] is float and origin is tuple)):
        return origin is Sequence or isinstance(value, list | tuple)
    if origin is tuple:
        many = inner[:1] * len(value) if isinstance(value, tuple) and inner[1:] == (...,) else inner
        return isinstance(value, tuple) and len(value) == len(many) and all(map(_allowed, value, many))
    if origin is Mapping:
        return isinstance(value, Mapping) and _each(value, inner[0]) and _each(value.values(), inner[1])
    if origin is Sequence:
        return isinstance(value, list | tuple) and _each(value, inner[0])
    if hint in _PLAIN:
        return _PLAIN[hint][0](value)
    return not _is_record(hint) or isinstance(value, hint)


def _allowed(value: Any, hint: Any) -> bool:
    return any(_is(value, option) for option in _options(hint))


def _each(values: Iterable[Any], hint: Any) -> bool:
    return all(_allowed(value, hint) for value in values)


def _is_record(hint: Any) -> bool:
    """Tell whether a kind is a record of ours, or None or a tensor."""
    own = isinstance(hint, type) and hint.__module__.startswith("lstm_explorer.") and not issubclass(hint, nn.Module)
    return own or hint in (types.NoneType, Tensor)


def _is_real(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


def _is_numbers(value: Any) -> bool:
    try:
        return np.asarray(value).dtype.kind in "iuf"
    except (TypeError, ValueError, RuntimeError):  # ragged, or a tensor that needs its gradient
        return False


#: Kinds that are no records -> how they are told, and what they are called.
_PLAIN: Mapping[Any, tuple[Callable[[Any], bool], str]] = types.MappingProxyType(
    {
        bool: (lambda value: isinstance(value, bool | np.bool_), "True or False"),
        int: (lambda value: isinstance(value, Integral) and not isinstance(value, bool), "a whole number"),
        float: (lambda value: _is_real(value) and math.isfinite(value), "a finite number"),
        str: (lambda value: isinstance(value, str), "a text"),
        ArrayLike: (_is_numbers, "a number or an array of numbers"),
    }
)


def _described(hint: Any) -> str:
    """Return a kind in words, with the function that makes it."""
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin is Literal:
        return f"one of {', '.join(map(repr, inner))}"
    if origin is tuple:
        return f"a tuple{'' if ... in inner else f' of {len(inner)}'}, each {_described(inner[0])}"
    if origin is Mapping:
        return f"a dict, each key {_described(inner[0])}, each value {_described(inner[1])}"
    if origin is Callable:
        return "a function"
    if origin is Sequence:
        return f"a list, each {_described(inner[0])}"
    if hint in _PLAIN:
        return _PLAIN[hint][1]
    if issubclass(hint, Record):
        return f"{hint.__name__}, such as {hint.__name__}()"
    if hint is Tensor:
        return "a torch.Tensor"
    made = f", as {' or '.join(_MAKERS[hint.__name__])} returns it" if hint.__name__ in _MAKERS else ""
    return f"a {hint.__name__}{made}"
