"""How the page Gate biases shows its experiment, and what its view means on the network that is there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from lstm_explorer.core.biases.maps import DRAWN_BY_CHRONO, KEEPING, StateQuantity, total_of
from lstm_explorer.core.inputs.kinds import make_inputs
from lstm_explorer.core.networks.build import BLOCKS
from lstm_explorer.core.settings import Architecture, Settings
from lstm_explorer.exhibits.exhibit import Bench, Experiment
from lstm_explorer.exhibits.view import View, number
from lstm_explorer.figures.paths import Through
from lstm_explorer.figures.theme import NETWORK_NAMES

Gate = Literal["forget", "input", "candidate", "output", "reset", "update"]

#: Most lengths of a map over the length.
_LENGTHS = 12


@dataclass(frozen=True, kw_only=True)
class BiasesView(View):
    """Which map is shown, and which bias is asked for."""

    network: Literal["lstm", "gru"] = "lstm"
    gate: Gate = "forget"
    other: Gate = "input"
    across: Literal["lag", "gate", "length"] = "lag"
    path: Literal["total", "cell_path"] = "total"
    memory: int = number(0, 0, 2000)
    share: float = number(0.1, 0.001, 0.9)
    topic: Literal["need", "effective", "paths", "puzzle", "weights"] = "need"
    answer: Literal["closed", "measured", "chrono"] = "measured"
    through: Through = "only"
    weights_of: Architecture = "lstm"


def gate_of(view: BiasesView) -> str:
    """Return the gate whose bias is mapped; one that the architecture lacks becomes the gate that keeps."""
    return view.gate if view.gate in BLOCKS[view.network] else KEEPING[view.network]


def other_gate(view: BiasesView) -> str:
    """Return the second gate of a map of two; never the first one."""
    rest = [gate for gate in BLOCKS[view.network] if gate != gate_of(view)]
    return view.other if view.other in rest else rest[0]


def quantity_of(view: BiasesView) -> StateQuantity:
    """Return what is mapped; only the LSTM has a cell path."""
    return "cell_path" if view.path == "cell_path" and view.network == "lstm" else total_of(view.network)


def steps_of(bench: Bench, settings: Settings) -> int:
    """Return how many steps the sequence has: an input with a length of its own may have fewer than were asked for."""
    table = bench.table() if settings.input_kind == "csv" else None
    if settings.input_kind == "csv" and table is None:
        return settings.sequence_length
    return len(make_inputs(settings.replace(batch_size=1), table=table))


def memory_of(bench: Bench, settings: Settings, view: BiasesView) -> int:
    """Return how many steps are to be remembered: 0 is all, and there are no more than the sequence has."""
    steps = steps_of(bench, settings)
    return min(view.memory or steps, steps)


def one_bias(settings: Settings, *gates: str) -> Settings:
    """Return settings in which these gates have one bias for all units, as a map is about: chrono draws its own."""
    drawn = settings.recurrent_init == "chrono" and not set(gates).isdisjoint(DRAWN_BY_CHRONO)
    return settings.replace(recurrent_init="pytorch") if drawn else settings


def bias_of(settings: Settings, gate: str) -> float:
    """Return the settings' bias of a gate."""
    return float(getattr(settings, f"{gate}_bias"))


def lengths_up_to(longest: int) -> tuple[int, ...]:
    """Return a dozen lengths, about equally far apart in ratio, the last being the longest.

    Example:
        >>> lengths_up_to(100)
        (2, 3, 4, 6, 8, 12, 17, 24, 34, 49, 70, 100)
    """
    return tuple(
        sorted({round(float(length)) for length in np.geomspace(min(2, max(longest - 1, 1)), longest, _LENGTHS)})
    )


def alone(network: Architecture, settings: Settings) -> tuple[Experiment, ...]:
    """Return the experiments of an exhibit that is about one network."""
    return (Experiment(name=NETWORK_NAMES[network], architecture=network, settings=settings),)
