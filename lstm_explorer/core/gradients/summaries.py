"""A gradient curve in a few numbers: how much arrives, how fast it is lost, and the verdict."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from lstm_explorer.core.gradients.result import GradientFlow
from lstm_explorer.core.kinds import checks_kinds

Quantity = Literal["hidden", "cell", "cell_path", "inputs"]
Verdict = Literal["vanishes", "survives", "explodes"]

#: Less than this share of the gradient reaching the first step is called vanishing, more than that exploding.
VANISHES_BELOW, EXPLODES_ABOVE = 1e-2, 10.0
#: How far a curve may lie from the straight line between its ends and still have one rate: a share of its whole fall.
_STRAIGHT_WITHIN = 0.15
#: How far inside the curve a lowest or highest point lies beyond both ends to be a turn, log10: a factor of 1.26.
_TURNS_BEYOND = 0.1


def verdict_of(log10_ratio: float) -> Verdict:
    """Return the verdict on what reaches the first step: ``vanishes`` below 1 %, ``explodes`` above ten times.

    Where no gradient even leaves the last step there is no ratio, and it vanishes.

    Example:
        >>> verdict_of(-23.0), verdict_of(-0.4), verdict_of(1.05), verdict_of(math.nan)
        ('vanishes', 'survives', 'explodes', 'vanishes')
    """
    if not log10_ratio >= math.log10(VANISHES_BELOW):
        return "vanishes"
    return "explodes" if log10_ratio > math.log10(EXPLODES_ABOVE) else "survives"


@dataclass(frozen=True, eq=False, kw_only=True)
class Curve:
    """One gradient norm over time, as log10: the median over replicas and samples, and the quartiles beside it.

    Attributes:
        quantity: Which gradient.
        steps: Steps ``(S,)``: 0 to T for states, 1 to T for inputs.
        median: log10 of the norm, ``(S,)``, or of its ratio to the last step's.
        lower: First quartile, ``(S,)``.
        upper: Third quartile, ``(S,)``.
        runs: How many replicas and samples the median is over.
        relative: Whether these are ratios to the last step.
        layer: Whose state, from 0, or from the end where it is negative; the inputs have none.
    """

    quantity: Quantity
    steps: NDArray[np.int64]
    median: NDArray[np.float64]
    lower: NDArray[np.float64]
    upper: NDArray[np.float64]
    runs: int
    relative: bool
    layer: int = -1

    @property
    def log10_ratio(self) -> float:
        """log10 of the gradient at the first step over that at the last one."""
        return float(self.median[0] - self.median[-1])

    @property
    def half_life(self) -> float:
        r"""Steps in which the gradient halves, on average over the curve; negative where it grows.

        :math:`T \log 2 / (\log \|g_T\| - \log \|g_0\|)`; infinite where it neither falls nor grows, 0 where nothing
        arrives at all.
        """
        fall = -self.log10_ratio
        lag = float(self.steps[-1] - self.steps[0])
        return math.inf if fall == 0 else lag * math.log10(2) / fall

    @property
    def steady(self) -> bool:
        """Whether the half-life describes the curve: it falls, or grows, at about one rate over at least one half-life.

        On the log axis no point lies further from the straight line between the ends than 15 % of the whole fall.
        """
        fall = abs(self.log10_ratio)
        if not (np.isfinite(self.median).all() and fall >= math.log10(2)):
            return False
        away = self.median - np.interp(self.steps, self.steps[[0, -1]], self.median[[0, -1]])
        return bool(np.abs(away).max() <= _STRAIGHT_WITHIN * fall)

    @property
    def turn(self) -> int | None:
        """Index of the point inside the curve at which it turns, far below or above both ends; None where none is."""
        ends = self.median[[0, -1]]
        if not np.isfinite(ends).all():
            return None
        for extreme, beyond in ((self.median.argmin(), ends.min()), (self.median.argmax(), ends.max())):
            if abs(self.median[extreme] - beyond) > _TURNS_BEYOND:
                return int(extreme)
        return None

    @property
    def verdict(self) -> Verdict:
        """The verdict: ``vanishes`` below 1 %, ``explodes`` above ten times, else ``survives``."""
        return verdict_of(self.log10_ratio)


@checks_kinds
def summarise(flow: GradientFlow, quantity: Quantity = "hidden", *, layer: int = -1, relative: bool = True) -> Curve:
    """Reduce a flow to one curve.

    Args:
        flow: Of one network, or of many replicas.
        quantity: ``"hidden"``, ``"cell"``, ``"cell_path"`` or ``"inputs"``.
        layer: Which layer's state; the inputs have none.
        relative: Divide every run by its own value at the last step.

    Returns:
        The median and the quartiles over replicas and samples.

    Raises:
        TypeError: An argument is of another kind.
        ValueError: The architecture has no such quantity, or the network no such layer.

    Example:
        >>> import lstm_explorer as lx
        >>> summarise(lx.seed_flows(lx.Settings(num_seeds=3), architecture="rnn")).verdict
        'vanishes'
    """
    runs = _runs(flow, quantity, layer).double().numpy()
    if relative:
        last = runs[:, -1:]
        runs = runs - np.where(last == -np.inf, np.nan, last)  # whose last gradient is exactly zero has no ratio
    lower, median, upper = _quartiles(runs)
    first = 1 if quantity == "inputs" else 0
    steps = np.arange(first, first + runs.shape[1])
    return Curve(
        quantity=quantity, steps=steps, median=median, lower=lower, upper=upper, runs=len(runs), relative=relative,
        layer=layer,
    )  # fmt: skip


def _runs(flow: GradientFlow, quantity: Quantity, layer: int) -> Tensor:
    """Return one row per replica and sample, ``(R * B, S)``."""
    norms: Tensor | None = getattr(flow, f"log10_{quantity}")
    if norms is None:
        name = flow.architecture.upper()
        raise ValueError(f"quantity is {quantity!r}: expected 'hidden' or 'inputs'; the {name} has no cell state.")
    if quantity == "inputs":
        stacked = norms if norms.ndim == 3 else norms[None]
    else:
        layers = norms if norms.ndim == 4 else norms[None]
        if not -layers.shape[1] <= layer < layers.shape[1]:
            raise ValueError(f"layer is {layer}: expected 0 to {layers.shape[1] - 1}, the layers of this network.")
        stacked = layers[:, layer]
    return stacked.movedim(1, -1).flatten(0, 1)


def _quartiles(runs: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    if len(runs) == 1:
        return runs[0], runs[0], runs[0]
    # The nearest run rather than an average of two: a mean of -inf and a number says nothing.
    lower, median, upper = np.quantile(runs, (0.25, 0.5, 0.75), axis=0, method="nearest")
    return lower, median, upper
