"""The jobs of the app: every measurement of the core that a figure is made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Generic, TypeVar

from lstm_explorer.core.architectures import ClosedForm, architecture_named, layer_parameters
from lstm_explorer.core.biases.grids import BiasGrid, join_grids, length_map, two_gate_map
from lstm_explorer.core.biases.maps import BiasMap, bias_map, join_maps
from lstm_explorer.core.biases.required import BIASES_TRIED, BiasSearch, RequiredBias, Survival
from lstm_explorer.core.engine.trajectory import Trajectory, unroll
from lstm_explorer.core.gradients.paths import NUMBERS_PER_STEP, PathFlows, join_paths, path_flows
from lstm_explorer.core.gradients.result import GradientFlow
from lstm_explorer.core.gradients.seeds import join_flows, own_flow, seed_flows
from lstm_explorer.core.gradients.weights import (
    StepContributions,
    WeightGradients,
    join_contributions,
    join_weight_gradients,
    step_contributions,
    weight_gradients,
)
from lstm_explorer.runs.experiment import Experiment
from lstm_explorer.runs.job import Unit

T = TypeVar("T")

#: A bias in a batched pass costs less than a replica alone.
_BATCHED = 0.375


@dataclass(frozen=True, kw_only=True)
class ReplicaJob(Generic[T]):
    """A measurement that is cut into replicas; where nothing else is said, a piece passes nothing to the next."""

    experiment: Experiment

    unit: ClassVar[Unit] = "seeds"
    carries: ClassVar[bool] = False
    #: Its cost and the numbers of its result, relative to those of the hidden state's gradient.
    cost: ClassVar[float] = 1.0
    numbers_per_step: ClassVar[int] = 1

    def __post_init__(self) -> None:
        """Reset what the experiment does not read, so that jobs with equal results are equal."""
        object.__setattr__(self, "experiment", self.experiment.essential().replace(**self._replaced))

    @property
    def _replaced(self) -> Mapping[str, Any]:
        """Settings that the measurement replaces by its own."""
        return {}

    @property
    def total(self) -> int:
        """How many units it has."""
        return self.experiment.settings.num_seeds

    @property
    def work(self) -> float:
        """Cost of one unit, in numbers of one state of 64 units: each number is a sum over all units of its layer."""
        return self.cost * self.experiment.numbers * (0.5 + self.experiment.settings.hidden_size / 128)

    @property
    def result_numbers(self) -> int:
        """How many numbers the whole result holds."""
        settings = self.experiment.settings
        return self.numbers_per_step * settings.sequence_length * settings.batch_size * settings.num_seeds

    def piece(self, first: int, last: int, carried: Any = None) -> tuple[T, Any]:
        """Do some units."""
        return self._measure(first, last), None

    def _measure(self, first: int, last: int) -> T:
        raise NotImplementedError

    def _replicas(self, first: int, last: int) -> dict[str, Any]:
        """Return some replicas as the core's functions take them."""
        return self._whole | {
            "settings": self.experiment.settings.replace(
                seed=self.experiment.settings.seed + first, num_seeds=last - first
            )
        }

    @property
    def _whole(self) -> dict[str, Any]:
        """The experiment as the core's functions take it."""
        one = self.experiment
        return {"settings": one.settings, "architecture": one.architecture, "table": one.rows}


class FirstReplicaJob(ReplicaJob[T]):
    """A measurement of the first replica alone."""

    @property
    def total(self) -> int:
        """How many units it has."""
        return 1

    def join(self, pieces: Sequence[T]) -> T:
        """Return the only piece."""
        return pieces[0]


@dataclass(frozen=True, kw_only=True)
class Flow(ReplicaJob[GradientFlow]):
    """The gradient of every state, of all replicas (:func:`lstm_explorer.seed_flows`)."""

    units: bool = False

    join = staticmethod(join_flows)

    def _measure(self, first: int, last: int) -> GradientFlow:
        if moment := self.experiment.moment:
            return own_flow(moment.network, moment.inputs, moment.cotangent, units=self.units)
        return seed_flows(**self._replicas(first, last), units=self.units)


class Unrolled(FirstReplicaJob[Trajectory]):
    """Every state and gate of the first replica (:func:`lstm_explorer.unroll`)."""

    def _measure(self, first: int, last: int) -> Trajectory:
        return unroll(self.experiment.network, self.experiment.inputs)


class Theory(FirstReplicaJob[Sequence[ClosedForm]]):
    """The closed forms of the first replica's first layer."""

    @property
    def _replaced(self) -> Mapping[str, Any]:
        return {"num_seeds": 1}

    def _measure(self, first: int, last: int) -> Sequence[ClosedForm]:
        one = self.experiment
        parameters = layer_parameters(one.network, 0)
        return architecture_named(one.architecture).closed_forms(one.settings, parameters, one.inputs)


class Paths(ReplicaJob[PathFlows]):
    """The LSTM's gradient path by path (:func:`lstm_explorer.path_flows`)."""

    cost, numbers_per_step, join = 4.0, NUMBERS_PER_STEP, staticmethod(join_paths)

    def _measure(self, first: int, last: int) -> PathFlows:
        some = self._replicas(first, last)
        return path_flows(some["settings"], table=some["table"])


