"""Build the real network that the settings describe: ``nn.RNN``, ``nn.LSTM``, ``nn.GRU``, or one of our own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, overload

import torch
from torch import Tensor, nn

from lstm_explorer.core.architectures import (
    ARCHITECTURES,
    Architecture,
    Network,
    architecture_named,
    architecture_of,
    num_directions,
)
from lstm_explorer.core.checks import check_network
from lstm_explorer.core.kinds import checks_kinds
from lstm_explorer.core.networks.initialization import draw_gate_biases, draw_weights
from lstm_explorer.core.settings import Settings


@overload
def build_network(architecture: Literal["rnn"], settings: Settings) -> nn.RNN: ...
@overload
def build_network(architecture: str, settings: Settings) -> Network: ...
@checks_kinds
def build_network(architecture: str, settings: Settings) -> Network:
    r"""Build a recurrent network with the settings' sizes, weights and gate biases.

    Every parameter is drawn from :math:`U(-1/\sqrt H, 1/\sqrt H)` exactly as ``torch.manual_seed(settings.seed)``
    followed by ``nn.LSTM(...)`` does; then, by ``recurrent_init``, with the same generator going on,

    - ``"pytorch"``: nothing else,
    - ``"keras"``: ``weight_ih`` Glorot uniform and ``weight_hh`` with orthonormal columns, each over all gates at once,
    - ``"orthogonal"``: an orthogonal ``weight_hh`` for each gate,
    - ``"identity"``: the identity as ``weight_hh`` of each gate,
    - ``"normal"``: ``weight_hh`` of entries :math:`N(0, 1/H)`,
    - ``"chrono"``: the weights of ``"pytorch"``, with biases :math:`b_f \sim \log U(1, T_{max} - 1)` per unit and
      :math:`b_i = -b_f` for the LSTM and the minLSTM (``forget_bias`` and ``input_bias`` are not used), the same draw
      for the GRU's update gate and its opposite for the minGRU's (``update_bias`` is not used).

    What an architecture does not have, it does not read: the minimal ones have no ``weight_hh`` and no ``bias_hh``.

    Last, ``weight_hh`` of every layer is multiplied by ``recurrent_gain``, and the drawn biases are replaced by the
    settings' effective gate biases (zero where no setting names them).

    Args:
        architecture: ``"rnn"``, ``"lstm"``, ``"gru"``, ``"mingru"`` or ``"minlstm"``.
        settings: Sizes, seed, dtype, initialisation and biases.

    Returns:
        A plain ``torch.nn`` module on the CPU, or an :class:`OwnNetwork`. The global random state of PyTorch is neither
        read nor changed.

    Raises:
        TypeError: An argument is of another kind.
        ValueError: There is no such architecture.

    Source:
        gers2000, jozefowicz2015, le2015, tallec2018, feng2024

    Example:
        >>> lstm = build_network("lstm", Settings(hidden_size=2, forget_bias=1))
        >>> lstm.bias_ih_l0.tolist()
        [0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0]
    """
    record = architecture_named(architecture)
    network = _empty(record, settings)
    generator = torch.Generator().manual_seed(settings.seed)
    draw_weights(network, settings, generator)
    for layer in range(settings.num_layers):
        _write_biases(network, layer, draw_gate_biases(record, settings, generator), settings)
    return network


@checks_kinds
def effective_biases(network: Network, layer: int = 0) -> Mapping[str, Tensor]:
    r"""Return the sum of the two bias vectors of a layer, :math:`b_{ih} + b_{hh}`, by gate.

    For the GRU's candidate the sum is effective only where the reset gate is 1: its ``bias_hh`` sits inside the reset
    product, :math:`n = \tanh(W_{in} x + b_{in} + r \odot (W_{hn} h + b_{hn}))`.

    Args:
        network: Of any architecture; one made with ``bias=False`` has biases of zero.
        layer: Which layer, from 0; of a bidirectional network its forward direction.

    Returns:
        Name to bias ``(H,)``, detached: ``input, forget, candidate, output`` of an LSTM; ``reset, update, candidate``
        of a GRU; ``hidden`` of a plain RNN, which has no gates.

    Raises:
        TypeError: The network is of no architecture that is known here.
        ValueError: The network is not supported (see ``core.checks``), or has no such layer.

    Example:
        >>> both = nn.LSTM(1, 1)
        >>> _ = nn.init.ones_(both.bias_ih_l0), nn.init.ones_(both.bias_hh_l0)
        >>> effective_biases(both)["forget"]  # the most copied mistake: filling both with 1 is a bias of 2
        tensor([2.])
    """
    every_layer = check_network(network)
    names = architecture_of(network).blocks
    if not 0 <= layer < network.num_layers:
        raise ValueError(f"layer is {layer!r}: expected 0 to {network.num_layers - 1}, the layers of this network.")
    parameters = every_layer[layer * num_directions(network)]
    blocks = (parameters.bias_ih + parameters.bias_hh).chunk(len(names))
    return dict(zip(names, blocks, strict=True))


def _empty(record: Architecture, settings: Settings) -> Network:
    """Return the module with memory that nothing was written to."""
    options = {name: getattr(settings, name) for name in record.options}
    network = _UNDRAWN[record.name](
        settings.features,
        settings.hidden_size,
        settings.num_layers,
        dtype=getattr(torch, settings.dtype),
        device="cpu",
        **options,
    )
    network.__class__ = record.module
    return network


def _undrawn(module: type[nn.Module]) -> type[nn.Module]:
    """Return the module without what its constructor ends with: draws from PyTorch's global random state.

    PyTorch's own way, building on ``meta`` and then ``to_empty``, takes four times as long.
    """
    return type(module.__name__, (module,), {"reset_parameters": lambda self: None})


_UNDRAWN = {name: _undrawn(record.module) for name, record in ARCHITECTURES.items()}


@torch.no_grad()
def _write_biases(network: Network, layer: int, biases: Mapping[str, Tensor], settings: Settings) -> None:
    """Write effective biases, by gate, to a layer's one or two bias vectors."""
    record = architecture_of(network)
    whole = {gate.name for gate in record.gates if not gate.split}
    second = {
        gate: bias / 2 if settings.split_biases and record.recurrent and gate not in whole else torch.zeros_like(bias)
        for gate, bias in biases.items()
    }
    first = {gate: bias - second[gate] for gate, bias in biases.items()}
    getattr(network, f"bias_ih_l{layer}").copy_(torch.cat(list(first.values())))
    if record.recurrent:
        getattr(network, f"bias_hh_l{layer}").copy_(torch.cat(list(second.values())))
