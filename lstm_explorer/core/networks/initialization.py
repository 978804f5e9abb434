"""How weights and gate biases are drawn; :func:`lstm_explorer.build_network` says what each name means."""

from __future__ import annotations

import math
import types
from collections.abc import Callable, Mapping

import torch
from torch import Generator, Tensor, nn

from lstm_explorer.core.architectures import Architecture, Network, architecture_of
from lstm_explorer.core.settings import Settings

#: A weight ``(G*H, columns)`` and a generator -> new values for the weight, of the same shape and dtype.
Draw = Callable[[Tensor, Generator], Tensor]


@torch.no_grad()
def draw_weights(network: Network, settings: Settings, generator: Generator) -> None:
    """Fill the parameters of a new network by ``settings.recurrent_init`` and ``settings.recurrent_gain``.

    The draw that PyTorch makes always comes first, and whole. So ``weight_ih`` is the same for every initialisation
    that leaves it alone, and a script that says ``torch.manual_seed(seed); nn.LSTM(...)`` starts from the same weights.

    Args:
        network: A network whose parameters may be overwritten, all of them.
        settings: ``recurrent_init`` and ``recurrent_gain``.
        generator: The source of random numbers; advanced.

    Example:
        >>> torch.manual_seed(7) and None
        >>> twin, network = nn.LSTM(2, 3), nn.LSTM(2, 3)
        >>> draw_weights(network, Settings(), torch.Generator().manual_seed(7))
        >>> torch.equal(network.weight_hh_l0, twin.weight_hh_l0)
        True
    """
    bound = 1 / math.sqrt(network.hidden_size)
    for parameter in network.parameters():
        parameter.uniform_(-bound, bound, generator=generator)
    draws, recurrent = _DRAWS.get(settings.recurrent_init, {}), architecture_of(network).recurrent
    for layer in range(network.num_layers):
        for kind, draw in draws.items():
            if kind == "ih" or recurrent:
                weight = getattr(network, f"weight_{kind}_l{layer}")
                weight.copy_(draw(weight, generator))
        if recurrent:
            getattr(network, f"weight_hh_l{layer}").mul_(settings.recurrent_gain)


def draw_gate_biases(architecture: Architecture, settings: Settings, generator: Generator) -> Mapping[str, Tensor]:
    r"""Return the effective bias of each gate of one layer.

    Every unit has the settings' bias, ``<gate>_bias``; but by chrono
    initialisation :math:`b_f \sim \log U(1, T_{max} - 1)` and :math:`b_i = -b_f`, with the signs that the
    architecture's gates say.

    Args:
        architecture: Whose gates.
        settings: Gate biases, or ``recurrent_init="chrono"`` and ``chrono_max``.
        generator: The source of random numbers; advanced by chrono only.

    Returns:
        Gate name to bias ``(H,)`` in the settings' dtype, in the order of the weights' rows.

    Source:
        tallec2018

    Example:
        >>> draw_gate_biases(architecture_of(nn.GRU(1, 2)), Settings(hidden_size=2, update_bias=3), torch.Generator())
        {'reset': tensor([0., 0.]), 'update': tensor([3., 3.]), 'candidate': tensor([0., 0.])}
    """
    dtype = getattr(torch, settings.dtype)
    size = (settings.hidden_size,)
    biases = {gate: torch.full(size, _bias(gate, settings), dtype=dtype) for gate in architecture.blocks}
    if settings.recurrent_init != "chrono":
        return biases
    keep = torch.empty(settings.hidden_size, dtype=dtype)
    keep.uniform_(1, settings.chrono_max - 1, generator=generator).log_()
    signs = {gate.name: gate.chrono for gate in architecture.gates}
    return {gate: keep * signs[gate] if signs.get(gate) else bias for gate, bias in biases.items()}


def _bias(gate: str, settings: Settings) -> float:
    return getattr(settings, f"{gate}_bias", 0.0)


def _glorot(weight: Tensor, generator: Generator) -> Tensor:
    # Keras' kernel is one (input, G*H) matrix, so its fan-out counts every gate; this is its transpose.
    return nn.init.xavier_uniform_(torch.empty_like(weight), generator=generator)


def _orthonormal_columns(weight: Tensor, generator: Generator) -> Tensor:
    # Keras' recurrent kernel is one (H, G*H) matrix with orthonormal rows; this is its transpose. A single gate's block
    # is not orthogonal: its singular values are below 1.
    return nn.init.orthogonal_(torch.empty_like(weight), generator=generator)


def _orthogonal_blocks(weight: Tensor, generator: Generator) -> Tensor:
    return torch.cat([nn.init.orthogonal_(torch.empty_like(block), generator=generator) for block in _blocks(weight)])


def _identity_blocks(weight: Tensor, generator: Generator) -> Tensor:
    # Le et al. also shrink weight_ih to a standard deviation of 0.001. Here it stays PyTorch's: nothing is trained, and
    # an input a thousand times smaller than the state could not be seen on any curve.
    return torch.cat([torch.eye(weight.shape[1], dtype=weight.dtype) for _ in _blocks(weight)])


def _normal(weight: Tensor, generator: Generator) -> Tensor:
    return torch.empty_like(weight).normal_(0.0, 1 / math.sqrt(weight.shape[1]), generator=generator)


def _blocks(weight_hh: Tensor) -> tuple[Tensor, ...]:
    """Return the square H x H block of each gate."""
    return weight_hh.split(weight_hh.shape[1])


#: Initialisation -> which weights it draws anew, and how. What is not named keeps PyTorch's draw.
_DRAWS: Mapping[str, Mapping[str, Draw]] = types.MappingProxyType(
    {
        "keras": {"ih": _glorot, "hh": _orthonormal_columns},
        "orthogonal": {"hh": _orthogonal_blocks},
        "identity": {"hh": _identity_blocks},
        "normal": {"hh": _normal},
    }
)
