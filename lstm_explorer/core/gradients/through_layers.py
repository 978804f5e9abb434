"""The gradient of a loss carried back through all layers and directions of a network, the last one first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import cast

import numpy as np
import torch
from torch import Tensor

from lstm_explorer.core.architectures import Network, Parameters, architecture_of, num_directions, state_size
from lstm_explorer.core.checks import Given
from lstm_explorer.core.engine.directions import (
    in_order_of,
    in_time,
    per_direction,
    until_the_end,
    vectors_until_the_end,
)
from lstm_explorer.core.engine.engines import engine_of
from lstm_explorer.core.engine.layers import (
    Backward,
    LayerStates,
    Quantity,
    Request,
    Upstream,
    as_float64,
    at_loss,
    from_inputs,
)
from lstm_explorer.core.engine.scaled import Array, Scaled, log10_norm, log10_size
from lstm_explorer.core.gradients.result import GradientFlow, Loss


def upstreams_of_outputs(given: Given, layers: Sequence[LayerStates], cotangent: Tensor, loss: Loss) -> list[Upstream]:
    """Return what a loss of the outputs puts on each direction of the last layer.

    Args:
        given: The network and what it reads.
        layers: Its states.
        cotangent: What reaches each direction's own last output, ``(B, D*H)``, or every output, ``(T, B, D*H)``.
        loss: ``"last"`` or ``"every"``; without meaning where the cotangent says it.
    """
    directions, lengths, steps = num_directions(given.network), given.lengths, len(given.inputs)
    parts = cotangent.chunk(directions, dim=-1)
    upstreams = []
    for direction, (layer, part) in enumerate(zip(layers[-directions:], parts, strict=True)):
        if part.ndim == 3:
            part = in_order_of(direction, part, lengths)
        if lengths is not None:
            part = _at_own_ends(part, steps, lengths) if part.ndim == 2 and loss == "last" else part
            part = vectors_until_the_end(part.expand(steps, *part.shape[-2:]), lengths, first_step=1, value=0.0)
        if part.ndim == 3:  # the same for all biases, of which the layer may have many
            part = part.view(steps, *[1] * (layer.hidden.ndim - 3), *part.shape[1:])
        upstreams.append(at_loss(layer.hidden, part, loss))
    return upstreams


def upstreams_of_states(
    given: Given, of_last: list[Upstream], of_hidden: Tensor | None, of_cell: Tensor | None
) -> list[Upstream]:
    """Return what reaches each layer and direction, with what the loss puts on its last states itself.

    Args:
        given: The network and what it reads.
        of_last: What reaches the last layer's outputs.
        of_hidden: What reaches ``h_n``, ``(L*D, B, H)``; None if nothing does.
        of_cell: What reaches ``c_n``, likewise.
    """
    count, steps = len(given.parameters), len(given.inputs)
    upstreams: list[Upstream] = []
    for index in range(count):
        hidden, cell = (None if part is None else part[index] for part in (of_hidden, of_cell))
        size = state_size(given.network)
        final = given.inputs.new_zeros(given.inputs.shape[1], size) if hidden is None else hidden
        if given.lengths is not None:
            final = _at_own_ends(final, steps, given.lengths)
        states = given.inputs.new_zeros(steps + 1, given.inputs.shape[1], size)
        own = at_loss(states, final, "last")
        if cell is not None:
            vectors = as_float64(cell)
            own = own._replace(cell=Scaled(vectors, np.zeros(vectors.shape[:-1], np.int64)))
        at = index - (count - len(of_last))
        upstreams.append(own if at < 0 else of_last[at].plus(own))
    return upstreams


def _at_own_ends(final: Tensor, steps: int, lengths: Tensor) -> Tensor:
    """Return ``(T, B, H)`` with what reaches each sample's own last output there, and zero elsewhere."""
    ends = torch.arange(1, steps + 1)[:, None] == lengths
    return final.expand(steps, *final.shape) * ends[..., None].to(final)


def flow_of_given(
    given: Given, layers: list[LayerStates], upstreams: Sequence[Upstream], *, units: bool
) -> GradientFlow:
    """Carry the gradient back through a network, and say how long its samples are and which ways it reads."""
    flow = flow_of_layers(given.network, given.parameters, layers, upstreams, units=units, lengths=given.lengths)
    return replace(flow, lengths=given.lengths, directions=num_directions(given.network))


