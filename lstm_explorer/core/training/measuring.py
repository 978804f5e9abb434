"""The gradient of the training loss itself with respect to every state, and how open the gates are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from lstm_explorer.core.architectures import Network, architecture_of, network_parameters
from lstm_explorer.core.checks import check_initial_state
from lstm_explorer.core.engine.layers import at_loss
from lstm_explorer.core.engine.trajectory import unroll_layers
from lstm_explorer.core.gradients.truncated import flow_of_pieces
from lstm_explorer.core.training.model import Model
from lstm_explorer.core.training.unrolled import unrolled_norms

Array = NDArray[np.float64]

#: The gradients that are measured, where the network has them.
QUANTITIES = ("hidden", "cell", "cell_path")
#: What :attr:`Moment.gate` says of the units: their mean, and their quartiles.
GATE_SUMMARY = ("mean", "lower quartile", "median", "upper quartile")


class Moment(NamedTuple):
    """What is measured at one moment of a training run.

    Attributes:
        log10_norms: Quantity to log10 of the gradient's norm, the median over samples, ``(T + 1,)``.
        log10_ratios: The same relative to each sample's own last step.
        gate: How far the memory gate keeps, its time and sample mean: mean and quartiles over units; NaN without one.
    """

    log10_norms: Mapping[str, Array]
    log10_ratios: Mapping[str, Array]
    gate: Array


def measure(model: Model, inputs: Tensor, cotangents: Tensor, *, lengths: Tensor | None = None) -> Moment:
    r"""Measure the gradient of a loss with respect to every state of the last layer, exactly.

    Args:
        model: As it is trained; its truncation detaches states here too.
        inputs: ``(T, B, I)``.
        cotangents: :math:`\partial L / \partial h_t` of what the last layer hands out at every step, ``(T, B, H)``.
        lengths: Steps of each sample, ``(B,)``. Shorter samples are moved to the end, so that the same index of every
            sample is equally far from its own last step; what lies before their beginning does not count.
    """
    of_model = _norms if model.decoder is None else unrolled_norms
    norms, gates = of_model(model, inputs, cotangents)
    if lengths is not None:
        norms = {name: _aligned(each, lengths) for name, each in norms.items()}
    with np.errstate(invalid="ignore"):  # where nothing reaches the last step, there is nothing to be relative to
        ratios = {name: each - each[-1] for name, each in norms.items()}
    return Moment(
        {name: _median(each) for name, each in norms.items()},
        {name: _median(each) for name, each in ratios.items()},
        _gate_summary(model.network, gates, lengths),
    )


def _norms(model: Model, inputs: Tensor, cotangents: Tensor) -> tuple[dict[str, Array], Array | None]:
    """Return the norms of every quantity, ``(T + 1, B)``, and the gates of the last layer, ``(G, T, B, H)``."""
    network = model.network
    parameters = network_parameters(network)
    layers = unroll_layers(network, inputs, check_initial_state(network, None, inputs.shape[1]), parameters)
    upstream = at_loss(layers[-1].hidden, cotangents, "last")
    flow = flow_of_pieces(network, parameters, layers, upstream, model.truncation)
    norms = {name: getattr(flow, f"log10_{name}") for name in QUANTITIES}
    return {name: each[-1].double().numpy() for name, each in norms.items() if each is not None}, layers[-1].gates


def _aligned(norms: Array, lengths: Tensor) -> Array:
    """Move each sample's own last step to the end; NaN before its beginning."""
    aligned = np.full_like(norms, np.nan)
    for sample, length in enumerate(lengths.tolist()):
        aligned[len(norms) - 1 - length :, sample] = norms[: length + 1, sample]
    return aligned


def _median(samples: Array) -> Array:
    """Return the median over samples, always one of them: the mean of a number and -inf would say nothing."""
    ordered, counts = np.sort(samples, axis=-1), (~np.isnan(samples)).sum(axis=-1)
    middle = np.maximum(np.round((counts - 1) / 2).astype(int), 0)
    return np.take_along_axis(ordered, middle[:, None], axis=-1)[:, 0]


def _gate_summary(network: Network, gates: Array | None, lengths: Tensor | None) -> Array:
    record = architecture_of(network)
    gate = record.memory_gate
    if gate is None or gates is None:
        return np.full(len(GATE_SUMMARY), np.nan)
    values = gates[record.blocks.index(gate.name)]
    kept = values if gate.keeps > 0 else 1 - values
    if lengths is None:
        units = kept.mean(axis=(0, 1))
    else:
        there = np.arange(len(kept))[:, None] < lengths.numpy()
        units = kept[there].mean(axis=0)
    return np.array([units.mean(), *np.quantile(units, (0.25, 0.5, 0.75))])
