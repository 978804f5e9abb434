"""The weights of one layer, and how they are read off a network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

#: A recurrent module: PyTorch's own, or one of ours (:class:`lstm_explorer.core.architectures.own_network.OwnNetwork`).
Network = Any


class Parameters(NamedTuple):
    """Weights of one layer: ``(G*H, I)``, ``(G*H, H)``, ``(G*H,)``, ``(G*H,)`` with ``G`` gate blocks.

    ``weight_hh`` is ``(G*H, 0)`` where the gates do not read the hidden state. An LSTM with projections has
    ``weight_hr`` ``(P, H)``, and its ``weight_hh`` is ``(4*H, P)``.
    """

    weight_ih: Tensor
    weight_hh: Tensor
    bias_ih: Tensor
    bias_hh: Tensor
    weight_hr: Tensor | None = None

    @property
    def tensors(self) -> list[Tensor]:
        """The weights that are there, in the order in which PyTorch's kernels take them."""
        return [weight for weight in self if weight is not None]

    def used(self, biased: bool) -> list[Tensor]:
        """Return the weights that a network made with or without biases has, as ``all_weights`` lists them."""
        return self.tensors if biased else [self.weight_ih, self.weight_hh, *self.tensors[4:]]

    def map(self, change: Callable[[Tensor], Tensor]) -> Parameters:
        """Return the parameters with every tensor changed."""
        return Parameters(*map(change, self.tensors))

    @staticmethod
    def stacked(replicas: Sequence[Parameters]) -> Parameters:
        """Return replicas' parameters of one layer as one, with the axis ``R`` in front."""
        return Parameters(*map(torch.stack, zip(*(one.tensors for one in replicas), strict=True)))

    @staticmethod
    def of(weights: Sequence[Tensor]) -> Parameters:
        """Return what one entry of PyTorch's ``all_weights`` holds, detached; biases of zero where it has none."""
        first, hh, *others = (weight.detach() for weight in weights)
        if len(others) < 2:  # made with bias=False, perhaps with projections
            zeros = first.new_zeros(len(first))
            others = [zeros, zeros, *others]
        return Parameters(first, hh, *others)


def num_directions(network: Network) -> int:
    """Return 2 for a bidirectional network, else 1."""
    return 2 if network.bidirectional else 1


def state_size(network: Network) -> int:
    """Return the numbers in a hidden state: ``proj_size`` where there are projections, else ``hidden_size``."""
    size: int = network.proj_size or network.hidden_size
    return size


def layer_parameters(network: Network, layer: int) -> Parameters:
    """Return one layer's weights, detached; of a bidirectional network those of its forward direction."""
    return Parameters.of(network.all_weights[layer * num_directions(network)])


def network_parameters(network: Network) -> list[Parameters]:
    """Return all weights, detached: the first layer first, and of a layer the forward direction first."""
    return [Parameters.of(weights) for weights in network.all_weights]


def affine(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Return ``W x + b`` ``(..., B, O)``; leading axes of the weight ``(..., O, I)`` and of the bias broadcast."""
    return x @ weight.mT + bias.unsqueeze(-2)


def is_torch_module(module: type[nn.Module]) -> bool:
    """Tell whether PyTorch itself has this module, with fused kernels and two bias vectors."""
    return module.__module__.startswith("torch.")
