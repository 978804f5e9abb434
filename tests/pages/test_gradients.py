"""The lab under AppTest: settings moved, numbers read, pins, files and refusals."""

import base64
import json
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

import lstm_explorer as lx
from lstm_explorer.core.gradients.summaries import summarise
from lstm_explorer.ui.pins import MOST_PINS

ENTRY = Path(__file__).resolve().parents[2] / "streamlit_app.py"


def app(**query):
    """Open the lab with an address, as a link does."""
    at = AppTest.from_file(str(ENTRY), default_timeout=60)
    at.switch_page("pages/gradients.py")
    for name, value in query.items():
        at.query_params[name] = value
    return at.run()


def curves(at):
    """Return name to the numbers drawn upwards, of the chart on screen."""
    spec = json.loads(at.get("plotly_chart")[0].proto.spec)
    return {trace["name"]: numbers(trace["y"]) for trace in spec["data"]}


def numbers(y):
    if isinstance(y, dict):
        return np.frombuffer(base64.b64decode(y["bdata"]), dtype=y["dtype"])
    return np.array(y, dtype=float)


def test_chart_holds_the_core_s_numbers_for_every_network():
    at = app(networks="rnn-lstm-gru", sequence_length="30", num_seeds="3", update_bias="1.5")
    settings = lx.Settings(sequence_length=30, num_seeds=3, update_bias=1.5)
    for network in ("rnn", "lstm", "gru"):
        expected = summarise(lx.seed_flows(settings, architecture=network)).median
        np.testing.assert_allclose(curves(at)[network.upper()], expected, rtol=1e-12)


@pytest.mark.parametrize("quantity", ["hidden", "cell", "cell_path", "inputs"])
def test_each_gradient_is_the_core_s(quantity):
    at = app(networks="lstm", quantity=quantity, measure="absolute", loss="every", num_layers="2", layer="2")
    settings = lx.Settings(loss="every", num_layers=2)
    flow = lx.seed_flows(settings, architecture="lstm")
    expected = summarise(flow, quantity, layer=1, relative=False).median
    np.testing.assert_allclose(curves(at)["LSTM"], expected, rtol=1e-12)


def test_a_pin_stays_when_the_setting_moves_and_goes_when_unpinned():
    at = app()
    at.slider(key="forget_bias").set_value(3.0).run()
    at.text_input(key="pin_name").set_value("three").run()
    at.button(key="pin_lstm").click().run()
    at.slider(key="forget_bias").set_value(0.0).run()
    expected = summarise(lx.seed_flows(lx.Settings(forget_bias=3.0), architecture="lstm")).median
    np.testing.assert_allclose(curves(at)["three"], expected, rtol=1e-12)
    assert "name=three" in str(at.query_params["pin"])
    at.multiselect(key="pins").set_value([]).run()
    assert "three" not in curves(at)
    assert "pin" not in at.query_params


def test_text_of_any_language_is_read_and_shown_on_hover():
    at = app(input_kind="text", text="그래디언트", networks="rnn")
    assert len(curves(at)["RNN"]) == 6
    spec = json.loads(at.get("plotly_chart")[0].proto.spec)
    assert next(t for t in spec["data"] if t["name"] == "RNN")["text"] == ["", *"그래디언트"]


def test_relu_overflow_leaves_the_other_network_and_says_why():
    at = app(networks="rnn-lstm", nonlinearity="relu", recurrent_init="identity", recurrent_gain="3")
    assert set(curves(at)) >= {"LSTM"}
    assert "RNN" not in curves(at)
    assert "float32" in at.error[0].value
    assert not at.exception


def test_too_large_is_refused_once_with_the_numbers_and_nothing_is_lost():
    at = app(networks="rnn-lstm", sequence_length="2000", hidden_size="256", batch_size="64")
    refusals = [box.value for box in at.warning if "MB" in box.value]
    assert len(refusals) == 1
    assert "2000" in refusals[0]
    assert at.text_input(key="sequence_length").value == "2000"
    assert not at.exception


def test_csv_without_a_file_says_what_to_do():
    at = app(input_kind="csv", networks="rnn")
    assert any("CSV" in box.value for box in at.warning)
    assert not at.exception


def test_many_seeds_draw_a_band_and_few_none():
    assert "RNN, quartiles" in curves(app(num_seeds="9"))
    assert "RNN, quartiles" not in curves(app())


def test_theory_is_drawn_and_can_be_put_away():
    at = app()
    assert any("mean field" in name for name in curves(at))
    at.toggle(key="theory").set_value(False).run()
    assert not any("theory" in name for name in curves(at))


def test_a_list_of_networks_that_is_none_says_how_to_write_one():
    at = app(networks="rnn,lstm")
    (warning,) = at.warning
    assert "any of rnn, lstm, gru, mingru, minlstm, joined by hyphens; rnn\\-lstm is used" in warning.value


def test_more_pins_than_the_buttons_allow_are_left_out_and_said():
    at = app(sequence_length="5", hidden_size="2", pin=[f"name=pin {n}&network=rnn&seed={n}" for n in range(30)])
    assert len(at.multiselect(key="pins").value) == MOST_PINS
    assert len(at.query_params["pin"]) == MOST_PINS
    assert any("**pin** was name=pin 8" in warning.value.replace("\\", "") for warning in at.warning)


def test_a_table_in_two_ways_is_asked_on_the_page_and_drawn_once_it_is_said():
    at = app(input_kind="csv", networks="rnn", sequence_length="5")
    at.file_uploader(key="table_file").set_value(("a.csv", b"a;b\n1,250;2\n3,500;4\n2,750;1\n", "text/csv")).run()
    assert any("1,250 can be 1250 or" in box.value for box in at.error)
    at.selectbox(key="table_decimal").set_value("comma").run()
    assert not at.error
    assert any("decimal comma" in caption.value for caption in at.caption)
    rows = np.array([[1.25, 2], [3.5, 4], [2.75, 1]])
    settings = lx.Settings(sequence_length=5, input_kind="csv", input_size=2)
    expected = summarise(lx.seed_flows(settings, architecture="rnn", table=rows)).median
    np.testing.assert_allclose(curves(at)["RNN"], expected, rtol=1e-12)


HOSTILE = {
    "amp;sequence_length": "20", "Hidden-Size": "4", "forget_bia": "5", "networks": "", "text": "a\x00b", "lang": "xx",
    "report": "zzz", "pin": ["name=<a href='http://x'>y</a>&network=lstm", "name=a&network=lstm&forget_bias=abc"],
    "**[x](http://y)** $\\int$": "z" * 100_000, "seed": "9" * 5000, "": "", "=": "=",
    **{f"zz{n}": "1" for n in range(99)},
}  # fmt: skip


def test_a_hostile_address_leaves_the_page_and_is_said():
    at = app(**HOSTILE)
    assert not at.exception
    assert at.title[0].value == "Gradient flow"
    assert at.text_input(key="sequence_length").value == "20"
    assert at.query_params["hidden_size"] == "4"
    assert set(curves(at)) >= {"RNN", "&lt;a href='http://x'&gt;y&lt;/a&gt;"}
    assert any(name.startswith("LSTM, T = 20 steps, H = 4 units") for name in curves(at))  # apart from its pin
    said = at.warning[0].value.replace("\\", "")
    for words in [
        "**forget_bia** was 5: nothing on this page has this name, the nearest is forget_bias; it was left out",
        "**networks** was empty: expected any of rnn",
        "forget_bias is abc, which no curve can have; it was left out",
    ]:
        assert words in said
    assert said.count("\n- ") == 9
    assert len(said) < 3000
