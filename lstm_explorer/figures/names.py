"""The names of networks, gates and states, the same in every figure."""

from __future__ import annotations

from lstm_explorer.core.architectures import ARCHITECTURES, architecture_named
from lstm_explorer.locales import translated


def network_name(architecture: str) -> str:
    """Return an architecture's name; it is not translated.

    Example:
        >>> network_name("lstm")
        'LSTM'
    """
    return architecture_named(architecture).title


def network_names(*names: str) -> dict[str, str]:
    """Return names of architectures by their keys, by default of all, in the order in which they are offered."""
    return {name: record.title for name, record in ARCHITECTURES.items() if not names or name in names}


def gate_name(name: str, architecture: str) -> str:
    """Return a gate or state as it is written in legends: its word, and its letter.

    Raises:
        KeyError: The architecture has no such gate or state.

    Example:
        >>> gate_name("candidate", "gru")
        'candidate n'
    """
    record = architecture_named(architecture)
    titles = {gate.name: gate.title for gate in record.gates} | {state.name: state.title for state in record.states}
    return translated(titles[name])


def parts(architecture: str) -> tuple[str, ...]:
    """Return the gates of an architecture, the one that keeps the memory first, then its states, memory first.

    Example:
        >>> parts("lstm")
        ('forget', 'input', 'candidate', 'output', 'cell', 'hidden')
    """
    record = architecture_named(architecture)
    gates = sorted(record.gates, key=lambda gate: not gate.keeps)
    states = sorted(record.states, key=lambda state: state.name != record.memory)
    return (*(gate.name for gate in gates), *(state.name for state in states))
