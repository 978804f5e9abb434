"""The gradient over two things at once: the biases of two gates, or a bias and the sequence length."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lstm_explorer.core.biases.checks import check_biases, check_lag, is_ascending, is_whole_number
from lstm_explorer.core.biases.norms import Norms, StateQuantity, median_of_runs, norms_of, relative_to_last
from lstm_explorer.core.biases.sweeps import sweep_biases
from lstm_explorer.core.inputs import TableLike, make_inputs
from lstm_explorer.core.kinds import checks_kinds
from lstm_explorer.core.settings import LIMITS, Settings


@dataclass(frozen=True, eq=False, kw_only=True)
class BiasGrid:
    """Ratios of gradient norms of the last layer over two axes, as log10; detached, on the CPU.

    Attributes:
        architecture: One with gates, such as ``"lstm"``.
        gate: Whose bias is the first axis.
        biases: The effective biases, ascending, ``N`` of them.
        across: What the second axis is: ``"length"``, or the name of the other gate.
        positions: The second gate's biases or the sequence lengths, ascending, ``M`` of them.
        lag: Steps back from the last one; None where it is the whole length, whichever that is.
        log10_hidden: log10 of the norm of dL/dh at that lag over that at the last step, ``(N, M, R, B)``.
        log10_cell: The same of dL/dc; None unless LSTM.
        log10_cell_path: The same of the part that travels by the cell state alone; None unless LSTM.
    """

    architecture: str
    gate: str
    biases: tuple[float, ...]
    across: str
    positions: tuple[float, ...]
    lag: int | None
    log10_hidden: Tensor
    log10_cell: Tensor | None
    log10_cell_path: Tensor | None

    def ratios(self, quantity: StateQuantity) -> NDArray[np.float64]:
        """Return the median over replicas and samples, ``(N, M)``.

        Raises:
            ValueError: The architecture has no such quantity.
        """
        return median_of_runs(norms_of(self, quantity).flatten(2))


@checks_kinds
def two_gate_map(
    settings: Settings,
    *,
    gates: tuple[str, str] = ("forget", "input"),
    biases: tuple[Sequence[float], Sequence[float]],
    lag: int,
    architecture: str = "lstm",
    table: TableLike | None = None,
) -> BiasGrid:
    """Measure the gradient at one lag for every pair of biases of two gates.

    A map may be measured piece by piece: :func:`join_grids` joins grids of neighbouring biases of the first gate.

    Args:
        settings: The experiment; its own biases of these gates do not count.
        gates: Two gates of the architecture.
        biases: Effective biases of the first and of the second gate, each ascending.
        lag: Steps back from the last one, 1 to ``T``.
        architecture: One with gates, such as ``"lstm"``.
        table: The rows read when ``input_kind="csv"``.

    Returns:
        Ratios to the last step, the first gate's biases in front, then the second's.

    Raises:
        TypeError: The lag is no whole number.
        ValueError: As :func:`lstm_explorer.bias_map`; or the gates are the same, or the lag is beyond the sequence.

    Source:
        can2020

    Example:
        >>> grid = two_gate_map(Settings(sequence_length=20), biases=((0, 5), (-5, 0, 5)), lag=20)
        >>> grid.log10_cell.shape
        torch.Size([2, 3, 1, 1])
    """
    if len(gates) != 2 or gates[0] == gates[1]:
        raise ValueError(f"gates is {gates!r}: expected two different gates; for one there is bias_map.")
    if len(biases) != 2:
        raise ValueError(f"biases is {biases!r}: expected two sequences, one for each gate.")
    first, second = gates
    rows, columns = (check_biases(g, b, architecture, settings) for g, b in zip(gates, biases, strict=True))
    check_lag(lag, settings, table)
    pairs = {first: [row for row in rows for _ in columns], second: list(columns) * len(rows)}
    norms = Norms.join(
        [
            part.map(lambda norms: _at_lag(norms, lag))
            for part in sweep_biases(settings, pairs, architecture=architecture, table=table)
        ]
    ).map(lambda norms: norms.unflatten(0, (len(rows), len(columns))))
    return BiasGrid(
        architecture=architecture, gate=first, biases=rows, across=second, positions=columns, lag=lag, **norms._asdict()
    )


@checks_kinds
def length_map(
    settings: Settings,
    *,
    gate: str = "forget",
    biases: Sequence[float],
    lengths: Sequence[int],
    architecture: str = "lstm",
    table: TableLike | None = None,
) -> BiasGrid:
    """Measure how much of the gradient reaches step 0, for every bias of one gate and every sequence length.

    A map may be measured piece by piece: :func:`join_grids` joins grids of neighbouring biases.

    Args:
        settings: The experiment; its own bias of this gate and its sequence length do not count.
        gate: A gate of the architecture.
        biases: Effective biases, ascending.
        lengths: Sequence lengths, ascending; an input with a length of its own bounds them.
        architecture: One with gates, such as ``"lstm"``.
        table: The rows read when ``input_kind="csv"``.

    Returns:
        Ratios of step 0 to the last step, the biases in front, then the lengths.

    Raises:
        TypeError: A length is no whole number.
        ValueError: As :func:`lstm_explorer.bias_map`; or there is no length, they do not ascend, or the input is
            shorter.

    Example:
        >>> grid = length_map(Settings(), biases=(0, 2), lengths=(10, 20, 40))
        >>> grid.ratios("cell_path").shape
        (2, 3)
    """
    swept = check_biases(gate, biases, architecture, settings)
    checked, columns = check_lengths(lengths, settings, table), []
    for length in checked:
        here = settings.replace(sequence_length=length)
        parts = sweep_biases(here, {gate: swept}, architecture=architecture, table=table)
        columns.append(Norms.join([part.map(lambda norms: _at_lag(norms, norms.shape[2] - 1)) for part in parts]))
    norms = Norms.join(columns, lambda tensors: torch.stack(tensors, dim=1))
    positions = tuple(map(float, checked))
    return BiasGrid(
        architecture=architecture, gate=gate, biases=swept, across="length", positions=positions, lag=None,
        **norms._asdict(),
    )  # fmt: skip


def join_grids(grids: Sequence[BiasGrid]) -> BiasGrid:
    """Return grids of neighbouring biases of the first axis as one grid."""
    return replace(grids[0], biases=tuple(bias for one in grids for bias in one.biases), **Norms.join(grids)._asdict())


def check_lengths(lengths: Sequence[int], settings: Settings, table: TableLike | None = None) -> tuple[int, ...]:
    """Return sequence lengths as whole numbers.

    Args:
        lengths: Ascending.
        settings: The experiment; its input may have a length of its own.
        table: The rows read when ``input_kind="csv"``.

    Raises:
        TypeError: It is no sequence of whole numbers.
        ValueError: There is no length, they do not ascend, or they are outside the limits or longer than the input.
    """
    low, high = LIMITS["sequence_length"]
    whole = check_lengths_within(lengths, int(high))
    longest = len(make_inputs(settings.replace(sequence_length=max(whole[-1], int(low))), table=table))
    return check_lengths_within(whole, longest)


def check_lengths_within(lengths: Sequence[int], longest: int) -> tuple[int, ...]:
    """Return sequence lengths as whole numbers, of which none is longer than what there is.

    Raises:
        TypeError: It is no sequence of whole numbers.
        ValueError: There is no length, they do not ascend, or one is below 1 or too long.
    """
    if not hasattr(lengths, "__len__") or not all(is_whole_number(length) for length in lengths):
        raise TypeError(f"lengths is {lengths!r}: expected a sequence of whole numbers, such as (10, 20, 40).")
    if not len(lengths) or not is_ascending(lengths):
        raise ValueError(
            f"lengths is {lengths!r}: expected at least one length, ascending, each once; sort them first."
        )
    if lengths[0] < 1 or lengths[-1] > longest:
        raise ValueError(f"lengths is {lengths!r}: expected 1 to {longest} steps, which this input has.")
    return tuple(map(int, lengths))


def _at_lag(norms: Tensor, lag: int) -> Tensor:
    """Return ``(N, R, T + 1, B)`` norms at a lag, relative to the last step, ``(N, R, B)``."""
    return relative_to_last(norms)[:, :, -1 - lag]
