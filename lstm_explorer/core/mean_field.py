"""The theory of the plain RNN: sizes of its recurrent weights, and what they predict; part of ``core.theory``."""

from __future__ import annotations

import math
import types
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from lstm_explorer.core.architectures.parameters import Parameters
from lstm_explorer.core.kinds import checks_kinds

#: Largest slope of each nonlinearity, gamma.
LARGEST_SLOPE: Mapping[str, float] = types.MappingProxyType({"tanh": 1.0, "relu": 1.0, "sigmoid": 0.25})


class MeanField(NamedTuple):
    r"""A wide random RNN's steady state.

    ``q``: variance of a unit's preactivation. ``chi``: factor per step on the *squared* gradient norm. ``rate``: factor
    per step on the norm, :math:`\sqrt\chi`. ``time_scale``: :math:`-1 / \ln\chi` in steps, in which the squared norm
    falls to 1/e; infinite at the critical :math:`\chi = 1`, negative where the gradient grows.
    """

    q: float
    chi: float
    rate: float
    time_scale: float


@checks_kinds
def mean_field(recurrent_variance: float, input_variance: float, nonlinearity: str = "tanh") -> MeanField:
    r"""Predict how fast gradients shrink in a wide random RNN.

    .. math::
        q = \sigma_w^2 E[\phi(\sqrt q z)^2] + \sigma_{in}^2, \quad
        \chi = \sigma_w^2 E[\phi'(\sqrt q z)^2], \quad z \sim N(0, 1)

    For ReLU both are closed: :math:`\chi = \sigma_w^2 / 2`, :math:`q = \sigma_{in}^2 / (1 - \sigma_w^2 / 2)`, infinite
    from :math:`\sigma_w^2 = 2` on (but 0 where no input drives it).

    Args:
        recurrent_variance: :math:`\sigma_w^2`, sum of a row's squared recurrent weights, mean over rows.
        input_variance: :math:`\sigma_{in}^2`, mean square of what input and bias add to a preactivation.
        nonlinearity: ``"tanh"`` or ``"relu"``.

    Returns:
        Fixed point and factors per step.

    Raises:
        TypeError: An argument is of another kind.
        ValueError: A variance is negative or not finite, or the nonlinearity is neither.

    Source:
        chen2018

    Example:
        >>> round(mean_field(1.0, 1.0).rate, 3)
        0.632
        >>> mean_field(1.0, 0.25, "relu").q
        0.5
    """
    for name, value in (("recurrent_variance", recurrent_variance), ("input_variance", input_variance)):
        if not (math.isfinite(value) and value >= 0):
            raise ValueError(f"{name} is {value!r}: expected a finite number, 0 or more; a variance is a mean square.")
    if nonlinearity not in _FIXED_POINTS:
        raise ValueError(f"nonlinearity is {nonlinearity!r}: expected one of {', '.join(map(repr, _FIXED_POINTS))}.")
    q, slope = _FIXED_POINTS[nonlinearity](recurrent_variance, input_variance)
    chi = recurrent_variance * slope
    return MeanField(q, chi, math.sqrt(chi), _time_scale(chi))


class Edge(NamedTuple):
    r"""A point of the edge of chaos: :math:`\sigma_w^2` and :math:`\sigma_{in}^2` with which :math:`\chi = 1`."""

    recurrent_variance: float
    input_variance: float


@checks_kinds
def edge_of_chaos(q: float, nonlinearity: str = "tanh") -> Edge:
    r"""Return the point of the edge of chaos at which a unit's preactivation has the variance ``q``.

    .. math::
        \sigma_w^2 = 1 / E[\phi'(\sqrt q z)^2], \quad \sigma_{in}^2 = q - \sigma_w^2 E[\phi(\sqrt q z)^2]

    As ``q`` grows from 0 the points of the tanh run from :math:`(1, 0)` through the plane. Those of ReLU, whose ``q``
    is 0 or infinite there, are all :math:`\sigma_w^2 = 2`, with any input; ``q`` is then taken for that of the input.

    Args:
        q: Variance of a unit's preactivation, more than 0.
        nonlinearity: ``"tanh"`` or ``"relu"``.

    Returns:
        The two variances, with which :func:`mean_field` gives a rate of 1.

    Raises:
        TypeError: An argument is of another kind.
        ValueError: ``q`` is not positive and finite, or the nonlinearity is neither.

    Source:
        chen2018

    Example:
        >>> edge = edge_of_chaos(0.5)
        >>> round(mean_field(*edge).rate, 6)
        1.0
    """
    if not (math.isfinite(q) and q > 0):
        raise ValueError(f"q is {q!r}: expected a finite number above 0; a variance is a mean square.")
    if nonlinearity not in _FIXED_POINTS:
        raise ValueError(f"nonlinearity is {nonlinearity!r}: expected one of {', '.join(map(repr, _FIXED_POINTS))}.")
    if nonlinearity == "relu":
        return Edge(2.0, q)
    square, slope = _tanh_moments(q)
    return Edge(1 / slope, max(0.0, q - square / slope))


