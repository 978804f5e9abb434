"""Which recurrent networks of a model can be watched, and why others cannot."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from lstm_explorer.core.architectures import Network
from lstm_explorer.core.networks.finding import find_networks, is_network, refusal

#: What a model is called that is itself the recurrent network.
ROOT = "model"


def networks_to_watch(model: nn.Module, names: Sequence[str] | None = None) -> dict[str, Network]:
    """Return the recurrent networks of a model by name.

    Args:
        model: Any module.
        names: Those that are wanted; all by default.

    Returns:
        Name to network, in the order of the model; a model that is itself one is called ``"model"``.

    Raises:
        TypeError: The model is no module, or the names are no list of texts.
        ValueError: There is no network of a name, none at all, or one that cannot be watched.

    Example:
        >>> networks_to_watch(nn.Sequential(nn.Embedding(9, 4), nn.LSTM(4, 8)))
        {'1': LSTM(4, 8)}
    """
    if not isinstance(model, nn.Module):
        raise TypeError(f"model is a {type(model).__name__}: expected a torch.nn.Module, the model that is trained.")
    if names is not None:
        _check_names(names)
    found = {name or ROOT: network for name, network in find_networks(model).items()}
    if names is not None:
        found = {name: _named(model, name, list(found)) for name in names}
    if not found:
        raise ValueError(f"model has no recurrent network: {refusal(model)}")
    for name, network in found.items():
        _check_runs_as_itself(model, "" if network is model else name)
        _check_what_it_drops(name, network)
    return found


def _check_names(names: object) -> None:
    if not isinstance(names, list | tuple) or not all(isinstance(name, str) for name in names):
        came = f"{names!r}" if isinstance(names, str) else f"a {type(names).__name__}"
        raise TypeError(f'watch is {came}: expected a list of names, such as ["encoder.lstm"].')
    if not names:
        raise ValueError("watch is empty: expected names of networks; leave it out to watch all.")


def _named(model: nn.Module, name: str, known: Sequence[str]) -> Network:
    """Return the network of a name; one that is there under several names goes by each."""
    modules = dict(model.named_modules(remove_duplicate=False))
    module = model if name == ROOT and is_network(model) else modules.get(name)
    if module is not None and is_network(module):
        return module
    came = "there is nothing of that name" if module is None else refusal(module)
    expected = ", ".join(map(repr, known)) or "none, as it has none"
    raise ValueError(f"watch names {name!r}: expected recurrent networks of this model, {expected}; {came}")


def _check_runs_as_itself(model: nn.Module, name: str) -> None:
    """Refuse a network in a part that runs as a copy or in compiled form: no hook of the network is called there."""
    parts = [model, *(model.get_submodule(name[:end]) for end in _ends(name))]
    wheres = [ROOT, *(f"{ROOT}.{name[:end]}" for end in _ends(name))]
    for part, where in zip(parts, wheres, strict=True):
        if isinstance(part, nn.DataParallel):
            raise ValueError(
                f"{where} is a DataParallel, whose networks run as copies on several devices: expected the module "
                f"itself. Watch and train {where}.module."
            )
        if isinstance(getattr(part, "_orig_mod", None), nn.Module):
            raise ValueError(
                f"{where} is compiled by torch.compile, and the network in it runs unseen: expected a module that is "
                f"not. Watch and train {where}._orig_mod, or compile only parts without recurrent networks."
            )
        if getattr(part, "_compiled_call_impl", None) is not None:
            raise ValueError(
                f"{where} is compiled by its method compile(), and the network in it runs unseen: expected a module "
                "that is not. Leave that call out, or compile only parts without recurrent networks."
            )


def _ends(name: str) -> list[int]:
    """Return where the names of the parts end in which a module stands, and its own."""
    return [at for at, letter in enumerate(f"{name}.") if letter == "."] if name else []


def _check_what_it_drops(name: str, network: Network) -> None:
    device = next(iter(network.parameters())).device
    if network.dropout and network.num_layers > 1 and device.type != "cpu":
        raise ValueError(
            f"{name} drops units at random between its layers (dropout={network.dropout}), and which ones cannot be "
            f"seen on {device}: expected dropout=0, or the CPU. Set {name}.dropout = 0 while you watch; or make each "
            "layer a network of its own, with nn.Dropout between them; or name others in watch."
        )
