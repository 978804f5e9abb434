"""Measures the gradient of a forward pass that was caught, with the weights as they were."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from lstm_explorer.core.architectures import Network, architecture_of
from lstm_explorer.core.gradients.flow import Outputs, flow_of_outputs
from lstm_explorer.core.gradients.result import GradientFlow
from lstm_explorer.core.undisturbed import undisturbed
from lstm_explorer.core.watching.calls import Call

#: How far what was given and what the weights alone give may lie apart by rounding, relative to the largest number.
_ROUNDING = {torch.float64: 1e-9, torch.float32: 2e-3, torch.float16: 2e-2, torch.bfloat16: 1e-1}


@undisturbed
def measure(call: Call, samples: int) -> GradientFlow:
    """Measure the gradient of the loss with respect to every state of a forward pass, on the CPU.

    Args:
        call: A forward pass that a loss has reached.
        samples: How many of its samples, from the first on.

    Returns:
        The norms in float32; measured in float64 if the network is, else in float32.

    Raises:
        ValueError: The network computes something else than its weights say, or with numbers that are not finite.
    """
    network = _plain(call.network, call.weights)

    def numbers(tensor: Tensor) -> Tensor:
        return tensor[:, :samples].to(network.weight_ih_l0)

    lengths = None if call.layout.lengths is None else call.layout.lengths[:samples]
    steps = len(call.inputs) if lengths is None else int(lengths.max())
    inputs = numbers(call.inputs)[:steps]
    states = tuple(map(numbers, call.initial_state))
    state: Any = states if len(states) > 1 else states[0] if states else None
    _check_computes_this(call, _run(network, inputs, state, lengths), numbers(call.output)[:steps])
    output = call.reached.get("output", torch.zeros_like(call.output))
    last = {name: numbers(call.reached[name]) for name in ("hidden", "cell") if name in call.reached}
    reached = Outputs(numbers(output)[:steps], last.get("hidden"), last.get("cell"))
    flow = flow_of_outputs(network, inputs, reached, initial_state=state, lengths=lengths)
    return replace(flow, **{name: each.float() for name, each in vars(flow).items() if _is_float(each)})


def _is_float(value: object) -> bool:
    return isinstance(value, Tensor) and value.is_floating_point()


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


def _run(network: Network, inputs: Tensor, state: Any, lengths: Tensor | None) -> Tensor:
    """Return the outputs ``(T, n, D*H)``, zero past the end of a sample."""
    with torch.no_grad():
        if lengths is None:
            output: Tensor = network(inputs, state)[0]
            return output
        packed = pack_padded_sequence(inputs, lengths, enforce_sorted=False)
        padded: Tensor = pad_packed_sequence(network(packed, state)[0])[0]
        return padded


def _check_computes_this(call: Call, ours: Tensor, given: Tensor) -> None:
    off = float((ours - given).abs().max())
    if not off <= _ROUNDING[call.output.dtype] * max(1.0, float(given.abs().max())):
        raise ValueError(
            f"it computes something else than a torch.nn.{architecture_of(call.network).title} with its weights (the "
            f"outputs differ by up to {off:.2g}): a forward of its own, or weights that are changed inside it"
        )
