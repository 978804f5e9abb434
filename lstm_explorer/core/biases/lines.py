"""The PyTorch lines that set the biases of a network, to paste into one's own program."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray

from lstm_explorer.core.architectures import architecture_named
from lstm_explorer.core.biases.checks import check_gate
from lstm_explorer.core.kinds import checks_kinds
from lstm_explorer.core.networks.build import effective_biases
from lstm_explorer.core.settings import Settings
from lstm_explorer.locales import N_, translated

_OF_GATE = N_("the {gate} gate's")
_ORDER = N_("the order of the rows is {gates}")
_EVERYWHERE = N_("every layer, every direction")
_ADDED = N_("the two vectors are added: filling both would double the bias")


@checks_kinds
def bias_lines(
    bias: float | Mapping[str, float], *, gate: str = "forget", architecture: str = "lstm", network: str = ""
) -> str:
    """Return the PyTorch lines that give gates of a network an effective bias, in every layer and direction.

    Only ``bias_ih`` carries it: PyTorch adds the two vectors, so ``bias_hh`` of that gate becomes zero. The
    comments are in the running language.

    Args:
        bias: The effective bias; or the biases of several gates by their names, and ``gate`` is then not read.
        gate: A gate of the architecture.
        architecture: One with gates, such as ``"lstm"``.
        network: Name of the variable that holds the network; the architecture's by default.

    Raises:
        TypeError: An argument is of another kind.
        ValueError: A bias is not finite, there is none, or the architecture has no such gate.

    Example:
        >>> lstm = torch.nn.LSTM(3, 4, num_layers=2)
        >>> exec(bias_lines({"forget": 1.5, "input": -1.5}), {"torch": torch, "lstm": lstm})
        >>> effective_biases(lstm, layer=1)["forget"], effective_biases(lstm)["input"]
        (tensor([1.5000, 1.5000, 1.5000, 1.5000]), tensor([-1.5000, -1.5000, -1.5000, -1.5000]))
    """
    biases = dict(bias) if isinstance(bias, Mapping) else {gate: bias}
    if not biases:
        raise ValueError("bias is empty: expected at least one gate with its bias, such as {'forget': 1.0}.")
    for name in biases:
        check_gate(name, architecture, Settings())
    return _lines({name: f"{float(value):.6g}" for name, value in biases.items()}, architecture, network)


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
    drawn = [gate for gate in architecture_named(architecture).gates if gate.chrono]
    if not drawn:
        raise ValueError(f"architecture is {architecture!r}: expected one with a gate that keeps, for chrono to draw.")
    if longest < 3:
        raise ValueError(f"longest is {longest}: expected at least 3 steps; chrono draws from U(1, longest - 1).")
    draw = f"            keep = torch.empty_like(parameter[:size]).uniform_(1, {longest - 1}).log_()\n"
    signs = {1: "keep", -1: "-keep"}
    return _lines({gate.name: signs[gate.chrono] for gate in drawn}, architecture, network, first=draw)


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


def _lines(values: Mapping[str, str], architecture: str, network: str, *, first: str = "") -> str:
    """Return the lines that write a value, as Python has it, into the rows of some gates."""
    record, variable = architecture_named(architecture), network or architecture
    rows = {
        name: f"parameter[{block} * size : {block + 1} * size]"
        for name in values
        for block in [record.blocks.index(name)]
    }
    of_gate = {name: translated(_OF_GATE).format(gate=name) for name in values}
    write = "".join(f"            {rows[name]} = {value}  # {of_gate[name]}\n" for name, value in values.items())
    clear = "".join(f"            {row} = 0.0\n" for row in rows.values())
    second = f'        elif name.startswith("bias_hh"):  # {translated(_ADDED)}\n{clear}'
    return f"""\
size = {variable}.hidden_size  # {translated(_ORDER).format(gates=", ".join(record.blocks))}
with torch.no_grad():
    for name, parameter in {variable}.named_parameters():  # {translated(_EVERYWHERE)}
        if name.startswith("bias_ih"):
{first}{write}{second if record.recurrent else ""}"""
