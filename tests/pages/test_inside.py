"""The page Inside the cell under AppTest: a step moved and its numbers read, the walk, and the cell by hand."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from streamlit.testing.v1 import AppTest

import lstm_explorer as lx
from lstm_explorer.exhibits.inside import stages

ENTRY = Path(__file__).resolve().parents[2] / "streamlit_app.py"


def app(**query):
    at = AppTest.from_file(str(ENTRY), default_timeout=60)
    at.switch_page("pages/inside.py")
    at.query_params.update(query)
    return at.run()


def says(at):
    return " ".join(element.value for element in at.markdown)


def latex(at):
    return " ".join(element.value for element in at.latex)


def stepped(settings, steps):
    """Return the cell and hidden state after so many steps, by nn.LSTMCell."""
    network, inputs = lx.build_network("lstm", settings), lx.make_inputs(settings)
    cell = torch.nn.LSTMCell(network.input_size, network.hidden_size)
    cell.load_state_dict({name: getattr(network, f"{name}_l0").detach() for name, _ in cell.named_parameters()})
    state = None
    for x in inputs[:steps]:
        state = cell(x, state)
    return state


def test_the_step_s_numbers_are_those_of_a_plain_cell():
    at = app(stage="update", forget_bias="1.0", unit="3", sequence_length="30")
    at.slider(key="step").set_value(12).run()
    _hidden, cell = stepped(lx.Settings(sequence_length=30, forget_bias=1.0), 12)
    assert f"= {float(cell[0, 3].detach()):.3g}" in latex(at)
    assert at.query_params["step"] == "12"


def test_buttons_and_stages_walk_in_the_lesson_s_order():
    at = app()
    for name in stages("lstm"):
        at.button(key="stage_next").click().run()
        assert at.query_params["stage"] == name
    assert at.button(key="stage_next").disabled
    assert tuple(stages("lstm")) == ("forget", "candidate", "input", "update", "output")
    at.button(key="step_next").click().run()
    assert at.slider(key="step").value == 11


@pytest.mark.parametrize(("network", "stage"), [("rnn", "rewrite"), ("gru", "new"), ("lstm", "output")])
def test_every_cell_has_its_own_walk(network, stage):
    at = app(network=network, stage=stage)
    assert not at.exception
    assert "h_t =" in latex(at)
    assert len(at.get("plotly_chart")) == 3


def test_a_view_that_another_cell_lacks_becomes_the_nearest():
    at = app(network="gru", stage="forget", part="cell", step="900")
    assert not at.exception
    assert at.slider(key="step").value == 100
    assert "stage" not in at.query_params


def test_the_traces_are_the_core_s():
    at = app(sequence_length="40", forget_bias="2.0", unit="-1")
    settings = lx.Settings(sequence_length=40, forget_bias=2.0)
    trajectory = lx.unroll(lx.build_network("lstm", settings), lx.make_inputs(settings))
    spec = json.loads(at.get("plotly_chart")[0].proto.spec)
    drawn = {trace["name"]: trace["y"] for trace in spec["data"]}
    expected = trajectory.gates.forget[0, :, 0].double().mean(dim=1).numpy()
    np.testing.assert_allclose(decoded(drawn["forget gate f"]), expected, rtol=1e-6)


def decoded(y):
    import base64

    return np.frombuffer(base64.b64decode(y["bdata"]), dtype=y["dtype"])


@pytest.mark.parametrize("kind", ["text", "digit", "sunspots", "zeros", "impulse", "sine"])
def test_every_input_can_be_looked_at(kind):
    at = app(input_kind=kind, step="5", hidden_size="1")
    assert not at.exception
    assert not at.error


def test_a_challenge_is_refused_with_its_first_mistake_and_solved():
    at = app(challenge="hold")
    assert any("Step" in warning.value for warning in at.warning)
    at.slider(key="hand_forget_1").set_value(1.0).run()
    assert [success.value for success in at.success] == ["Solved."]
    assert "100:0,1,1,0" in at.query_params["hand"]


def test_nonsense_phases_open_as_the_page_begins():
    at = app(hand="50:2,2,2,2;x")
    assert not at.exception
    assert at.slider(key="hand_forget_1").value == 0.8
    (warning,) = at.warning
    assert "**hand** was 50\\:2,2,2,2;x: expected a text that this page wrote" in warning.value


def test_more_phases_than_the_buttons_allow_are_not_read():
    at = app(hand=";".join(f"{until}:1,0,1,1" for until in range(1, 5)))
    assert len([slider for slider in at.slider if slider.key.startswith("hand_forget")]) == 2
    assert any("**hand** was 1\\:1,0,1,1;" in warning.value for warning in at.warning)


def test_phases_are_added_and_dropped():
    at = app()
    at.button(key="phase_more").click().run()
    assert at.slider(key="hand_until_1").value == 50
    at.button(key="phase_less").click().run()
    at.button(key="phase_less").click().run()
    assert at.button(key="phase_less").disabled
