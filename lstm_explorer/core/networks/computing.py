"""What a network really computes: the weights that its forward pass uses, and whether it is PyTorch's own.

A subclass, a hook, a parametrization or a patched ``forward`` may compute something else than the weights say. Such a
network is run itself, on the very inputs, and its output is compared with what is measured: where they differ, it is
refused. A network without any of these is PyTorch's own kernel, and there is nothing to compare.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.modules import module as every_module
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from lstm_explorer.core.architectures import (
    ARCHITECTURES,
    Network,
    Parameters,
    architecture_of,
    network_parameters,
    num_directions,
    state_size,
)

#: The forward of every network, as it was when this package was loaded.
_FORWARDS = {record.module: record.module.forward for record in ARCHITECTURES.values()}
#: How far two forward passes of the same network may lie apart by rounding, relative to the larger output.
_ROUNDING = {torch.float32: 1e-4, torch.float64: 1e-9}


class OwnForward(NamedTuple):
    """What a network's own forward gives.

    Attributes:
        output: ``(T, B, D*H)``, zero past the end of a sample.
        parameters: The weights of every layer and direction that it used.
        gradient: Of the sum of the output with respect to the inputs, ``(T, B, I)``: a forward that detaches states has
            another one; None where autograd cannot go through it.
    """

    output: Tensor
    parameters: list[Parameters]
    gradient: Tensor | None


def peculiarities(network: Network) -> list[str]:
    """Return what may make a network compute something else than its weights say; empty where it is PyTorch's own."""
    kind = architecture_of(network).module
    there = {
        f"it is a {type(network).__name__}, made of {kind.__name__}": type(network) is not kind,
        "its forward was replaced": "forward" in vars(network)
        or type(network).forward is not _FORWARDS.get(kind, kind.forward),
        "it has forward hooks": network._forward_hooks or network._forward_pre_hooks,
        "hooks are set for all modules": _global_hooks(),
        "its weights are no parameters of its own": not _own_weights(network),
    }
    return [text for text, found in there.items() if found]


def _global_hooks() -> bool:
    return bool(every_module._global_forward_hooks or every_module._global_forward_pre_hooks)


def _own_weights(network: Network) -> bool:
    """Tell whether what PyTorch's kernel gets are the registered parameters."""
    flat = getattr(network, "_flat_weights", None)
    if flat is None:  # of one of our own networks
        return True
    own = [network._parameters.get(name) for name in network._flat_weights_names]
    return all(one is not None and one is used for one, used in zip(own, flat, strict=True))


def own_forward(
    network: Network, inputs: Tensor, states: tuple[Tensor, ...] | None, lengths: Tensor | None = None
) -> OwnForward:
    """Run a network's own forward, and leave the network as it was.

    Args:
        network: One with peculiarities.
        inputs: ``(T, B, I)``.
        states: What its forward gets as initial states, ``(L*D, B, H)`` each; None leaves them out.
        lengths: Steps of each sample, ``(B,)``.

    Raises:
        ValueError: It fails on these inputs, gives something else than an output, or another one at every call.
    """
    with unchanged(network):
        first = _run(network, inputs, states, lengths)
    with unchanged(network, advance=True):
        again = _run(network, inputs, states, lengths).output
    if not torch.equal(first.output, again):
        raise ValueError(
            f"network computes something else at every call ({_reasons(network)}): expected one that gives the same "
            "for the same inputs. Call network.eval() first, or take the random part off."
        )
    return first


def check_same(network: Network, own: OwnForward, output: Tensor) -> None:
    """Refuse a network whose own forward gives something else than PyTorch's kernel with the same weights.

    Raises:
        ValueError: The outputs differ by more than rounding.
    """
    difference = float((own.output - output).abs().max())
    if difference > _ROUNDING[output.dtype] * max(1.0, float(output.abs().max())):
        raise _other(network, f"the outputs differ by up to {difference:.2g}")


def check_same_gradient(
    network: Network, own: OwnForward, inputs: Tensor, states: tuple[Tensor, ...] | None, lengths: Tensor | None
) -> None:
    """Refuse a network through which the gradient takes another way, as where a forward detaches its states.

    Raises:
        ValueError: The gradients of the inputs differ by more than rounding from those of a plain network.
    """
    if own.gradient is None:
        return
    expected = _run(plain_copy(network, own.parameters), inputs, states, lengths).gradient
    assert expected is not None
    difference = float((own.gradient - expected).abs().max())
    if difference > 100 * _ROUNDING[inputs.dtype] * float(expected.abs().max()):
        raise _other(network, f"the gradients of its inputs differ by up to {difference:.2g}")


def same_kind(network: Network) -> Network:
    """Return a fresh network of the same kind and sizes, dtype and device, drawn from PyTorch's random state."""
    record = architecture_of(network)
    names = ["input_size", "hidden_size", "num_layers", *record.options]
    if record.fused:
        names += ["bias", "batch_first", "bidirectional", *(["proj_size"] if network.proj_size else [])]
    weight = next(network.parameters())
    sizes = {name: getattr(network, name) for name in names}
    return record.module(**sizes, device=weight.device, dtype=weight.dtype)