def flow_of_layers(
    network: Network,
    parameters: Sequence[Parameters],
    layers: Sequence[LayerStates],
    upstreams: Sequence[Upstream],
    *,
    units: bool,
    lengths: Tensor | None = None,
) -> GradientFlow:
    """Carry the gradient back through all layers, the last one first; lead axes ``(B,)`` or ``(R, B)``.

    Args:
        network: The network.
        parameters: Weights of each layer and direction.
        layers: States of each layer and direction.
        upstreams: What the loss puts on the last of them, as many as there are.
        units: Also keep every element.
        lengths: Steps of each sample.
    """
    engine, directions = engine_of(network), num_directions(network)
    missing = len(layers) - len(upstreams)
    of_loss: list[Upstream | None] = [*[None] * missing, *upstreams]
    backs: list[Backward | None] = [None] * len(layers)
    paths: list[Array | None] = [None] * len(layers)
    total = alone = list(upstreams[-directions:])
    for first in range(len(layers) - directions, -1, -directions):
        of_total: tuple[Quantity, ...] = ("inputs", "states") if units else ("inputs",)
        of_path: tuple[Quantity, ...] = ("inputs",) if first > 0 else ()
        by_cell: list[Backward] = []
        for direction in range(directions):
            index = first + direction
            path = [Request(alone[direction], of_path, cut=True)] if layers[index].cell is not None else []
            requests = [Request(total[direction], of_total), *path]
            backs[index], *of_cell = engine.backward(parameters[index], layers[index], requests)
            by_cell += of_cell
            paths[index] = of_cell[0].log10_states["cell"] if of_cell else None
        here = cast(list[Backward], backs[first : first + directions])
        of_inputs = in_time([cast(Scaled, back.inputs) for back in here], lengths)
        if first > 0:
            below = of_loss[first - directions : first]
            mask = layers[first - directions].dropped
            total = _upstreams_below(_kept(of_inputs, mask), below, lengths)
            if by_cell:
                by_path = in_time([cast(Scaled, back.inputs) for back in by_cell], lengths)
                alone = _upstreams_below(_kept(by_path, mask), below, lengths)
    return _joined(architecture_of(network).name, cast(list[Backward], backs), paths, of_inputs, parameters[0], lengths)


def _kept(of_inputs: Scaled, mask: Tensor | None) -> Scaled:
    """Return what is left of a layer's gradient below a dropout."""
    return of_inputs if mask is None else of_inputs._replace(mantissa=of_inputs.mantissa * as_float64(mask))


def _upstreams_below(of_inputs: Scaled, of_loss: Sequence[Upstream | None], lengths: Tensor | None) -> list[Upstream]:
    """Return what reaches the directions of the layer below: from above, and from the loss itself."""
    from_above = [from_inputs(part) for part in per_direction(of_inputs, len(of_loss), lengths)]
    return [one if own is None else one.plus(own) for one, own in zip(from_above, of_loss, strict=True)]


def _joined(
    architecture: str,
    backs: Sequence[Backward],
    paths: Sequence[Array | None],
    of_inputs: Scaled,
    parameters: Parameters,
    lengths: Tensor | None,
) -> GradientFlow:
    dtype = parameters.weight_hh.dtype

    def norms(name: str) -> Tensor | None:
        arrays = [back.log10_states[name] for back in backs if name in back.log10_states]
        return _tensor(arrays, dtype, lengths) if arrays else None

    def sizes(name: str) -> Tensor | None:
        arrays = [log10_size(back.states[name]) for back in backs if name in back.states]
        return _tensor(arrays, dtype, lengths, elements=True) if arrays else None

    of_cell = [path for path in paths if path is not None]
    return GradientFlow(
        architecture=architecture,
        log10_hidden=cast(Tensor, norms("hidden")),
        log10_cell=norms("cell"),
        log10_cell_path=_tensor(of_cell, dtype, lengths) if of_cell else None,
        log10_inputs=_tensor([log10_norm(of_inputs)], dtype, lengths, first_step=1)[0],
        log10_hidden_units=sizes("hidden"),
        log10_cell_units=sizes("cell"),
    )


def _tensor(
    arrays: list[Array], dtype: torch.dtype, lengths: Tensor | None, *, first_step: int = 0, elements: bool = False
) -> Tensor:
    """Return ``(L, T + 1, ...)`` of the layers' arrays in a dtype, NaN past the end of each sample."""
    stacked = arrays[0][None] if len(arrays) == 1 else np.stack(arrays)
    tensor = torch.from_numpy(stacked.astype(np.float32) if dtype == torch.float32 else stacked)
    if elements:
        return vectors_until_the_end(tensor, lengths, value=torch.nan)
    return until_the_end(tensor, lengths, first_step=first_step)
