"""Which bias keeps enough of the gradient for long enough, and the lines that set it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from lstm_explorer.core import theory
from lstm_explorer.core.biases.maps import KEEPING, bias_map, check_gate, check_lag, total_of
from lstm_explorer.core.gradients.summaries import EXPLODES_ABOVE
from lstm_explorer.core.inputs.kinds import TableLike
from lstm_explorer.core.networks.build import BLOCKS, MODULES, effective_biases
from lstm_explorer.core.settings import Architecture, Settings

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
        gate: ``"forget"`` of the LSTM, ``"update"`` of the GRU.
        lag: Steps to remember.
        share: Share of the gradient that must survive.
        closed_form: The bias whose gate alone keeps the share, :math:`\sigma(b)^{lag} = share`.
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
    architecture: Architecture = "lstm",
    table: TableLike | None = None,
) -> RequiredBias:
    """Find the bias of the gate that keeps, for a lag and the share of the gradient that must survive it.

    The measured answer is about the total, dL/dc of the LSTM and dL/dh of the GRU: the median over replicas and
    samples, relative to the last step. It is looked for on a map, and on finer and finer ones around the first bias
    that suffices. The total need not grow with the bias; the smallest that suffices on the first map is taken.

    Args:
        settings: The experiment; its own bias of the gate does not count.
        lag: Steps to remember, 1 to the sequence's length.
        share: Share that must survive, between 0 and 1.
        architecture: ``"lstm"`` or ``"gru"``.
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
    gate, quantity = KEEPING.get(architecture, ""), total_of(architecture)
    check_gate(gate, architecture, settings)
    check_lag(lag, settings, table)
    closed_form = float(theory.required_forget_bias(lag, share))

    def at_lag(biases: NDArray[np.float64]) -> NDArray[np.float64]:
        found = bias_map(settings, gate=gate, biases=biases.tolist(), architecture=architecture, table=table)
        return found.ratios(quantity)[:, -1 - lag]

    biases = np.arange(LOWEST, HIGHEST + _FIRST_STEP / 2, _FIRST_STEP)
    ratios = at_lag(biases)
    measured, log10_measured = _smallest(biases, ratios, math.log10(share), at_lag)
    above = biases > (LOWEST if measured is None else measured)
    explode, less = biases[(ratios > math.log10(EXPLODES_ABOVE)) & above], biases[(ratios < math.log10(share)) & above]
    return RequiredBias(
        gate=gate,
        lag=lag,
        share=share,
        closed_form=closed_form,
        measured=measured,
        log10_measured=log10_measured,
        falls_below=float(less[0]) if less.size and measured is not None else None,
        explodes=float(explode[0]) if explode.size else None,
        # chrono draws from U(1, longest - 1), which is empty for less than 3 steps
        chrono=ChronoBiases(*theory.chrono_quantile(max(lag, 3), [0.0, 0.5, 1.0]).tolist()),
    )


def bias_lines(bias: float, *, gate: str = "forget", architecture: Architecture = "lstm", network: str = "") -> str:
    """Return the PyTorch lines that give one gate of a network an effective bias, in every layer and direction.

    Only ``bias_ih`` carries it: PyTorch adds the two vectors, so ``bias_hh`` of that gate becomes zero.

    Args:
        bias: The effective bias.
        gate: A gate of the architecture.
        architecture: ``"lstm"`` or ``"gru"``.
        network: Name of the variable that holds the network; the architecture's by default.

    Raises:
        ValueError: The bias is not finite, or the architecture has no such gate.

    Example:
        >>> lstm = torch.nn.LSTM(3, 4, num_layers=2)
        >>> exec(bias_lines(1.5), {"torch": torch, "lstm": lstm})
        >>> effective_biases(lstm, layer=1)["forget"]
        tensor([1.5000, 1.5000, 1.5000, 1.5000])
    """
    check_gate(gate, architecture, Settings())
    if not math.isfinite(bias):
        raise ValueError(f"bias is {bias!r}: expected a finite number, such as 1.0.")
    gates, variable = BLOCKS[architecture], network or architecture
    block = gates.index(gate)
    return f"""\
size = {variable}.hidden_size
rows = slice({block} * size, {block + 1} * size)  # the {gate} gate's: PyTorch's order is {", ".join(gates)}
with torch.no_grad():
    for name, parameter in {variable}.named_parameters():  # every layer, every direction
        if name.startswith("bias_ih"):
            parameter[rows] = {float(bias):.6g}
        elif name.startswith("bias_hh"):
            parameter[rows] = 0.0  # the two vectors are added: filling both would double the bias
"""


