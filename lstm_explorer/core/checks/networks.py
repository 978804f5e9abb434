"""A network together with what it reads, as the engine takes it."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from lstm_explorer.core.architectures import (
    Network,
    Parameters,
    network_parameters,
)
from lstm_explorer.core.checks.tensors import (
    InitialState,
    Inputs,
    Lengths,
    a_weight,
    check_initial_state,
    check_inputs,
    is_finite,
)
from lstm_explorer.core.networks.computing import OwnForward, own_forward, peculiarities
from lstm_explorer.core.networks.finding import is_network, refusal


class Given(NamedTuple):
    """A network and what it reads, checked, as the engine takes it.

    Attributes:
        network: The network; it is not modified.
        parameters: The weights that it uses, detached: of every layer, and of a layer the forward direction first.
        inputs: ``(T, B, I)``, detached; zero past the end of a sample.
        lengths: Steps of each sample, ``(B,)`` on the CPU; None where all are as long as the inputs.
        states: Initial states of each layer and direction, ``(h_0,)`` or ``(h_0, c_0)``, each ``(1, B, H)``.
        own: What its own forward gives, to be compared; None where that is PyTorch's.
        dropped: What multiplies the outputs of each layer but the last before the next reads them, ``(T, B, D*H)``, as
            a dropout does; empty without.
    """

    network: Network
    parameters: list[Parameters]
    inputs: Tensor
    lengths: Tensor | None
    states: list[tuple[Tensor, ...]]
    own: OwnForward | None
    dropped: tuple[Tensor, ...] = ()


def check_given(network: Network, inputs: Inputs, initial_state: InitialState = None, lengths: Lengths = None) -> Given:
    """Check a network together with what it reads.

    Args:
        network: The network.
        inputs: As the network takes them.
        initial_state: ``h_0``, or ``(h_0, c_0)``, each ``(L*D, B, H)``; zeros by default.
        lengths: Steps of each sample, ``(B,)``.

    Raises:
        TypeError: The network or the inputs are of another kind.
        ValueError: Something is not supported, of the wrong shape, or not finite; or the network's own forward fails.
    """
    _check_kind(network)
    batch = check_inputs(network, inputs, lengths)
    states = check_initial_state(network, initial_state, batch.inputs.shape[1])
    own = None
    if peculiarities(network):
        whole = None if initial_state is None else tuple(map(torch.cat, zip(*states, strict=True)))
        own = own_forward(network, batch.inputs, whole, batch.lengths)
    parameters = _checked_weights(network, own)
    return Given(network, parameters, batch.inputs, batch.lengths, states, own)


def check_one_length(given: Given) -> None:
    """Refuse samples that differ in length.

    Raises:
        ValueError: They do.
    """
    if given.lengths is not None:
        raise ValueError(
            f"inputs has samples of {given.lengths.tolist()} steps: expected all of one length; measure those of one "
            "length at a time."
        )


def check_network(network: Network) -> list[Parameters]:
    """Refuse what is not supported, by name and with the reason.

    Args:
        network: The network to check.

    Returns:
        The weights of every layer and direction that its forward pass uses, detached, the first layer first.

    Raises:
        TypeError: It is not an ``nn.RNN``, ``nn.LSTM`` or ``nn.GRU``, nor one of this package's own.
        ValueError: It drops units in training mode, is of another dtype than float32 or float64, has no memory, or has
            weights that are NaN or infinite; or its own forward fails.
    """
    _check_kind(network)
    if not peculiarities(network):
        return _checked_weights(network, None)
    zeros = next(network.parameters()).new_zeros(2, 1, network.input_size)
    return _checked_weights(network, own_forward(network, zeros, None))


def _check_kind(network: Network) -> None:
    """Refuse a network of a kind, mode, dtype or device that is not supported."""
    if not is_network(network):
        raise TypeError(refusal(network))
    if network.dropout and network.training and network.num_layers > 1:
        raise ValueError(
            f"network drops units at random (dropout={network.dropout}, training mode): call network.eval() first, "
            "so that one gradient is measured and not a new one at every call."
        )
    weight = a_weight(network)
    if weight.dtype not in (torch.float32, torch.float64):
        raise ValueError(
            f"network is {weight.dtype}: expected float32 or float64; measure copy.deepcopy(network).float(), with "
            "inputs.float(); a weight normalisation has to be removed first."
        )
    if weight.device.type == "meta":
        raise ValueError("network is on the meta device, without numbers: expected weights; load them first.")


def _checked_weights(network: Network, own: OwnForward | None) -> list[Parameters]:
    """Return the weights that a network uses, or say where they are not finite."""
    parameters = network_parameters(network) if own is None else own.parameters
    if not all(is_finite(*weights.tensors) for weights in parameters):
        counts = {name: int((~torch.isfinite(weight)).sum()) for name, weight in network.named_parameters()}
        bad = ", ".join(f"{name} has {count}" for name, count in counts.items() if count)
        raise ValueError(f"{bad} values that are NaN or infinite: expected finite weights.")
    return parameters
