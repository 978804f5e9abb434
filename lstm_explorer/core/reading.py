"""Which settings a network reads: those of others change nothing."""

from __future__ import annotations

import functools

from lstm_explorer.core.architectures import ARCHITECTURES, architecture_named
from lstm_explorer.core.record import schema
from lstm_explorer.core.settings import NetworkSettings


@functools.lru_cache(maxsize=1024)
def unread(architecture: str, settings: NetworkSettings) -> frozenset[str]:
    """Return the settings that an architecture does not read, or that the others leave without effect.

    Example:
        >>> from lstm_explorer import Settings
        >>> sorted(unread("gru", Settings()) & {"forget_bias", "update_bias", "chrono_max", "digit"})
        ['chrono_max', 'digit', 'forget_bias']
    """
    record = architecture_named(architecture)
    of_others = frozenset().union(*(other.own_settings for other in ARCHITECTURES.values())) - record.own_settings
    idle = {name for name in schema(type(settings)) if not settings.reads(name)}
    drawn = {f"{gate.name}_bias" for gate in record.gates if gate.chrono}
    if settings.recurrent_init != "chrono":
        return of_others | idle
    return of_others | idle | (drawn or {"chrono_max"})
