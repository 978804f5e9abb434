"""The jobs of the page Vanish or explode: Jacobians of one run, their products, their spectra, and maps of exponents.

All are of the first sample of the first replica; of a bidirectional network of one's own, of its forward direction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, NamedTuple, TypeVar

import numpy as np
import torch
from torch import Tensor

from lstm_explorer.core.architectures import architecture_named
from lstm_explorer.core.engine.scaled import Array
from lstm_explorer.core.jacobians.eigenvalues import Eigenvalues, jacobian_eigenvalues, join_eigenvalues
from lstm_explorer.core.jacobians.lyapunov import carried_on, exponents_of, first_frame
from lstm_explorer.core.jacobians.phase_maps import PhaseMap, join_phase_maps, phase_map
from lstm_explorer.core.jacobians.products import Frame, JacobianFlow, carried_back, join_jacobian_flows
from lstm_explorer.core.jacobians.steps import LayerSteps, last_layer_steps
from lstm_explorer.runs.job import Unit
from lstm_explorer.runs.measurements import ReplicaJob

T = TypeVar("T")

#: Most steps whose eigenvalues are drawn, and the work that they may cost together, about five seconds.
_STEPS, _WORK_OF_EIGENVALUES = 60, 15_000_000


@dataclass(frozen=True, kw_only=True)
class _StepsJob(ReplicaJob[T], Generic[T]):
    """Work on the Jacobians of steps, ``S * S`` each: its cost grows as ``S**3``."""

    unit: ClassVar[Unit] = "steps"
    #: Work per step: so much for each of ``S**3``, and for the step itself.
    per_number: ClassVar[float]
    per_step: ClassVar[float]

    @property
    def _replaced(self) -> Mapping[str, Any]:
        return {"loss": "last", "num_seeds": 1, "batch_size": 1}

    @property
    def total(self) -> int:
        """How many units it has."""
        return self.experiment.steps

    @property
    def size(self) -> int:
        """Numbers in a state."""
        states = architecture_named(self.experiment.architecture).states
        return self.experiment.settings.hidden_size * len(states)

    @property
    def work(self) -> float:
        """Cost of one unit, in numbers of one state."""
        return self.per_number * self.size**3 + self.per_step

    @property
    def result_numbers(self) -> int:
        """How many numbers the whole result holds."""
        return self.total * self.size

    @property
    def _inputs(self) -> Tensor:
        return self.experiment.inputs[:, :1]

    @property
    def _layer(self) -> LayerSteps:
        return last_layer_steps(self.experiment.network, self._inputs, None)[0]


class Products(_StepsJob[JacobianFlow]):
    """Singular values of d state_T / d state_t at every lag (:func:`lstm_explorer.jacobian_flow`), the last ones first.

    A piece of it is the flow of its own steps.
    """

    per_number, per_step, carries = 7.5e-3, 500.0, True

    def piece(self, first: int, last: int, carried: Any = None) -> tuple[JacobianFlow, tuple[Frame, Frame]]:
        """Go some steps further back."""
        layer = self._layer
        steps = slice(self.total - last, self.total - first)
        size = layer.shape[2]
        frames = carried or (Frame.identity(1, size), Frame.of_gradient(self._cotangent(layer), size))
        parts, after = zip(*(carried_back(layer.jacobians, steps, frame) for frame in frames), strict=True)
        if first == 0:
            ends = (torch.from_numpy(frame.log10)[None] for frame in frames)
            parts = tuple(torch.cat(both) for both in zip(parts, ends, strict=True))
        values, gradient = parts
        flow = JacobianFlow(
            architecture=self.experiment.architecture, log10_singular_values=values, log10_gradient=gradient[..., 0]
        )
        return flow, after

    def _cotangent(self, layer: LayerSteps) -> Tensor:
        """Return what the loss puts on the last hidden state, ``(1, H)``."""
        size = layer.states.hidden.shape[-1]
        moment = self.experiment.moment
        return torch.ones(1, size) if moment is None else moment.cotangent[-1, :1, :size]

    join = staticmethod(join_jacobian_flows)


class Growth(NamedTuple):
    """Directions that were carried through so many steps."""

    frame: Frame
    steps: int

    @property
    def exponents(self) -> Array:
        """The Lyapunov exponents, descending, ``(S,)``."""
        return exponents_of(self.frame, self.steps)[0].numpy()


class Exponents(_StepsJob[Growth]):
    """All Lyapunov exponents (:func:`lstm_explorer.lyapunov_exponents`)."""

    per_number, per_step, carries = 2.1e-3, 300.0, True

    def piece(self, first: int, last: int, carried: Any = None) -> tuple[Growth, Frame]:
        """Go some steps further."""
        layer = self._layer
        frame = carried_on(layer.jacobians, slice(first, last), carried or first_frame(1, layer.shape[2]))
        return Growth(frame, last), frame

    def join(self, pieces: Sequence[Growth]) -> Growth:
        """Return the last piece, to which all others have led."""
        return pieces[-1]


class StepEigenvalues(_StepsJob[Eigenvalues]):
    """Eigenvalues of the weights and of some steps' Jacobians (:func:`lstm_explorer.jacobian_eigenvalues`)."""

    per_number, per_step = 9e-3, 2000.0

    @property
    def steps(self) -> tuple[int, ...]:
        """The steps, evenly spaced, the first and the last among them."""
        affordable = int(min(_STEPS, max(2, _WORK_OF_EIGENVALUES // self.work)))
        return tuple(np.unique(np.linspace(1, self.experiment.steps, affordable).round().astype(int)).tolist())

    @property
    def total(self) -> int:
        """How many units it has."""
        return len(self.steps)

    def piece(self, first: int, last: int, carried: Any = None) -> tuple[Eigenvalues, None]:
        """Look at some steps."""
        return jacobian_eigenvalues(self.experiment.network, self._inputs, steps=self.steps[first:last]), None

    join = staticmethod(join_eigenvalues)


@dataclass(frozen=True, kw_only=True)
class Phases(ReplicaJob[PhaseMap]):
    """The largest exponent over two settings (:func:`lstm_explorer.phase_map`), row by row."""

    rows: tuple[str, tuple[float, ...]]
    columns: tuple[str, tuple[float, ...]]

    unit: ClassVar[Unit] = "rows"
    cost: ClassVar[float] = 1.5

    join = staticmethod(join_phase_maps)

    @property
    def _replaced(self) -> Mapping[str, Any]:
        neutral = {name: 0.0 if name.endswith("_bias") else 1.0 for name in (self.rows[0], self.columns[0])}
        return {"loss": "last", "num_seeds": 1, "batch_size": 1, **neutral}

    @property
    def total(self) -> int:
        """How many units it has."""
        return len(self.rows[1])

    @property
    def work(self) -> float:
        """Cost of one unit, in numbers of one state."""
        return super().work * len(self.columns[1])

    @property
    def result_numbers(self) -> int:
        """How many numbers the whole result holds."""
        return len(self.rows[1]) * len(self.columns[1])

    def _measure(self, first: int, last: int) -> PhaseMap:
        across = {self.rows[0]: self.rows[1][first:last], self.columns[0]: self.columns[1]}
        if moment := self.experiment.moment:
            return phase_map(moment.network, moment.inputs[:, :1], across=across)
        return phase_map(**self._whole, across=across)
