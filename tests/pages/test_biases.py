"""The page Gate biases under AppTest: what is clicked is what the core then measures; nothing ends in a traceback."""

import math
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

import lstm_explorer as lx
from lstm_explorer.exhibits.registry import EXHIBITS

ENTRY = Path(__file__).resolve().parents[2] / "streamlit_app.py"


def app(**query):
    """Open the page with an address, as a link does."""
    at = AppTest.from_file(str(ENTRY), default_timeout=60)
    at.switch_page("pages/biases.py")
    for name, value in query.items():
        at.query_params[name] = value
    return at.run()


def says(at):
    return " ".join(element.value for element in at.markdown)


def settled(at):
    assert not at.exception
    return at


@pytest.mark.parametrize("topic", ["need", "effective", "paths", "puzzle", "weights"])
@pytest.mark.parametrize("network", ["lstm", "gru"])
def test_every_topic_of_every_network_is_drawn(network, topic):
    at = settled(app(network=network, topic=topic, sequence_length="30", hidden_size="6"))
    assert not at.error
    assert len(at.get("plotly_chart")) == (3 if topic == "weights" else 2)


@pytest.mark.parametrize("across", ["gate", "length"])
def test_every_map_is_drawn(across):
    at = settled(app(across=across, sequence_length="20", hidden_size="4"))
    assert not at.error
    assert "Nearest to your settings" in says(at)


def test_the_way_back_from_an_explosion_is_one_click():
    at = settled(app(forget_bias="5"))
    assert "**These settings explode**" in says(at)
    settled(at.button(key="oppose").click().run())
    assert at.slider(key="input_bias").value == -5.0
    assert "**These settings explode**" not in says(at)


def test_the_measured_answer_is_set_with_a_click_and_then_suffices():
    at = settled(app(memory="50", share="0.2"))
    need = lx.required_bias(lx.Settings(num_seeds=5), lag=50, share=0.2)
    assert f"**Take {need.recommended:g}** for the forget gate f" in says(at)
    settled(at.button(key="set_answer").click().run())
    assert at.slider(key="forget_bias").value == need.recommended
    for seed in range(5):
        set_so = lx.Settings(forget_bias=need.recommended, seed=seed)
        norms = lx.seed_flows(set_so, architecture="lstm").log10_cell[0, 0, :, 0]
        assert norms[-1 - 50] - norms[-1] >= math.log10(0.2)


def test_the_lines_shown_set_all_that_was_set_in_a_network_of_anybody_s():
    at = settled(app(num_layers="2", memory="50", input_bias="-1.5"))
    import torch

    lstm = torch.nn.LSTM(3, 7, num_layers=2, bidirectional=True)
    exec(at.code[0].value, {"torch": torch, "lstm": lstm})
    need = lx.required_bias(lx.Settings(num_layers=2, input_bias=-1.5, num_seeds=5), lag=50)
    for name in ("l0", "l0_reverse", "l1", "l1_reverse"):
        both = getattr(lstm, f"bias_ih_{name}") + getattr(lstm, f"bias_hh_{name}")
        torch.testing.assert_close(both[7:14].detach(), torch.full((7,), need.recommended), atol=1e-4, rtol=0)
        torch.testing.assert_close(both[:7].detach(), torch.full((7,), -1.5), atol=1e-4, rtol=0)


def test_chrono_as_the_answer_sets_chrono():
    at = settled(app(memory="80"))
    settled(at.segmented_control(key="answer").set_value("chrono").run())
    assert "uniform_(1, 79)" in at.code[0].value
    settled(at.button(key="set_answer").click().run())
    assert at.query_params["recurrent_init"] in ("chrono", ["chrono"])
    # Chrono draws the forget biases itself: the maps go on, are said to be about one bias, and the way out is a click.
    assert not at.error
    assert any("for one bias in all units" in box.value for box in at.info)
    assert len(at.get("plotly_chart")) == 2
    settled(at.button(key="no_chrono").click().run())
    assert not any("for one bias in all units" in box.value for box in at.info)


def test_the_puzzle_is_set_up_with_a_click():
    at = settled(app(topic="puzzle"))
    settled(at.button(key="puzzle").click().run())
    assert at.button(key="puzzle").disabled
    assert "σ(b) is 0.731" in says(at)


def test_a_gate_of_another_network_in_the_address_becomes_one_it_has():
    at = settled(app(network="gru", gate="output"))
    assert at.segmented_control(key="gate").value == "update"


def test_a_table_that_is_not_there_is_asked_for():
    at = settled(app(input_kind="csv"))
    assert sum("No table is loaded" in box.value for box in at.warning) == 1  # once, whatever cannot be drawn


def test_korean_is_spoken_throughout():
    at = settled(app(lang="ko", forget_bias="5"))
    assert at.title[0].value == "게이트 편향"
    assert "이 설정에서는 기울기가 폭주합니다" in says(at)


def test_a_map_too_large_for_the_server_is_refused_and_the_rest_stays():
    at = settled(app(num_seeds="64", batch_size="32", sequence_length="500", hidden_size="1", topic="effective"))
    refusals = [box.value for box in at.warning]
    assert len(refusals) == 1
    assert "this server keeps 1,500,000" in refusals[0].replace("\\", "")
    assert at.slider(key="forget_bias").value == 0.0
    assert not at.error


def test_a_network_with_one_bias_vector_cannot_be_filled_twice():
    at = app(network="minlstm", topic="effective")
    assert any("minLSTM has one bias vector per layer" in caption.value for caption in at.caption)
    assert len(at.get("plotly_chart")) == 1  # the map alone
    assert EXHIBITS["effective_bias"].networks == ("lstm", "gru")


def test_what_is_folded_is_not_drawn_and_still_counts():
    at = settled(app(hidden_size="6"))
    drawn = {widget.key for widget in (*at.number_input, *at.slider, *at.select_slider, *at.selectbox)}
    assert not drawn & {"hidden_size", "num_layers", "input_scale", "recurrent_gain", "input_kind"}
    at.session_state["size_settings_open"] = True
    assert settled(at.run()).text_input(key="hidden_size").value == "6"
