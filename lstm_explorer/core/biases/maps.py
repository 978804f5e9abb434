"""The gradient over a range of gate biases: a map of bias and step, measured in batched passes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence

from lstm_explorer.core.architectures import Network
from lstm_explorer.core.biases.checks import check_biases
from lstm_explorer.core.biases.norms import Norms, StateQuantity, median_of_runs, norms_of, relative_to_last
from lstm_explorer.core.biases.sweeps import sweep_biases, sweep_own_biases
from lstm_explorer.core.checks import Inputs
from lstm_explorer.core.gradients.last_layers import OwnRun, run_of
from lstm_explorer.core.inputs import TableLike
from lstm_explorer.core.kinds import checks_kinds
from lstm_explorer.core.settings import Settings
from lstm_explorer.core.undisturbed import undisturbed


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
@undisturbed
def bias_map(
    settings: Settings | Network,
    inputs: Inputs | None = None,
    *,
    gate: str = "forget",
    biases: Sequence[float],
    architecture: str = "lstm",
    cotangent: Tensor | PackedSequence | None = None,
    table: TableLike | None = None,
) -> BiasMap:
    """Measure the gradient for every bias of one gate, all other settings being as they are.

    Entry ``n`` is what :func:`lstm_explorer.seed_flows` measures for ``<gate>_bias = biases[n]``, its last layer. A map
    may be measured piece by piece: :func:`join_maps` joins the maps of neighbouring biases.

    A network of your own has a bias of its own for every unit: there ``biases[n]`` is *added* to those of all units, in
    every layer, 0 being the network as it is; and the axis ``R`` is its directions, the forward one first.

    Args:
        settings: The experiment; its own bias of this gate does not count. ``loss``, ``seed``, ``num_seeds`` do. Or a
            network of your own; it is not changed.
        inputs: What a network of your own reads, as :func:`lstm_explorer.gradient_flow` takes it.
        gate: ``"input"``, ``"forget"``, ``"candidate"`` or ``"output"`` of the LSTM; ``"reset"``, ``"update"`` or
            ``"candidate"`` of the GRU.
        biases: Effective biases, ascending; every layer has them. Or what is added to those of a network of your own.
        architecture: One with gates, such as ``"lstm"``; a network of your own has its own.
        cotangent: What the loss puts on the outputs of a network of your own, as :func:`lstm_explorer.gradient_flow`
            takes it.
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
    run = run_of(settings, inputs, table=table, cotangent=cotangent)
    if isinstance(run, OwnRun):
        architecture = run.architecture
        swept = check_biases(gate, biases, architecture)
        norms = sweep_own_biases(run, {gate: swept})
    else:
        swept = check_biases(gate, biases, architecture, run)
        norms = Norms.join(list(sweep_biases(run, {gate: swept}, architecture=architecture, table=table)))
    return BiasMap(architecture=architecture, gate=gate, biases=swept, **norms._asdict())


def join_maps(maps: Sequence[BiasMap]) -> BiasMap:
    """Return maps of neighbouring biases as one map."""
    return replace(maps[0], biases=tuple(bias for one in maps for bias in one.biases), **Norms.join(maps)._asdict())
