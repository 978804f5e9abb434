r"""The gradient of every weight of a network as a sum over the steps, exact past the range of any float.

.. math:: \frac{dL}{dW} = \sum_t \delta_t \otimes x_t

with what the weight is multiplied with: the layer's input, the state before, 1 for a bias.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, cast

import numpy as np
import torch
from torch import Tensor

from lstm_explorer.core.architectures import Parameters, architecture_of, num_directions
from lstm_explorer.core.checks import Given
from lstm_explorer.core.engine.directions import in_order_of, in_time, per_direction
from lstm_explorer.core.engine.engines import engine_of
from lstm_explorer.core.engine.layers import LayerStates, Request, Upstream, as_float64, from_inputs
from lstm_explorer.core.engine.outer_products import OuterProducts
from lstm_explorer.core.engine.projected import unprojected
from lstm_explorer.core.engine.scaled import Integers, Scaled
from lstm_explorer.core.engine.trajectory import output_of


def weight_products(
    given: Given, layers: Sequence[LayerStates], upstreams: Sequence[Upstream]
) -> list[Mapping[str, OuterProducts]]:
    """Return what the gradient of every weight is a sum of.

    Args:
        given: The network and what it reads; samples of one length.
        layers: States of each layer and direction.
        upstreams: What the loss puts on the directions of the last layer.

    Returns:
        For each layer and direction, PyTorch's name of the weight to its products.
    """
    directions = num_directions(given.network)
    found: list[Mapping[str, OuterProducts]] = []
    for first in range(len(layers) - directions, -1, -directions):
        read = output_of(given.network, layers[:first], None) if first else given.inputs
        backs = [_layer(given, layers, first + k, in_order_of(k, read, None), up) for k, up in enumerate(upstreams)]
        found[:0] = [back.products for back in backs]
        if first:
            of_inputs = in_time([back.inputs for back in backs], None)
            upstreams = [from_inputs(part) for part in per_direction(of_inputs, directions, None)]
    return found


class _Back(NamedTuple):
    """One layer and direction: the products of its weights, and the gradient of what it reads, ``(T, B, I)``."""

    products: Mapping[str, OuterProducts]
    inputs: Scaled


def _layer(given: Given, layers: Sequence[LayerStates], index: int, read: Tensor, upstream: Upstream) -> _Back:
    engine, weights, states = engine_of(given.network), given.parameters[index], layers[index]
    features, apart = weights.weight_ih.shape[1], _apart(given.network, weights)
    # A gate whose two preactivations get different gradients shows that of the first as that of an input of its own.
    units = torch.eye(len(weights.weight_ih)).to(weights.weight_ih)[:, apart]
    wide = weights._replace(weight_ih=torch.cat([weights.weight_ih, units], dim=1))
    of_step = states
    if states.inputs is not None:
        zeros = states.inputs.new_zeros(*states.inputs.shape[:-1], len(apart))
        of_step = states._replace(inputs=torch.cat([states.inputs, zeros], dim=-1))
    (back,) = engine.backward(wide, of_step, [Request(upstream, ("states", "inputs", "preactivations"))])
    (of_inputs, exponent), to_hidden = cast(Scaled, back.inputs), cast(Scaled, back.preactivations)
    to_input = Scaled(to_hidden.mantissa.copy(), to_hidden.exponent)
    to_input.mantissa[..., apart] = of_inputs[..., features:]
    before, ones = as_float64(states.hidden[:-1]), np.ones((*to_input.mantissa.shape[:-1], 1))
    by_name = {
        "weight_ih": OuterProducts.of(to_input, as_float64(read)),
        "weight_hh": OuterProducts.of(to_hidden, before),
        "bias_ih": OuterProducts.of(to_input, ones),
        "bias_hh": OuterProducts.of(to_hidden, ones),
    }
    if weights.weight_hr is not None:
        mantissa, exponents = back.states["hidden"]
        _, _, plain, _ = unprojected(engine, weights, states, upstream)
        of_hidden = Scaled(mantissa[1:], exponents[1:])
        by_name["weight_hr"] = OuterProducts.of(of_hidden, as_float64(plain.hidden[1:]))
    return _Back(_named(given.network, index, by_name), Scaled(of_inputs[..., :features], exponent))


def _apart(network: Any, weights: Parameters) -> Integers:
    """Return the rows of the weights for which ``W_ih x + b_ih`` and ``W_hh h + b_hh`` are not just added."""
    record = architecture_of(network)
    apart = [not (gate.split and record.recurrent) for gate in record.gates] or [False]
    return np.flatnonzero(np.repeat(apart, len(weights.weight_ih) // len(apart)))


def _named(network: Any, index: int, products: Mapping[str, OuterProducts]) -> dict[str, OuterProducts]:
    """Return the products of the weights that the network has, by their names in it."""
    layer, direction = divmod(index, num_directions(network))
    kinds = {"weight", *(["bias"] if network.bias else [])}
    ends = {"ih", "hr", *(["hh"] if architecture_of(network).recurrent else [])}
    return {
        f"{name}_l{layer}{'_reverse' if direction else ''}": one
        for name, one in products.items()
        if set(name.split("_")) <= kinds | ends
    }
