"""The gradient over a range of gate biases: a map of bias and step, measured in batched passes.

A sweep over biases is a batch: the inputs' share of the preactivations is computed once, each sample adds its own
biases to it, and one compiled pass serves them all. In PyTorch every bias would be a network of its own.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from numbers import Integral
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from lstm_explorer.core.architectures import (
    ARCHITECTURES,
    Network,
    architecture_named,
    architecture_of,
    network_parameters,
)
from lstm_explorer.core.engine.engines import engine_of
from lstm_explorer.core.engine.layers import Request, at_loss
from lstm_explorer.core.errors import ExplainedError
from lstm_explorer.core.gradients.flow import Loss
from lstm_explorer.core.inputs import TableLike, make_inputs
from lstm_explorer.core.kinds import checks_kinds
from lstm_explorer.core.networks import build_network
from lstm_explorer.core.settings import LIMITS, Settings
from lstm_explorer.locales import N_

StateQuantity = Literal["hidden", "cell", "cell_path"]

#: Numbers of one state, ``T * N * B * H``, in one batched pass: a pass stays under about 100 MB, and larger ones are no
#: faster.
_NUMBERS_AT_ONCE = 300_000


class Norms(NamedTuple):
    """log10 of gradient norms of the last layer's states, as :class:`BiasMap` describes them; None without a cell."""

    log10_hidden: Tensor
    log10_cell: Tensor | None
    log10_cell_path: Tensor | None

    def map(self, change: Callable[[Tensor], Tensor]) -> Norms:
        """Return the norms with every tensor changed."""
        return Norms.join([self], lambda tensors: change(tensors[0]))

    @staticmethod
    def join(many: Sequence[Any], how: Callable[[list[Tensor]], Tensor] = torch.cat) -> Norms:
        """Return the norms of many records as one; by default the first axis goes on."""
        columns: list[list[Any]] = [[getattr(one, name) for one in many] for name in Norms._fields]
        hidden, *of_cell = columns
        return Norms(how(hidden), *(None if tensors[0] is None else how(tensors) for tensors in of_cell))


@dataclass(frozen=True, eq=False, kw_only=True)
class BiasMap:
    """Gradient norms of the last layer over a range of one gate's bias, as log10; detached, on the CPU.

    Attributes:
        architecture: One with gates, such as ``"lstm"``.
        gate: Whose bias.
        biases: The effective biases, ascending, ``N`` of them.
        log10_hidden: log10 of the norm of the total derivative dL/dh_t, ``(N, R, T + 1, B)``.
        log10_cell: log10 of the norm of the total derivative dL/dc_t, ``(N, R, T + 1, B)``; None unless LSTM.
        log10_cell_path: The part of dL/dc_t that travels by the cell state alone; None unless LSTM.
    """

    architecture: str
    gate: str
    biases: tuple[float, ...]
    log10_hidden: Tensor
    log10_cell: Tensor | None
    log10_cell_path: Tensor | None

    def ratios(self, quantity: StateQuantity) -> NDArray[np.float64]:
        """Return log10 of the norms' ratio to the last step, the median over replicas and samples, ``(N, T + 1)``.

        Raises:
            ValueError: The architecture has no such quantity.
        """
        return median_of_runs(relative_to_last(norms_of(self, quantity)).movedim(2, 1).flatten(2))

    def to_frame(self) -> pd.DataFrame:
        """Return the norms as rows ``architecture, gate, bias, quantity, replica, step, lag, sample, log10_norm``."""
        frames = [self._rows(name, getattr(self, name)) for name in Norms._fields if getattr(self, name) is not None]
        frame = pd.concat(frames, ignore_index=True)
        frame.insert(0, "gate", self.gate)
        frame.insert(0, "architecture", self.architecture)
        return frame

    def _rows(self, name: str, norms: Tensor) -> pd.DataFrame:
        bias, replica, step, sample = (index.ravel() for index in np.indices(norms.shape))
        columns = {
            "bias": np.asarray(self.biases)[bias],
            "quantity": name.removeprefix("log10_"),
            "replica": replica,
            "step": step,
            "lag": norms.shape[2] - 1 - step,
            "sample": sample,
            "log10_norm": norms.numpy().ravel(),
        }
        return pd.DataFrame(columns)


