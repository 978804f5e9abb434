"""Pins: named, and carried by the address."""

import pytest

import lstm_explorer as lx
from lstm_explorer.core.errors import ExplainedError
from lstm_explorer.ui.pins import MOST_PINS, Pin, with_names


def test_pin_round_trip_through_an_address():
    settings = lx.Settings(update_bias=2.5, text="안녕", input_kind="text")
    pin = Pin(own_name="a & b = 파", name="a & b = 파", architecture="gru", settings=settings)
    assert Pin.from_text(pin.to_text()) == pin
    assert Pin.from_text(pin.to_text()).name == pin.name
    longest = Pin(name="", architecture="gru", settings=lx.Settings(text="한" * 2000, input_kind="text"))
    assert Pin.from_text(longest.to_text()) == longest
    with pytest.raises(ValueError, match="network="):
        Pin.from_text("zzz")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name=a&network=lstm&forget_bias=abc", "forget_bias is abc, which no curve can have"),
        ("name=a&network=lstm&forget_bias=99", "forget_bias is 99, which no curve can have"),
        ("name=a&network=lstm&sequence_length=99999", "sequence_length is 99999, which"),
        ("name=a&network=lstm&forget_bia=5", "no setting has the name forget_bia"),
        (f"network=rnn&name={'%20' * 10_000}&forget_bias=5", "pin is network=rnn&name=%20"),
        ("name=a&network=tcn", "network= is tcn: expected one of rnn, lstm"),
    ],
)
def test_a_pin_that_would_be_another_curve_is_refused(text, message):
    with pytest.raises(ExplainedError, match=message):
        Pin.from_text(text)


def test_a_pin_is_read_as_hands_and_mails_write_it():
    pin = Pin.from_text("Name=a\ud800\x00&Network=LSTM&amp;forget-bias=5")
    assert (pin.name, pin.architecture, pin.settings) == ("a\ufffd\ufffd", "lstm", lx.Settings(forget_bias=5))
    assert Pin.from_text(pin.to_text()) == pin


def pinned(*texts, **settings):
    return [pin.name for pin in with_names(list(map(Pin.from_text, texts)), lx.Settings(**settings))]


def test_pins_are_named_by_what_sets_them_apart_however_many_settings_they_share():
    shared = "network=lstm&sequence_length=500&num_seeds=20&hidden_size=64&input_scale=0.5&recurrent_init=orthogonal"
    texts = [f"{shared}&forget_bias={bias}" for bias in (0, 1, 3)]
    now = Pin.from_text(texts[0]).settings
    names = [pin.name for pin in with_names(list(map(Pin.from_text, texts)), now)]
    assert names == ["LSTM, forget bias 0", "LSTM, forget bias 1", "LSTM, forget bias 3"]


def test_no_two_pins_share_a_name_and_none_is_lost():
    assert pinned(*["network=lstm"] * 3) == ["LSTM, pinned", "LSTM, pinned (2)", "LSTM, pinned (3)"]
    assert pinned("name=a&network=lstm", "name=a&network=gru&seed=3") == ["a", "a (2)"]
    assert len(pinned(*[f"network=rnn&seed={seed}" for seed in range(MOST_PINS)])) == MOST_PINS


def test_a_pin_without_a_name_of_its_own_has_none_in_the_address():
    assert "name" not in Pin.from_text("network=lstm&forget_bias=5").to_text()
