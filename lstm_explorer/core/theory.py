"""Closed forms to draw beside the measurements: forget gates over time, and the plain RNN's mean field."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from torch import Tensor, nn

from lstm_explorer.core.architectures import Parameters, num_directions
from lstm_explorer.core.checks import check_given, check_network
from lstm_explorer.core.gate_theory import (
    chrono_forget_bias,
    chrono_quantile,
    forget_gate,
    half_life,
    log10_cell_path,
    required_forget_bias,
    time_constant,
)
from lstm_explorer.core.kinds import checks_kinds
from lstm_explorer.core.mean_field import (
    Edge,
    MeanField,
    drive_variance,
    edge_of_chaos,
    mean_field,
    singular_value_bound,
    weight_variance,
)

__all__ = [
    "Edge",
    "MeanField",
    "RecurrentStatistics",
    "chrono_forget_bias",
    "chrono_quantile",
    "edge_of_chaos",
    "forget_gate",
    "half_life",
    "log10_cell_path",
    "mean_field",
    "mean_field_of",
    "recurrent_statistics",
    "required_forget_bias",
    "singular_value_bound",
    "time_constant",
]


@checks_kinds
def mean_field_of(network: nn.RNN, inputs: Tensor) -> MeanField:
    r"""Predict how fast gradients shrink in the first layer of this RNN on these inputs.

    :math:`\sigma_w^2` is :attr:`RecurrentStatistics.sigma_w2`; :math:`\sigma_{in}^2` is the mean square, over time,
    samples and units, of :math:`W_{ih} x + b_{ih} + b_{hh}`: its variance where, as here, biases are zero and inputs
    have mean 0.

    Args:
        network: An ``nn.RNN``.
        inputs: ``(T, B, I)``, or ``(B, T, I)`` if the network is ``batch_first``.

    Returns:
        As :func:`mean_field`.

    Raises:
        TypeError: The network is not an ``nn.RNN``.
        ValueError: The network or the inputs are not supported (see ``core.checks``).

    Source:
        chen2018

    Example:
        >>> import torch
        >>> rnn = nn.RNN(2, 4)
        >>> _ = [nn.init.zeros_(parameter) for parameter in rnn.parameters()]
        >>> mean_field_of(rnn, torch.zeros(3, 1, 2)).rate
        0.0
    """
    _check_rnn(network)
    given = check_given(network, inputs)
    sequence, parameters = given.inputs, given.parameters[0]
    variances = weight_variance(parameters.weight_hh), drive_variance(parameters, sequence)
    return mean_field(*variances, network.nonlinearity)


class RecurrentStatistics(NamedTuple):
    r"""Three sizes of ``weight_hh``: largest ``|eigenvalue|``, largest singular value, and :math:`\sigma_w^2`."""

    spectral_radius: float
    largest_singular_value: float
    sigma_w2: float


@checks_kinds
def recurrent_statistics(network: nn.RNN, layer: int = 0) -> RecurrentStatistics:
    r"""Measure the recurrent weights of an RNN's layer.

    .. math::
        \rho = \max |\lambda_i|, \quad \|W\|_2 = \max \sigma_i, \quad
        \sigma_w^2 = \frac1H \sum_{ij} W_{ij}^2 = H \langle W_{ij}^2 \rangle

    Args:
        network: An ``nn.RNN``.
        layer: Which layer, from 0.

    Returns:
        The three numbers, in float64.

    Raises:
        TypeError: The network is not an ``nn.RNN``.
        ValueError: The network has no such layer.

    Source:
        pascanu2013, chen2018

    Example:
        >>> rnn = nn.RNN(1, 2)
        >>> _ = nn.init.eye_(rnn.weight_hh_l0)
        >>> recurrent_statistics(rnn)
        RecurrentStatistics(spectral_radius=1.0, largest_singular_value=1.0, sigma_w2=1.0)
    """
    parameters = _check_rnn(network)
    if not 0 <= layer < network.num_layers:
        raise ValueError(f"layer is {layer!r}: expected 0 to {network.num_layers - 1}, the layers of this network.")
    weight = parameters[layer * num_directions(network)].weight_hh
    matrix = weight.cpu().double().numpy()
    radius = float(np.abs(np.linalg.eigvals(matrix)).max())
    return RecurrentStatistics(radius, float(np.linalg.norm(matrix, 2)), weight_variance(weight))


def _check_rnn(network: nn.RNN) -> list[Parameters]:
    if not isinstance(network, nn.RNN):
        raise TypeError(f"network is a {type(network).__name__}: expected a torch.nn.RNN; gates have another theory.")
    return check_network(network)
