"""The page Your network under AppTest: what is said is what is measured, and a file is one that was sent here."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from streamlit.testing.v1 import AppTest

import lstm_explorer as lx
from lstm_explorer.core.checkpoints import find_in_checkpoint
from lstm_explorer.exhibits.your_network import diagnosis_of, subject_of
from lstm_explorer.exhibits.your_network_view import YourNetworkView
from lstm_explorer.exhibits.your_network_words import mend_sentences, reach_summary
from lstm_explorer.runs.direct import DirectRunner
from lstm_explorer.ui import checkpoints
from tests.own_files import TwoNetworks, checkpoint

ENTRY = Path(__file__).resolve().parents[2] / "streamlit_app.py"


def app(**query):
    at = AppTest.from_file(str(ENTRY), default_timeout=60)
    at.switch_page("pages/your_network.py")
    at.query_params.update({name: str(value) for name, value in query.items()})
    at.run()
    assert not at.exception
    return at


def words(at):
    return " ".join(str(one.value) for one in [*at.markdown, *at.caption, *at.info, *at.warning, *at.error])


def test_it_opens_on_a_network_of_the_app_s_and_says_what_is_measured():
    at = app(sequence_length=60, needs_lag=50)
    view = YourNetworkView(sequence_length=60, needs_lag=50)
    diagnosis = diagnosis_of(DirectRunner(), view)
    assert reach_summary(diagnosis, 0) in words(at)
    assert mend_sentences(diagnosis, has_bias=True) in words(at)
    assert (
        lx.mending_lines(subject_of(DirectRunner(), view).network, diagnosis.mend, "model.network") == at.code[0].value
    )
    assert [one.proto.id.rsplit("-", 1)[-1] for one in at.get("plotly_chart")] == [
        "own_reach", "own_mend", "own_units", "own_biases",
    ]  # fmt: skip
    at.session_state["directions_open"] = True
    at.run()
    assert [one.proto.id.rsplit("-", 1)[-1] for one in at.get("plotly_chart")][3:6] == [
        "own_products", "own_eigenvalues", "own_phase_map",
    ]  # fmt: skip
    assert "**LSTM, all directions:" in words(at)
    at.segmented_control(key="inside").set_value("rnn").run()
    assert "A plain RNN has no gate to open" in words(at)
    assert at.query_params["inside"] == "rnn"


def test_a_link_without_its_file_says_so():
    assert "Choose a checkpoint: a file" in words(app(origin="file"))
    assert "an address cannot carry it" in words(app(origin="file", file="0123456789abcdef"))


@pytest.fixture
def sent(monkeypatch):
    """A session that was sent a file."""
    data = checkpoint(TwoNetworks)
    own = checkpoints.OwnCheckpoint(
        name="my *model*.pt", digest="0123456789abcdef", size=len(data), checkpoint=find_in_checkpoint(data)
    )
    for module in ("lstm_explorer.ui.your_network.checkpoint_control", "lstm_explorer.ui.your_network.current_file"):
        monkeypatch.setattr(module, lambda: own)
    monkeypatch.setattr(checkpoints, "current_file", lambda: own)
    return SimpleNamespace(own=own)


def test_a_file_with_two_networks_asks_which(sent):
    at = app(origin="file", sequence_length=20, needs_lag=15)
    assert at.selectbox(key="module").options == [
        "encoder: LSTM(3, 6, num_layers=2, bidirectional=True)", "decoder: GRU(12, 5)",
    ]  # fmt: skip
    assert "my \\*model\\*\\.pt, PyTorch" in words(at)
    assert at.query_params["file"] == sent.own.digest
    assert len(at.dataframe[0].value) == 4
    at.segmented_control(key="layer").set_value(0).run()
    assert not at.exception
    at.selectbox(key="module").set_value("decoder").run()
    assert len(at.dataframe[0].value) == 1
    assert "update gate z" in words(at)
    assert at.query_params["module"] == "decoder"


def test_data_that_does_not_suit_is_one_box_and_the_rest_stays(sent):
    at = app(origin="file", data="csv")
    assert "No table is loaded" in words(at)
    assert at.segmented_control(key="origin").value == "file"
    at = app(needs_lag=500, sequence_length=30)
    assert "The data has 30 steps" in words(at)
