"""How a page shows its numbers: small frozen records, kept in the address beside the settings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from lstm_explorer.core.record import Record


@dataclass(frozen=True, kw_only=True)
class View(Record):
    """Base of a page's view; the names of its fields become URL parameters, so they differ from those of settings.

    A page with ``own_settings`` does not read the settings that the other pages share: its view has all of its own, and
    may name them as they do.
    """

    own_settings: ClassVar[bool] = False
