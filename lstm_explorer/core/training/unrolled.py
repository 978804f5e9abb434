"""The gradient of every state by autograd through the unrolled steps: of an encoder and its decoder, one after another.

The engine of :func:`lstm_explorer.gradient_flow` takes what reaches a network's hidden states; an encoder gets its
gradient through the decoder's first states, the cell's among them. So these two are unrolled in float64 and
differentiated at once: exact to its rounding, and down to 10^-308. The sequences are short, some 40 steps: what is
smaller than that never comes near.
"""

from __future__ import annotations

import collections
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lstm_explorer.core.architectures import Architecture, Network, Parameters, architecture_of, network_parameters
from lstm_explorer.core.gradients.truncated import pieces
from lstm_explorer.core.training.model import Model

Array = NDArray[np.float64]
#: The states of one layer, the hidden one first.
States = tuple[Tensor, ...]


class Unrolled(NamedTuple):
    """The last layer, step by step: its states ``(T + 1)``, what it hands out ``(T)``, and its gates."""

    states: list[States]
    outputs: list[Tensor]
    gates: list[tuple[Tensor, ...]]


def unrolled_norms(model: Model, inputs: Tensor, cotangents: Tensor) -> tuple[dict[str, Array], Array | None]:
    """Return log10 of the norms of every quantity, ``(T + 1, B)``, and the gates of the last layer, ``(G, T, B, H)``.

    Args:
        model: As it is trained.
        inputs: ``(T, B, I)``.
        cotangents: What reaches the last layer's outputs, ``(T, B, H)``.
    """
    names = [state.name for state in architecture_of(model.network).states]
    unrolled = _unroll(model, inputs.double(), cut=False)
    gradients = _gradients(unrolled, cotangents.double())
    norms = {name: gradients[:, index] for index, name in enumerate(names)}
    if len(names) > 1:
        by_cell = _gradients(_unroll(model, inputs.double(), cut=True), cotangents.double())
        norms[f"{names[1]}_path"] = by_cell[:, 1]
    if not unrolled.gates:
        return norms, None
    return norms, torch.stack([torch.stack(gates) for gates in unrolled.gates], dim=1).detach().numpy()


def _unroll(model: Model, inputs: Tensor, *, cut: bool) -> Unrolled:
    """Unroll the networks over the sequence; ``cut``: the hidden state is detached before the next step's gates."""
    record = architecture_of(model.network)
    zeros = inputs.new_zeros(inputs.shape[1], model.network.hidden_size)
    layers = [tuple(zeros.clone().requires_grad_() for _ in record.states) for _ in range(model.network.num_layers)]
    unrolled = Unrolled([layers[-1]], [], [])
    for first, last in pieces(len(inputs), model.truncation):
        if first:
            layers = [tuple(state.detach().requires_grad_() for state in states) for states in layers]
        for network, start, end in model.stages(first, last):
            parameters = [each.map(torch.Tensor.double) for each in network_parameters(network)]
            for x in inputs[start:end]:
                layers = _step(network, parameters, layers, x, cut, unrolled)
    return unrolled


def _step(
    network: Network, parameters: list[Parameters], layers: list[States], x: Tensor, cut: bool, unrolled: Unrolled
) -> list[States]:
    record, after = architecture_of(network), []
    step, kind, gates = record.step_of(network), _state_type(record), None
    for states, weights in zip(layers, parameters, strict=True):
        before = (states[0].detach() if cut else states[0], *states[1:])
        state, gates = step(weights, kind(*before) if kind else before[0], x)
        after.append(tuple(state) if len(before) > 1 else (state,))
        x = after[-1][0]
    unrolled.states.append(after[-1])
    unrolled.outputs.append(x)
    if gates is not None:
        unrolled.gates.append(tuple(gates))
    return after


def _state_type(record: Architecture) -> Any:
    """Return what the step takes: a NamedTuple of several states; None where it is one tensor."""
    names = [state.name for state in record.states]
    return collections.namedtuple("State", names) if len(names) > 1 else None


def _gradients(unrolled: Unrolled, cotangents: Tensor) -> Array:
    """Return log10 of the norms of the gradient of every state, ``(T + 1, states, B)``."""
    leaves = [state for states in unrolled.states for state in states]
    reached = torch.autograd.grad(unrolled.outputs, leaves, list(cotangents), allow_unused=True)
    norms = [
        torch.zeros(len(leaf), dtype=torch.float64) if one is None else one.norm(dim=-1)
        for leaf, one in zip(leaves, reached, strict=True)
    ]
    with np.errstate(divide="ignore"):  # nothing reaches what a truncation cut off
        log10: Array = np.log10(torch.stack(norms).numpy())
    return log10.reshape(len(unrolled.states), -1, cotangents.shape[1])
