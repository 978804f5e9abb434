"""The pure parts of the widgets: their stops, and the preset that matches."""

from __future__ import annotations

import itertools
from pathlib import Path

from streamlit.testing.v1 import AppTest

from lstm_explorer.core.escape import markdown
from lstm_explorer.core.settings import Settings
from lstm_explorer.ui.controls import log_stops, matching

ENTRY = Path(__file__).resolve().parents[2] / "streamlit_app.py"


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


def test_a_typed_number_is_taken_or_the_reader_is_told_why_not():
    at = AppTest.from_file(str(ENTRY), default_timeout=60)
    at.query_params["sequence_length"] = "30"
    at.run()
    for typed in ("1", "5000", "0", "-3", "2.5", "many", "", "1e3", "9" * 20, "*x*"):
        at.text_input(key="sequence_length").set_value(typed).run()
        said = " ".join(caption.value for caption in at.caption)
        came = markdown(typed) or "Nothing"
        assert f":red[{came} is not possible: expected a whole number from 2 to 2000. It stays 30.]" in said
        assert at.text_input(key="sequence_length").value == "30"
        assert at.query_params["sequence_length"] == "30"
    for typed, taken in (("77", 77), (" 1,200 ", 1200), ("2", 2)):
        at.text_input(key="sequence_length").set_value(typed).run()
        assert at.query_params["sequence_length"] == str(taken)
        assert ":red[" not in " ".join(caption.value for caption in at.caption)