def chrono_lines(longest: int, *, architecture: Architecture = "lstm", network: str = "") -> str:
    """Return the PyTorch lines that draw a network's biases by chrono initialisation, in every layer and direction.

    Args:
        longest: Longest memory in steps, at least 3.
        architecture: ``"lstm"`` or ``"gru"``.
        network: Name of the variable that holds the network; the architecture's by default.

    Raises:
        ValueError: The memory is too short, or the architecture has no gates.

    Source:
        tallec2018

    Example:
        >>> lstm = torch.nn.LSTM(3, 100)
        >>> exec(chrono_lines(50), {"torch": torch, "lstm": lstm})
        >>> biases = effective_biases(lstm)
        >>> bool((biases["forget"] == -biases["input"]).all()), round(float(biases["forget"].exp().max())) <= 49
        (True, True)
    """
    check_gate("candidate", architecture, Settings())
    if longest < 3:
        raise ValueError(f"longest is {longest}: expected at least 3 steps; chrono draws from U(1, longest - 1).")
    variable = network or architecture
    gate = KEEPING[architecture]
    block, order = BLOCKS[architecture].index(gate), ", ".join(BLOCKS[architecture])
    opposite = "        parameter[:size] = -keep  # the input gate's: what is kept is not let in again\n"
    return f"""\
size = {variable}.hidden_size
rows = slice({block} * size, {block + 1} * size)  # the {gate} gate's: PyTorch's order is {order}
with torch.no_grad():
    for name, parameter in {variable}.named_parameters():  # every layer, every direction
        if name.startswith("bias_hh"):
            parameter[: {block + 1} * size] = 0.0  # the two vectors are added
        if not name.startswith("bias_ih"):
            continue
        keep = torch.empty_like(parameter[rows]).uniform_(1, {longest - 1}).log_()
        parameter[rows] = keep
{opposite if architecture == "lstm" else ""}"""


def run_bias_lines(lines: str, settings: Settings, *, gate: str, architecture: Architecture) -> NDArray[np.float32]:
    """Run the lines on a fresh PyTorch network and return what each layer's bias then is.

    Args:
        lines: From :func:`bias_lines` or :func:`chrono_lines`, with the architecture as the network's name.
        settings: Sizes of the network.
        gate: Whose bias is read.
        architecture: ``"lstm"`` or ``"gru"``.

    Returns:
        Effective biases, ``(L, H)``.

    Example:
        >>> run_bias_lines(bias_lines(2, gate="input"), Settings(hidden_size=2), gate="input", architecture="lstm")
        array([[2., 2.]], dtype=float32)
    """
    network = MODULES[architecture](settings.features, settings.hidden_size, settings.num_layers)
    exec(lines, {"torch": torch, architecture: network})
    return np.stack([effective_biases(network, layer)[gate].numpy() for layer in range(settings.num_layers)])


def _smallest(
    biases: NDArray[np.float64],
    ratios: NDArray[np.float64],
    wanted: float,
    at_lag: Callable[[NDArray[np.float64]], NDArray[np.float64]],
) -> tuple[float | None, float]:
    """Return the smallest bias whose ratio suffices, and that ratio: each map divides the last one's gap by ten."""
    while True:
        enough = np.flatnonzero(ratios >= wanted)
        if not enough.size:
            return None, math.nan
        first = int(enough[0])
        if first == 0 or biases[first] - biases[first - 1] <= _FINEST:
            return float(biases[first]), float(ratios[first])
        biases = np.linspace(biases[first - 1], biases[first], 11)
        ratios = at_lag(biases)