@checks_kinds
def bias_map(
    settings: Settings,
    *,
    gate: str = "forget",
    biases: Sequence[float],
    architecture: str = "lstm",
    table: TableLike | None = None,
) -> BiasMap:
    """Measure the gradient for every bias of one gate, all other settings being as they are.

    Entry ``n`` is what :func:`lstm_explorer.seed_flows` measures for ``<gate>_bias = biases[n]``, its last layer. A map
    may be measured piece by piece: :func:`join_maps` joins the maps of neighbouring biases.

    Args:
        settings: The experiment; its own bias of this gate does not count. ``loss``, ``seed``, ``num_seeds`` do.
        gate: ``"input"``, ``"forget"``, ``"candidate"`` or ``"output"`` of the LSTM; ``"reset"``, ``"update"`` or
            ``"candidate"`` of the GRU.
        biases: Effective biases, ascending; every layer has them.
        architecture: One with gates, such as ``"lstm"``.
        table: The rows read when ``input_kind="csv"``.

    Returns:
        Norms with the biases and the replicas in front.

    Raises:
        TypeError: ``biases`` is no sequence of numbers.
        ValueError: There is no bias, they do not ascend, the architecture has no such gate, or chrono initialisation
            draws its biases; and as :func:`build_network` and :func:`make_inputs`.

    Source:
        gers2000, can2020

    Example:
        >>> result = bias_map(Settings(sequence_length=50), biases=(0, 2, 4))
        >>> result.log10_cell.shape
        torch.Size([3, 1, 51, 1])
        >>> bool((result.ratios("cell_path")[:, 0].argsort() == [0, 1, 2]).all())
        True
    """
    swept = check_biases(gate, biases, architecture, settings)
    norms = Norms.join(list(sweep_biases(settings, {gate: swept}, architecture=architecture, table=table)))
    return BiasMap(architecture=architecture, gate=gate, biases=swept, **norms._asdict())


