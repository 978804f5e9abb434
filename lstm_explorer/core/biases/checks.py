"""What a sweep over biases accepts: gates, biases and lags."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from numbers import Integral
from typing import Any

from lstm_explorer.core.architectures import ARCHITECTURES, architecture_named
from lstm_explorer.core.errors import ExplainedError
from lstm_explorer.core.inputs import TableLike, make_inputs
from lstm_explorer.core.settings import LIMITS, Settings
from lstm_explorer.locales import N_


def check_biases(
    gate: str, biases: Sequence[float], architecture: str, settings: Settings | None = None
) -> tuple[float, ...]:
    """Return the biases of a gate as floats; without settings, those that are added to a network of one's own.

    Raises:
        TypeError: ``biases`` is no sequence of numbers.
        ValueError: There is no bias, they do not ascend or are outside the limits; or as :func:`check_gate`.
    """
    check_gate(gate, architecture, settings)
    return check_values("biases", biases, f"{gate}_bias")


def check_values(name: str, values: Sequence[float], setting: str = "") -> tuple[float, ...]:
    """Return the values of a setting as floats.

    Args:
        name: What messages call them.
        values: The values.
        setting: Whose they are, where that is not their name.

    Raises:
        TypeError: They are no sequence of numbers.
        ValueError: There is none, they do not ascend, or one is outside the setting's limits.
    """
    try:
        if isinstance(values, str):  # its characters would pass one by one
            raise TypeError
        swept = tuple(float(value) for value in values)
    except (TypeError, ValueError):
        raise TypeError(f"{name} is {values!r}: expected a sequence of numbers, such as (0, 1, 2).") from None
    if not swept:
        raise ValueError(f"{name} is empty: expected at least one number, such as (0, 1, 2).")
    low, high = LIMITS[setting or name]
    if not all(low <= value <= high for value in swept):
        raise ValueError(f"{name} is {values!r}: expected finite numbers from {low:g} to {high:g}.")
    if not is_ascending(swept):
        raise ValueError(f"{name} is {values!r}: expected ascending numbers, each once; sort them first.")
    return swept


def is_ascending(values: Sequence[float]) -> bool:
    """Tell whether every value is larger than the one before it."""
    return all(before < after for before, after in itertools.pairwise(values))


def check_gate(gate: str, architecture: str, settings: Settings | None = None) -> None:
    """Refuse a gate that the architecture lacks, or whose bias is not the settings'.

    Raises:
        ValueError: The architecture has no gates, or not this one.
        ExplainedError: Chrono initialisation draws the bias of this gate.
    """
    gated = [name for name, record in ARCHITECTURES.items() if record.gates]
    if architecture not in gated:
        expected = ", ".join(map(repr, gated))
        raise ValueError(f"architecture is {architecture!r}: expected one of {expected}; nothing else has gates.")
    gate_record = architecture_named(architecture).gate(gate)
    if settings is not None and settings.recurrent_init == "chrono" and gate_record.chrono:
        raise ExplainedError(
            N_(
                "Chrono initialisation draws the bias of the {gate} gate for every unit: expected another "
                "initialisation, or a gate that chrono leaves alone."
            ),
            {"gate": gate},
        )


def check_lag(lag: int, settings: Settings, table: TableLike | None = None) -> None:
    """Refuse a lag that is not within the sequence that the settings give.

    Raises:
        TypeError: The lag is no whole number.
        ValueError: It is less than 1 or longer than the sequence.
    """
    steps = len(make_inputs(settings, table=table))
    if not is_whole_number(lag):
        raise TypeError(f"lag is {lag!r} ({type(lag).__name__}): expected a whole number of steps.")
    if not 1 <= lag <= steps:
        raise ValueError(f"lag is {lag}: expected 1 to {steps}, the steps of this sequence; lengthen the sequence.")


def is_whole_number(value: Any) -> bool:
    """Tell whether a value is a whole number, Python's or NumPy's; True and False are none."""
    return isinstance(value, Integral) and not isinstance(value, bool)
