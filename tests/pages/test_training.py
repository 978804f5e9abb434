"""The page Training under AppTest: what is shown is what was trained, and every state of a run has its buttons."""

import base64
import os
from pathlib import Path

import numpy as np
import plotly.io
import pytest
from streamlit.testing.v1 import AppTest

import lstm_explorer as lx
from lstm_explorer.core.errors import ExplainedError
from lstm_explorer.core.training.presets import PRESETS
from lstm_explorer.exhibits.training_view import TrainingView, preset_changes
from lstm_explorer.runs.scheduler import TROUBLES
from lstm_explorer.runs.training import background
from lstm_explorer.runs.training.store import State, Store
from lstm_explorer.runs.training.worker import Worker
from lstm_explorer.ui import runner

ENTRY = Path(__file__).resolve().parents[2] / "streamlit_app.py"
SMALL = {"sequence_length": 6, "hidden_size": 4, "batch_size": 3, "steps": 12, "measurements": 10, "samples": 2}
QUERY = {**{name: str(value) for name, value in SMALL.items()}, "networks": "rnn-lstm"}
VIEW = TrainingView(**SMALL, networks=("rnn", "lstm"))


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """A folder of its own, in which nothing trains by itself."""
    monkeypatch.setenv("LSTM_EXPLORER_RUNS", str(tmp_path))
    monkeypatch.setattr(background, "_have_a_worker", lambda store: None)


def app(*opened, **query):
    at = AppTest.from_file(str(ENTRY), default_timeout=60)
    at.switch_page("pages/training.py")
    for key in opened:
        at.session_state[f"{key}_open"] = True
    at.query_params.update(query)
    at.run()
    assert not at.exception
    return at


def chart(at, name="training"):
    (found,) = [one for one in at.get("plotly_chart") if one.proto.id.endswith(name)]
    return plotly.io.from_json(found.proto.spec, skip_invalid=True)


def unpacked(numbers):
    shape = tuple(map(int, numbers["shape"].split(",")))
    return np.frombuffer(base64.b64decode(numbers["bdata"]), numbers["dtype"]).reshape(shape)


def words(at):
    shown = [*at.caption, *at.markdown, *at.info, *at.warning, *at.error, *at.get("progress")]
    return " ".join(str(getattr(one, "value", "") or getattr(one.proto, "text", "")) for one in shown)


def trained():
    group = background.start(VIEW.trainings)
    Worker(Store()).serve(idle=0.01)
    return group


def test_the_first_picture_is_there_before_anything_is_trained():
    at = app()
    figure = chart(at)
    assert [one.name for one in figure.data if one.type == "heatmap"] == ["RNN", "LSTM", "GRU"]
    assert "**RNN** has not learnt" in words(at)
    assert at.button(key="train").label == "Run it yourself"


def test_a_run_that_was_trained_here_is_shown_and_can_be_played():
    at = app(**QUERY, run=trained())
    figure, run = chart(at), lx.train(VIEW.trainings[1])
    (_rnn, lstm) = [one for one in figure.data if one.type == "heatmap"]
    np.testing.assert_allclose(unpacked(lstm.customdata), run.ratios("cell")[:, ::-1].T, rtol=1e-6)
    assert len(figure.frames) == len(run.steps)
    assert "Trained here" in words(at)


def test_pressing_train_starts_a_run_whose_identifier_is_in_the_address():
    at = app(**QUERY)
    assert "Nothing was trained with these settings yet" in words(at)
    at.button(key="train").click().run()
    group = at.query_params["run"]
    assert background.status(group).trainings == VIEW.trainings
    assert "It begins in a moment" in words(at)
    at.button(key="pause_training").click().run()
    assert "Paused" in words(at)
    at.button(key="resume_training").click().run()
    assert background.status(group).state == "waiting"
    at.button(key="stop_training").click().run()
    assert background.status(group).state == "stopped"
    assert "Stopped" in words(at)


def test_other_settings_leave_the_run_alone_and_lead_back_to_it():
    group = trained()
    at = app(**QUERY, run=group)
    at.select_slider(key="sequence_length_slider").set_value(8).run()
    assert "has other settings" in words(at)
    assert at.query_params["run"] == group
    at.button(key="show_training").click().run()
    assert at.query_params["sequence_length"] == "6"
    assert "Trained here" in words(at)


