"""The reader's checkpoint: kept for the session, bounded for all; one that cannot be read leaves the last."""

import contextlib
import io
import tomllib
from types import SimpleNamespace

import pytest

from lstm_explorer.ui import checkpoints
from lstm_explorer.ui.launch import APP_FOLDER
from lstm_explorer.ui.room import Room
from tests.own_files import TwoNetworks, checkpoint


class File(io.BytesIO):
    def __init__(self, name, file_id, data):
        super().__init__(data)
        self.name, self.file_id = name, file_id


@pytest.fixture
def page(monkeypatch):
    """An upload box whose file the test sets, and what was drawn."""
    page = SimpleNamespace(file=None, captions=[], errors=[], state={})
    fake = SimpleNamespace(
        session_state=page.state, file_uploader=lambda *_arguments, **_options: page.file,
        caption=page.captions.append, error=lambda text, **_options: page.errors.append(text),
        spinner=lambda *_arguments: contextlib.nullcontext(),
    )  # fmt: skip
    monkeypatch.setattr(checkpoints, "st", fake)
    return page


def test_a_file_is_read_once_and_its_bytes_are_taken(page):
    page.file = File("model.pt", "1", checkpoint(TwoNetworks))
    own = checkpoints.checkpoint_control()
    assert own.names == ("encoder", "decoder")
    assert own.network("decoder").hidden_size == 5
    assert page.file.getvalue() == b""
    assert checkpoints.checkpoint_control() is own
    assert checkpoints.current_file() is own
    page.file = None
    assert checkpoints.checkpoint_control() is own


def test_one_that_cannot_be_read_leaves_the_last(page):
    page.file = File("model.pt", "1", checkpoint())
    own = checkpoints.checkpoint_control()
    page.file = File("a*b.pt", "2", b"nothing of the kind")
    assert checkpoints.checkpoint_control() is own
    assert "no known format" in page.errors[-1]
    assert page.errors[-1].startswith(r"a\*b\.pt")
    page.file = File("model.pt", "3", checkpoint())
    count = len(page.errors)
    assert checkpoints.checkpoint_control().digest == own.digest
    assert len(page.errors) == count


def test_all_sessions_together_keep_a_bounded_number_of_bytes(page, monkeypatch):
    data = checkpoint()
    monkeypatch.setattr(checkpoints, "_ROOM", Room(int(2.5 * len(data))))
    kept = []
    for number in range(3):
        page.state.clear()  # another session
        page.file = File("model.pt", str(number), data)
        kept.append(checkpoints.checkpoint_control())
        page.state.clear()
    assert [checkpoints._ROOM.holds(own) for own in kept] == [False, True, True]
    page.state[checkpoints._KEY] = kept[0]
    assert checkpoints.current_file() is None
    assert checkpoints._KEY not in page.state


def test_the_server_takes_files_as_large_as_the_page_says():
    config = tomllib.loads((APP_FOLDER / ".streamlit/config.toml").read_text(encoding="utf-8"))
    assert config["server"]["maxUploadSize"] == checkpoints.LARGEST_FILE
