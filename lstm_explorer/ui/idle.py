"""Why a control changes nothing with the settings as they are: said beneath it, and the control is disabled."""

from __future__ import annotations

from collections.abc import Sequence

from lstm_explorer.core.reading import unread
from lstm_explorer.locales import _
from lstm_explorer.ui.session import current_record


def why_idle(name: str, networks: Sequence[str]) -> str:
    """Return why a setting changes nothing for the networks shown; empty where one of them reads it.

    Args:
        name: The setting.
        networks: Names of the architectures that the page shows.
    """
    settings = current_record()
    if any(name not in unread(network, settings) for network in networks):
        return ""
    if settings.recurrent_init == "chrono" and name.endswith("_bias"):
        return _("Chrono draws this bias for every unit. Choose another initialisation or preset to set it.")
    if name == "input_scale":
        return _("Zeros are zeros at every scale.")
    return _("None of the networks shown reads this.")
