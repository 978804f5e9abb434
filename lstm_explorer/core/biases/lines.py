"""The PyTorch lines that set the biases of a gate, and what they do to a real network."""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray

from lstm_explorer.core.architectures import architecture_named
from lstm_explorer.core.biases.maps import check_gate
from lstm_explorer.core.networks import effective_biases
from lstm_explorer.core.settings import Settings


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
