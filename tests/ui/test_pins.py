"""Pins: named, and carried by the address."""

import pytest

import lstm_explorer as lx
from lstm_explorer.core.errors import ExplainedError
from lstm_explorer.ui.pins import Pin, default_name


def test_pin_round_trip_through_an_address():
    pin = Pin(
        name="a & b = 파", architecture="gru", settings=lx.Settings(update_bias=2.5, text="안녕", input_kind="text")
    )
    assert Pin.from_text(pin.to_text()) == pin
    assert default_name("lstm", lx.Settings(forget_bias=5)) == "LSTM forget_bias=5"
    with pytest.raises(ValueError, match="network="):
        Pin.from_text("zzz")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name=a&network=lstm&forget_bias=abc", "forget_bias is abc, which no curve can have"),
        ("name=a&network=lstm&forget_bias=99", "forget_bias is 99, which no curve can have"),
        ("name=a&network=lstm&sequence_length=99999", "sequence_length is 99999, which"),
        ("name=a&network=lstm&forget_bia=5", "no setting has the name forget_bia"),
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
