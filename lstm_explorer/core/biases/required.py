"""Which bias keeps enough of the gradient for long enough."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from lstm_explorer.core import theory
from lstm_explorer.core.architectures import Architecture, Gate, architecture_named
from lstm_explorer.core.biases.checks import check_gate, check_lag
from lstm_explorer.core.biases.maps import bias_map
from lstm_explorer.core.biases.norms import StateQuantity, median_of_runs, norms_of, relative_to_last
from lstm_explorer.core.gradients.summaries import EXPLODES_ABOVE
from lstm_explorer.core.inputs import TableLike
from lstm_explorer.core.kinds import checks_kinds
from lstm_explorer.core.settings import Settings

#: Biases searched, and how finely: the first map has steps of a quarter, each later one a tenth of the last.
LOWEST, HIGHEST = -10.0, 10.0
_FIRST_STEP, _FINEST, _FINER = 0.25, 0.01, 11
#: Most that are tried: the first map's, and those of two finer ones.
BIASES_TRIED = round((HIGHEST - LOWEST) / _FIRST_STEP) + 1 + 2 * _FINER


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


class Survival(NamedTuple):
    """log10 of what survives the lag at one bias: the median over all, and each replica's own."""

    median: float
    each: tuple[float, ...]


@checks_kinds
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
    search = BiasSearch(settings=settings, lag=lag, share=share, architecture=architecture, table=table)
    measured: list[Survival] = []
    while left := search.biases(measured)[len(measured) :]:
        measured += search.measure(left)
    return search.answer(measured)


@dataclass(frozen=True, eq=False, kw_only=True)
class BiasSearch:
    """The search of :func:`required_bias`, which can be done bias by bias: what was measured says which comes next.

    Attributes:
        settings: As in :func:`required_bias`, like the others.
        lag: Steps to remember.
        share: Share that must survive.
        architecture: One with gates.
        table: The rows read when ``input_kind="csv"``.
    """

    settings: Settings
    lag: int
    share: float
    architecture: str = "lstm"
    table: TableLike | None = None

    def __post_init__(self) -> None:
        """Refuse what :func:`required_bias` refuses."""
        check_gate(self._gate.name, self.architecture, self.settings)
        check_lag(self.lag, self.settings, self.table)
        theory.required_forget_bias(self.lag, self.share)  # refuses a share that is none

    @property
    def _record(self) -> Architecture:
        return architecture_named(self.architecture)

    @property
    def _gate(self) -> Gate:
        return self._record.memory_gate or Gate("", "", "")

    def biases(self, measured: Sequence[Survival]) -> tuple[float, ...]:
        """Return the biases known to be tried, in their order; with a measurement of each, the search is over.

        Args:
            measured: At the first of them, as far as they are measured.
        """
        tried = [strengths for strengths, _here in self._maps(measured)]
        return tuple((self._gate.keeps * np.concatenate(tried)).tolist())

    def measure(self, biases: Sequence[float]) -> list[Survival]:
        """Measure what survives the lag at some neighbouring biases, in their order."""
        swept = bias_map(
            self.settings, gate=self._gate.name, biases=sorted(biases), architecture=self.architecture, table=self.table
        )
        quantity, keeps, at = cast(StateQuantity, self._record.memory), self._gate.keeps, -1 - self.lag
        medians = swept.ratios(quantity)[::keeps, at].tolist()
        each = median_of_runs(relative_to_last(norms_of(swept, quantity))[:, :, at])[::keeps].tolist()
        return [Survival(median, tuple(replicas)) for median, replicas in zip(medians, each, strict=True)]

    def answer(self, measured: Sequence[Survival]) -> RequiredBias:
        """Return the answer of a search that is over."""
        gate, wanted, maps = self._gate, math.log10(self.share), self._maps(measured)
        (strengths, first), (finest, last) = maps[0], maps[-1]
        enough = np.flatnonzero(last >= wanted)
        found = float(finest[enough[0]]) if enough.size else None
        above = strengths > (LOWEST if found is None else found)
        of_each = np.array([one.each for one in measured[: len(strengths)]])
        each = [_crossing(strengths, of_one, wanted) for of_one in of_each.T]
        explode = strengths[(first > math.log10(EXPLODES_ABOVE)) & above]
        less = strengths[(first < wanted) & above]
        return RequiredBias(
            gate=gate.name,
            lag=self.lag,
            share=self.share,
            closed_form=_closed_form(self._record, self.settings, self.lag, self.share),
            measured=None if found is None else gate.keeps * found,
            each_seed=tuple(None if one is None else gate.keeps * one for one in each),
            keeps_large=gate.keeps > 0,
            log10_measured=float(last[enough[0]]) if enough.size else math.nan,
            falls_below=gate.keeps * float(less[0]) if less.size and found is not None else None,
            explodes=gate.keeps * float(explode[0]) if explode.size else None,
            chrono=_chrono(gate, self.lag),
        )

    def _maps(self, measured: Sequence[Survival]) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
        """Return how strongly the biases of each map keep, ascending, and their ratios; each map is ten times finer.

        How strongly a bias keeps is the bias itself or, of a gate that keeps where it is small, its opposite.
        """
        strengths = np.arange(LOWEST, HIGHEST + _FIRST_STEP / 2, _FIRST_STEP)
        left = np.array([one.median for one in measured], dtype=float)
        maps = []
        while True:
            here, left = left[: len(strengths)], left[len(strengths) :]
            maps.append((strengths, here))
            enough = np.flatnonzero(here >= math.log10(self.share))
            first = int(enough[0]) if enough.size else 0
            if len(here) < len(strengths) or first == 0 or strengths[first] - strengths[first - 1] <= _FINEST:
                return maps
            strengths = np.linspace(strengths[first - 1], strengths[first], _FINER)


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


def _closed_form(record: Architecture, settings: Settings, lag: int, share: float) -> float:
    biases = {gate.name: float(getattr(settings, f"{gate.name}_bias")) for gate in record.gates}
    return record.required(lag, share, biases) if record.required else math.inf


def _chrono(gate: Gate, lag: int) -> ChronoBiases:
    """Return what chrono draws for the gate; U(1, longest - 1) is empty for less than 3 steps."""
    drawn = gate.chrono * theory.chrono_quantile(max(lag, 3), [0.0, 0.5, 1.0]) + 0.0  # no negative zero
    return ChronoBiases(*sorted(drawn.tolist()))
