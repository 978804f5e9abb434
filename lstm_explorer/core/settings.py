"""The one record that says which networks are built and what they read."""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from lstm_explorer.core.kinds import checks_kinds
from lstm_explorer.core.record import Correction, Limits, Parsed, Record, number, schema, text

InputKind = Literal["noise", "zeros", "impulse", "sine", "text", "digit", "sunspots", "csv"]
RecurrentInit = Literal["pytorch", "keras", "orthogonal", "identity", "normal", "chrono"]

#: Kinds of input that are one number per step, whatever ``input_size`` says.
SCALAR_INPUTS = ("digit", "sunspots")
#: Kinds that read ``input_size``.
_WIDE_INPUTS = tuple(kind for kind in get_args(InputKind) if kind not in SCALAR_INPUTS)
#: Kinds that ``input_scale`` changes.
_SCALED_INPUTS = tuple(kind for kind in get_args(InputKind) if kind != "zeros")
#: Limits of a gate bias: the core's, and the app's.
_BIAS: dict[str, Any] = {"low": -100.0, "high": 100.0, "app": (-10.0, 10.0)}


@dataclass(frozen=True, kw_only=True)
class NetworkSettings(Record):
    r"""Which network is built, on how long a sequence: what an experiment and a training run have in common.

    Args:
        sequence_length: Steps :math:`T`. Inputs with a length of their own (text, digit, sunspots, csv) give
            ``min(sequence_length, their length)`` steps.
        hidden_size: Units of the hidden state :math:`H`, in every layer.
        num_layers: Stacked layers :math:`L`.
        batch_size: Samples :math:`B` in a batch.
        seed: Seed of the first replica; replica ``r`` is a single run with ``seed + r``.
        num_seeds: Replicas :math:`R`.
        dtype: ``"float32"`` or ``"float64"``.
        nonlinearity: Of the plain RNN, ``"tanh"`` or ``"relu"``.
        recurrent_init: How weights are drawn; see :func:`lstm_explorer.build_network`.
        recurrent_gain: Factor on ``weight_hh`` after it was drawn.
        chrono_max: :math:`T_{max}` of the chrono initialisation, in steps.
        input_bias: Input gate of LSTM and minLSTM, effective.
        forget_bias: Forget gate of LSTM and minLSTM, effective. Large keeps, small forgets.
        candidate_bias: Candidate, effective; every network but the plain RNN has one.
        output_bias: LSTM output gate, effective.
        reset_bias: GRU reset gate, effective.
        update_bias: Update gate of GRU and minGRU, effective. PyTorch's GRU *keeps* the old state where it is 1, the
            minGRU where it is 0.
        split_biases: Put half of each gate bias in ``bias_ih`` and half in ``bias_hh``.
    """

    sequence_length: int = number(100, 1, 100_000, app=(2, 2000))
    hidden_size: int = number(32, 1, 4096, app=(1, 256))
    num_layers: int = number(1, 1, 64, app=(1, 4))
    batch_size: int = number(1, 1, 65_536, app=(1, 64))
    seed: int = number(0, 0, 2**31 - 1)
    num_seeds: int = number(1, 1, 1024, app=(1, 64))
    dtype: Literal["float32", "float64"] = "float32"
    nonlinearity: Literal["tanh", "relu"] = "tanh"
    recurrent_init: RecurrentInit = "pytorch"
    recurrent_gain: float = number(1.0, 0.0, 100.0, app=(0.1, 3.0))
    chrono_max: int = number(100, 3, 100_000, app=(3, 10_000), read_when={"recurrent_init": ("chrono",)})
    input_bias: float = number(0.0, **_BIAS)
    forget_bias: float = number(0.0, **_BIAS)
    candidate_bias: float = number(0.0, **_BIAS)
    output_bias: float = number(0.0, **_BIAS)
    reset_bias: float = number(0.0, **_BIAS)
    update_bias: float = number(0.0, **_BIAS)
    split_biases: bool = False


@dataclass(frozen=True, kw_only=True)
class Settings(NetworkSettings):
    """Which networks are built and what they read; frozen, validated and hashable.

    Gate biases are **effective** biases, ``bias_ih + bias_hh``. A gate bias is written to ``bias_ih`` and the gate's
    ``bias_hh`` is zero, unless ``split_biases`` shares it out evenly, half to each vector: the network computes the
    same, but this is what "fill both vectors with 1" does (``forget_bias=2, split_biases=True``).

    Args:
        input_size: Features per step, for noise, zeros, impulse, sine, text (embedding size) and csv (columns).
        loss: ``"last"``: the sum of :math:`h_T`; ``"every"``: the same summed over every step.
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

    input_size: int = number(8, 1, 65_536, app=(1, 256), read_when={"input_kind": _WIDE_INPUTS})
    loss: Literal["last", "every"] = "last"
    input_kind: InputKind = "noise"
    input_scale: float = number(1.0, 0.0, 1000.0, app=(0.0, 10.0), read_when={"input_kind": _SCALED_INPUTS})
    text: str = text("the quick brown fox jumps over the lazy dog", longest=2000, read_when={"input_kind": ("text",)})
    digit: int = number(3, 0, 9, read_when={"input_kind": ("digit",)})

    def __post_init__(self) -> None:
        """Check every value once, here; whole numbers given for a float become floats."""
        super().__post_init__()
        if self.input_kind == "text" and not self.text:
            raise ValueError("text is empty: expected at least one character to read; type a sentence.")

    @property
    def features(self) -> int:
        """Features of one input step: 1 for a digit or the sunspots, else ``input_size``."""
        return 1 if self.input_kind in SCALAR_INPUTS else self.input_size

    @classmethod
    def parse_query(cls, mapping: Mapping[str, str]) -> Parsed[Settings]:
        """Read settings from URL parameters, and list what had to be corrected; an empty text becomes the default."""
        if mapping.get("input_kind") == "text" and mapping.get("text") == "":
            default = schema(cls)["text"].default
            settings, corrections = super().parse_query({**mapping, "text": default})
            return Parsed(settings, (*corrections, Correction("text", "", default)))
        return super().parse_query(mapping)


#: Name of each numeric setting -> its smallest and largest legal value.
LIMITS: Mapping[str, Limits] = types.MappingProxyType(
    {name: field.limits for name, field in schema(Settings).items() if field.limits is not None}
)


@checks_kinds
def parse_query(mapping: Mapping[str, str]) -> Parsed[Settings]:
    """Read settings from URL parameters and list what had to be corrected.

    Args:
        mapping: Parameter name to text, as in an address.

    Returns:
        The nearest legal settings, and one :class:`Correction` for each parameter that was not legal.

    Raises:
        TypeError: An argument is of another kind.

    Example:
        >>> parse_query({"sequence_length": "-4", "dtype": "float16"}).corrections[0]
        Correction(name='sequence_length', given='-4', used=1)
    """
    return Settings.parse_query(mapping)