def added_bias_map(
    network: Network, inputs: Tensor, cotangent: Tensor, *, gate: str, added: Sequence[float]
) -> BiasMap:
    """Map what survives over what is added to the biases of one gate, in every layer and for every unit alike.

    Args:
        network: One network with weights of its own, such as a trained one; it is not changed.
        inputs: What it reads, ``(T, B, I)``.
        cotangent: What the loss puts on each of its outputs, ``(T, B, H)``.
        gate: One of its gates.
        added: Ascending numbers.

    Returns:
        The map, with one replica; its ``biases`` are those that were added.
    """
    numbers = torch.tensor(list(added), dtype=inputs.dtype)[:, None]
    size = max(1, _NUMBERS_AT_ONCE // (inputs.shape[0] * inputs.shape[1] * network.hidden_size))
    parts = [_swept(network, inputs, (gate,), part, "last", cotangent) for part in numbers.split(size)]
    norms = Norms.join([Norms.join([part], lambda tensors: torch.stack(tensors, dim=1)) for part in parts])
    name = architecture_of(network).name
    return BiasMap(architecture=name, gate=gate, biases=tuple(map(float, added)), **norms._asdict())


def join_maps(maps: Sequence[BiasMap]) -> BiasMap:
    """Return maps of neighbouring biases as one map."""
    return replace(maps[0], biases=tuple(bias for one in maps for bias in one.biases), **Norms.join(maps)._asdict())


def check_biases(gate: str, biases: Sequence[float], architecture: str, settings: Settings) -> tuple[float, ...]:
    """Return the biases of a gate as floats.

    Raises:
        TypeError: ``biases`` is no sequence of numbers.
        ValueError: There is no bias, they do not ascend or are outside the limits; or as :func:`check_gate`.
    """
    check_gate(gate, architecture, settings)
    swept = _as_floats(biases)
    if not swept:
        raise ValueError("biases is empty: expected at least one bias, such as (0, 1, 2).")
    low, high = LIMITS[f"{gate}_bias"]
    if not all(low <= bias <= high for bias in swept):
        raise ValueError(f"biases is {biases!r}: expected finite numbers from {low:g} to {high:g}.")
    if not is_ascending(swept):
        raise ValueError(f"biases is {biases!r}: expected ascending numbers, each once; sort them first.")
    return swept


def _as_floats(biases: Sequence[float]) -> tuple[float, ...]:
    try:
        if isinstance(biases, str):  # its characters would pass one by one
            raise TypeError
        return tuple(float(bias) for bias in biases)
    except (TypeError, ValueError):
        raise TypeError(f"biases is {biases!r}: expected a sequence of numbers, such as (0, 1, 2).") from None


def is_ascending(values: Sequence[float]) -> bool:
    """Tell whether every value is larger than the one before it."""
    return all(before < after for before, after in itertools.pairwise(values))


def check_gate(gate: str, architecture: str, settings: Settings) -> None:
    """Refuse a gate that the architecture lacks, or whose bias is not the settings'.

    Raises:
        ValueError: The architecture has no gates, or not this one.
        ExplainedError: Chrono initialisation draws the bias of this gate.
    """
    gated = [name for name, record in ARCHITECTURES.items() if record.gates]
    if architecture not in gated:
        expected = ", ".join(map(repr, gated))
        raise ValueError(f"architecture is {architecture!r}: expected one of {expected}; nothing else has gates.")
    gate_record = architecture_named(architecture).gate(gate)
    if settings.recurrent_init == "chrono" and gate_record.chrono:
        raise ExplainedError(
            N_(
                "Chrono initialisation draws the bias of the {gate} gate for every unit: expected another "
                "initialisation, or a gate that chrono leaves alone."
            ),
            {"gate": gate},
        )


def check_lag(lag: int, settings: Settings, table: TableLike | None = None) -> None:
    """Refuse a lag that is not within the sequence that the settings give.

    Raises:
        TypeError: The lag is no whole number.
        ValueError: It is less than 1 or longer than the sequence.
    """
    steps = len(make_inputs(settings, table=table))
    if not is_whole_number(lag):
        raise TypeError(f"lag is {lag!r} ({type(lag).__name__}): expected a whole number of steps.")
    if not 1 <= lag <= steps:
        raise ValueError(f"lag is {lag}: expected 1 to {steps}, the steps of this sequence; lengthen the sequence.")


def is_whole_number(value: Any) -> bool:
    """Tell whether a value is a whole number, Python's or NumPy's; True and False are none."""
    return isinstance(value, Integral) and not isinstance(value, bool)


def sweep_biases(
    settings: Settings,
    swept: Mapping[str, Sequence[float]],
    *,
    architecture: str,
    table: TableLike | None = None,
) -> Iterator[Norms]:
    """Measure with the biases of some gates varied together, as many of them per pass as the memory limit allows.

    Args:
        settings: The experiment.
        swept: Gate to its effective biases, as many each; run ``n`` takes the ``n``-th of every gate.
        architecture: One with gates, such as ``"lstm"``.
        table: The rows read when ``input_kind="csv"``.

    Yields:
        Norms ``(n, R, T + 1, B)`` of the next ``n`` biases.
    """
    without = settings.replace(num_seeds=1, **{f"{gate}_bias": 0.0 for gate in swept})
    replicas = [without.replace(seed=settings.seed + r) for r in range(settings.num_seeds)]
    biases = torch.tensor(list(swept.values()), dtype=getattr(torch, settings.dtype)).T
    size = max(1, _NUMBERS_AT_ONCE // (settings.sequence_length * settings.batch_size * settings.hidden_size))
    for part in biases.split(size):
        passes = [
            _swept(build_network(architecture, one), make_inputs(one, table=table), tuple(swept), part, settings.loss)
            for one in replicas
        ]
        yield Norms.join(passes, lambda tensors: torch.stack(tensors, dim=1))


@torch.no_grad()
def _swept(
    network: Network,
    inputs: Tensor,
    gates: tuple[str, ...],
    biases: Tensor,
    loss: Loss,
    cotangent: Tensor | None = None,
) -> Norms:
    """Measure one replica for all biases ``(N, gates)`` at once; norms ``(N, T + 1, B)`` of the last layer."""
    blocks, engine = architecture_of(network).blocks, engine_of(network)
    by_block = biases.new_zeros(len(biases), len(blocks))
    by_block[:, [blocks.index(gate) for gate in gates]] = biases
    added = by_block.repeat_interleave(network.hidden_size, dim=1)
    x = inputs
    for weights in network_parameters(network):
        biased = weights._replace(bias_ih=weights.bias_ih + added)
        layer = engine.forward_with_biases(biased, x)
        x = layer.hidden[1:]
    reaches = x.new_ones(x.shape[1:]) if cotangent is None else cotangent[:, None].expand_as(x)
    upstream = at_loss(layer.hidden, reaches, loss)
    requests = [Request(upstream), *([Request(upstream, cut=True)] if layer.cell is not None else [])]
    total, *by_cell = engine.backward(biased, layer, requests)
    of_path = [norms for path in by_cell for norms in (total.log10_states["cell"], path.log10_states["cell"])]
    norms = [total.log10_states["hidden"], *of_path]
    hidden, *of_cell = (torch.from_numpy(one).to(x.dtype).movedim(1, 0) for one in norms)
    return Norms(hidden, *(of_cell or (None, None)))


def norms_of(record: Any, quantity: StateQuantity) -> Tensor:
    """Return the norms of a quantity.

    Raises:
        ValueError: The architecture has no such quantity.
    """
    there = {name.removeprefix("log10_") for name in Norms._fields if getattr(record, name) is not None}
    if quantity not in there:
        expected, name = ", ".join(map(repr, sorted(there))), architecture_named(record.architecture).title
        raise ValueError(f"quantity is {quantity!r}: expected one of {expected}, the states of the {name}.")
    norms: Tensor = getattr(record, f"log10_{quantity}")
    return norms


def relative_to_last(norms: Tensor) -> Tensor:
    """Return ``(..., T + 1, B)`` norms relative to the last step; NaN where that is exactly zero."""
    last = norms[..., -1:, :]
    return norms - torch.where(last == -torch.inf, torch.nan, last)


def median_of_runs(runs: Tensor) -> NDArray[np.float64]:
    """Return the median over the last axis, the nearest run's own number: a mean with -inf says nothing."""
    median: NDArray[np.float64] = np.quantile(runs.double().numpy(), 0.5, axis=-1, method="nearest")
    return median
