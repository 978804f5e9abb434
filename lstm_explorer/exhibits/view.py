"""How a page shows its numbers: small frozen records, kept in the address beside the settings."""

from __future__ import annotations

from dataclasses import dataclass

from lstm_explorer.core.record import Record


@dataclass(frozen=True, kw_only=True)
class View(Record):
    """Base of a page's view; the names of its fields become URL parameters, so they differ from those of settings."""
