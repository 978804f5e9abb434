"""What a network reads, and what a loss puts on it: tensors of the right shape, dtype and device, and finite."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple, cast

import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence, pad_packed_sequence

from lstm_explorer.core.architectures import Network, architecture_of, num_directions, state_size

InitialState = Tensor | tuple[Tensor, ...] | None
#: What a network reads: ``(T, B, I)``, ``(B, T, I)`` if it is ``batch_first``, ``(T, I)`` of one sample, or packed.
Inputs = Tensor | PackedSequence
#: Steps of each sample, where they differ.
Lengths = Tensor | Sequence[int] | None

_COUNTS = {2: "two", 3: "three"}


class Batch(NamedTuple):
    """Inputs ``(T, B, I)``, and the steps of each sample ``(B,)``; None where all are as long as the inputs."""

    inputs: Tensor
    lengths: Tensor | None


def check_inputs(network: Network, inputs: Inputs, lengths: Lengths = None) -> Batch:
    """Return the inputs time first, ``(T, B, I)``, and the samples' lengths.

    Args:
        network: The network that reads them.
        inputs: ``(T, B, I)``, or ``(B, T, I)`` if the network is ``batch_first``; ``(T, I)`` of one sample; or packed.
        lengths: Steps of each sample, ``(B,)``; what comes after them is padding, whatever it holds.

    Returns:
        The inputs, detached, with zeros for padding, and the lengths where they differ from the inputs' own.

    Raises:
        TypeError: Not a tensor.
        ValueError: Another shape, dtype or device than the network reads, no step, or values that are not finite.
    """
    if isinstance(inputs, PackedSequence):
        if lengths is not None:
            raise ValueError(
                "lengths comes with packed inputs: expected one of the two; a packed sequence has its own."
            )
        padded, own = pad_packed_sequence(inputs)
        if padded.ndim != 3 or padded.shape[-1] != network.input_size:
            raise ValueError(
                f"inputs holds steps of shape {tuple(padded.shape[2:])}, packed: expected input_size="
                f"{network.input_size} numbers in each."
            )
        return _batch(network, padded, own)
    if not isinstance(inputs, Tensor):
        raise TypeError(f"inputs is a {type(inputs).__name__}: expected a torch.Tensor, or a PackedSequence.")
    if inputs.is_nested:
        raise ValueError(
            "inputs is a nested tensor: expected a padded one; pass inputs.to_padded_tensor(0.0) and "
            "lengths=[len(sample) for sample in inputs.unbind()], to a network that is batch_first."
        )
    if inputs.layout != torch.strided:
        raise ValueError(f"inputs is of layout {inputs.layout}: expected a dense tensor; pass inputs.to_dense().")
    axes = "(B, T, input_size)" if network.batch_first else "(T, B, input_size)"
    if inputs.ndim not in (2, 3) or inputs.shape[-1] != network.input_size:
        raise ValueError(
            f"inputs has shape {tuple(inputs.shape)}: expected {axes}, or (T, input_size) of one sample, with "
            f"input_size={network.input_size}."
        )
    if 0 in inputs.shape:
        raise ValueError(f"inputs has shape {tuple(inputs.shape)}: expected at least one step and one sample.")
    return _batch(network, _time_first(network, inputs, 3), lengths)


def _time_first(network: Network, tensor: Tensor, axes: int) -> Tensor:
    """Return ``(T, B, ...)`` of a tensor as the network lays it out; one without the axis of samples gets it."""
    if tensor.ndim < axes:
        return tensor.unsqueeze(-2)
    return tensor.transpose(0, 1) if network.batch_first else tensor


def _batch(network: Network, inputs: Tensor, lengths: Lengths) -> Batch:
    inputs = inputs.detach()
    checked = _check_lengths(lengths, *inputs.shape[:2])
    if checked is not None:  # whatever the padding holds, even NaN
        there = torch.arange(len(inputs))[:, None] < checked
        inputs = torch.where(there[..., None].to(inputs.device), inputs, torch.zeros_like(inputs))
    check_like("inputs", inputs, network)
    return Batch(inputs, checked)


def _check_lengths(lengths: Lengths, steps: int, batch_size: int) -> Tensor | None:
    """Return the lengths on the CPU; None where every sample is as long as the inputs."""
    if lengths is None:
        return None
    try:
        given = torch.as_tensor(lengths, device="cpu")
    except (TypeError, ValueError, RuntimeError):
        raise TypeError(
            f"lengths is a {type(lengths).__name__}: expected whole numbers, one per sample, such as [5, 3]."
        ) from None
    if given.dtype.is_floating_point or given.dtype.is_complex or given.dtype == torch.bool:
        raise TypeError(f"lengths is {given.dtype}: expected whole numbers, one per sample.")
    if tuple(given.shape) != (batch_size,) or int(given.min()) < 1 or int(given.max()) > steps:
        raise ValueError(
            f"lengths is {given.tolist()}: expected {batch_size} whole numbers, one per sample, from 1 to {steps}, the "
            "steps of the inputs."
        )
    return None if bool((given == steps).all()) else given.long()


def check_cotangent(network: Network, cotangent: Any, batch: Batch) -> Tensor:
    """Return what reaches the last output, ``(B, D*H)``, or every output, ``(T, B, D*H)``; all ones by default.

    Args:
        network: The network.
        cotangent: ``(B, H)``, the same for both directions, or ``(B, D*H)``; that of every step laid out as the inputs
            are. One of one sample may come without its axis, and packed sequences may be packed.
        batch: What the network reads.

    Raises:
        ValueError: It has another shape, dtype or device than the network asks for, or values that are not finite.
    """
    steps, batch_size = batch.inputs.shape[:2]
    size, directions = state_size(network), num_directions(network)
    if cotangent is None:
        return a_weight(network).new_ones(batch_size, size * directions)
    if isinstance(cotangent, PackedSequence):
        cotangent, _ = pad_packed_sequence(cotangent, network.batch_first)
    last = (batch_size, size * directions)
    every = (batch_size, steps, last[1]) if network.batch_first else (steps, *last)
    allowed = {last, every, (batch_size, size)}
    if batch_size == 1:  # as those of a network without the axis of samples
        allowed |= {(size,), (last[1],), (steps, last[1])}
    came = tuple(cotangent.shape) if isinstance(cotangent, Tensor) else type(cotangent).__name__
    if came not in allowed:
        axes = "(B, T, hidden_size)" if network.batch_first else "(T, B, hidden_size)"
        of_both = ", the forward direction first" if directions == 2 else ""
        raise ValueError(
            f"cotangent is {came}: expected a tensor of shape (B, hidden_size) = {last}, of the last step, or "
            f"{axes} = {every}, of every step{of_both}."
        )
    cotangent = cotangent.detach()
    check_like("cotangent", cotangent, network)
    if came in (every, (steps, last[1])) and came != last:
        return _time_first(network, cotangent, 3)
    whole = cotangent.reshape(batch_size, -1)
    return whole if whole.shape[1] == last[1] else whole.repeat(1, directions)


def check_initial_state(network: Network, initial_state: InitialState, batch_size: int) -> list[tuple[Tensor, ...]]:
    """Return initial states of each layer and direction, ``(h_0,)`` or ``(h_0, c_0)``; zeros by default.

    Returns:
        The first layer first, and of a layer the forward direction first; each state ``(1, B, H)``.

    Raises:
        ValueError: The states are too many or too few, have another shape, dtype or device than the network asks for,
            or values that are not finite.
    """
    record, layers = architecture_of(network), network.num_layers * num_directions(network)
    sizes = [network.hidden_size if state.name == "cell" else state_size(network) for state in record.states]
    expected = [(layers, batch_size, size) for size in sizes]
    if initial_state is None:
        return [tuple(a_weight(network).new_zeros(1, *shape[1:]) for shape in expected)] * layers
    state = (initial_state,) if isinstance(initial_state, Tensor) else tuple(initial_state)
    if batch_size == 1:
        state = tuple(part.unsqueeze(1) if isinstance(part, Tensor) and part.ndim == 2 else part for part in state)
    came = [tuple(part.shape) if isinstance(part, Tensor) else type(part).__name__ for part in state]
    if came != expected:
        letters = [f"{state.letter}_0" for state in record.states]
        count = len(letters)
        wanted = "h_0, one tensor" if count == 1 else f"({', '.join(letters)}), {_COUNTS.get(count, count)} tensors"
        both = "num_layers" if layers == network.num_layers else "2 * num_layers"
        shapes = " and ".join(str(shape) for shape in dict.fromkeys(expected))
        raise ValueError(f"initial_state is {came}: expected {wanted} of shape ({both}, B, hidden_size) = {shapes}.")
    for part in state:
        check_like("initial_state", part, network)
    return list(zip(*(part.detach().contiguous().split(1) for part in state), strict=True))


def check_like(name: str, tensor: Tensor, network: Network) -> None:
    """Refuse a tensor of another dtype or device than the network's weights, or with numbers that are not finite.

    Raises:
        ValueError: It is.
    """
    weight = a_weight(network)
    if tensor.dtype != weight.dtype or tensor.device != weight.device:
        raise ValueError(
            f"{name} is {tensor.dtype} on {tensor.device}: expected the network's {weight.dtype} on {weight.device}; "
            f"convert with {name}.to(network.weight_ih_l0)."
        )
    if not is_finite(tensor.detach()):
        raise ValueError(f"{name} has values that are NaN or infinite: expected finite numbers.")


def a_weight(network: Network) -> Tensor:
    """Return one of the weights; all other tensors are of its dtype and on its device."""
    return cast(Tensor, next(network.parameters()))


def is_finite(*tensors: Tensor) -> bool:
    """Tell whether every number is finite: their sum is, in one cheap pass; where it overflows, each is checked."""
    if math.isfinite(sum([tensor.sum().item() for tensor in tensors])):
        return True
    return all(bool(torch.isfinite(tensor).all()) for tensor in tensors)
