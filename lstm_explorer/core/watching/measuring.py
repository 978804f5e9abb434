"""Measures the gradient of forward passes that were caught, with the weights as they were."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from lstm_explorer.core.architectures import Network, architecture_of
from lstm_explorer.core.checks import check_given
from lstm_explorer.core.engine.trajectory import output_of, unroll_given
from lstm_explorer.core.gradients.flow import Outputs, flow_of_outputs
from lstm_explorer.core.gradients.result import GradientFlow
from lstm_explorer.core.undisturbed import undisturbed
from lstm_explorer.core.watching.calls import Call
from lstm_explorer.core.watching.catching import Caught

#: How far what was given and what the weights alone give may lie apart by rounding, relative to the largest number.
_ROUNDING = {torch.float64: 1e-9, torch.float32: 2e-3, torch.float16: 2e-2, torch.bfloat16: 1e-1}


def alike(caught: Sequence[Caught]) -> list[list[Caught]]:
    """Return forward passes in groups that can be measured at once: the same weights, as long, laid out alike.

    A loop that calls its network step by step is a pass a step; measured one by one they would cost it dearly.
    """
    groups: dict[Hashable, list[Caught]] = {}
    for one in caught:
        call = one.call
        given = len(call.inputs), len(call.initial_state), call.layout.lengths is None
        kind = (*given, len(call.dropped), frozenset(call.reached))
        groups.setdefault((id(call.weights), *kind), []).append(one)
    return list(groups.values())


@undisturbed
def measure(group: Sequence[Caught]) -> list[GradientFlow]:
    """Measure the gradient of the loss with respect to every state of forward passes, on the CPU.

    Args:
        group: Forward passes of one network, which are alike.

    Returns:
        The norms of each in float32; measured in float64 if the network is, else in float32.

    Raises:
        ValueError: The network computes something else than its weights say, or with numbers that are not finite.
    """
    calls = [one.call for one in group]
    network = _plain(calls[0].network, calls[0].weights)

    def joined(parts: Iterable[Tensor]) -> Tensor:
        samples = [part[:, : one.samples] for part, one in zip(parts, group, strict=True)]
        return torch.cat(samples, dim=1).to(network.weight_ih_l0)

    of_each = [one.call.layout.lengths[: one.samples] for one in group if one.call.layout.lengths is not None]
    lengths = torch.cat(of_each) if of_each else None
    steps = len(calls[0].inputs) if lengths is None else int(lengths.max())
    inputs, output = joined(call.inputs for call in calls)[:steps], joined(call.output for call in calls)[:steps]
    states = tuple(map(joined, zip(*(call.initial_state for call in calls), strict=True)))
    state: Any = states if len(states) > 1 else states[0] if states else None
    dropped = tuple(each[:steps] for each in map(joined, zip(*(call.dropped for call in calls), strict=True)))
    given = check_given(network, inputs, state, lengths)._replace(dropped=dropped)
    _check_computes_this(calls[0], output_of(network, unroll_given(given), lengths), output)
    reached = {name: joined([call.reached[name] for call in calls]) for name in calls[0].reached}
    of_outputs = reached["output"][:steps] if "output" in reached else torch.zeros_like(output)
    outputs = Outputs(of_outputs, reached.get("hidden"), reached.get("cell"))
    flow = flow_of_outputs(network, inputs, outputs, initial_state=state, lengths=lengths, dropped=dropped)
    return _apart(flow, [one.samples for one in group])


def _apart(flow: GradientFlow, samples: list[int]) -> list[GradientFlow]:
    """Return the flow of each of the passes that were measured together, in float32; samples are the last axis."""
    tensors = {name: value for name, value in vars(flow).items() if isinstance(value, Tensor)}
    kept = {name: value.float() if value.is_floating_point() else value for name, value in tensors.items()}
    parts = {name: value.split(samples, dim=-1) for name, value in kept.items()}
    return [replace(flow, **{name: part[at] for name, part in parts.items()}) for at in range(len(samples))]


def _plain(network: Network, weights: list[Tensor]) -> Network:
    """Return a network of PyTorch's own with these weights, on the CPU; no random number is drawn."""
    kind = architecture_of(network).module
    names = ("bias", "bidirectional", "nonlinearity") if issubclass(kind, nn.RNNBase) else ()
    options = {name: getattr(network, name) for name in names if hasattr(network, name)}
    options |= {"proj_size": network.proj_size} if network.proj_size else {}  # nn.RNN refuses the very word
    dtype = torch.float64 if weights[0].dtype == torch.float64 else torch.float32
    plain = kind(network.input_size, network.hidden_size, network.num_layers, **options, device="meta")
    for (name, _), weight in zip(list(plain.named_parameters()), weights, strict=True):
        setattr(plain, name, nn.Parameter(weight.to("cpu", dtype), requires_grad=False))
    return plain


def _check_computes_this(call: Call, ours: Tensor, given: Tensor) -> None:
    off = float((ours - given).abs().max())
    if not off <= _ROUNDING[call.output.dtype] * max(1.0, float(given.abs().max())):
        raise ValueError(
            f"it computes something else than a torch.nn.{architecture_of(call.network).title} with its weights (the "
            f"outputs differ by up to {off:.2g}): a forward of its own, or weights that are changed inside it"
        )
