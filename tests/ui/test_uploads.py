"""The reader's own table: kept for the session, with notes; one that cannot be read leaves the last."""

from __future__ import annotations

import contextlib
from types import SimpleNamespace

import pytest

import lstm_explorer as lx
from lstm_explorer.locales import use_language
from lstm_explorer.ui import uploads

GOOD = b"city,load\nSeoul,1\nBusan,\nJeju,3\n"


class File(SimpleNamespace):
    """What Streamlit's upload box returns."""

    def getvalue(self):
        return self.data


@pytest.fixture
def page(monkeypatch):
    """An upload box whose file the test sets; what was drawn, and the settings that were changed."""
    page = SimpleNamespace(file=None, captions=[], errors=[], changes=[])
    fake = SimpleNamespace(
        session_state={}, file_uploader=lambda *_arguments, **_options: page.file, caption=page.captions.append,
        error=lambda text, **_options: page.errors.append(text),
        spinner=lambda *_arguments: contextlib.nullcontext(),
    )  # fmt: skip
    monkeypatch.setattr(uploads, "st", fake)
    session = SimpleNamespace(current_settings=lambda: lx.Settings(), apply=lambda **new: page.changes.append(new))
    monkeypatch.setattr(uploads, "session", session)
    return page


def test_a_table_is_kept_its_columns_become_the_input_size_and_its_notes_are_drawn(page):
    assert uploads.current_table() is None
    page.file = File(name="load.csv", file_id="1", data=GOOD)
    uploads.table_control()
    assert uploads.current_table().values["load"].tolist() == [1.0, 2.0, 3.0]
    assert page.changes == [{"input_size": 1}]
    assert page.captions[0] == "load.csv: 3 steps of 1 numbers."
    assert any("Gaps filled" in caption for caption in page.captions)


def test_a_file_is_read_once(page, monkeypatch):
    page.file = File(name="load.csv", file_id="1", data=GOOD)
    uploads.table_control()
    monkeypatch.setattr(uploads, "read_table", lambda data: pytest.fail("read again"))
    uploads.table_control()
    assert uploads.current_table() is not None


def test_a_table_that_cannot_be_read_says_why_in_the_reader_s_language_and_the_last_one_stays(page):
    page.file = File(name="load.csv", file_id="1", data=GOOD)
    uploads.table_control()
    page.file = File(name="words.csv", file_id="2", data=b"a,b\nx,y\nz,w\n")
    uploads.table_control()
    assert "None of the columns holds numbers" in page.errors[-1]
    assert uploads.current_table().values["load"].tolist() == [1.0, 2.0, 3.0]
    use_language("ko")
    try:
        page.file = File(name="words.csv", file_id="3", data=b"a,b\nx,y\nz,w\n")
        uploads.table_control()
    finally:
        use_language("en")
    assert page.errors[-1] != page.errors[0]
    page.file = File(name="load.csv", file_id="4", data=GOOD)
    uploads.table_control()
    assert len(page.errors) == 2  # gone with the next table


def test_before_a_table_is_there_the_limit_is_named(page):
    uploads.table_control()
    assert page.captions == ["Up to 50 MB. The file stays in this browser session; an address cannot carry it."]
