"""Which bias keeps enough of the gradient for long enough."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from lstm_explorer.core import theory
from lstm_explorer.core.architectures import Architecture, Gate, architecture_named
from lstm_explorer.core.biases.maps import (
    BiasMap,
    StateQuantity,
    bias_map,
    check_gate,
    check_lag,
    median_of_runs,
    norms_of,
    relative_to_last,
)
from lstm_explorer.core.gradients.summaries import EXPLODES_ABOVE
from lstm_explorer.core.inputs import TableLike
from lstm_explorer.core.settings import Settings

#: Biases searched, and how finely: the first map has steps of a quarter, each later one a tenth of the last.
LOWEST, HIGHEST = -10.0, 10.0
_FIRST_STEP, _FINEST = 0.25, 0.01
#: How many the first map has.
BIASES_TRIED = round((HIGHEST - LOWEST) / _FIRST_STEP) + 1


class ChronoBiases(NamedTuple):
    """Chrono initialisation's forget biases: the smallest, the median and the largest it draws."""

    lowest: float
    median: float
    highest: float


@dataclass(frozen=True, kw_only=True)
class RequiredBias:
    r"""The bias of the keeping gate that lets enough gradient survive, three ways.

    Attributes:
        gate: The gate that keeps the memory: ``"forget"`` of the LSTM, ``"update"`` of the GRU. The minGRU's update
            gate keeps where its bias is small; of such a gate, read "largest" for "smallest" and "below" for "above".
        lag: Steps to remember.
        share: Share of the gradient that must survive.
        closed_form: The bias whose gate alone keeps the share, :math:`\sigma(b)^{lag} = share` for LSTM and GRU;
            infinite where no bias of this gate alone does.
        measured: The smallest bias for which the measured total reaches the share, to 0.01; -10 where already that one
            does, None where no bias from -10 to 10 does.
        each_seed: The same for each replica alone, between biases a quarter apart interpolated; None where none does.
        log10_measured: log10 of the measured ratio at that bias; NaN where there is none.
        keeps_large: Whether the gate keeps where its bias is large.
        falls_below: The smallest bias above it, in steps of a quarter, for which the total is below the share again;
            None where none is.
        explodes: The smallest bias above it, in steps of a quarter, for which the total arrives more than ten times
            enlarged; None where none does.
        chrono: What chrono initialisation with this lag as its longest memory draws.
    """

    gate: str
    lag: int
    share: float
    closed_form: float
    measured: float | None
    each_seed: tuple[float | None, ...]
    log10_measured: float
    keeps_large: bool
    falls_below: float | None
    explodes: float | None
    chrono: ChronoBiases

    @property
    def recommended(self) -> float | None:
        """A round bias, a whole number of quarters, that is enough for every replica and does not explode.

        None where some replica has no bias that is enough, or where so large a bias explodes.
        """
        enough = [one for one in self.each_seed if one is not None]
        sign = 1.0 if self.keeps_large else -1.0
        if len(enough) < len(self.each_seed):
            return None
        strongest = math.ceil(max(sign * one for one in enough) / _FIRST_STEP - 1e-6) * _FIRST_STEP
        if self.explodes is not None and strongest >= sign * self.explodes:
            return None
        return sign * strongest + 0.0  # no negative zero


