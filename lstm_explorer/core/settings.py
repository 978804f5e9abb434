"""The one record that says which networks are built and what they read."""

from __future__ import annotations

import math
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal, NamedTuple

Architecture = Literal["rnn", "lstm", "gru"]
InputKind = Literal["noise", "zeros", "impulse", "sine", "text", "digit", "sunspots", "csv"]
RecurrentInit = Literal["pytorch", "keras", "orthogonal", "identity", "normal", "chrono"]

ARCHITECTURES: tuple[Architecture, ...] = typing.get_args(Architecture)

#: Kinds of input that are one number a step, whatever ``input_size`` says.
SCALAR_INPUTS = ("digit", "sunspots")


class Limits(NamedTuple):
    """The smallest and the largest legal value of a numeric setting."""

    low: float
    high: float


def _number(default: float, low: float, high: float) -> Any:
    """A dataclass field that carries its own limits."""
    return field(default=default, metadata={"limits": Limits(low, high)})


class ParsedQuery(NamedTuple):
    """Settings read from an address, and what had to be mended to make them legal."""

    settings: Settings
    repairs: tuple[Repair, ...]


class Repair(NamedTuple):
    """One parameter of an address that was not legal: what came, and what was taken."""

    name: str
    came: str
    taken: Any


@dataclass(frozen=True, kw_only=True)
class Settings:
    r"""Say which networks are built and what they read; frozen, validated and hashable.

    Gate biases are **effective** biases, ``bias_ih + bias_hh``. A gate bias is written to ``bias_ih`` and the gate's
    ``bias_hh`` is zero, unless ``split_biases`` shares it out evenly, half to each vector: the network computes the
    same, but this is what "fill both vectors with 1" does (``forget_bias=2, split_biases=True``).

    Args:
        sequence_length: Steps :math:`T`. Inputs with a length of their own (text, digit, sunspots, csv) give
            ``min(sequence_length, their length)`` steps.
        hidden_size: Units of the hidden state :math:`H`, in every layer.
        input_size: Features of a step, for noise, zeros, impulse, sine, text (embedding size) and csv (columns).
        num_layers: Stacked layers :math:`L`.
        batch_size: Samples :math:`B` in a batch.
        seed: Seed of the first replica; replica ``r`` is a single run with ``seed + r``.
        num_seeds: Replicas :math:`R`.
        dtype: ``"float32"`` or ``"float64"``.
        loss: ``"last"``: the sum of :math:`h_T`; ``"every"``: the same summed over every step.
        nonlinearity: Of the plain RNN, ``"tanh"`` or ``"relu"``.
        recurrent_init: How weights are drawn; see :func:`lstm_explorer.build_network`.
        recurrent_gain: Factor on ``weight_hh`` after it was drawn.
        chrono_max: :math:`T_{max}` of the chrono initialisation, in steps.
        input_bias: LSTM input gate, effective.
        forget_bias: LSTM forget gate, effective. Large keeps, small forgets.
        candidate_bias: LSTM and GRU candidate, effective.
        output_bias: LSTM output gate, effective.
        reset_bias: GRU reset gate, effective.
        update_bias: GRU update gate, effective. PyTorch's update gate *keeps* the old state when it is 1.
        split_biases: Put half of each gate bias in ``bias_ih`` and half in ``bias_hh``.
        input_kind: What the networks read; see :func:`lstm_explorer.make_inputs`.
        input_scale: Factor on the inputs.
        text: The sentence read character by character when ``input_kind="text"``.
        digit: Which handwritten digit, 0 to 9, when ``input_kind="digit"``.

    Raises:
        TypeError: A value is not of the setting's type.
        ValueError: A value is outside the setting's limits or choices.

    Example:
        >>> Settings(sequence_length=50, forget_bias=1).to_query()
        {'sequence_length': '50', 'forget_bias': '1.0'}
        >>> Settings.from_query({"sequence_length": "50"}).sequence_length
        50
    """

    sequence_length: int = _number(100, 1, 100_000)
    hidden_size: int = _number(32, 1, 4096)
    input_size: int = _number(8, 1, 4096)
    num_layers: int = _number(1, 1, 64)
    batch_size: int = _number(1, 1, 65_536)
    seed: int = _number(0, 0, 2**31 - 1)
    num_seeds: int = _number(1, 1, 1024)
    dtype: Literal["float32", "float64"] = "float32"
    loss: Literal["last", "every"] = "last"
    nonlinearity: Literal["tanh", "relu"] = "tanh"
    recurrent_init: RecurrentInit = "pytorch"
    recurrent_gain: float = _number(1.0, 0.0, 100.0)
    chrono_max: int = _number(100, 3, 100_000)
    input_bias: float = _number(0.0, -100.0, 100.0)
    forget_bias: float = _number(0.0, -100.0, 100.0)
    candidate_bias: float = _number(0.0, -100.0, 100.0)
    output_bias: float = _number(0.0, -100.0, 100.0)
    reset_bias: float = _number(0.0, -100.0, 100.0)
    update_bias: float = _number(0.0, -100.0, 100.0)
    split_biases: bool = False
    input_kind: InputKind = "noise"
    input_scale: float = _number(1.0, 0.0, 1000.0)
    text: str = "the quick brown fox jumps over the lazy dog"
    digit: int = _number(3, 0, 9)

    def __post_init__(self) -> None:
        """Check every value once, here; whole numbers given for a float become floats."""
        for name, kind in _KINDS.items():
            object.__setattr__(self, name, _checked(name, kind, getattr(self, name)))
        if self.input_kind == "text" and not self.text:
            raise ValueError("text is empty: expected at least one character to read; type a sentence.")

    @property
    def features(self) -> int:
        """Features of one input step: 1 for a digit or the sunspots, else ``input_size``."""
        return 1 if self.input_kind in SCALAR_INPUTS else self.input_size

    def replace(self, **changes: Any) -> Settings:
        """Return a copy with some settings changed, validated like a new one."""
        return replace(self, **changes)

    def to_query(self) -> dict[str, str]:
        """Return the settings that differ from their defaults as URL parameters, exactly."""
        changed = {f.name: getattr(self, f.name) for f in fields(self) if getattr(self, f.name) != f.default}
        return {name: _to_text(value) for name, value in changed.items()}

    @classmethod
    def from_query(cls, mapping: Mapping[str, str]) -> Settings:
        """Read settings from URL parameters; nonsense gives the nearest legal setting (see :func:`parse_query`)."""
        return parse_query(mapping).settings


