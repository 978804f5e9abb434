"""Which bias keeps enough of the gradient for long enough, and the lines that set it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, cast

import numpy as np
import torch
from numpy.typing import NDArray

from lstm_explorer.core import theory
from lstm_explorer.core.architectures import Architecture, Gate, architecture_named
from lstm_explorer.core.biases.maps import StateQuantity, bias_map, check_gate, check_lag
from lstm_explorer.core.gradients.summaries import EXPLODES_ABOVE
from lstm_explorer.core.inputs import TableLike
from lstm_explorer.core.networks import effective_biases
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
    record = architecture_named(architecture)
    gate = record.memory_gate or Gate("", "", "")
    check_gate(gate.name, architecture, settings)
    check_lag(lag, settings, table)
    theory.required_forget_bias(lag, share)  # refuses a share that is none
    sign = gate.keeps

    def at_lag(strengths: NDArray[np.float64]) -> NDArray[np.float64]:
        biases = sorted((sign * strengths).tolist())
        swept = bias_map(settings, gate=gate.name, biases=biases, architecture=architecture, table=table)
        return swept.ratios(cast(StateQuantity, record.memory))[::sign, -1 - lag]

    # How strongly a bias keeps: the bias itself or, of a gate that keeps where it is small, its opposite.
    strengths = np.arange(LOWEST, HIGHEST + _FIRST_STEP / 2, _FIRST_STEP)
    ratios = at_lag(strengths)
    measured, log10_measured = _smallest(strengths, ratios, math.log10(share), at_lag)
    above = strengths > (LOWEST if measured is None else measured)
    explode = strengths[(ratios > math.log10(EXPLODES_ABOVE)) & above]
    less = strengths[(ratios < math.log10(share)) & above]
    return RequiredBias(
        gate=gate.name,
        lag=lag,
        share=share,
        closed_form=_closed_form(record, settings, lag, share),
        measured=None if measured is None else sign * measured,
        log10_measured=log10_measured,
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


def bias_lines(bias: float, *, gate: str = "forget", architecture: str = "lstm", network: str = "") -> str:
    """Return the PyTorch lines that give one gate of a network an effective bias, in every layer and direction.

    Only ``bias_ih`` carries it: PyTorch adds the two vectors, so ``bias_hh`` of that gate becomes zero.

    Args:
        bias: The effective bias.
        gate: A gate of the architecture.
        architecture: One with gates, such as ``"lstm"``.
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
    record, variable = architecture_named(architecture), network or architecture
    gates, block = record.blocks, record.blocks.index(gate)
    second = """\
        elif name.startswith("bias_hh"):
            parameter[rows] = 0.0  # the two vectors are added: filling both would double the bias
"""
    return f"""\
size = {variable}.hidden_size
rows = slice({block} * size, {block + 1} * size)  # the {gate} gate's: the order of the rows is {", ".join(gates)}
with torch.no_grad():
    for name, parameter in {variable}.named_parameters():  # every layer, every direction
        if name.startswith("bias_ih"):
            parameter[rows] = {float(bias):.6g}
{second if record.recurrent else ""}"""


def chrono_lines(longest: int, *, architecture: str = "lstm", network: str = "") -> str:
    """Return the PyTorch lines that draw a network's biases by chrono initialisation, in every layer and direction.

    Args:
        longest: Longest memory in steps, at least 3.
        architecture: One with gates, such as ``"lstm"``.
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
    record, variable = architecture_named(architecture), network or architecture
    drawn = [(block, gate) for block, gate in enumerate(record.gates) if gate.chrono]
    if not drawn:
        raise ValueError(f"architecture is {architecture!r}: expected one with a gate that keeps, for chrono to draw.")
    if longest < 3:
        raise ValueError(f"longest is {longest}: expected at least 3 steps; chrono draws from U(1, longest - 1).")
    rows = {gate.name: f"parameter[{block} * size : {block + 1} * size]" for block, gate in drawn}
    signs = {1: "keep", -1: "-keep"}
    write = "".join(
        f"            {rows[gate.name]} = {signs[gate.chrono]}  # the {gate.name} gate's\n" for _block, gate in drawn
    )
    clear = "".join(f"            {row} = 0.0  # the two vectors are added\n" for row in rows.values())
    second = f'        elif name.startswith("bias_hh"):\n{clear}' if record.recurrent else ""
    return f"""\
size = {variable}.hidden_size  # the order of the rows is {", ".join(record.blocks)}
with torch.no_grad():
    for name, parameter in {variable}.named_parameters():  # every layer, every direction
        if name.startswith("bias_ih"):
            keep = torch.empty_like(parameter[:size]).uniform_(1, {longest - 1}).log_()
{write}{second}"""


def run_bias_lines(lines: str, settings: Settings, *, gate: str, architecture: str) -> NDArray[np.float32]:
    """Run the lines on a fresh PyTorch network and return what each layer's bias then is.

    Args:
        lines: From :func:`bias_lines` or :func:`chrono_lines`, with the architecture as the network's name.
        settings: Sizes of the network.
        gate: Whose bias is read.
        architecture: One with gates, such as ``"lstm"``.

    Returns:
        Effective biases, ``(L, H)``.

    Example:
        >>> run_bias_lines(bias_lines(2, gate="input"), Settings(hidden_size=2), gate="input", architecture="lstm")
        array([[2., 2.]], dtype=float32)
    """
    with torch.random.fork_rng(devices=[]):  # the lines and the network draw from PyTorch's own random state
        network = architecture_named(architecture).module(settings.features, settings.hidden_size, settings.num_layers)
        exec(lines, {"torch": torch, architecture: network})
    return np.stack([effective_biases(network, layer)[gate].numpy() for layer in range(settings.num_layers)])


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
