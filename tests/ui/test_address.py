"""The pure parts of the address: what is news, what it means, what is written."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Literal

import pytest

from lstm_explorer.core.settings import LIMITS, Repair, Settings
from lstm_explorer.exhibits.view import View, number
from lstm_explorer.ui import address
from lstm_explorer.ui.address import clamp, compose, is_news, last_values, merge
from lstm_explorer.ui.controls import log_stops, matching
from lstm_explorer.ui.errors import plain
from lstm_explorer.ui.language import language_of_locale
from lstm_explorer.ui.limits import LONGEST_TEXT, page_limits


@dataclass(frozen=True, kw_only=True)
class Lab(View):
    """A view with one field of each kind."""

    scale: Literal["log", "linear"] = "log"
    shown: tuple[Literal["rnn", "lstm", "gru"], ...] = ("rnn", "lstm")
    theory: bool = True
    layer: int = number(0, 0, 7)
    floor: float = number(-40.0, -2000.0, 0.0)
    title: str = ""


NOW = {"forget_bias": ("1.0",)}


@pytest.mark.parametrize(
    ("now", "written", "from_history", "expected"),
    [
        ({}, [], False, True),  # first visit, even with an empty address
        (NOW, [], False, True),  # first visit by a deep link
        (NOW, [NOW], False, False),  # our own last write
        (NOW, [NOW, {"forget_bias": ("2.0",)}], False, False),  # a widget moved before the browser heard of the write
        ({}, [NOW], False, False),  # a click in the navigation drops the query
        (NOW, [{}], False, True),  # an address this session never wrote
        (NOW, [NOW, {}], True, True),  # the back button
        ({}, [NOW], True, True),  # the back button, to the defaults
    ],
)
def test_who_wins(now, written, from_history, expected):
    assert is_news(now, written, from_history=from_history) is expected


def test_an_address_holds_only_what_differs_and_repeats_lists():
    settings = Settings(sequence_length=50)
    address = compose(settings, Lab(scale="linear"), {"pin": ("a", "b"), "empty": ()}, {"lang": "ko"})
    assert address == {"lang": ("ko",), "sequence_length": ("50",), "scale": ("linear",), "pin": ("a", "b")}
    assert last_values(address)["pin"] == "b"
    assert compose(Settings(), Lab(), {}, {}) == {}


def test_clamp_brings_every_setting_inside_and_says_which():
    settings = Settings(sequence_length=1, forget_bias=-100, text="x" * (LONGEST_TEXT + 1))
    clamped, repairs = clamp(settings, page_limits("start"))
    assert (clamped.sequence_length, clamped.forget_bias, len(clamped.text)) == (2, -6.0, LONGEST_TEXT)
    assert [(repair.name, repair.came) for repair in repairs[:2]] == [("sequence_length", "1"), ("forget_bias", "-100")]
    assert clamp(clamped, page_limits("start")) == (clamped, ())


def test_page_limits_are_inside_the_core_limits():
    for page in ("start", "gradients"):
        for name, (low, high) in page_limits(page).items():
            assert LIMITS[name].low <= low < high <= LIMITS[name].high


def test_the_defaults_are_legal_on_every_page():
    for page in ("start", "gradients"):
        assert clamp(Settings(), page_limits(page)) == (Settings(), ())


def test_merge_keeps_what_came_first_and_what_was_taken_last():
    first, second = Repair("sequence_length", "1e9", 100_000), Repair("sequence_length", "100000", 2000)
    assert merge([first], [second]) == (Repair("sequence_length", "1e9", 2000),)


VIEWS = [
    Lab(),
    Lab(scale="linear", shown=("gru",), theory=False, layer=3, floor=-1740.5, title="한 글 & = ?"),
    Lab(shown=()),
]


@pytest.mark.parametrize("view", VIEWS)
def test_a_view_comes_back_from_its_query(view):
    assert Lab.parse_query(view.to_query()) == (view, ())


@pytest.mark.parametrize(
    ("name", "text", "taken"),
    [
        ("scale", "cubic", "log"),
        ("shown", "rnn-tcn", ("rnn",)),
        ("shown", "tcn", ("rnn", "lstm")),
        ("theory", "yes", True),
        ("layer", "9", 7),
        ("layer", "1.5", 2),
        ("layer", "nan", 0),
        ("floor", "inf", 0.0),
        ("floor", "low", -40.0),
    ],
)
def test_nonsense_in_a_view_is_mended_and_listed(name, text, taken):
    view, repairs = Lab.parse_query({name: text})
    assert getattr(view, name) == taken
    assert repairs == (Repair(name, text, taken),)


@pytest.mark.parametrize(
    "changes", [{"scale": "cubic"}, {"shown": ("tcn",)}, {"theory": 1}, {"layer": 8}, {"layer": True}, {"title": None}]
)
def test_a_view_refuses_what_is_not_legal(changes):
    with pytest.raises(ValueError, match=f"{next(iter(changes))} is .*: expected"):
        Lab().replace(**changes)


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


@pytest.mark.parametrize(
    ("locale", "code"), [("ko-KR", "ko"), ("ko", "ko"), ("en-GB", "en"), ("kok-IN", "en"), (None, "en")]
)
def test_language_of_locale(locale, code):
    assert language_of_locale(locale) == code


def test_plain_text_survives_markdown():
    assert plain("[a](b) *c* <d> $e$ :f:") == r"\[a\]\(b\) \*c\* \<d\> \$e\$ \:f\:"


def test_a_callback_changes_the_record_and_sends_nothing(monkeypatch):
    """Anything sent from a callback lets Streamlit requeue a newer move behind it: a quick slider jumps back."""
    session = address.Session(page="lab", views={"lab": Lab()})
    monkeypatch.setattr(address, "_session", lambda: session)
    monkeypatch.setattr(address, "st", None)
    address.apply(forget_bias=2, scale="linear")
    address.apply_list("pin", ["a"])
    assert (session.settings.forget_bias, session.views["lab"].scale) == (2.0, "linear")
    assert address.current_list("pin") == ("a",)
