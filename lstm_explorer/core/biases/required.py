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
from lstm_explorer.core.biases.maps import StateQuantity, bias_map, check_gate, check_lag
from lstm_explorer.core.gradients.summaries import EXPLODES_ABOVE
from lstm_explorer.core.inputs import TableLike
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
        log10_measured: log10 of the measured ratio at that bias; NaN where there is none.
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
    log10_measured: float
    falls_below: float | None
    explodes: float | None
    chrono: ChronoBiases


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
    ratios: list[float] = []
    while left := search.biases(ratios)[len(ratios) :]:
        ratios += search.ratios(left)
    return search.answer(ratios)


@dataclass(frozen=True, eq=False, kw_only=True)
class BiasSearch:
    """The search of :func:`required_bias`, which can be done bias by bias: which comes next follows from the ratios.

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

    def biases(self, ratios: Sequence[float]) -> tuple[float, ...]:
        """Return the biases known to be tried, in their order; with a ratio for each, the search is over.

        Args:
            ratios: log10 of the ratio at the first of them, as far as they are measured.
        """
        tried = [part for part, _ratios in self._maps(ratios)]
        return tuple((self._gate.keeps * np.concatenate(tried)).tolist())

    def ratios(self, biases: Sequence[float]) -> list[float]:
        """Measure log10 of what survives the lag at some neighbouring biases, in their order."""
        swept = bias_map(
            self.settings, gate=self._gate.name, biases=sorted(biases), architecture=self.architecture, table=self.table
        )
        at_lag = swept.ratios(cast(StateQuantity, self._record.memory))[:, -1 - self.lag]
        return at_lag[:: self._gate.keeps].tolist()

    def answer(self, ratios: Sequence[float]) -> RequiredBias:
        """Return the answer of a search that is over."""
        gate, wanted, maps = self._gate, math.log10(self.share), self._maps(ratios)
        (strengths, first), (finest, last) = maps[0], maps[-1]
        enough = np.flatnonzero(last >= wanted)
        measured = float(finest[enough[0]]) if enough.size else None
        above = strengths > (LOWEST if measured is None else measured)
        explode = strengths[(first > math.log10(EXPLODES_ABOVE)) & above]
        less = strengths[(first < wanted) & above]
        return RequiredBias(
            gate=gate.name,
            lag=self.lag,
            share=self.share,
            closed_form=_closed_form(self._record, self.settings, self.lag, self.share),
            measured=None if measured is None else gate.keeps * measured,
            log10_measured=float(last[enough[0]]) if enough.size else math.nan,
            falls_below=gate.keeps * float(less[0]) if less.size and measured is not None else None,
            explodes=gate.keeps * float(explode[0]) if explode.size else None,
            chrono=_chrono(gate, self.lag),
        )

    def _maps(self, ratios: Sequence[float]) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
        """Return how strongly the biases of each map keep, ascending, and their ratios; each map is ten times finer.

        How strongly a bias keeps is the bias itself or, of a gate that keeps where it is small, its opposite.
        """
        strengths, left = np.arange(LOWEST, HIGHEST + _FIRST_STEP / 2, _FIRST_STEP), np.asarray(ratios, dtype=float)
        maps = []
        while True:
            here, left = left[: len(strengths)], left[len(strengths) :]
            maps.append((strengths, here))
            enough = np.flatnonzero(here >= math.log10(self.share))
            first = int(enough[0]) if enough.size else 0
            if len(here) < len(strengths) or first == 0 or strengths[first] - strengths[first - 1] <= _FINEST:
                return maps
            strengths = np.linspace(strengths[first - 1], strengths[first], _FINER)


def _closed_form(record: Architecture, settings: Settings, lag: int, share: float) -> float:
    biases = {gate.name: float(getattr(settings, f"{gate.name}_bias")) for gate in record.gates}
    return record.required(lag, share, biases) if record.required else math.inf


def _chrono(gate: Gate, lag: int) -> ChronoBiases:
    """Return what chrono draws for the gate; U(1, longest - 1) is empty for less than 3 steps."""
    drawn = gate.chrono * theory.chrono_quantile(max(lag, 3), [0.0, 0.5, 1.0]) + 0.0  # no negative zero
    return ChronoBiases(*sorted(drawn.tolist()))
