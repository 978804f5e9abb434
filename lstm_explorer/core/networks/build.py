"""Build the real ``nn.RNN``, ``nn.LSTM`` or ``nn.GRU`` that the settings describe."""

from __future__ import annotations

import types
from collections.abc import Mapping
from typing import Any, Literal, overload

import torch
from torch import Tensor, nn

from lstm_explorer.core.architectures import Network, layer_parameters
from lstm_explorer.core.architectures.gru import GRUGates
from lstm_explorer.core.architectures.lstm import LSTMGates
from lstm_explorer.core.checks import check_network
from lstm_explorer.core.networks.initialization import draw_gate_biases, draw_weights
from lstm_explorer.core.settings import ARCHITECTURES, Architecture, Settings

#: The module of each architecture.
MODULES: Mapping[str, type[Network]] = types.MappingProxyType({"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU})

#: Names of the row blocks of each architecture's weights, in PyTorch's order. The plain RNN has one, and no gate.
BLOCKS: Mapping[str, tuple[str, ...]] = types.MappingProxyType(
    {"rnn": ("hidden",), "lstm": LSTMGates._fields, "gru": GRUGates._fields}
)


@overload
def build_network(architecture: Literal["rnn"], settings: Settings) -> nn.RNN: ...
@overload
def build_network(architecture: Architecture, settings: Settings) -> Network: ...
def build_network(architecture: Architecture, settings: Settings) -> Network:
    r"""Build a recurrent network with the settings' sizes, weights and gate biases.

    Every parameter is drawn from :math:`U(-1/\sqrt H, 1/\sqrt H)` exactly as ``torch.manual_seed(settings.seed)``
    followed by ``nn.LSTM(...)`` does; then, by ``recurrent_init``, with the same generator going on,

    - ``"pytorch"``: nothing else,
    - ``"keras"``: ``weight_ih`` Glorot uniform and ``weight_hh`` with orthonormal columns, each over all gates at once,
    - ``"orthogonal"``: an orthogonal ``weight_hh`` for each gate,
    - ``"identity"``: the identity as ``weight_hh`` of each gate,
    - ``"normal"``: ``weight_hh`` of entries :math:`N(0, 1/H)`,
    - ``"chrono"``: the weights of ``"pytorch"``, with biases :math:`b_f \sim \log U(1, T_{max} - 1)` a unit and
      :math:`b_i = -b_f` for the LSTM (``forget_bias`` and ``input_bias`` are not used), and
      :math:`b_z \sim \log U(1, T_{max} - 1)` for the GRU (``update_bias`` is not used).

    Last, ``weight_hh`` of every layer is multiplied by ``recurrent_gain``, and the drawn biases are replaced by the
    settings' effective gate biases (zero where no setting names them).

    Args:
        architecture: ``"rnn"``, ``"lstm"`` or ``"gru"``.
        settings: Sizes, seed, dtype, initialisation and biases.

    Returns:
        A plain ``torch.nn`` module on the CPU. The global random state of PyTorch is neither read nor changed.

    Raises:
        ValueError: The architecture is none of the three.

    Source:
        gers2000, jozefowicz2015, le2015, tallec2018

    Example:
        >>> lstm = build_network("lstm", Settings(hidden_size=2, forget_bias=1))
        >>> lstm.bias_ih_l0.tolist()
        [0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0]
    """
    if architecture not in MODULES:
        raise ValueError(f"architecture is {architecture!r}: expected one of {', '.join(map(repr, ARCHITECTURES))}.")
    network = _empty(architecture, settings)
    generator = torch.Generator().manual_seed(settings.seed)
    draw_weights(network, settings, generator)
    for layer in range(settings.num_layers):
        _write_biases(network, layer, draw_gate_biases(BLOCKS[architecture], settings, generator), settings)
    return network


def effective_biases(network: Network, layer: int = 0) -> Mapping[str, Tensor]:
    r"""Return what the two bias vectors of a layer amount to: :math:`b_{ih} + b_{hh}`, by gate.

    For the GRU's candidate the sum is effective only where the reset gate is 1: its ``bias_hh`` sits inside the reset
    product, :math:`n = \tanh(W_{in} x + b_{in} + r \odot (W_{hn} h + b_{hn}))`.

    Args:
        network: An ``nn.RNN``, ``nn.LSTM`` or ``nn.GRU``; one made with ``bias=False`` has biases of zero.
        layer: Which layer, from 0.

    Returns:
        Name to bias ``(H,)``, detached: ``input, forget, candidate, output`` of an LSTM; ``reset, update, candidate``
        of a GRU; ``hidden`` of a plain RNN, which has no gates.

    Raises:
        TypeError: The network is none of the three.
        ValueError: The network is not supported (see ``core.checks``), or has no such layer.

    Example:
        >>> both = nn.LSTM(1, 1)
        >>> _ = nn.init.ones_(both.bias_ih_l0), nn.init.ones_(both.bias_hh_l0)
        >>> effective_biases(both)["forget"]  # the most copied mistake: filling both with 1 is a bias of 2
        tensor([2.])
    """
    check_network(network)
    names = next(BLOCKS[name] for name, module in MODULES.items() if isinstance(network, module))
    if not 0 <= layer < network.num_layers:
        raise ValueError(f"layer is {layer!r}: expected 0 to {network.num_layers - 1}, the layers of this network.")
    parameters = layer_parameters(network, layer)
    blocks = (parameters.bias_ih + parameters.bias_hh).chunk(len(names))
    return types.MappingProxyType(dict(zip(names, blocks, strict=True)))


def _empty(architecture: Architecture, settings: Settings) -> Network:
    """Return the module with memory that nothing was written to."""
    only_rnn: dict[str, Any] = {"nonlinearity": settings.nonlinearity} if architecture == "rnn" else {}
    network = _UNDRAWN[architecture](
        settings.features,
        settings.hidden_size,
        settings.num_layers,
        dtype=getattr(torch, settings.dtype),
        device="cpu",
        **only_rnn,
    )
    network.__class__ = MODULES[architecture]
    return network


def _undrawn(module: type[Network]) -> type[Network]:
    """Return the module without what its constructor ends with: draws from PyTorch's global random state.

    PyTorch's own way, building on ``meta`` and then ``to_empty``, takes four times as long.
    """
    return type(module.__name__, (module,), {"reset_parameters": lambda self: None})


_UNDRAWN = {name: _undrawn(module) for name, module in MODULES.items()}


@torch.no_grad()
def _write_biases(network: Network, layer: int, biases: Mapping[str, Tensor], settings: Settings) -> None:
    """Write effective biases, by gate, to a layer's two bias vectors."""
    second = {gate: _hidden_share(network, gate, bias, settings) for gate, bias in biases.items()}
    first = {gate: bias - second[gate] for gate, bias in biases.items()}
    getattr(network, f"bias_ih_l{layer}").copy_(torch.cat(list(first.values())))
    getattr(network, f"bias_hh_l{layer}").copy_(torch.cat(list(second.values())))


def _hidden_share(network: Network, gate: str, bias: Tensor, settings: Settings) -> Tensor:
    # The bias_hh of the GRU's candidate is multiplied by the reset gate: half of the bias there is another network.
    inside_reset = isinstance(network, nn.GRU) and gate == "candidate"
    return bias / 2 if settings.split_biases and not inside_reset else torch.zeros_like(bias)