def test_a_run_that_is_gone_is_told_and_the_rest_of_the_page_stays():
    at = app(**QUERY, run="a" * 22)
    assert "not kept here any more" in words(at)
    assert at.button(key="train").label == "Train"


def test_damaged_files_are_told(tmp_path):
    group = trained()
    Store().group(group).numbers(0).write_bytes(b"nonsense")
    at = app(**QUERY, run=group)
    assert "failed" in words(at)
    assert at.slider(key="forget_bias")


def test_what_would_take_too_long_is_refused_with_the_command():
    at = app(sequence_length="500", hidden_size="128", steps="10000", batch_size="128")
    assert at.button(key="train").disabled
    assert "lstm-explorer train" in words(at)


@pytest.mark.parametrize("preset", ["both", "explodes", "digits"])
def test_a_preset_sets_everything(preset):
    at = app(task="copy", optimizer="sgd", forget_bias="4")
    at.pills(key="preset").set_value(preset).run()
    assert not at.exception
    address = {name: at.query_params[name] for name in at.query_params}
    assert TrainingView.from_query(address) == TrainingView(**preset_changes(PRESETS[preset]))
    assert at.pills(key="preset").value == preset


def test_a_trained_network_is_looked_into_at_any_moment(monkeypatch):
    monkeypatch.setattr(runner, "_WORK_PER_RUN", 2000)  # what is large is measured in pieces, to its end
    at = app("look_inside", **QUERY, run=trained(), inside="lstm", at="3", sample="2")
    figure = chart(at, "trained_flow")
    assert at.select_slider(key="at_stops").value in (2, 4)
    assert "It answers" in words(at)
    assert figure.data[0].name == "LSTM"
    at.select_slider(key="at_stops").set_value(12).run()
    assert at.query_params["at"] == "12"
    assert at.button(key="save_safetensors")
    drawn = len(at.get("plotly_chart"))
    at.toggle(key="directions_shown").set_value(True).run()
    assert not at.error
    assert len(at.get("plotly_chart")) == drawn + 3
    assert not at.get("progress")
    assert "**LSTM, all directions:" in words(at)


def test_the_controls_of_a_task_are_its_own():
    at = app(task="digits")
    assert at.slider(key="blank_steps")
    assert "sequence_length_slider" not in [one.key for one in at.select_slider]
    at = app(task="csv")
    assert at.button(key="train").disabled
    assert "Choose a CSV file first" in words(at)


def test_a_server_that_takes_no_more_says_so_and_keeps_the_page(monkeypatch):
    at = app(**QUERY)
    full = ExplainedError("{waiting} trainings are waiting already.", {"waiting": 20})
    monkeypatch.setattr(background, "start", lambda *arguments: (_ for _ in ()).throw(full))
    at.button(key="train").click().run()
    assert not at.exception
    assert "20 trainings are waiting already." in words(at)
    assert at.button(key="train")


def test_a_new_run_takes_the_place_of_the_one_before():
    at = app(**QUERY)
    at.button(key="train").click().run()
    first = at.query_params["run"]
    at.select_slider(key="sequence_length_slider").set_value(8).run()
    at.button(key="train").click().run()
    assert at.query_params["run"] != first
    assert background.status(first).state == "stopped"


def test_a_run_that_was_lost_at_its_first_step_is_told():
    lost = {**QUERY, "networks": "rnn", "nonlinearity": "relu", "recurrent_gain": "3.0", "sequence_length": "200"}
    view = TrainingView.from_query(lost)
    run = background.start(view.trainings)
    Worker(Store()).serve(idle=0.01)
    assert not len(background.read(run)[0].steps)
    at = app(**lost, run=run)
    assert "left the range of floats at step 0" in words(at)


def test_a_failed_run_can_be_tried_again():
    group = trained()
    Store().group(group).numbers(0).write_bytes(b"nonsense")
    at = app(**QUERY, run=group)
    at.button(key="train").click().run()
    assert at.query_params["run"] != group


def test_a_run_on_the_server_s_cluster_says_so_and_why_not_where_it_is_lost():
    group, store = background.start(VIEW.trainings), Store()
    store.group(group).write_state(State("running", 1, (5, 5), workers=2, trouble="silent"))
    lock = store.lock()
    at = app(**QUERY, run=group)
    os.close(lock)
    assert [box.value for box in at.warning] == [TROUBLES["silent"]]
    assert "Trained on the cluster of this server (workers: 2)." in words(at)
