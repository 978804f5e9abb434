"""Jobs of the explosion: clipping, the range of the floats, and truncation, of the first replica."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

from lstm_explorer.core.gradients.clipping import ClippedGradient, Clipping, clipped_gradient
from lstm_explorer.core.gradients.plain import PlainBackward, plain_backward
from lstm_explorer.core.gradients.result import GradientFlow
from lstm_explorer.core.gradients.truncated import truncated_flow
from lstm_explorer.runs.measurements import FirstReplicaJob

T = TypeVar("T")


class _OwnCotangentJob(FirstReplicaJob[T]):
    """A measurement of one network and what it reads; of a moment the loss is the moment's own, else at the last step.

    A loss at every step would put gradient of its own on each: nothing would have to arrive.
    """

    @property
    def _replaced(self) -> Mapping[str, Any]:
        return {"loss": "last", "num_seeds": 1}

    def _of(self, measure: Callable[..., T], **options: Any) -> T:
        one = self.experiment
        cotangent = one.moment.cotangent if one.moment else None
        return measure(one.network, one.inputs, cotangent=cotangent, **options)


@dataclass(frozen=True, kw_only=True)
class ClippedWeights(_OwnCotangentJob[ClippedGradient]):
    """The gradient of all weights before and after clipping (:func:`lstm_explorer.clipped_gradient`)."""

    clipping: Clipping
    clip_at: float

    cost: ClassVar[float] = 4.0

    def _measure(self, first: int, last: int) -> ClippedGradient:
        return self._of(clipped_gradient, clipping=self.clipping, clip_at=self.clip_at)


class Plain(_OwnCotangentJob[PlainBackward]):
    """An ordinary backward pass in the network's dtype beside the exact one (:func:`lstm_explorer.plain_backward`)."""

    cost: ClassVar[float] = 4.0
    numbers_per_step: ClassVar[int] = 2

    def _measure(self, first: int, last: int) -> PlainBackward:
        return self._of(plain_backward)


@dataclass(frozen=True, kw_only=True)
class Truncated(_OwnCotangentJob[GradientFlow]):
    """The gradient where states are detached every so many steps (:func:`lstm_explorer.truncated_flow`)."""

    truncation: int

    cost: ClassVar[float] = 1.5

    def _measure(self, first: int, last: int) -> GradientFlow:
        return self._of(truncated_flow, truncation=self.truncation)
