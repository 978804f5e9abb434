"""Which bias would let the gradient arrive: measured on the very weights, by moving the memory gate's bias."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from lstm_explorer.core.architectures import Network, architecture_of, num_directions
from lstm_explorer.core.biases.norms import Norms
from lstm_explorer.core.biases.sweeps import sweep_own_biases
from lstm_explorer.core.checks import Inputs, check_network
from lstm_explorer.core.diagnosis.shares import median_share, of_worse_direction, shares_by_lag
from lstm_explorer.core.gradients.last_layers import OwnRun
from lstm_explorer.core.gradients.summaries import EXPLODES_ABOVE
from lstm_explorer.core.kinds import checks_kinds

#: What is tried to be added to the memory gate's bias, first coarsely, then between the last that fails and the first
#: that does.
_COARSE = (0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0)
_FINE = 9
#: Parts in which each pass over these is done.
_PARTS = 3


@dataclass(frozen=True, eq=False, kw_only=True)
class Mend:
    """What is added to gate biases so that the share that is asked for arrives at the lag that is needed.

    Attributes:
        gate: The memory gate: the LSTM's ``"forget"``, the GRU's ``"update"``.
        added: What is added to its bias, for every unit of every layer; negative where the gate keeps when it is low.
        lower: The first quartile over samples of what would have to be added.
        upper: The third quartile; infinite where even 8 more does not do for as many.
        log10_share: log10 of the share that arrives then, the median over samples.
        log10_most: log10 of the largest share at any lag.
        input_added: What is added to the input gate's bias as well; 0 where the memory gate alone does, or where there
            is no such gate.
    """

    gate: str
    added: float
    lower: float
    upper: float
    log10_share: float
    log10_most: float
    input_added: float = 0.0

    @property
    def explodes(self) -> bool:
        """Whether more than ten times the gradient arrives somewhere."""
        return self.log10_most > math.log10(EXPLODES_ABOVE)

    @property
    def changes(self) -> dict[str, float]:
        """Gate to what is added to its bias."""
        return {self.gate: self.added} | ({"input": self.input_added} if self.input_added else {})

    def to_dict(self) -> dict[str, Any]:
        """Return the mend as plain numbers and texts, for JSON."""
        numbers = {name: getattr(self, name) for name in ("lower", "upper", "log10_share", "log10_most")}
        finite = {name: number if math.isfinite(number) else None for name, number in numbers.items()}
        return {"added": self.changes, **finite, "explodes": self.explodes}


def find_mend(network: Network, inputs: Inputs, *, needs_lag: int, share: float, cotangent: Any = None) -> Mend | None:
    """Search for the smallest addition to the memory gate's bias with which the share arrives at the lag.

    Where no addition does it alone, or where the gradient would explode, the input gate is closed as far as the memory
    gate is opened, as chrono initialisation does.

    Args:
        network: It is not modified.
        inputs: What it reads, as the network takes it.
        needs_lag: How many steps back.
        share: Which share is to arrive.
        cotangent: What the loss puts on the outputs.

    Returns:
        The addition; None where the network has no such gate or no bias, or where even 8 more does not do.
    """
    search = MendSearch(run=OwnRun(network, inputs, cotangent), needs_lag=needs_lag, share=share)
    found = MendFound()
    for stage in range(MendSearch.STAGES):
        found = search.stage(stage, found)
    return found.mend


class MendFound(NamedTuple):
    """What a search knows so far: by the memory gate alone, and with the input gate closed as well."""

    alone: Mend | None = None
    both: Mend | None = None
    coarse: _Swept | None = None
    fine: _Swept | None = None

    @property
    def mend(self) -> Mend | None:
        """The better one: that by the memory gate alone where it does not explode."""
        if self.alone is None or (self.alone.explodes and self.both is not None and not self.both.explodes):
            return self.both
        return self.alone


@dataclass(frozen=True, kw_only=True)
class MendSearch:
    """The search of :func:`find_mend`, which can be done in pieces.

    Attributes:
        run: The network and what it reads.
        needs_lag: How many steps back.
        share: Which share is to arrive there.
    """

    #: A coarse and a fine pass with the memory gate alone, then both with both gates; each in parts.
    STAGES: ClassVar[int] = 4 * _PARTS

    run: OwnRun
    needs_lag: int
    share: float

    def stage(self, number: int, found: MendFound) -> MendFound:
        """Do one of the passes in part; each needs what was found before."""
        record = architecture_of(self.run.network)
        gate = record.memory_gate
        if gate is None or not self.run.network.bias:
            return found
        passes, part = divmod(number, _PARTS)
        signs = {gate.name: float(gate.keeps)}
        if passes >= 2:
            if not record.has_gate("input") or (found.alone is not None and not found.alone.explodes):
                return found
            signs["input"] = -float(gate.keeps)
        before = None if part == 0 else found.coarse if passes % 2 == 0 else found.fine
        if passes % 2 == 0:
            return found._replace(coarse=self._swept(signs, np.asarray(_COARSE), part, before))
        if found.coarse is None or not self._enough(found.coarse).any():
            return found
        fine = self._swept(signs, self._between(found.coarse), part, before)
        if part < _PARTS - 1:
            return found._replace(fine=fine)
        mend = self._smallest(signs, found.coarse, fine)
        return found._replace(both=mend) if passes == 3 else found._replace(alone=mend)

    def _swept(self, signs: Mapping[str, float], steps: NDArray[Any], part: int, before: _Swept | None) -> _Swept:
        """Measure one part of some additions, and join it to the parts before."""
        some = np.array_split(steps, _PARTS)[part]
        swept = _sweep(self.run, _added(signs, some), self.needs_lag)
        return swept if before is None else _Swept(*(np.concatenate(pair) for pair in zip(before, swept, strict=True)))

    def _enough(self, swept: _Swept) -> NDArray[Any]:
        enough: NDArray[Any] = swept.at_lag >= math.log10(self.share)
        return enough

    def _between(self, coarse: _Swept) -> NDArray[Any]:
        """Return additions between the last coarse one that fails and the first that does."""
        first = int(np.argmax(self._enough(coarse)))
        return np.linspace(_COARSE[first - 1] if first else 0.0, _COARSE[first], _FINE + 1)[1:].round(4)

    def _smallest(self, signs: Mapping[str, float], coarse: _Swept, fine: _Swept) -> Mend:
        """Return the smallest addition to the first gate, and with its sign to the others, that does."""
        steps, at = self._between(coarse), int(np.argmax(self._enough(fine)))
        lower, upper = _bounds(coarse, fine, steps, self.share)
        gate, sign = next(iter(signs.items()))
        return Mend(
            gate=gate, added=sign * float(steps[at]), lower=min(sign * lower, sign * upper),
            upper=max(sign * lower, sign * upper), log10_share=float(fine.at_lag[at]),
            log10_most=float(fine.most[at]), input_added=signs.get("input", 0.0) * float(steps[at]),
        )  # fmt: skip


def _added(signs: Mapping[str, float], steps: Sequence[float] | NDArray[Any]) -> dict[str, list[float]]:
    return {gate: [sign * float(step) for step in steps] for gate, sign in signs.items()}


class _Swept(NamedTuple):
    """log10 of shares over what was added: of every sample at the lag, their median, and the largest at any lag."""

    samples: NDArray[Any]
    at_lag: NDArray[Any]
    most: NDArray[Any]


def _sweep(run: OwnRun, added: Mapping[str, Sequence[float]], needs_lag: int) -> _Swept:
    norms: Norms = sweep_own_biases(run, added)
    of_memory = norms.log10_hidden if norms.log10_cell is None else norms.log10_cell
    samples = of_worse_direction(shares_by_lag(of_memory.movedim(1, 0)))
    median = median_share(samples)
    return _Swept(samples[:, needs_lag], median[:, needs_lag], median.max(axis=1))


def _bounds(coarse: _Swept, fine: _Swept, steps: NDArray[Any], share: float) -> tuple[float, float]:
    """Return the quartiles over samples of the smallest addition with which the share arrives."""
    tried = np.array([*_COARSE, *steps])
    order = np.argsort(tried)
    shares = np.concatenate([coarse.samples, fine.samples])[order]
    enough = shares[:, ~np.isnan(shares).all(axis=0)] >= math.log10(share)  # of the samples that are as long
    needed = np.where(enough.any(axis=0), tried[order][np.argmax(enough, axis=0)], np.inf)
    lower, upper = np.quantile(needed, (0.25, 0.75), method="nearest")
    return float(lower), float(upper)


def _check_biases(network: Network) -> None:
    """Refuse a network whose biases cannot be changed: it has none, or makes them of other parameters."""
    if not network.bias:
        raise ValueError("network was made with bias=False: expected one with biases; build it with bias=True.")
    own = dict(network.named_parameters())
    made = [name for name in ("bias_ih_l0", "bias_ih_l0_reverse") if hasattr(network, name) and name not in own]
    if made:
        raise ValueError(
            f"{made[0]} is made of other parameters, as pruning and weight normalisation do: expected a parameter of "
            "its own; take that off the biases first."
        )


@checks_kinds
def mended_biases(network: Network, mend: Mend) -> dict[str, Tensor]:
    """Return the biases that a mend changes, by parameter name, as they become.

    What is added goes to ``bias_ih`` of every layer and direction; nothing else changes.

    Args:
        network: It is not modified.
        mend: As :func:`lstm_explorer.diagnose` found it for this network.

    Raises:
        TypeError: An argument is of another kind.
        ValueError: The network has no biases, or is not supported.

    Example:
        >>> import torch
        >>> lstm = torch.nn.LSTM(1, 2)
        >>> mend = Mend(gate="forget", added=3.0, lower=3, upper=3, log10_share=0, log10_most=0)
        >>> changed = mended_biases(lstm, mend)["bias_ih_l0"] - lstm.bias_ih_l0.detach()
        >>> changed.tolist()
        [0.0, 0.0, 3.0, 3.0, 0.0, 0.0, 0.0, 0.0]
    """
    parameters = check_network(network)
    _check_biases(network)
    blocks, directions, size = architecture_of(network).blocks, num_directions(network), network.hidden_size
    found = {}
    for index, weights in enumerate(parameters):
        bias = weights.bias_ih.clone()
        for gate, added in mend.changes.items():
            first = blocks.index(gate) * size
            bias[first : first + size] += added
        found[f"bias_ih_l{index // directions}{'_reverse' * (index % directions)}"] = bias
    return found


@checks_kinds
def mending_lines(network: Network, mend: Mend, name: str = "network") -> str:
    """Return the lines of Python that do the same to a network of the reader's own.

    Args:
        network: The one that was measured.
        mend: What was found for it.
        name: What the network is called in the reader's program, such as ``"model.encoder.lstm"``.

    Raises:
        TypeError: An argument is of another kind.
        ValueError: The network is not supported.

    Example:
        >>> import torch
        >>> mend = Mend(gate="forget", added=3.0, lower=3, upper=3, log10_share=0, log10_most=0)
        >>> lstm = torch.nn.LSTM(1, 2)
        >>> print(mending_lines(lstm, mend, "lstm"))
        with torch.no_grad():
            for name, bias in lstm.named_parameters():
                if name.startswith("bias_ih"):
                    bias[2:4] += 3  # forget gate
        >>> expected = mended_biases(lstm, mend)
        >>> exec(mending_lines(lstm, mend, "lstm"))
        >>> bool((lstm.bias_ih_l0 == expected["bias_ih_l0"]).all())
        True
    """
    check_network(network)
    _check_biases(network)
    blocks, size = architecture_of(network).blocks, network.hidden_size
    lines = [
        "with torch.no_grad():",
        f"    for name, bias in {name}.named_parameters():",
        '        if name.startswith("bias_ih"):',
    ]
    for gate, added in mend.changes.items():
        first = blocks.index(gate) * size
        lines.append(
            f"            bias[{first}:{first + size}] {'+' if added > 0 else '-'}= {abs(added):g}  # {gate} gate"
        )
    return "\n".join(lines)