@dataclass(frozen=True, kw_only=True)
class Weights(ReplicaJob[WeightGradients]):
    """The gradient of the recurrent weights, over the length (:func:`lstm_explorer.weight_gradients`)."""

    lengths: tuple[int, ...]

    cost, join = 1.5, staticmethod(join_weight_gradients)

    @property
    def work(self) -> float:
        """Cost of one unit, in numbers of one state."""
        return super().work * sum(self.lengths) / self.experiment.settings.sequence_length

    def _measure(self, first: int, last: int) -> WeightGradients:
        return weight_gradients(**self._replicas(first, last), lengths=self.lengths)


class Contributions(ReplicaJob[StepContributions]):
    """What every step adds to the recurrent weights' gradient (:func:`lstm_explorer.step_contributions`)."""

    cost, join = 1.5, staticmethod(join_contributions)

    def _measure(self, first: int, last: int) -> StepContributions:
        """Leave out the sums themselves: large matrices that no figure draws."""
        contributions = step_contributions(**self._replicas(first, last))
        return replace(contributions, total=contributions.total[:0])


@dataclass(frozen=True, kw_only=True)
class _BiasSweepJob(ReplicaJob[T]):
    """A measurement over the biases of a gate, in batched passes; the settings' own biases of it do not count."""

    gate: str
    biases: tuple[float, ...]

    unit: ClassVar[Unit] = "biases"

    @property
    def _replaced(self) -> Mapping[str, Any]:
        return {f"{self.gate}_bias": 0.0}

    @property
    def total(self) -> int:
        """How many units it has."""
        return len(self.biases)

    @property
    def work(self) -> float:
        """Cost of one unit, in numbers of one state."""
        return _BATCHED * super().work * self.experiment.settings.num_seeds

    @property
    def result_numbers(self) -> int:
        """How many numbers the whole result holds."""
        return len(self.biases) * super().result_numbers


class Map(_BiasSweepJob[BiasMap]):
    """The map of bias and step (:func:`lstm_explorer.bias_map`)."""

    join = staticmethod(join_maps)

    def _measure(self, first: int, last: int) -> BiasMap:
        if moment := self.experiment.moment:
            biases = self.biases[first:last]
            return bias_map(moment.network, moment.inputs, gate=self.gate, biases=biases, cotangent=moment.cotangent)
        return bias_map(**self._whole, gate=self.gate, biases=self.biases[first:last])


@dataclass(frozen=True, kw_only=True)
class TwoGates(_BiasSweepJob[BiasGrid]):
    """The map over the biases of two gates, at one lag (:func:`lstm_explorer.two_gate_map`)."""

    other: str
    others: tuple[float, ...]
    lag: int

    join = staticmethod(join_grids)

    @property
    def _replaced(self) -> Mapping[str, Any]:
        return {f"{gate}_bias": 0.0 for gate in (self.gate, self.other)}

    @property
    def work(self) -> float:
        """Cost of one unit, in numbers of one state."""
        return len(self.others) * super().work

    @property
    def result_numbers(self) -> int:
        """How many numbers the whole result holds."""
        return len(self.others) * super().result_numbers // self.experiment.settings.sequence_length

    def _measure(self, first: int, last: int) -> BiasGrid:
        """Measure some biases of the first gate, with all of the other's."""
        gates, biases = (self.gate, self.other), (self.biases[first:last], self.others)
        return two_gate_map(**self._whole, gates=gates, biases=biases, lag=self.lag)


@dataclass(frozen=True, kw_only=True)
class Lengths(_BiasSweepJob[BiasGrid]):
    """The map over bias and sequence length (:func:`lstm_explorer.length_map`)."""

    lengths: tuple[int, ...]

    join = staticmethod(join_grids)

    @property
    def work(self) -> float:
        """Cost of one unit, in numbers of one state."""
        return super().work * sum(self.lengths) / max(self.lengths)

    @property
    def result_numbers(self) -> int:
        """How many numbers the whole result holds."""
        return len(self.lengths) * super().result_numbers // self.experiment.settings.sequence_length

    def _measure(self, first: int, last: int) -> BiasGrid:
        return length_map(**self._whole, gate=self.gate, biases=self.biases[first:last], lengths=self.lengths)


@dataclass(frozen=True, kw_only=True)
class Required(ReplicaJob[RequiredBias | None]):
    """The bias that keeps a share of the gradient over a lag (:func:`lstm_explorer.required_bias`).

    A piece passes on what was measured so far; as long as the search is not over, the result is None.
    """

    lag: int
    share: float

    unit: ClassVar[Unit] = "biases"
    carries: ClassVar[bool] = True
    cost, total, result_numbers = _BATCHED, BIASES_TRIED, BIASES_TRIED

    @property
    def _replaced(self) -> Mapping[str, Any]:
        gate = architecture_named(self.experiment.architecture).memory_gate
        return {} if gate is None else {f"{gate.name}_bias": 0.0}

    @property
    def work(self) -> float:
        """Cost of one unit, in numbers of one state."""
        return super().work * self.experiment.settings.num_seeds

    def piece(self, first: int, last: int, carried: Any = None) -> tuple[RequiredBias | None, list[Survival]]:
        """Try some biases."""
        search, measured = BiasSearch(**self._whole, lag=self.lag, share=self.share), list(carried or ())
        while left := search.biases(measured)[len(measured) : last]:
            measured += search.measure(left)
        over = len(measured) == len(search.biases(measured))
        return search.answer(measured) if over else None, measured

    def join(self, pieces: Sequence[RequiredBias | None]) -> RequiredBias | None:
        """Return the answer, or None as long as there is none."""
        return pieces[-1]