def plain_copy(network: Network, parameters: Sequence[Parameters]) -> Network:
    """Return a fresh network of the same kind with copies of these weights, of every layer and direction."""
    with torch.random.fork_rng(devices=[]):
        plain = same_kind(network)
    with torch.no_grad():
        for index, weights in enumerate(parameters):
            for parameter, weight in zip(plain.all_weights[index], weights.used(plain.bias), strict=True):
                parameter.copy_(weight)
    return plain


def _other(network: Network, how: str) -> ValueError:
    name = architecture_of(network).title
    return ValueError(
        f"network computes something else than a torch.nn.{name} with its weights ({_reasons(network)}): {how}. Take "
        "that off, or write one step of it and measure that with lstm_explorer.cell_gradient_flow."
    )


def _reasons(network: Network) -> str:
    return "; ".join(peculiarities(network))


def _run(network: Network, inputs: Tensor, states: tuple[Tensor, ...] | None, lengths: Tensor | None) -> OwnForward:
    """Call the network as its user would, and bring what it returns time first."""
    leaf = inputs.detach().clone().requires_grad_()
    given: Any = leaf.transpose(0, 1) if network.batch_first else leaf
    if lengths is not None:
        given = pack_padded_sequence(given, lengths, network.batch_first, enforce_sorted=False)
    state = () if states is None else (states if len(states) > 1 else states[0],)
    try:
        came = network(given, *state)
    except Exception as error:
        raise ValueError(
            f"network fails on these inputs ({_reasons(network)}): {type(error).__name__}: {error}. Expected a forward "
            f"that takes them as torch.nn.{architecture_of(network).title} does."
        ) from error
    output = came if isinstance(came, Tensor | PackedSequence) else came[0] if isinstance(came, tuple) else None
    if isinstance(output, PackedSequence):
        output, _ = pad_packed_sequence(output, network.batch_first, total_length=len(inputs))
    if isinstance(output, Tensor) and output.ndim == 3 and network.batch_first:
        output = output.transpose(0, 1)
    size = state_size(network) * num_directions(network)
    if not isinstance(output, Tensor) or tuple(output.shape) != (*inputs.shape[:2], size):
        shown = tuple(output.shape) if isinstance(output, Tensor) else type(came).__name__
        raise ValueError(
            f"network returns {shown} ({_reasons(network)}): expected the output of every step, as "
            f"torch.nn.{architecture_of(network).title} returns it."
        )
    used = [each.map(torch.Tensor.clone) for each in _used(network)]
    return OwnForward(output.detach().clone(), used, _gradient(output, leaf))


def _gradient(output: Tensor, inputs: Tensor) -> Tensor | None:
    """Return the gradient of the sum of an output; zeros where it does not depend on the inputs."""
    if not output.requires_grad:
        return torch.zeros_like(inputs)
    try:
        (found,) = torch.autograd.grad(output.sum(), inputs, allow_unused=True)
    except RuntimeError:  # weights made in inference mode
        return None
    return torch.zeros_like(inputs) if found is None else found


def _used(network: Network) -> list[Parameters]:
    """Return the weights that the last forward pass gave to PyTorch's kernel."""
    flat = getattr(network, "_flat_weights", None)
    if flat is None:
        return network_parameters(network)
    per_layer = len(network._all_weights[0])
    return [Parameters.of(flat[start : start + per_layer]) for start in range(0, len(flat), per_layer)]


@contextlib.contextmanager
def unchanged(network: nn.Module, *, advance: bool = False) -> Iterator[None]:
    """Put back what a call of the network changes: attributes, buffers, weights, and PyTorch's random state.

    Args:
        network: The network.
        advance: Draw other random numbers than a call before it.
    """
    kept = [(module, _contents(module)) for module in network.modules()]
    tensors = {tensor: tensor.detach().clone() for tensor in (*network.parameters(), *network.buffers())}
    with torch.random.fork_rng(devices=[]):
        if advance:
            torch.rand(1)
        try:
            yield
        finally:
            for module, contents in kept:
                _restore(module, contents)
            with torch.no_grad():
                for tensor, before in tensors.items():
                    if not torch.equal(tensor, before):
                        tensor.copy_(before)


def _contents(module: nn.Module) -> dict[str, Any]:
    """Return a module's attributes, and copies of the lists and dicts among them."""
    return {
        name: (value, value.copy() if isinstance(value, dict | list) else None) for name, value in vars(module).items()
    }


def _restore(module: nn.Module, contents: dict[str, Any]) -> None:
    attributes = vars(module)
    attributes.clear()
    for name, (value, copy) in contents.items():
        attributes[name] = value
        if isinstance(value, dict):
            value.clear()
            value.update(copy)
        elif isinstance(value, list):
            value[:] = copy
