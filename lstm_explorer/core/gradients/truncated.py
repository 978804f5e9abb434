"""The gradient of truncated back-propagation through time: the states are detached every so many steps."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence

from lstm_explorer.core.architectures import Network, Parameters
from lstm_explorer.core.checks import Batch, InitialState, Inputs, check_cotangent, check_given, check_one_length
from lstm_explorer.core.engine.layers import LayerStates, Upstream
from lstm_explorer.core.engine.scaled import Scaled
from lstm_explorer.core.engine.trajectory import unroll_given
from lstm_explorer.core.gradients.result import GradientFlow, Loss
from lstm_explorer.core.gradients.through_layers import flow_of_layers, upstreams_of_outputs
from lstm_explorer.core.kinds import checks_kinds
from lstm_explorer.core.undisturbed import undisturbed


@checks_kinds
@undisturbed
def truncated_flow(
    network: Network,
    inputs: Inputs,
    *,
    truncation: int,
    loss: Loss = "last",
    cotangent: Tensor | PackedSequence | None = None,
    initial_state: InitialState = None,
) -> GradientFlow:
    r"""Measure the gradient of every state where the states are detached every so many steps, exactly.

    The sequence is cut into pieces of ``truncation`` steps, counted back from its end, and every piece begins with
    ``state.detach()``: :math:`dL/ds_t` counts the losses of the piece of step :math:`t` alone. Of a loss at the last
    step nothing arrives ``truncation`` steps back or further, whatever the network: there it is exactly zero, ``-inf``.
    The states themselves stay as they are.

    Args:
        network: As :func:`lstm_explorer.gradient_flow` takes it, but not bidirectional; not modified.
        inputs: What it reads, likewise; samples of one length.
        truncation: Steps of a piece, at least 1; the first has what is left. 0 never detaches.
        loss: ``"last"`` or ``"every"``.
        cotangent: What the loss puts on the outputs, as in :func:`lstm_explorer.gradient_flow`.
        initial_state: ``h_0``, or ``(h_0, c_0)`` for the LSTM, each ``(L, B, H)``; zeros by default.

    Returns:
        The norms as log10, per layer, step and sample. A state between two pieces belongs to the one that it ends.

    Raises:
        TypeError: An argument is of another kind.
        ValueError: As :func:`lstm_explorer.gradient_flow`; or ``truncation`` is negative, the network reads in both
            directions, or the samples differ in length.

    Example:
        >>> flow = truncated_flow(torch.nn.GRU(2, 3), torch.ones(50, 1, 2), truncation=20)
        >>> flow.log10_hidden[0, 31, 0] > -20, flow.log10_hidden[0, 30, 0]
        (tensor(True), tensor(-inf))
    """
    if truncation < 0:
        raise ValueError(f"truncation is {truncation}: expected a number of steps, or 0, which never detaches.")
    given = check_given(network, inputs, initial_state)
    check_one_length(given)
    if network.bidirectional:
        raise ValueError(
            "network is bidirectional: expected one that reads forwards; its other direction begins at the last step, "
            "which belongs to another piece."
        )
    reached = check_cotangent(network, cotangent, Batch(given.inputs, None))
    if reached.ndim == 3 and loss == "every":
        raise ValueError('loss is "every" with a cotangent of every step: expected one of the two; leave loss out.')
    layers = unroll_given(given)
    (upstream,) = upstreams_of_outputs(given, layers, reached, loss)
    return flow_of_pieces(network, given.parameters, layers, upstream, truncation)


def pieces(length: int, truncation: int) -> list[tuple[int, int]]:
    """Return the first and last step of each piece between two detached states, counted back from the end.

    Example:
        >>> pieces(50, 20)
        [(0, 10), (10, 30), (30, 50)]
        >>> pieces(50, 0)
        [(0, 50)]
    """
    if not truncation:
        return [(0, length)]
    ends = sorted({0, *range(length, 0, -truncation)})
    return list(itertools.pairwise(ends))


def flow_of_pieces(
    network: Network,
    parameters: Sequence[Parameters],
    layers: Sequence[LayerStates],
    upstream: Upstream,
    truncation: int,
) -> GradientFlow:
    """Carry the gradient back through all layers, piece by piece; to detach a state changes no number of it.

    Args:
        network: The network, which reads forwards.
        parameters: Weights of each layer.
        layers: States of each layer, over all pieces.
        upstream: What the loss puts on the last of them.
        truncation: Steps of a piece; 0 never detaches.
    """
    cuts = pieces(len(layers[0].hidden) - 1, truncation)
    if len(cuts) == 1:
        return flow_of_layers(network, parameters, layers, [upstream], units=False)
    if upstream.steps is None:  # nothing reaches any piece but the last: the others need not be told apart
        cuts = [(0, cuts[-1][0]), cuts[-1]]
    flows = [
        flow_of_layers(
            network, parameters, [_states_of(layer, *cut) for layer in layers], [_upstream_of(upstream, *cut, cuts)],
            units=False,
        )
        for cut in cuts
    ]  # fmt: skip
    return _joined(flows)


def _states_of(layer: LayerStates, first: int, last: int) -> LayerStates:
    """Return the states of a piece, which begin with the one that is detached."""
    return LayerStates(
        hidden=layer.hidden[first : last + 1],
        cell=None if layer.cell is None else layer.cell[first : last + 1],
        gates=None if layer.gates is None else np.ascontiguousarray(layer.gates[:, first:last]),
        inputs=None if layer.inputs is None else layer.inputs[first:last],
        states=tuple(state[first : last + 1] for state in layer.states),
    )


def _upstream_of(upstream: Upstream, first: int, last: int, cuts: Sequence[tuple[int, int]]) -> Upstream:
    """Return what the loss puts on the states of a piece; what it puts on the detached one is not asked for."""
    if upstream.steps is not None:
        steps = Scaled(upstream.steps.mantissa[first : last + 1], upstream.steps.exponent[first : last + 1])
        return Upstream(Scaled(steps.mantissa[-1], steps.exponent[-1]), steps)
    if last == cuts[-1][1]:
        return upstream
    return Upstream(Scaled(np.zeros_like(upstream.final.mantissa), upstream.final.exponent), None)


def _joined(flows: Sequence[GradientFlow]) -> GradientFlow:
    """Return the flows of the pieces as one; a detached state belongs to the piece that it ends."""
    joined: dict[str, Any] = {}
    for field in fields(GradientFlow):
        parts = [getattr(flow, field.name) for flow in flows]
        if isinstance(parts[0], Tensor):
            of_states = field.name != "log10_inputs"
            later = [part[:, 1:] if of_states else part for part in parts[1:]]
            joined[field.name] = torch.cat([parts[0], *later], dim=int(of_states))
    return replace(flows[0], **joined)
