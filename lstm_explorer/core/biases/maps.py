"""The gradient over a range of gate biases: a map of bias and step, measured in batched passes.

A sweep over biases is a batch: what the inputs give is made once, each sample adds its own biases to it, and one pass
serves them all. The pass is our own, compiled; PyTorch's would take every bias for a network of its own.
"""

from __future__ import annotations

import itertools
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from numbers import Integral
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from lstm_explorer.core.architectures import Network, Parameters, network_parameters
from lstm_explorer.core.engine import forward
from lstm_explorer.core.engine.backward import total_and_cell_path
from lstm_explorer.core.engine.trajectory import LayerStates, affine, architecture_of, check_finite
from lstm_explorer.core.errors import Explained
from lstm_explorer.core.gradients.flow import Loss, at_loss
from lstm_explorer.core.inputs.kinds import TableLike, make_inputs
from lstm_explorer.core.networks.build import BLOCKS, build_network
from lstm_explorer.core.settings import LIMITS, Architecture, Settings
from lstm_explorer.locales import N_

StateQuantity = Literal["hidden", "cell", "cell_path"]

#: Numbers of one state, ``T * N * B * H``, in one batched pass: what is made for them stays under about 100 MB, and
#: larger passes are no faster.
_NUMBERS_AT_ONCE = 300_000
#: The gate that keeps the old state, in each architecture that has gates.
KEEPING: Mapping[str, str] = types.MappingProxyType({"lstm": "forget", "gru": "update"})
#: Gates whose biases chrono initialisation draws itself.
DRAWN_BY_CHRONO = ("forget", "input", "update")


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
        architecture: ``"lstm"`` or ``"gru"``.
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


