"""The page Vanish or explode under AppTest: every topic of every network, and the map's click."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

import lstm_explorer as lx

ENTRY = Path(__file__).resolve().parents[2] / "streamlit_app.py"
SMALL = {"sequence_length": "20", "hidden_size": "4"}


def app(**query):
    """Open the page with an address, as a link does."""
    at = AppTest.from_file(str(ENTRY), default_timeout=60)
    at.switch_page("pages/jacobians.py")
    for name, value in {**SMALL, **query}.items():
        at.query_params[name] = value
    at.run()
    assert not at.exception
    return at


def says(at):
    return " ".join(element.value for element in (*at.markdown, *at.info))


@pytest.mark.parametrize("topic", ["eigenvalues", "exponents", "edge", "clipping", "truncation"])
def test_every_topic_is_drawn_beneath_the_fan(topic):
    at = app(topic=topic, network="lstm")
    assert not at.error
    assert len(at.get("plotly_chart")) == 2
    assert "**LSTM, gradient of c: vanishes.**" in says(at)


def test_a_network_without_recurrent_weights_says_why_it_has_no_edge():
    at = app(topic="edge", network="mingru")
    assert len(at.get("plotly_chart")) == 1
    assert "has no recurrent weights, so there is no gain and no edge" in says(at)


def test_the_gain_moves_the_verdict_and_the_address():
    at = app(recurrent_init="orthogonal", sequence_length="60", hidden_size="16")
    assert "**RNN, all directions: vanishes.**" in says(at)
    at.slider(key="recurrent_gain").set_value(3.0).run()
    assert at.query_params["recurrent_gain"] == "3.0"
    settings = lx.Settings(recurrent_init="orthogonal", recurrent_gain=3.0, sequence_length=60, hidden_size=16)
    flow = lx.jacobian_flow(lx.build_network("rnn", settings), lx.make_inputs(settings))
    verdict = "explodes" if flow.log10_singular_values[0, 0, 0] > 1 else "survives"
    assert f"**RNN, all directions: {verdict}.**" in says(at)


def test_two_long_measurements_on_one_network_each_have_a_button(monkeypatch):
    monkeypatch.setattr("lstm_explorer.ui.runner._WORK_PER_RUN", 1)
    monkeypatch.setattr("lstm_explorer.ui.work.continue_work", lambda: None)
    monkeypatch.setattr("streamlit.rerun", lambda **_scope: None)
    at = app(sequence_length="12")
    assert not at.error
    stops = [button.key for button in at.button if button.key.startswith("stop_")]
    assert len(stops) == len(set(stops)) > 1
