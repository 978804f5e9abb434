"""The view of the page Gate biases, and what it means for the chosen network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, cast

import numpy as np

from lstm_explorer.core.architectures import ARCHITECTURES, architecture_named
from lstm_explorer.core.biases.norms import StateQuantity
from lstm_explorer.core.record import choice, number
from lstm_explorer.core.settings import Settings
from lstm_explorer.exhibits.view import View
from lstm_explorer.figures.paths import Through
from lstm_explorer.runs.experiment import Experiment
from lstm_explorer.runs.job import Runner

#: Networks with a gate that keeps the memory, and networks with recurrent weights.
GATED = tuple(name for name, record in ARCHITECTURES.items() if record.memory_gate)
RECURRENT = tuple(name for name, record in ARCHITECTURES.items() if record.recurrent)
_GATES = tuple(dict.fromkeys(gate.name for record in ARCHITECTURES.values() for gate in record.gates))

#: Most lengths of a map over the length.
_LENGTHS = 12


@dataclass(frozen=True, kw_only=True)
class BiasesView(View):
    """Which map is shown, and which bias is asked for.

    Args:
        network: The network whose biases are mapped.
        gate: The gate whose bias is the first axis.
        other: The gate whose bias is the second axis of the map over two gates.
        across: What the second axis is.
        path: Whether the total gradient is mapped, or that by the cell state alone.
        memory: Steps back from the last one, 0 for all.
        share: Share of the gradient that must survive so far back.
        topic: What is drawn beneath the map.
        answer: Which of the biases that suffice is set.
        through: What the figure of paths shows.
        weights_of: The network of whose weights the gradient is drawn.
    """

    network: str = choice("lstm", GATED)
    gate: str = choice("forget", _GATES)
    other: str = choice("input", _GATES)
    across: Literal["lag", "gate", "length"] = "lag"
    path: Literal["total", "cell_path"] = "total"
    memory: int = number(0, 0, 2000)
    share: float = number(0.1, 0.001, 0.9)
    topic: Literal["need", "effective", "paths", "puzzle", "weights"] = "need"
    answer: Literal["closed", "measured", "chrono"] = "measured"
    through: Through = "only"
    weights_of: str = choice("lstm", RECURRENT)


def memory_gate(network: str) -> str:
    """Return the name of the gate that keeps the memory of a network that has one."""
    gate = architecture_named(network).memory_gate
    return gate.name if gate else ""


def gate_of(view: BiasesView) -> str:
    """Return the gate whose bias is mapped; one that the architecture lacks becomes the gate that keeps."""
    return view.gate if view.gate in architecture_named(view.network).blocks else memory_gate(view.network)


def other_gate(view: BiasesView) -> str:
    """Return the second gate of a map of two; never the first one."""
    rest = [gate for gate in architecture_named(view.network).blocks if gate != gate_of(view)]
    return view.other if view.other in rest else rest[0]


def memory_of(network: str) -> StateQuantity:
    """Return the state that remembers."""
    return cast(StateQuantity, architecture_named(network).memory)


def quantity_of(view: BiasesView) -> StateQuantity:
    """Return what is mapped; only a network with a cell has a cell path."""
    memory = memory_of(view.network)
    return "cell_path" if view.path == "cell_path" and memory == "cell" else memory


def experiment(runner: Runner, network: str, settings: Settings) -> Experiment:
    """Return the experiment of an exhibit of one network."""
    return Experiment(architecture=network, settings=settings, table=runner.table, moment=runner.moment)


def lag_of(one: Experiment, view: BiasesView) -> int:
    """Return the steps to remember: 0 is all, and never more than the sequence has."""
    return min(view.memory or one.steps, one.steps)


def one_bias(network: str, settings: Settings, *gates: str) -> Settings:
    """Return settings in which these gates have one bias for all units, as in a map; chrono draws one per unit."""
    record = architecture_named(network)
    drawn = settings.recurrent_init == "chrono" and any(gate.chrono for gate in record.gates if gate.name in gates)
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
