"""Settings: what is legal, what an address becomes, and which inputs have one feature."""

import pytest

from lstm_explorer.core.record import Correction
from lstm_explorer.core.settings import LIMITS, SCALAR_INPUTS, Settings, parse_query


def test_an_empty_text_is_refused_where_it_is_read():
    with pytest.raises(ValueError, match="text is empty: expected at least one character"):
        Settings(input_kind="text", text="")
    assert Settings(text="").text == ""


def test_an_empty_text_in_an_address_becomes_the_default():
    settings, corrections = parse_query({"input_kind": "text", "text": "", "seed": "x"})
    assert settings == Settings(input_kind="text")
    assert corrections == (Correction("seed", "x", 0), Correction("text", "", Settings().text))
    assert parse_query({"text": ""}).record.text == ""


def test_one_number_per_step_is_one_feature():
    for kind in ("digit", "sunspots"):
        assert Settings(input_kind=kind, input_size=8).features == 1
        assert not Settings(input_kind=kind).reads("input_size")
    assert SCALAR_INPUTS == ("digit", "sunspots")
    assert Settings(input_kind="noise", input_size=8).features == 8


@pytest.mark.parametrize("name", LIMITS)
def test_the_limits_are_legal_and_what_lies_beyond_is_not(name):
    low, high = LIMITS[name]
    for value in (low, high):
        assert getattr(Settings(**{name: value}), name) == value
    for value in (low - 1, high + 1):
        with pytest.raises(ValueError, match=f"{name} is .*: expected"):
            Settings(**{name: value})
    assert parse_query({name: str(high + 1)}).record == Settings(**{name: high})


def test_settings_are_values():
    one = Settings(forget_bias=1, seed=3)
    assert one == Settings(seed=3, forget_bias=1.0)
    assert hash(one) == hash(Settings(seed=3, forget_bias=1.0))
    assert one.replace(seed=0) == Settings(forget_bias=1)
    with pytest.raises(AttributeError):
        one.seed = 4