_HINTS = typing.get_type_hints(Settings)
_KINDS: Mapping[str, Any] = types.MappingProxyType({f.name: _HINTS[f.name] for f in fields(Settings)})
_DEFAULTS: Mapping[str, Any] = types.MappingProxyType({f.name: f.default for f in fields(Settings)})

#: Name of each numeric setting -> its smallest and largest legal value.
LIMITS: Mapping[str, Limits] = types.MappingProxyType(
    {f.name: f.metadata["limits"] for f in fields(Settings) if "limits" in f.metadata}
)


def choices(name: str) -> tuple[str, ...]:
    """Return the legal values of a setting that is a choice, in the order they are offered."""
    return typing.get_args(_KINDS[name])


def parse_query(mapping: Mapping[str, str]) -> ParsedQuery:
    """Read settings from URL parameters and say what had to be mended.

    A number beyond a limit becomes the limit, text that is no number and an unknown choice become the default. Names
    that are no setting are left alone: an address may carry other things.

    Args:
        mapping: Parameter name to text, as in an address.

    Returns:
        The nearest legal settings, and one :class:`Repair` for each parameter that was not legal.

    Example:
        >>> parse_query({"sequence_length": "-4", "dtype": "float16"}).repairs
        (Repair(name='sequence_length', came='-4', taken=1), Repair(name='dtype', came='float16', taken='float32'))
    """
    taken: dict[str, Any] = {}
    repairs: list[Repair] = []
    for name, kind in _KINDS.items():
        if name not in mapping:
            continue
        taken[name], legal = _from_text(name, kind, mapping[name])
        if not legal:
            repairs.append(Repair(name, mapping[name], taken[name]))
    if taken.get("input_kind") == "text" and not taken.get("text", "text"):
        taken["text"] = _DEFAULTS["text"]
        repairs.append(Repair("text", "", taken["text"]))
    return ParsedQuery(Settings(**taken), tuple(repairs))


def _checked(name: str, kind: Any, value: Any) -> Any:
    """Return the value as its setting's type, or say what was expected."""
    if typing.get_origin(kind) is Literal:
        if value not in typing.get_args(kind):
            raise ValueError(f"{name} is {value!r}: expected one of {', '.join(map(repr, typing.get_args(kind)))}.")
        return value
    if kind in (bool, str):
        if not isinstance(value, kind):
            raise TypeError(f"{name} is {value!r} ({type(value).__name__}): expected {kind.__name__}.")
        return value
    return _checked_number(name, kind, value)


def _checked_number(name: str, kind: type[int] | type[float], value: Any) -> float:
    low, high = LIMITS[name]
    wanted = "a whole number" if kind is int else "a number"
    expected = f"expected {wanted} from {low:g} to {high:g}"
    if isinstance(value, bool) or not hasattr(value, "__float__"):
        raise TypeError(f"{name} is {value!r} ({type(value).__name__}): {expected}.")
    if not math.isfinite(value) or not low <= value <= high or kind(value) != value:
        raise ValueError(f"{name} is {value!r}: {expected}.")
    return kind(value)


def _to_text(value: Any) -> str:
    return str(int(value)) if isinstance(value, bool) else str(value)


def _from_text(name: str, kind: Any, text: str) -> tuple[Any, bool]:
    """Return the nearest legal value, and whether the text was legal as it came."""
    if kind is str:
        return text, True
    if kind is bool:
        return (text == "1", True) if text in ("0", "1") else (_DEFAULTS[name], False)
    if typing.get_origin(kind) is Literal:
        return (text, True) if text in typing.get_args(kind) else (_DEFAULTS[name], False)
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if math.isnan(number):
        return _DEFAULTS[name], False
    nearest = min(max(number, LIMITS[name].low), LIMITS[name].high)
    value = round(nearest) if kind is int else nearest
    return value, value == number
