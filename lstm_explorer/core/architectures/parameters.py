"""The weights of one layer, and how they are read off a network."""

from __future__ import annotations

from typing import Any, NamedTuple

from torch import Tensor, nn

#: A recurrent module: PyTorch's own, or one of ours (:class:`lstm_explorer.core.architectures.own_network.OwnNetwork`).
Network = Any


class Parameters(NamedTuple):
    """Weights of one layer: ``(G*H, I)``, ``(G*H, H)``, ``(G*H,)``, ``(G*H,)`` with ``G`` gate blocks.

    ``weight_hh`` is ``(G*H, 0)`` where the gates do not read the hidden state.
    """

    weight_ih: Tensor
    weight_hh: Tensor
    bias_ih: Tensor
    bias_hh: Tensor


def layer_parameters(network: Network, layer: int) -> Parameters:
    """Return one layer's weights, detached; biases of zero where the network was made with ``bias=False``."""
    weights = [weight.detach() for weight in network.all_weights[layer]]
    if not network.bias:
        weights += [weights[0].new_zeros(len(weights[0]))] * 2
    return Parameters(*weights)


def network_parameters(network: Network) -> list[Parameters]:
    """Return the weights of every layer, the first layer first."""
    return [layer_parameters(network, layer) for layer in range(network.num_layers)]


def affine(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Return ``W x + b`` ``(..., B, O)``; leading axes of the weight ``(..., O, I)`` and of the bias broadcast."""
    return x @ weight.mT + bias.unsqueeze(-2)


def is_torch_module(module: type[nn.Module]) -> bool:
    """Tell whether PyTorch itself has this module, with fused kernels and two bias vectors."""
    return module.__module__.startswith("torch.")
