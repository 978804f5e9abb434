"""The app's limits lie inside the core's, and the defaults inside both."""

from __future__ import annotations

from lstm_explorer.core.settings import LIMITS, Settings
from lstm_explorer.ui.address import clamp
from lstm_explorer.ui.limits import page_limits


def test_page_limits_are_inside_the_core_limits():
    for page in ("start", "gradients"):
        for name, (low, high) in page_limits(page).items():
            assert LIMITS[name].low <= low < high <= LIMITS[name].high


def test_the_defaults_are_legal_on_every_page():
    for page in ("start", "gradients"):
        assert clamp(Settings(), page_limits(page)) == (Settings(), ())
