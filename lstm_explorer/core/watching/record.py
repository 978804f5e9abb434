"""What one watched forward pass gives: norms of every step, and what they say in a few numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lstm_explorer.core.gradients.result import GradientFlow
from lstm_explorer.core.gradients.summaries import Curve

Array = NDArray[np.float64]

#: Names of the directions of a bidirectional network, in the order of its layers' rows.
_DIRECTIONS = ("forward", "backward")


@dataclass(frozen=True, eq=False, kw_only=True)
class WatchedFlow:
    """The gradient of a training loss with respect to every state of one forward pass of one network.

    Attributes:
        optimizer_step: How often the weights had been updated before.
        module: Name of the network.
        call: Which forward pass it is of those that the same backward pass reached, from 0.
        first_sample: Number of the first sample; those of several backward passes in one optimizer step are counted on.
        reads_earlier: Whether the loss reads more than one step of the outputs.
        flow: The norms, in float32.
    """

    optimizer_step: int
    module: str
    call: int
    first_sample: int
    reads_earlier: bool
    flow: GradientFlow

    def to_frame(self) -> pd.DataFrame:
        """Return the norms as a tidy table.

        Returns:
            Columns ``optimizer_step, module, layer, quantity, step, lag, sample, log10_norm, call``, with ``direction``
            behind ``layer`` of a bidirectional network. ``lag`` is steps back from the last step of the sample, in that
            layer and direction, that the loss reaches; steps after it get no gradient and have no row.
        """
        frame = self.flow.to_frame().drop(columns="architecture")
        frame["lag"] = self._last_steps(frame) - frame["step"]
        frame = frame[frame["lag"] >= 0]
        frame["sample"] += self.first_sample
        frame.insert(0, "module", self.module)
        frame.insert(0, "optimizer_step", self.optimizer_step)
        return frame.assign(call=self.call)

    def _last_steps(self, frame: pd.DataFrame) -> pd.Series:
        """Return for every row the last step that the loss reaches; where it reaches none, the last there is."""
        where = [name for name in ("layer", "direction", "sample") if name in frame]
        inputs = frame["quantity"] == "inputs"
        groups = [inputs, *(frame[name] for name in where)]
        reached = frame["step"].where(frame["log10_norm"] > -np.inf)
        last = reached.groupby(groups).transform("max").fillna(frame["step"] + frame["lag"])
        return last.astype(np.int64)

    def shares(self, quantity: str = "hidden") -> dict[str, Array]:
        """Return log10 of the share of the last layer's gradient that arrives at each lag.

        Args:
            quantity: ``"hidden"``, ``"cell"`` or ``"cell_path"``.

        Returns:
            ``""``, or ``"forward"`` and ``"backward"`` of a bidirectional network, to ``(lags, samples)``. Relative to
            each sample's own last step that the loss reaches; NaN before its beginning.

        Raises:
            ValueError: The network has no such gradient.
        """
        norms = getattr(self.flow, f"log10_{quantity}", None) if quantity in _QUANTITIES else None
        if norms is None:
            known = [name for name in _QUANTITIES if getattr(self.flow, f"log10_{name}") is not None]
            expected = ", ".join(map(repr, known))
            raise ValueError(f"quantity is {quantity!r}: expected one of {expected}, which {self.module} has.")
        names = _DIRECTIONS if self.flow.directions == 2 else ("",)
        rows = norms[-len(names) :].double().numpy()
        return {name: _by_lag(row) for name, row in zip(names, rows, strict=True)}


_QUANTITIES = ("hidden", "cell", "cell_path")


def _by_lag(norms: Array) -> Array:
    """Return norms ``(T + 1, n)`` by steps back from each sample's last step with a gradient, relative to that one."""
    shares = np.full_like(norms, np.nan)
    for sample, steps in enumerate(norms.T):
        reached = np.flatnonzero(steps > -np.inf)
        if len(reached):
            back = steps[: reached[-1] + 1][::-1]
            shares[: len(back), sample] = back - back[0]
    return shares


def median_share(shares: Sequence[Array]) -> Array:
    """Return the median over all samples by lag, ``(lags,)``: always one of them, as a mean with -inf says nothing.

    Args:
        shares: log10, ``(lags, samples)`` each; of different lengths, if need be.
    """
    longest = max(len(each) for each in shares)
    padded = [np.pad(each, ((0, longest - len(each)), (0, 0)), constant_values=np.nan) for each in shares]
    ordered = np.sort(np.concatenate(padded, axis=1), axis=1)  # NaN last
    middle = np.maximum((~np.isnan(ordered)).sum(axis=1) - 1, 0) // 2
    return np.take_along_axis(ordered, middle[:, None], axis=1)[:, 0]


def curve_of(share: Array) -> Curve:
    """Return shares by lag as a curve over steps, which knows its half-life."""
    median = share[: int(np.flatnonzero(~np.isnan(share))[-1]) + 1][::-1] if not np.isnan(share).all() else share[:1]
    steps = np.arange(len(median))
    return Curve(
        quantity="hidden", steps=steps, median=median, lower=median, upper=median, runs=1, relative=True,
    )  # fmt: skip


def numbers_of(share: Array) -> dict[str, float]:
    """Return what shares by lag say: the half-life, and what arrives from a quarter, a half and all of the way back."""
    curve = curve_of(share)
    last = len(curve.median) - 1
    parts = {f"log10_share_at_{percent}_percent": round(last * percent / 100) for percent in (25, 50, 100)}
    at = {name: float(curve.median[last - lag]) for name, lag in parts.items()}
    return {"half_life": curve.half_life if last else math.nan, "lags": float(last), **at}