def required_bias(
    settings: Settings,
    *,
    lag: int,
    share: float = 0.1,
    architecture: str = "lstm",
    table: TableLike | None = None,
) -> RequiredBias:
    """Find the bias of the gate that keeps, for a lag and the share of the gradient that must survive it.

    The measured answer is about the total, dL/dc of the LSTM and dL/dh of the GRU: the median over replicas and
    samples, relative to the last step. It is searched on a map, and on finer and finer ones around the first bias
    that suffices. The total need not grow with the bias; the smallest that suffices on the first map is taken.

    Args:
        settings: The experiment; its own bias of the gate does not count.
        lag: Steps to remember, 1 to the sequence's length.
        share: Share that must survive, between 0 and 1.
        architecture: One with gates, such as ``"lstm"``.
        table: The rows read when ``input_kind="csv"``.

    Returns:
        The bias by closed form, by measurement and by chrono initialisation.

    Raises:
        TypeError: The lag is no whole number.
        ValueError: The lag is beyond the sequence, the share is none; or as :func:`lstm_explorer.bias_map`.

    Source:
        gers2000, tallec2018

    Example:
        >>> need = required_bias(Settings(sequence_length=50), lag=50, share=0.1)
        >>> need.measured < need.closed_form  # the paths through the gates help
        True
    """
    record = architecture_named(architecture)
    gate = record.memory_gate or Gate("", "", "")
    check_gate(gate.name, architecture, settings)
    check_lag(lag, settings, table)
    theory.required_forget_bias(lag, share)  # refuses a share that is none
    sign = gate.keeps

    quantity = cast(StateQuantity, record.memory)

    def swept(strengths: NDArray[np.float64]) -> BiasMap:
        biases = sorted((sign * strengths).tolist())
        return bias_map(settings, gate=gate.name, biases=biases, architecture=architecture, table=table)

    def at_lag(one: BiasMap) -> NDArray[np.float64]:
        return one.ratios(quantity)[::sign, -1 - lag]

    # How strongly a bias keeps: the bias itself or, of a gate that keeps where it is small, its opposite.
    strengths = np.arange(LOWEST, HIGHEST + _FIRST_STEP / 2, _FIRST_STEP)
    first = swept(strengths)
    ratios = at_lag(first)
    measured, log10_measured = _smallest(strengths, ratios, math.log10(share), lambda finer: at_lag(swept(finer)))
    of_each = median_of_runs(relative_to_last(norms_of(first, quantity))[:, :, -1 - lag])[::sign]  # (N, R)
    each = [_crossing(strengths, column, math.log10(share)) for column in of_each.T]
    above = strengths > (LOWEST if measured is None else measured)
    explode = strengths[(ratios > math.log10(EXPLODES_ABOVE)) & above]
    less = strengths[(ratios < math.log10(share)) & above]
    return RequiredBias(
        gate=gate.name,
        lag=lag,
        share=share,
        closed_form=_closed_form(record, settings, lag, share),
        measured=None if measured is None else sign * measured,
        each_seed=tuple(None if one is None else sign * one for one in each),
        log10_measured=log10_measured,
        keeps_large=sign > 0,
        falls_below=sign * float(less[0]) if less.size and measured is not None else None,
        explodes=sign * float(explode[0]) if explode.size else None,
        chrono=_chrono(gate, lag),
    )


def _closed_form(record: Architecture, settings: Settings, lag: int, share: float) -> float:
    biases = {gate.name: float(getattr(settings, f"{gate.name}_bias")) for gate in record.gates}
    return record.required(lag, share, biases) if record.required else math.inf


def _chrono(gate: Gate, lag: int) -> ChronoBiases:
    """Return what chrono draws for the gate; U(1, longest - 1) is empty for less than 3 steps."""
    drawn = gate.chrono * theory.chrono_quantile(max(lag, 3), [0.0, 0.5, 1.0]) + 0.0  # no negative zero
    return ChronoBiases(*sorted(drawn.tolist()))


def _crossing(biases: NDArray[np.float64], ratios: NDArray[np.float64], wanted: float) -> float | None:
    """Return where ratios first reach what is wanted, on the straight line from the bias before; None where never."""
    enough = np.flatnonzero(ratios >= wanted)
    if not enough.size:
        return None
    at = int(enough[0])
    if at == 0 or not np.isfinite(ratios[at - 1]):
        return float(biases[at])
    share = (wanted - ratios[at - 1]) / (ratios[at] - ratios[at - 1])
    return float(biases[at - 1] + share * (biases[at] - biases[at - 1]))


def _smallest(
    biases: NDArray[np.float64],
    ratios: NDArray[np.float64],
    wanted: float,
    at_lag: Callable[[NDArray[np.float64]], NDArray[np.float64]],
) -> tuple[float | None, float]:
    """Return the smallest bias whose ratio suffices, and that ratio: each map is ten times finer."""
    while True:
        enough = np.flatnonzero(ratios >= wanted)
        if not enough.size:
            return None, math.nan
        first = int(enough[0])
        if first == 0 or biases[first] - biases[first - 1] <= _FINEST:
            return float(biases[first]), float(ratios[first])
        biases = np.linspace(biases[first - 1], biases[first], 11)
        ratios = at_lag(biases)
