"""Many replicas of one experiment, seed by seed, in batched passes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from typing import Any

import torch
from torch import Tensor

from lstm_explorer.core.architectures import Network, Parameters, layer_parameters
from lstm_explorer.core.checks import check_given
from lstm_explorer.core.engine.layers import LayerStates, at_loss
from lstm_explorer.core.engine.trajectory import unroll_given
from lstm_explorer.core.gradients.flow import gradient_flow
from lstm_explorer.core.gradients.result import GradientFlow
from lstm_explorer.core.gradients.through_layers import flow_of_layers
from lstm_explorer.core.inputs import TableLike, make_inputs
from lstm_explorer.core.kinds import checks_kinds
from lstm_explorer.core.networks.build import build_network
from lstm_explorer.core.settings import Settings

#: Numbers of one state, ``R * T * B * H``, in one batched pass. Up to here the
#: overhead of a step outweighs its numbers, so that replicas cost little; past it the arrays outgrow the cache, and one
#: replica after another is faster.
_GROUP_NUMBERS = 100_000


@checks_kinds
def seed_flows(
    settings: Settings,
    *,
    architecture: str,
    table: TableLike | None = None,
    units: bool = False,
) -> GradientFlow:
    """Measure the gradient flow of ``num_seeds`` replicas; replica ``r`` is a single run with ``seed + r``.

    Args:
        settings: The experiment; its ``loss``, ``seed`` and ``num_seeds`` included.
        architecture: A name of ``ARCHITECTURES``, such as ``"lstm"``.
        table: The rows read when ``input_kind="csv"``.
        units: Also keep every element of dL/dh_t.

    Returns:
        The norms with one more axis ``R`` in front: ``log10_hidden`` is ``(R, L, T + 1, B)``, ``log10_inputs``
        ``(R, T, B)``.

    Raises:
        TypeError: An argument is of another kind.
        ValueError: As :func:`build_network`, :func:`make_inputs` and :func:`gradient_flow`.

    Example:
        >>> seed_flows(Settings(sequence_length=10, num_seeds=3), architecture="gru").log10_hidden.shape
        torch.Size([3, 1, 11, 1])
    """
    replicas = [settings.replace(seed=settings.seed + r, num_seeds=1) for r in range(settings.num_seeds)]
    flows: list[GradientFlow] = []
    size = _group_size(settings)
    for first in range(0, len(replicas), size):
        group = replicas[first : first + size]
        networks = [build_network(architecture, replica) for replica in group]
        inputs = [make_inputs(replica, table=table) for replica in group]
        flows.append(_flows(networks, inputs, settings, units=units))
    return join_flows(flows)


def own_flow(network: Network, inputs: Tensor, cotangent: Tensor, *, units: bool = False) -> GradientFlow:
    """Return the flow of one network as :func:`seed_flows` returns those of replicas, of which there is one.

    Args:
        network: As :func:`gradient_flow` takes it; so are the others.
        inputs: ``(T, B, I)``.
        cotangent: ``(B, H)`` or ``(T, B, H)``.
        units: Also keep every element of dL/dh_t.
    """
    return with_replicas(gradient_flow(network, inputs, cotangent=cotangent, units=units))


def with_replicas(flow: GradientFlow) -> GradientFlow:
    """Return the flow of one network with the axis of replicas in front."""
    return _mapped(flow, lambda tensor: tensor[None])


def _group_size(settings: Settings) -> int:
    return max(1, _GROUP_NUMBERS // (settings.sequence_length * settings.batch_size * settings.hidden_size))


def _flows(networks: list[Network], inputs: list[Tensor], settings: Settings, *, units: bool) -> GradientFlow:
    """Return the flow of a group of replicas, ``R`` in front."""
    if len(networks) == 1:
        return with_replicas(gradient_flow(networks[0], inputs[0], loss=settings.loss, units=units))
    first = networks[0]
    parameters = [
        Parameters.stacked([layer_parameters(network, layer) for network in networks])
        for layer in range(settings.num_layers)
    ]
    runs = [unroll_given(check_given(network, x)) for network, x in zip(networks, inputs, strict=True)]
    layers = [LayerStates.stacked(same_layer) for same_layer in zip(*runs, strict=True)]
    cotangent = inputs[0].new_ones(settings.batch_size, settings.hidden_size)
    upstream = at_loss(layers[-1].hidden, cotangent, settings.loss)
    flow = flow_of_layers(first, parameters, layers, [upstream], units=units)
    # The replicas are the axis before the batch there, and the first axis here.
    moved = _mapped(flow, lambda tensor: tensor.movedim(2, 0))
    return replace(moved, log10_inputs=flow.log10_inputs.movedim(1, 0))


def _tensors(flow: GradientFlow) -> dict[str, Tensor | None]:
    return {field.name: getattr(flow, field.name) for field in fields(flow) if field.name.startswith("log10")}


def _mapped(flow: GradientFlow, change: Callable[[Tensor], Tensor]) -> GradientFlow:
    """Return the flow with every tensor changed."""
    tensors: dict[str, Any] = {
        name: None if tensor is None else change(tensor) for name, tensor in _tensors(flow).items()
    }
    return replace(flow, **tensors)


def join_flows(flows: Sequence[GradientFlow]) -> GradientFlow:
    """Return the replicas of several flows of :func:`seed_flows` as one flow."""
    if len(flows) == 1:
        return flows[0]
    columns = {name: [getattr(flow, name) for flow in flows] for name in _tensors(flows[0])}
    joined: dict[str, Any] = {name: None if parts[0] is None else torch.cat(parts) for name, parts in columns.items()}
    return replace(flows[0], **joined)
