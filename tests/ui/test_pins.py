"""Pins: named, and carried by the address."""

import pytest

import lstm_explorer as lx
from lstm_explorer.ui.pins import Pin, default_name


def test_pin_round_trip_through_an_address():
    pin = Pin(
        name="a & b = 파", architecture="gru", settings=lx.Settings(update_bias=2.5, text="안녕", input_kind="text")
    )
    assert Pin.from_text(pin.to_text()) == pin
    assert default_name("lstm", lx.Settings(forget_bias=5)) == "LSTM forget_bias=5"
    with pytest.raises(ValueError, match="network="):
        Pin.from_text("zzz")
