"""What the core accepts, checked once at its public boundary."""

from __future__ import annotations

import math
from typing import cast

import torch
from torch import Tensor

from lstm_explorer.core.architectures import Network, Parameters, architecture_of, network_parameters

InitialState = Tensor | tuple[Tensor, ...] | None

_COUNTS = {2: "two", 3: "three"}


def check_network(network: Network) -> list[Parameters]:
    """Refuse what is not supported, by name and with the reason.

    Args:
        network: The network to check.

    Returns:
        The weights of every layer, the first layer first, detached.

    Raises:
        TypeError: It is not an ``nn.RNN``, ``nn.LSTM`` or ``nn.GRU``, nor one of this package's own.
        ValueError: It is bidirectional, has projections, drops units in training mode, is of another dtype than
            float32 or float64, or has weights that are NaN or infinite.
    """
    architecture_of(network)
    if network.bidirectional:
        raise ValueError(
            "network is bidirectional: its backward direction has no 'steps back from the loss' to measure. "
            "Build it with bidirectional=False."
        )
    if network.proj_size:
        raise ValueError(f"network has proj_size={network.proj_size}: expected proj_size=0, no projections.")
    if network.dropout and network.training and network.num_layers > 1:
        raise ValueError(
            f"network drops units at random (dropout={network.dropout}, training mode): call network.eval() first, "
            "so that one gradient is measured and not a new one at every call."
        )
    parameters = network_parameters(network)
    dtype = parameters[0].weight_hh.dtype
    if dtype not in (torch.float32, torch.float64):
        raise ValueError(f"network is {dtype}: expected float32 or float64; convert with network.float().")
    if not all(_finite(*weights) for weights in parameters):
        counts = {name: int((~torch.isfinite(weight)).sum()) for name, weight in network.named_parameters()}
        bad = ", ".join(f"{name} has {count}" for name, count in counts.items() if count)
        raise ValueError(f"{bad} values that are NaN or infinite: expected finite weights.")
    return parameters


def check_inputs(network: Network, inputs: Tensor) -> Tensor:
    """Return the inputs time first, ``(T, B, I)``.

    Args:
        network: The network that reads them.
        inputs: ``(T, B, I)``, or ``(B, T, I)`` if the network is ``batch_first``.

    Returns:
        The inputs, detached, ``(T, B, I)``.

    Raises:
        TypeError: Not a tensor.
        ValueError: Another shape, dtype or device than the network reads, no step, or values that are not finite.
    """
    if not isinstance(inputs, Tensor):
        raise TypeError(f"inputs is a {type(inputs).__name__}: expected a torch.Tensor.")
    axes = "(B, T, input_size)" if network.batch_first else "(T, B, input_size)"
    if inputs.ndim != 3 or inputs.shape[-1] != network.input_size:
        hint = " Add the batch axis with inputs.unsqueeze(1)." if inputs.ndim == 2 else ""
        raise ValueError(
            f"inputs has shape {tuple(inputs.shape)}: expected {axes} with input_size={network.input_size}.{hint}"
        )
    if 0 in inputs.shape:
        raise ValueError(f"inputs has shape {tuple(inputs.shape)}: expected at least one step and one sample.")
    _check_like("inputs", inputs, network)
    return inputs.detach().transpose(0, 1) if network.batch_first else inputs.detach()


def check_cotangent(network: Network, cotangent: Tensor | None, steps: int, batch_size: int) -> Tensor:
    """Return the cotangent, ``(B, H)`` of the last step or ``(T, B, H)`` of every step; all ones by default.

    That of every step is laid out as the inputs are: ``(B, T, H)`` if the network is ``batch_first``.

    Raises:
        ValueError: It has another shape, dtype or device than the network asks for, or values that are not finite.
    """
    if cotangent is None:
        return _a_weight(network).new_ones(batch_size, network.hidden_size)
    last = (batch_size, network.hidden_size)
    every = (batch_size, steps, network.hidden_size) if network.batch_first else (steps, *last)
    if not isinstance(cotangent, Tensor) or tuple(cotangent.shape) not in (last, every):
        came = tuple(cotangent.shape) if isinstance(cotangent, Tensor) else type(cotangent).__name__
        axes = "(B, T, hidden_size)" if network.batch_first else "(T, B, hidden_size)"
        raise ValueError(
            f"cotangent is {came}: expected a tensor of shape (B, hidden_size) = {last}, of the last step, or "
            f"{axes} = {every}, of every step."
        )
    _check_like("cotangent", cotangent, network)
    swapped = network.batch_first and cotangent.ndim == 3
    return cotangent.detach().transpose(0, 1) if swapped else cotangent.detach()


def check_initial_state(network: Network, initial_state: InitialState, batch_size: int) -> list[tuple[Tensor, ...]]:
    """Return each layer's initial states, ``(h_0,)`` or ``(h_0, c_0)``, each ``(1, B, H)``; zeros by default.

    Raises:
        ValueError: The states are too many or too few, have another shape, dtype or device than the network asks for,
            or values that are not finite.
    """
    expected = (network.num_layers, batch_size, network.hidden_size)
    count = len(architecture_of(network).states)
    if initial_state is None:
        return [(_a_weight(network).new_zeros(1, *expected[1:]),) * count] * network.num_layers
    state = (initial_state,) if isinstance(initial_state, Tensor) else tuple(initial_state)
    letters = [f"{state.letter}_0" for state in architecture_of(network).states]
    wanted = "h_0, one tensor" if count == 1 else f"({', '.join(letters)}), {_COUNTS.get(count, count)} tensors"
    if len(state) != count or any(not isinstance(part, Tensor) or tuple(part.shape) != expected for part in state):
        came = [tuple(part.shape) if isinstance(part, Tensor) else type(part).__name__ for part in state]
        shape = f"(num_layers, B, hidden_size) = {expected}"
        raise ValueError(f"initial_state is {came}: expected {wanted} of shape {shape}.")
    for part in state:
        _check_like("initial_state", part, network)
    return list(zip(*(part.detach().contiguous().split(1) for part in state), strict=True))


def _check_like(name: str, tensor: Tensor, network: Network) -> None:
    weight = _a_weight(network)
    if tensor.dtype != weight.dtype or tensor.device != weight.device:
        raise ValueError(
            f"{name} is {tensor.dtype} on {tensor.device}: expected the network's {weight.dtype} on {weight.device}; "
            f"convert with {name}.to(network.weight_ih_l0)."
        )
    if not _finite(tensor.detach()):
        raise ValueError(f"{name} has values that are NaN or infinite: expected finite numbers.")


def _a_weight(network: Network) -> Tensor:
    """Return a weight that every network has; all other tensors are of its dtype and on its device."""
    return cast(Tensor, network.weight_ih_l0)


def _finite(*tensors: Tensor) -> bool:
    """Tell whether every number is finite: their sum is, in one cheap pass; where it overflows, each is checked."""
    if math.isfinite(sum([tensor.sum().item() for tensor in tensors])):
        return True
    return all(bool(torch.isfinite(tensor).all()) for tensor in tensors)
