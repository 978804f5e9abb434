"""How far back a network of one's own can remember, on the data that it is meant for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence

from lstm_explorer.core.architectures import Network, architecture_of
from lstm_explorer.core.checks import Inputs, check_given
from lstm_explorer.core.diagnosis.mending import Mend, find_mend
from lstm_explorer.core.diagnosis.shares import median_share, of_worse_direction, shares_by_lag
from lstm_explorer.core.diagnosis.weights import LayerWeights, layer_weights
from lstm_explorer.core.gradients.flow import gradient_flow
from lstm_explorer.core.gradients.result import GradientFlow
from lstm_explorer.core.gradients.seeds import join_flows, with_replicas
from lstm_explorer.core.gradients.summaries import Quantity, Verdict, verdict_of
from lstm_explorer.core.kinds import checks_kinds
from lstm_explorer.core.networks.computing import same_kind
from lstm_explorer.core.undisturbed import undisturbed

#: Seeds of the fresh networks of the same sizes that stand beside the measured one.
FRESH_SEEDS = 5


@dataclass(frozen=True, eq=False, kw_only=True)
class Diagnosis:
    r"""What a network remembers of the data that it reads, and what would mend it.

    Shares are :math:`\|dL/ds_{T-k}\| / \|dL/ds_T\|`, of the state that remembers: the cell of an LSTM, else the hidden
    state; :math:`T` is the last step that the loss reaches. The median is over samples. Of a bidirectional network both
    directions have to remember: the worse one counts.

    Attributes:
        architecture: Name of its record, such as ``"lstm"``.
        layers: Every layer and direction as its weights describe it.
        flow: The gradient of every state, unit by unit.
        fresh: The same of fresh networks of the same sizes, as PyTorch initialises them, ``R`` in front; None before
            they are measured.
        needs_lag: How many steps back the task needs.
        share: Which share of the gradient must arrive there.
        mend: What would let it arrive; None where it does, or where no bias does it.
    """

    architecture: str
    layers: tuple[LayerWeights, ...]
    flow: GradientFlow
    fresh: GradientFlow | None
    needs_lag: int
    share: float
    mend: Mend | None

    @property
    def memory(self) -> Quantity:
        """The state that remembers: ``"cell"`` or ``"hidden"``."""
        return "hidden" if self.flow.log10_cell is None else "cell"

    def log10_shares(self, quantity: str | None = None, layer: int = -1, *, fresh: bool = False) -> NDArray[Any]:
        """Return log10 of the share that arrives at every lag, the median over samples, ``(T + 1,)`` from lag 0.

        Args:
            quantity: ``"hidden"``, ``"cell"`` or ``"cell_path"``; what remembers by default.
            layer: Which layer and direction, as ``layers`` counts them; the last by default.
            fresh: Of the fresh networks, the median over their seeds too.
        """
        return median_share(self.sample_shares(quantity, layer, fresh=fresh))

    def sample_shares(self, quantity: str | None = None, layer: int = -1, *, fresh: bool = False) -> NDArray[Any]:
        """Return log10 of the share of every sample, and of every seed of the fresh networks, ``(T + 1, N)``.

        Raises:
            ValueError: The fresh networks are asked for and not measured yet.
        """
        if fresh and self.fresh is None:
            raise ValueError("fresh is True: expected a whole diagnosis, whose fresh networks are measured.")
        norms: Tensor = getattr(self.fresh if fresh else self.flow, f"log10_{quantity or self.memory}")
        shares = shares_by_lag(norms[..., layer, :, :])
        return np.concatenate(list(shares), axis=-1) if fresh else shares

    @property
    def weakest(self) -> int:
        """The direction of the last layer that keeps less at the lag that is needed, as ``layers`` counts."""
        return min(self._last, key=lambda index: float(self.log10_shares(layer=index)[self.needs_lag]))

    @property
    def _last(self) -> range:
        """The directions of the last layer, as ``layers`` counts."""
        directions = len({one.direction for one in self.layers})
        return range(len(self.layers) - directions, len(self.layers))

    def reach(self, share: float, layer: int = -1, *, fresh: bool = False) -> int:
        """Return the lag up to which at least this share arrives all the way."""
        less = np.flatnonzero(~(self.log10_shares(layer=layer, fresh=fresh) >= np.log10(share)))
        return int(less[0]) - 1 if len(less) else self.flow.log10_hidden.shape[1] - 1

    def half_life(self, layer: int = -1) -> int | None:
        """Return the first lag at which less than half arrives; None where half arrives as far as was measured."""
        lag = self.reach(0.5, layer) + 1
        return lag if lag < self.flow.log10_hidden.shape[1] else None

    @property
    def log10_share(self) -> float:
        """log10 of the share that arrives at the lag that is needed: of the last layer, and of its worse direction."""
        both = np.stack([self.sample_shares(layer=index) for index in self._last])
        return float(median_share(of_worse_direction(both))[self.needs_lag])

    @property
    def arrives(self) -> bool:
        """Whether the share that is asked for arrives at the lag that is needed."""
        return bool(self.log10_share >= np.log10(self.share))

    @property
    def verdict(self) -> Verdict:
        """``vanishes`` below 1 % at the lag that is needed, ``explodes`` above ten times, else ``survives``."""
        return verdict_of(self.log10_share)

    def without_needless_mend(self) -> Diagnosis:
        """Return the diagnosis without a mend where enough arrives as it is."""
        return replace(self, mend=None) if self.arrives else self

    def to_frame(self) -> pd.DataFrame:
        """Return the shares as rows ``architecture, layer, direction, quantity, lag, log10_share, log10_share_fresh``.

        Example:
            >>> diagnosis = diagnose(torch.nn.GRU(2, 4), torch.randn(20, 1, 2), needs_lag=10)
            >>> diagnosis.to_frame().columns.tolist()[-3:]
            ['lag', 'log10_share', 'log10_share_fresh']
        """
        frames = []
        for index, layer in enumerate(self.layers):
            for quantity in ("hidden", "cell", "cell_path"):
                if getattr(self.flow, f"log10_{quantity}") is None:
                    continue
                own = self.log10_shares(quantity, index)
                fresh = self.log10_shares(quantity, index, fresh=True) if self.fresh else np.full(len(own), np.nan)
                columns = {"layer": layer.layer, "direction": layer.direction, "quantity": quantity}
                shares = {"lag": np.arange(len(own)), "log10_share": own, "log10_share_fresh": fresh}
                frames.append(pd.DataFrame({"architecture": self.architecture, **columns, **shares}))
        return pd.concat(frames, ignore_index=True)

    def to_dict(self) -> dict[str, Any]:
        """Return what was found as plain numbers and texts, for JSON; None where nothing at all arrives."""
        layers = [
            {
                "layer": one.layer,
                "direction": one.direction,
                "half_life": self.half_life(index),
                "reach": self.reach(self.share, index),
                "bias_median": {gate: float(bias.median()) for gate, bias in one.biases.items()},
                "spectral_radius": {gate: _finite(radius) for gate, radius in one.spectral_radius.items()},
                "largest_singular_value": dict(one.largest_singular_value),
            }
            for index, one in enumerate(self.layers)
        ]
        return {
            "architecture": self.architecture,
            "steps": self.flow.log10_hidden.shape[1] - 1,
            "needs_lag": self.needs_lag,
            "share": self.share,
            "log10_share": _finite(self.log10_share),
            "log10_share_fresh": _finite(self.log10_shares(fresh=True)[self.needs_lag]) if self.fresh else None,
            "arrives": self.arrives,
            "verdict": self.verdict,
            "layers": layers,
            "mend": None if self.mend is None else self.mend.to_dict(),
        }


def _finite(number: float) -> float | None:
    return float(number) if np.isfinite(number) else None


@checks_kinds
@undisturbed
def diagnose(
    network: Network,
    inputs: Inputs,
    *,
    needs_lag: int,
    share: float = 0.01,
    cotangent: Tensor | PackedSequence | None = None,
    mend: bool = True,
) -> Diagnosis:
    """Find out how far back a network can remember, beside fresh ones of its size, and which bias would mend it.

    Args:
        network: ``nn.RNN``, ``nn.LSTM`` or ``nn.GRU``, as :func:`lstm_explorer.gradient_flow` takes it; not modified.
        inputs: What it is meant to read, ``(T, B, I)``, or ``(B, T, I)`` if it is ``batch_first``, or packed; at least
            ``needs_lag`` steps.
        needs_lag: How many steps back the task needs, from 1.
        share: Which share of the gradient is to arrive there, above 0 and at most 1.
        cotangent: What the loss puts on the outputs, as :func:`lstm_explorer.gradient_flow` takes it.
        mend: Whether to look for a bias that would do.

    Returns:
        Shares, half-lives, the weights' own numbers and the mend.

    Raises:
        TypeError: An argument is of another kind.
        ValueError: The data is too short, a number is outside its range, or the network is not supported.

    Example:
        >>> torch.manual_seed(0) and None
        >>> diagnosis = diagnose(torch.nn.LSTM(2, 8), torch.randn(60, 4, 2), needs_lag=50)
        >>> diagnosis.verdict, diagnosis.mend.gate, diagnosis.mend.added > 1
        ('vanishes', 'forget', True)
    """
    given = check_given(network, inputs)
    steps = len(given.inputs)
    if not 1 <= needs_lag <= steps:
        raise ValueError(f"needs_lag is {needs_lag}: expected 1 to {steps}, the steps of the inputs; give longer ones.")
    if not 0 < share <= 1:
        raise ValueError(f"share is {share}: expected a number above 0 and at most 1; write 1% as 0.01.")
    flow = gradient_flow(network, inputs, cotangent=cotangent, units=True)
    found = Diagnosis(
        architecture=architecture_of(network).name,
        layers=layer_weights(network),
        flow=flow,
        fresh=fresh_flows(network, inputs, cotangent),
        needs_lag=int(needs_lag),
        share=float(share),
        mend=None,
    )
    if not mend or found.arrives:
        return found
    return replace(found, mend=find_mend(network, inputs, needs_lag=needs_lag, share=share, cotangent=cotangent))


def fresh_flows(
    network: Network, inputs: Inputs, cotangent: Any, seeds: Sequence[int] = tuple(range(FRESH_SEEDS))
) -> GradientFlow:
    """Return the flow of fresh networks of the same sizes, as PyTorch initialises them, the seeds in front.

    Args:
        network: Its class and sizes are taken; it is not modified, nor is the random state.
        inputs: What the network reads, as it takes it.
        cotangent: As :func:`lstm_explorer.gradient_flow` takes it for the network.
        seeds: Of the initialisation.
    """
    flows = []
    for seed in seeds:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            fresh = same_kind(network)
        flows.append(with_replicas(gradient_flow(fresh, inputs, cotangent=cotangent)))
    return join_flows(flows)
