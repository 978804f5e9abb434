"""The reader's own table: kept for the session, with notes; one that cannot be read leaves the last."""

from __future__ import annotations

import contextlib
import io
from types import SimpleNamespace

import pytest
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.uploaded_file_manager import UploadedFileRec

import lstm_explorer as lx
from lstm_explorer.locales import use_language
from lstm_explorer.ui import uploads

GOOD = b"city,load\nSeoul,1\nBusan,\nJeju,3\n"


class File(io.BytesIO):
    """What Streamlit's upload box returns."""

    def __init__(self, *, name, file_id, data):
        super().__init__(data)
        self.name, self.file_id = name, file_id


@pytest.fixture
def page(monkeypatch):
    """An upload box whose file the test sets; what was drawn, and the settings that were changed."""
    page = SimpleNamespace(file=None, captions=[], errors=[], changes=[])
    fake = SimpleNamespace(
        session_state={}, file_uploader=lambda *_arguments, **_options: page.file, caption=page.captions.append,
        expander=lambda *_arguments, **_options: contextlib.nullcontext(),
        selectbox=lambda *_arguments, **_options: None,
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
    assert page.captions[0] == r"load\.csv: 3 steps of 1 numbers."
    assert page.captions[1] == r"Read as UTF\-8, commas between columns, decimal point, names in line 1."
    assert any("Gaps filled" in caption for caption in page.captions)


def test_a_file_is_read_once(page, monkeypatch):
    page.file = File(name="load.csv", file_id="1", data=GOOD)
    uploads.table_control()
    monkeypatch.setattr(uploads, "read_table", lambda *_arguments: pytest.fail("read again"))
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
    assert page.captions == ["Up to 10 MB. The file stays in this browser session; an address cannot carry it."]


def test_what_can_be_read_in_two_ways_is_asked_and_read_as_its_reader_says(page):
    page.file = File(name="a.csv", file_id="1", data=b"a;b\n1,250;2\n3,500;4\n")
    uploads.table_control()
    assert "1,250 can be 1250 or 1\\.25" in page.errors[0]
    assert uploads.current_table() is None
    uploads.st.session_state["table_decimal"] = "comma"
    uploads._reread()
    uploads.table_control()
    assert len(page.errors) == 1
    assert uploads.current_table().values["a"].tolist() == [1.25, 3.5]
    page.file = File(name="b.csv", file_id="2", data=b"a;b\n1.250;2\n3.5;4\n")
    uploads.table_control()
    assert uploads.st.session_state["table_decimal"] == "auto"  # what was said was said of the other file
    assert uploads.current_table().values["a"].tolist() == [1.25, 3.5]


def test_names_are_shown_as_they_stand(page):
    page.file = File(name="a_b_*c*.csv", file_id="1", data=b"Price ($),Cost ($),x\n1,,a\n2,3,b\n3,4,c\n")
    uploads.table_control()
    assert page.captions[0].startswith(r"a\_b\_\*c\*\.csv: ")
    assert r"in Cost \(\$\)" in page.captions[-1]


def sent(*file_ids, manager=None, size=1):
    """Return Streamlit's store of files, with some of a session in it."""
    manager = manager or MemoryUploadedFileManager("")
    for file_id in file_ids:
        manager.add_file("me", UploadedFileRec(file_id=file_id, name="", type="", data=bytes(size)))
    return manager


def test_what_no_page_takes_is_bounded_whoever_sends_it(monkeypatch):
    monkeypatch.setattr(uploads, "LARGEST_UNREAD", 20_000)
    manager = MemoryUploadedFileManager("")
    for _ in range(2):  # at every run; it is bounded once
        uploads.limit_unread(manager)
    sent("1", "2", "3", manager=manager, size=9_000)
    assert set(manager.file_storage["me"]) == {"2", "3"}
    sent("large", manager=manager, size=50_000)  # the last is always there to be read, and refused
    assert set(manager.file_storage["me"]) == {"large"}
    sent(*map(str, range(1000)), manager=manager, size=0)  # a record takes memory too
    assert len(manager.file_storage["me"]) < 21


def test_nothing_stays_of_an_upload_but_its_numbers_and_the_packed_file(page, monkeypatch):
    manager = sent("1", "extra", "late")
    storage = manager.file_storage
    monkeypatch.setattr(
        uploads, "get_script_run_ctx", lambda: SimpleNamespace(uploaded_file_mgr=manager, session_id="me")
    )
    clock = iter((0.0, 59.0, 61.0, 62.0))
    monkeypatch.setattr(uploads.time, "monotonic", lambda: next(clock))
    late = storage["me"].pop("late")
    data = b"a;b\n" + b"1;2\n" * 50_000
    page.file = File(name="a.csv", file_id="1", data=data)
    uploads.drop_unread()
    uploads.table_control()
    assert page.file.getvalue() == b""
    assert set(storage["me"]) == {"extra"}
    assert len(uploads.st.session_state[uploads._FILE].packed) < len(data) / 100
    storage["me"]["late"] = late
    uploads.drop_unread()
    assert set(storage["me"]) == {"extra", "late"}
    uploads.drop_unread()
    assert set(storage["me"]) == {"late"}
