r"""The networks: one file each, a record with everything that is true of it alone.

The conventions that are often mistaken:

- **Gate order.** The rows of ``weight_ih`` and ``weight_hh`` are stacked blocks of ``hidden_size``: input, forget,
  candidate, output (``i f g o``) in the LSTM; reset, update, candidate (``r z n``) in the GRU.
- **Update gate.** In PyTorch's GRU ``z = 1`` *keeps* the old state. Cho et al. 2014 and the minGRU write it the other
  way round.
- **Reset gate.** PyTorch applies it *after* the recurrent product, ``r * (W_hn h + b_hn)``, as cuDNN does.
- **Two bias vectors.** ``bias_ih`` and ``bias_hh`` are simply added (but for the GRU's candidate, whose ``bias_hh``
  sits inside the reset product). Filling both with 1 is a bias of 2.

Every step takes ``(parameters, state, x)`` and returns ``(state, gates)``; the loop over time belongs to
:func:`lstm_explorer.unroll`. Leading axes of the parameters (replicas) broadcast against those of state and input.

A module of this folder that defines ``ARCHITECTURE`` is a network of the app; nothing else has to name it.
"""

from __future__ import annotations

import importlib
import pkgutil
import types
from collections.abc import Mapping

from lstm_explorer.core.architectures.architecture import (
    Architecture,
    ClosedForm,
    Gate,
    Quantity,
    Stage,
    State,
)
from lstm_explorer.core.architectures.parameters import (
    Network,
    Parameters,
    layer_parameters,
    network_parameters,
    num_directions,
    state_size,
)
from lstm_explorer.core.record import schema
from lstm_explorer.core.settings import Settings

__all__ = [
    "ARCHITECTURES",
    "Architecture",
    "ClosedForm",
    "Gate",
    "Network",
    "Parameters",
    "Quantity",
    "Stage",
    "State",
    "architecture_named",
    "architecture_of",
    "layer_parameters",
    "network_parameters",
    "num_directions",
    "state_size",
]


def _records() -> list[Architecture]:
    modules = [importlib.import_module(f"{__name__}.{info.name}") for info in pkgutil.iter_modules(__path__)]
    records = [module.ARCHITECTURE for module in modules if hasattr(module, "ARCHITECTURE")]
    for record in records:
        _check(record)
    return sorted(records, key=lambda record: record.rank)


def _check(record: Architecture) -> None:
    """Refuse a record that the rest of the core could not read."""
    states = tuple(state.name for state in record.states)
    if states not in (("hidden",), ("hidden", "cell")):
        raise ValueError(f"{record.name} has the states {states}: expected ('hidden',) or ('hidden', 'cell').")
    for gate in record.gates:
        if f"{gate.name}_bias" not in schema(Settings):
            raise ValueError(f"{record.name} has a gate {gate.name!r}: expected {gate.name}_bias in Settings; add it.")
    if not record.name.isidentifier():
        raise ValueError(f"the name is {record.name!r}: expected a name that can be a variable of Python.")


#: Name -> record, in the order in which they are offered.
ARCHITECTURES: Mapping[str, Architecture] = types.MappingProxyType({record.name: record for record in _records()})


def architecture_named(name: str) -> Architecture:
    """Return an architecture's record.

    Raises:
        ValueError: There is none of that name.

    Example:
        >>> architecture_named("gru").title
        'GRU'
    """
    if not isinstance(name, str) or name not in ARCHITECTURES:
        raise ValueError(f"architecture is {name!r}: expected one of {', '.join(map(repr, ARCHITECTURES))}.")
    return ARCHITECTURES[name]


def architecture_of(network: Network) -> Architecture:
    """Return the record of a network's architecture.

    Raises:
        TypeError: The network is of no architecture that there is a record of.
    """
    for record in ARCHITECTURES.values():
        if isinstance(network, record.module):
            return record
    *known, last = (f"torch.nn.{record.title}" for record in ARCHITECTURES.values() if record.fused)
    raise TypeError(f"network is a {type(network).__name__}: expected {', '.join(known)} or {last}.")