def bias_map(
    settings: Settings,
    *,
    gate: str = "forget",
    biases: Sequence[float],
    architecture: Architecture = "lstm",
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
        architecture: ``"lstm"`` or ``"gru"``.
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
        >>> found = bias_map(Settings(sequence_length=50), biases=(0, 2, 4))
        >>> found.log10_cell.shape
        torch.Size([3, 1, 51, 1])
        >>> bool((found.ratios("cell_path")[:, 0].argsort() == [0, 1, 2]).all())
        True
    """
    swept = check_biases(gate, biases, architecture, settings)
    norms = Norms.join(list(sweep_biases(settings, {gate: swept}, architecture=architecture, table=table)))
    return BiasMap(architecture=architecture, gate=gate, biases=swept, **norms._asdict())


def join_maps(maps: Sequence[BiasMap]) -> BiasMap:
    """Return maps of neighbouring biases as one map."""
    return replace(maps[0], biases=tuple(bias for one in maps for bias in one.biases), **Norms.join(maps)._asdict())


def check_biases(gate: str, biases: Sequence[float], architecture: str, settings: Settings) -> tuple[float, ...]:
    """Return the biases of a gate as floats, or say what was expected."""
    check_gate(gate, architecture, settings)
    swept = _as_floats(biases)
    if not swept:
        raise ValueError("biases is empty: expected at least one bias, such as (0, 1, 2).")
    low, high = LIMITS[f"{gate}_bias"]
    if not all(low <= bias <= high for bias in swept):
        raise ValueError(f"biases is {biases!r}: expected finite numbers from {low:g} to {high:g}.")
    if not ascending(swept):
        raise ValueError(f"biases is {biases!r}: expected ascending numbers, each once; sort them first.")
    return swept


def _as_floats(biases: Sequence[float]) -> tuple[float, ...]:
    try:
        if isinstance(biases, str):  # its characters would pass one by one
            raise TypeError
        return tuple(float(bias) for bias in biases)
    except (TypeError, ValueError):
        raise TypeError(f"biases is {biases!r}: expected a sequence of numbers, such as (0, 1, 2).") from None


def ascending(values: Sequence[float]) -> bool:
    """Say whether every value is larger than the one before it."""
    return all(before < after for before, after in itertools.pairwise(values))


def check_gate(gate: str, architecture: str, settings: Settings) -> None:
    """Refuse a gate that the architecture lacks, or whose bias is not the settings'."""
    if architecture not in ("lstm", "gru"):
        raise ValueError(f"architecture is {architecture!r}: expected 'lstm' or 'gru'; nothing else has gates.")
    if gate not in BLOCKS[architecture]:
        names = ", ".join(map(repr, BLOCKS[architecture]))
        raise ValueError(f"gate is {gate!r}: expected one of {names}, the gates of the {architecture.upper()}.")
    if settings.recurrent_init == "chrono" and gate in DRAWN_BY_CHRONO:
        raise Explained(
            N_(
                "Chrono initialisation draws the bias of the {gate} gate for every unit: expected another "
                "initialisation, or a gate that chrono leaves alone."
            ),
            {"gate": gate},
        )


def check_lag(lag: int, settings: Settings, table: TableLike | None = None) -> None:
    """Refuse a lag that is no whole number of steps of the sequence that the settings give."""
    steps = len(make_inputs(settings, table=table))
    if not whole(lag):
        raise TypeError(f"lag is {lag!r} ({type(lag).__name__}): expected a whole number of steps.")
    if not 1 <= lag <= steps:
        raise ValueError(f"lag is {lag}: expected 1 to {steps}, the steps of this sequence; lengthen the sequence.")


def whole(value: Any) -> bool:
    """Say whether a value is a whole number, Python's or NumPy's; True and False are none."""
    return isinstance(value, Integral) and not isinstance(value, bool)


def sweep_biases(
    settings: Settings,
    swept: Mapping[str, Sequence[float]],
    *,
    architecture: Architecture,
    table: TableLike | None = None,
) -> Iterator[Norms]:
    """Measure with the biases of some gates varied together, as many of them in a pass as memory is meant to hold.

    Args:
        settings: The experiment.
        swept: Gate to its effective biases, as many each; run ``n`` takes the ``n``-th of every gate.
        architecture: ``"lstm"`` or ``"gru"``.
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
def _swept(network: Network, inputs: Tensor, gates: tuple[str, ...], biases: Tensor, loss: Loss) -> Norms:
    """Measure one replica for all biases ``(N, gates)`` at once; norms ``(N, T + 1, B)`` of the last layer."""
    count, samples = len(biases), inputs.shape[1]
    by_block = biases.new_zeros(count, len(BLOCKS[architecture_of(network)]))
    by_block[:, [BLOCKS[architecture_of(network)].index(gate) for gate in gates]] = biases
    added = by_block.repeat_interleave(samples, dim=0).repeat_interleave(network.hidden_size, dim=1)
    parameters, x = network_parameters(network), inputs
    for weights in parameters:
        layer = _pass(network, weights, x, added)
        x = layer.hidden[1:]
    check_finite(layer.hidden)
    outside = at_loss(layer.hidden, x.new_ones(x.shape[1:]), loss)
    total, by_cell = total_and_cell_path(network, parameters[-1], layer, (outside, ()), (outside, ()))
    states = [*total.log10_states.swapaxes(0, 1), *([by_cell.log10_states[:, 1]] if by_cell else [])]
    hidden, *of_cell = (torch.from_numpy(norms).to(x.dtype).unflatten(1, (count, samples)) for norms in states)
    return Norms(hidden, *(of_cell or (None, None))).map(lambda norms: norms.movedim(1, 0))


def _pass(network: Network, weights: Parameters, inputs: Tensor, added: Tensor) -> LayerStates:
    """Return a layer's states from the inputs of all samples, or of some that all share, and what their biases add."""
    steps, size = len(inputs), network.hidden_size
    hidden = inputs.new_empty(steps + 1, len(added), size)
    hidden[0] = 0.0
    gates = np.empty((added.shape[1] // size, steps, len(added), size))
    weight_hh = weights.weight_hh.mT.contiguous().numpy()
    if isinstance(network, nn.GRU):
        from_input = affine(inputs, weights.weight_ih, weights.bias_ih)
        forward.gru_pass(from_input.numpy(), added.numpy(), weight_hh, weights.bias_hh.numpy(), hidden.numpy(), gates)
        return LayerStates(hidden, None, gates)
    cell = np.empty(hidden.shape)
    cell[0] = 0.0
    from_input = affine(inputs, weights.weight_ih, weights.bias_ih + weights.bias_hh)
    forward.lstm_pass(from_input.numpy(), added.numpy(), weight_hh, hidden.numpy(), gates, cell)
    return LayerStates(hidden, cell, gates)


def norms_of(record: Any, quantity: StateQuantity) -> Tensor:
    """Return the norms of a quantity, or say which there are."""
    there = {name.removeprefix("log10_") for name in Norms._fields if getattr(record, name) is not None}
    if quantity not in there:
        expected, name = ", ".join(map(repr, sorted(there))), record.architecture.upper()
        raise ValueError(f"quantity is {quantity!r}: expected one of {expected}, the states of the {name}.")
    norms: Tensor = getattr(record, f"log10_{quantity}")
    return norms


def total_of(architecture: str) -> StateQuantity:
    """Return the state whose total derivative says what is remembered: the cell where there is one."""
    return "cell" if architecture == "lstm" else "hidden"


def relative_to_last(norms: Tensor) -> Tensor:
    """Return ``(..., T + 1, B)`` norms relative to the last step; NaN where that is exactly zero."""
    last = norms[..., -1:, :]
    return norms - torch.where(last == -torch.inf, torch.nan, last)


def median_of_runs(runs: Tensor) -> NDArray[np.float64]:
    """Return the median over the last axis, the nearest run's own number: a mean with -inf says nothing."""
    median: NDArray[np.float64] = np.quantile(runs.double().numpy(), 0.5, axis=-1, method="nearest")
    return median