@checks_kinds
def singular_value_bound(weight_hh: Tensor, nonlinearity: str = "tanh") -> float:
    r"""Bound the factor per step on the gradient norm from above, :math:`\gamma\, \sigma_{max}(W_{hh})`.

    One-sided: below 1 the gradient must vanish; above 1 it need not explode, and usually does not.

    Args:
        weight_hh: Recurrent weights of a plain RNN ``(H, H)``.
        nonlinearity: ``"tanh"`` or ``"relu"`` (:math:`\gamma = 1`), or ``"sigmoid"`` (:math:`\gamma = 1/4`).

    Returns:
        The bound per step.

    Raises:
        TypeError: An argument is of another kind.
        ValueError: The weights are not square, or the nonlinearity is none of the three.

    Source:
        pascanu2013

    Example:
        >>> import torch
        >>> singular_value_bound(2 * torch.eye(3), "sigmoid")
        0.5
    """
    if nonlinearity not in LARGEST_SLOPE:
        raise ValueError(f"nonlinearity is {nonlinearity!r}: expected one of {', '.join(map(repr, LARGEST_SLOPE))}.")
    if weight_hh.ndim != 2 or weight_hh.shape[0] != weight_hh.shape[1]:
        raise ValueError(f"weight_hh has shape {tuple(weight_hh.shape)}: expected (H, H), one gate's weights.")
    return float(np.linalg.norm(_array(weight_hh), 2)) * LARGEST_SLOPE[nonlinearity]


def weight_variance(weight_hh: Tensor) -> float:
    r"""Return :math:`\sigma_w^2`, the sum of a row's squared recurrent weights, mean over rows."""
    return float(np.sum(_array(weight_hh) ** 2) / len(weight_hh))


def gains_at_the_edge(parameters: Parameters, inputs: Tensor, nonlinearity: str) -> NDArray[np.float64]:
    r"""Return factors on the recurrent weights and on the inputs that bring an RNN to the edge of chaos, ``(K, 2)``.

    With a factor :math:`s` on its inputs :math:`\sigma_{in}^2 = \langle (s W_{ih} x + b)^2 \rangle`.
    """
    bias = _array(parameters.bias_ih) + _array(parameters.bias_hh)
    drive = _array(inputs) @ _array(parameters.weight_ih).T
    square, mixed, constant = np.mean(drive**2), np.mean(drive * bias), np.mean(bias**2)
    variance = weight_variance(parameters.weight_hh)
    if square == 0 or variance == 0:
        return np.empty((0, 2))
    edges = np.array([edge_of_chaos(q, nonlinearity) for q in _ALONG_THE_EDGE])
    edges = edges[edges[:, 1] >= constant - mixed**2 / square]  # no factor brings less than that
    scales = (np.sqrt(mixed**2 + square * (edges[:, 1] - constant)) - mixed) / square
    points = np.stack([np.sqrt(edges[:, 0] / variance), scales], axis=-1)
    return points[scales >= 0]


def drive_variance(parameters: Parameters, inputs: Tensor) -> float:
    r"""Return :math:`\sigma_{in}^2`, the mean square of :math:`W_{ih} x + b_{ih} + b_{hh}` over all steps and units."""
    bias = _array(parameters.bias_ih) + _array(parameters.bias_hh)
    drive = _array(inputs) @ _array(parameters.weight_ih).T + bias
    return float(np.mean(drive**2))


def _array(tensor: Tensor) -> NDArray[np.float64]:
    return tensor.detach().cpu().double().numpy()


def _time_scale(chi: float) -> float:
    if chi == 0:
        return 0.0
    return math.inf if chi == 1 else -1 / math.log(chi)


def _tanh_fixed_point(recurrent_variance: float, input_variance: float) -> tuple[float, float]:
    """Return q and E[tanh'(sqrt(q) z)^2]."""
    low, high = 0.0, recurrent_variance + input_variance
    # E[tanh^2] is concave in q, so the difference changes sign once. Halving the interval finds that q in the same
    # time everywhere, where iterating the map stands still near the critical point.
    for _ in range(_HALVINGS):
        q = (low + high) / 2
        difference = recurrent_variance * _tanh_moments(q)[0] + input_variance - q
        low, high = (q, high) if difference > 0 else (low, q)
    return high, _tanh_moments(high)[1]


def _tanh_moments(q: float) -> tuple[float, float]:
    """Return E[tanh(sqrt(q) z)^2] and E[tanh'(sqrt(q) z)^2]."""
    if q > _SATURATED:
        # 1 - tanh^2 and its square are peaks far narrower than the normal density: their areas times its height.
        height = 1 / math.sqrt(2 * math.pi * q)
        return 1 - 2 * height, 4 / 3 * height
    squared = np.tanh(math.sqrt(q) * _NODES) ** 2
    return _gaussian_mean(squared), _gaussian_mean((1 - squared) ** 2)


def _relu_fixed_point(recurrent_variance: float, input_variance: float) -> tuple[float, float]:
    """Return q and E[relu'^2] = 1/2: half of the units are active."""
    if input_variance == 0:
        return 0.0, 0.5
    return (input_variance / (1 - recurrent_variance / 2) if recurrent_variance < 2 else math.inf), 0.5


def _gaussian_mean(values: NDArray[np.float64]) -> float:
    return float(values @ _WEIGHTS)


_FIXED_POINTS: Mapping[str, Callable[[float, float], tuple[float, float]]] = types.MappingProxyType(
    {"tanh": _tanh_fixed_point, "relu": _relu_fixed_point}
)

# Even nodes (trapezoid rule), not Gauss-Hermite's: for a saturated RNN tanh' is a peak far narrower than the normal
# density, and Gauss-Hermite nodes, which lie apart at its middle, miss it. For smooth functions even nodes are exact to
# rounding; with these up to a q of about 10^4.
_NODES = np.linspace(-9.0, 9.0, 4001)
_WEIGHTS = np.exp(-(_NODES**2) / 2) / np.exp(-(_NODES**2) / 2).sum()
_SATURATED = 5e3
_HALVINGS = 60
#: Variances of the preactivation at which the edge of chaos is drawn.
_ALONG_THE_EDGE = np.geomspace(1e-4, 1e4, 161).tolist()
