"""What the weights of a network say before anything is measured: its gate biases and its recurrent matrices."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from lstm_explorer.core.architectures import Network, Parameters, architecture_of, num_directions
from lstm_explorer.core.checks import check_network

#: Units up to which eigenvalues are computed; a matrix of more takes seconds.
_MOST_UNITS = 512


@dataclass(frozen=True, eq=False, kw_only=True)
class LayerWeights:
    """One layer, or one direction of it.

    Attributes:
        layer: From 0.
        direction: ``"forward"`` or ``"backward"``.
        biases: Gate to the effective bias of every unit, :math:`b_{ih} + b_{hh}`, ``(H,)``; of a plain RNN ``hidden``.
        spectral_radius: Gate to the largest ``|eigenvalue|`` of its block of ``weight_hh``; NaN above 512 units.
        largest_singular_value: Gate to the largest singular value of that block.
    """

    layer: int
    direction: str
    biases: Mapping[str, Tensor]
    spectral_radius: Mapping[str, float]
    largest_singular_value: Mapping[str, float]


def layer_weights(network: Network) -> tuple[LayerWeights, ...]:
    """Read the biases and the sizes of the recurrent matrices of every layer and direction.

    With projections, the matrix is :math:`W_{hh} W_{hr}`, which leads from cell to cell. A network whose gates do not
    read the hidden state has none.

    Raises:
        TypeError: It is no recurrent network.
        ValueError: It is not supported (see ``core.checks``).

    Example:
        >>> (layer,) = layer_weights(torch.nn.GRU(2, 3))
        >>> list(layer.biases), sorted(layer.spectral_radius)
        (['reset', 'update', 'candidate'], ['candidate', 'reset', 'update'])
    """
    directions = num_directions(network) if hasattr(network, "bidirectional") else 1
    blocks = architecture_of(network).blocks if hasattr(network, "bidirectional") else ()
    return tuple(
        _of_layer(weights, blocks, index // directions, "backward" if index % directions else "forward")
        for index, weights in enumerate(check_network(network))
    )


def _of_layer(weights: Parameters, blocks: tuple[str, ...], layer: int, direction: str) -> LayerWeights:
    biases = (weights.bias_ih + weights.bias_hh).chunk(len(blocks))
    whole = weights.weight_hh.double().cpu()
    if weights.weight_hr is not None:
        whole = whole @ weights.weight_hr.double().cpu()
    matrices = dict(zip(blocks, whole.chunk(len(blocks)), strict=True)) if whole.shape[1] else {}
    return LayerWeights(
        layer=layer,
        direction=direction,
        biases={name: bias.cpu() for name, bias in zip(blocks, biases, strict=True)},
        spectral_radius={name: _spectral_radius(matrix) for name, matrix in matrices.items()},
        largest_singular_value={name: float(torch.linalg.matrix_norm(matrix, 2)) for name, matrix in matrices.items()},
    )


def _spectral_radius(matrix: Tensor) -> float:
    return float(torch.linalg.eigvals(matrix).abs().max()) if len(matrix) <= _MOST_UNITS else math.nan
