"""The recurrent networks in a model, and what to pass where something else came."""

from __future__ import annotations

import json
import keyword
from collections.abc import Mapping
from typing import Any

from torch import nn

from lstm_explorer.core.architectures import ARCHITECTURES, Network, architecture_of

#: The cells of PyTorch and the networks whose single step they are.
_CELLS: Mapping[type[nn.Module], str] = {nn.RNNCell: "RNN", nn.LSTMCell: "LSTM", nn.GRUCell: "GRU"}
#: How many networks a message names.
_NAMED = 8


def find_networks(model: nn.Module) -> dict[str, Network]:
    """Return the recurrent networks in a model.

    Args:
        model: Any module, such as a classifier with an LSTM inside; or a recurrent network itself.

    Returns:
        The name of each, as ``model.named_modules()`` has it, to the network; ``""`` is the model itself. One that is
        there twice is named once.

    Raises:
        TypeError: The model is no ``nn.Module``.

    Example:
        >>> model = nn.ModuleDict({"encoder": nn.GRU(2, 3), "head": nn.Linear(3, 1)})
        >>> find_networks(model)
        {'encoder': GRU(2, 3)}
    """
    if not isinstance(model, nn.Module):
        raise TypeError(f"model is a {type(model).__name__}: expected a torch.nn.Module.")
    return {name: module for name, module in model.named_modules() if is_network(module)}


def is_network(module: Any) -> bool:
    """Tell whether a module is a recurrent network that can be measured."""
    try:
        architecture_of(module)
    except TypeError:
        return False
    return True


def refusal(came: Any) -> str:
    """Say why this is no network, and what to pass in its place."""
    known = [f"torch.nn.{record.title}" for record in ARCHITECTURES.values() if record.fused]
    expected = f"expected {', '.join(known[:-1])} or {known[-1]}"
    kind = type(came).__name__
    if not isinstance(came, nn.Module):
        return f"network is a {kind}: {expected}."
    kind = getattr(came, "original_name", kind)  # a scripted module's own name
    found = find_networks(came)
    if found:
        there = [f"network{access_path(name)} ({_described(each)})" for name, each in list(found.items())[:_NAMED]]
        more = f", and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
        return f"network is a {kind}: {expected}. Pass one of those in it: {', '.join(there)}{more}."
    return f"network is a {kind}: {expected}.{_way_out(came)}"


def _way_out(module: nn.Module) -> str:
    """Say what to do about a module that has no network that can be measured."""
    inside = [one for one in module.modules() if _original_name(one) in _CELLS.values()]
    if inside:  # scripted, traced or quantised: the name is there, the class is another
        name = _original_name(inside[0])
        if "quantized" in type(inside[0]).__module__:
            return f" Measure the float {name} from which this quantised one was made."
        made = f"torch.nn.{name}(...) of the same sizes"
        return f" Measure the {name} from before it was compiled, or load its weights into a {made} by load_state_dict."
    for one in module.modules():
        for cell, name in _CELLS.items():
            if isinstance(one, cell):
                return (
                    f" It steps a {cell.__name__} by hand: put its weights into a torch.nn.{name} with "
                    'load_state_dict({f"{name}_l0": weight for name, weight in cell.state_dict().items()}), or measure '
                    "the step with lstm_explorer.cell_gradient_flow."
                )
    return ""


def _original_name(module: nn.Module) -> str:
    return str(getattr(module, "original_name", "")) or (
        type(module).__name__ if "quantized" in type(module).__module__ else ""
    )


def access_path(name: str) -> str:
    """Return what to write behind a model to reach the module of this name.

    Example:
        >>> access_path("encoder.lstm"), access_path("stack.0"), access_path("")
        ('.encoder.lstm', '.get_submodule("stack.0")', '')
    """
    parts = name.split(".")
    if not name or all(part.isidentifier() and not keyword.iskeyword(part) for part in parts):
        return f".{name}" if name else ""
    return f".get_submodule({json.dumps(name)})"


def _described(network: Network) -> str:
    layers = f"{network.num_layers} layer{'' if network.num_layers == 1 else 's'}"
    return f"{type(network).__name__}, {network.input_size} to {network.hidden_size}, {layers}"
