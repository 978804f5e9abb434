"""The page Sweeps under AppTest: what is chosen is what is said, and a file is one that was sent."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from streamlit.testing.v1 import AppTest

import lstm_explorer as lx
from lstm_explorer.exhibits.sweep_words import map_summary, outcomes_summary
from lstm_explorer.runs.sweeps import library
from lstm_explorer.runs.sweeps.table import from_bytes
from lstm_explorer.ui import sweep_files, uploads
from tests.sweep_tables import runs, written

ENTRY = Path(__file__).resolve().parents[2] / "streamlit_app.py"


def app(**query):
    at = AppTest.from_file(str(ENTRY), default_timeout=60)
    at.switch_page("pages/sweeps.py")
    at.query_params.update({name: str(value) for name, value in query.items()})
    at.run()
    assert not at.exception
    return at


def words(at):
    return " ".join(str(one.value) for one in [*at.markdown, *at.caption, *at.info, *at.warning, *at.error])


def charts(at):
    return [one.proto.id.rsplit("-", 1)[-1] for one in at.get("plotly_chart")]


def test_it_opens_on_the_shipped_sweep_and_says_its_numbers():
    at, table = app(), library.shipped()
    assert charts(at) == ["sweep_map", "sweep_curves", "sweep_outcomes"]
    assert map_summary(lx.sweep_map(table)) in words(at)
    assert outcomes_summary(lx.sweep_outcomes(table)) in words(at)
    at.selectbox(key="sweep_shown").set_value("learnt_at").run()
    assert at.query_params["shown"] == "learnt_at"
    at.selectbox(key="sweep_up").set_value("seed").run()
    assert at.query_params["up"] == "seed"
    assert map_summary(lx.sweep_map(table, "learnt_at", axes=("seed", "sequence_length", "architecture"))) in words(at)
    at.selectbox(key="sweep_only_forget_bias").set_value(2).run()
    assert at.query_params["only"] == "forget_bias:2.0"
    at.selectbox(key="sweep_at_across").set_value(1).run()
    assert at.query_params["at_across"] == "1"
    assert len(at.dataframe[0].value) == 1
    assert not at.exception


@pytest.mark.parametrize(
    "query",
    [
        {"sweep": "nothing"},
        {"origin": "file"},
        {"origin": "file", "file": "0123456789abcdef"},
        {"shown": "largest_exponent", "up": "text", "across": "none", "beside": "seed", "only": ":,a:b,,seed:x"},
        {"at_up": 99999, "at_across": -5, "at_beside": "x"},
    ],
)
def test_an_address_that_means_nothing_here_is_no_error(query):
    at = app(**query)
    said = words(at)
    assert len(at.error) <= 1
    wanted = {"nothing": "There is no sweep nothing on this machine", "file": "Choose the table of a sweep"}
    assert wanted.get(query.get("sweep", query.get("origin", "")), "runs learn") in said


@pytest.fixture
def page(monkeypatch):
    """The page's upload box, as if a browser sent what ``file`` is."""
    fake = SimpleNamespace(state={}, errors=[], file=None)
    monkeypatch.setattr(sweep_files, "st", SimpleNamespace(
        session_state=fake.state, error=lambda text, **_: fake.errors.append(text), caption=lambda *_: None,
        file_uploader=lambda *_, **__: fake.file,
    ))  # fmt: skip
    monkeypatch.setattr(uploads, "take", lambda sent: sent.data)
    return fake


def test_a_file_is_taken_or_refused_and_the_last_one_stays(page, tmp_path):
    content = written(tmp_path, runs())
    page.file = SimpleNamespace(name="sweep.parquet", file_id="1", data=content)
    own = sweep_files.sweep_control()
    assert own.table.digest == from_bytes(content).digest
    page.file = SimpleNamespace(name="*evil*.parquet", file_id="2", data=b"PAR1" * 9)
    assert sweep_files.sweep_control() is own
    assert page.errors[-1].startswith(r"\*evil\*\.parquet\: expected the table of a sweep")
    page.file = SimpleNamespace(name="sweep.parquet", file_id="3", data=content)
    count = len(page.errors)
    assert sweep_files.sweep_control().name == "sweep.parquet"
    assert len(page.errors) == count


def test_a_run_too_large_for_this_server_is_given_as_a_line_of_python(monkeypatch):
    large = library.shipped()
    settings = {**large.settings, "hidden_size": 4096}
    monkeypatch.setattr(library, "find", lambda _name: type(large)(**{**vars(large), "settings": settings}))
    at = app()
    assert "This run is larger than this server trains" in words(at)
    assert "hidden_size=4096" in at.code[0].value
    assert not at.get("link_button")
