"""The pure parts of the widgets: their stops, and the preset that matches."""

from __future__ import annotations

import itertools

from lstm_explorer.core.settings import Settings
from lstm_explorer.ui.controls import log_stops, matching


def test_log_stops_are_round_hold_the_ends_and_the_value():
    stops = log_stops(2, 2000, 777)
    assert stops == sorted(set(stops))
    assert (stops[0], stops[-1]) == (2, 2000)
    assert 777 in stops
    assert max(after / before for before, after in itertools.pairwise(stops[8:])) <= 1.34


def test_the_first_preset_that_changes_nothing_is_lit():
    options = {"five": {"forget_bias": 5}, "one": {"forget_bias": 1, "recurrent_init": "keras"}}
    assert matching(Settings(forget_bias=5.0), options) == "five"
    assert matching(Settings(forget_bias=1.0), options) is None
