"""The reader's own table: uploaded once, checked, and kept for the session.

Of an upload nothing stays but the numbers and the packed file, which is read again where its reader corrects how it was
understood: Streamlit itself would keep the raw file, and every other that was ever sent, until the tab is closed.
"""

from __future__ import annotations

import time
import weakref
import zlib
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.uploaded_file_manager import UploadedFileRec

from lstm_explorer.core.escape import markdown, one_line
from lstm_explorer.core.record import schema
from lstm_explorer.core.tables import MAX_BYTES, Table, TableError, TableReading, read_table, understood
from lstm_explorer.core.tables.reading import DECIMAL_WORDS, ENCODINGS, FIND, NO_HEADER, SEPARATOR_WORDS
from lstm_explorer.locales import _, translated
from lstm_explorer.runs.experiment import OwnTable
from lstm_explorer.ui import session

_KEY = "lstm_explorer_table"
_FILE, _SEEN = "lstm_explorer_table_file", "lstm_explorer_uploads"
#: One file at a time, in one thread: what a file takes while it is read, some 20 times its size, stays with the thread.
_READER = ThreadPoolExecutor(max_workers=1, thread_name_prefix="read-table")
#: Seconds in which the page reads a file that was sent, or never will.
_UNREAD_FOR = 60.0
#: Bytes of all files together that no page took yet, and of one beside what is in it.
LARGEST_UNREAD, _RECORD = 100_000_000, 1000
_BOUNDED: weakref.WeakSet[Any] = weakref.WeakSet()
#: Lines that may be chosen as the one with the names.
_LINES_OFFERED = 30


@dataclass(frozen=True, eq=False, kw_only=True)
class _File:
    """An uploaded file, packed; what its reader says of it; and why it could not be read, once that is known."""

    name: str
    file_id: str
    packed: bytes
    reading: TableReading = field(default_factory=TableReading)
    error: str | None = None
    is_read: bool = False


@dataclass(frozen=True, eq=False, kw_only=True)
class _Upload:
    """A checked table, its file name, how it was read, and notes on what was changed."""

    name: str
    table: OwnTable
    understood: str
    notes: tuple[str, ...]


def current_table() -> OwnTable | None:
    """Return the table of this session, if one was uploaded."""
    upload: _Upload | None = st.session_state.get(_KEY)
    return upload.table if upload else None


def table_control() -> None:
    """Draw the upload box; a table that cannot be read is refused with the reason, and the last one is kept."""
    sent = st.file_uploader(
        _("CSV file with numbers: one row per step, one column per feature"),
        type=["csv", "tsv", "txt"],
        key="table_file",
        max_upload_size=MAX_BYTES // 1_000_000,
    )
    file: _File | None = st.session_state.get(_FILE)
    if sent is not None and (file is None or file.file_id != sent.file_id):
        file = _File(name=one_line(sent.name), file_id=sent.file_id, packed=_READER.submit(_packed, sent).result())
        _forget([sent.file_id])
        st.session_state[_FILE] = file
        for name in schema(TableReading):
            st.session_state[f"table_{name}"] = getattr(file.reading, name)
    if file is None:
        megabytes = MAX_BYTES // 1_000_000
        st.caption(
            _("Up to {megabytes} MB. The file stays in this browser session; an address cannot carry it.").format(
                megabytes=megabytes
            )
        )
        return
    if not file.is_read:
        file = _read(file)
    if file.error:
        st.error(markdown(file.error), icon=":material/error:")
    if upload := st.session_state.get(_KEY):
        _show_upload(upload)
    with st.expander(_("How the file is read"), expanded=file.error is not None):
        _reading_controls(file)


def take(sent: Any) -> bytes:
    """Return an uploaded file's bytes, and keep no other copy of them.

    Args:
        sent: What ``st.file_uploader`` returned; it is empty from then on.
    """
    data = _emptied(sent)
    _forget([sent.file_id])
    return data


def _emptied(sent: Any) -> bytes:
    data: bytes = sent.getvalue()
    sent.seek(0)
    sent.truncate()
    return data


def drop_unread() -> None:
    """Drop the files of this session that were sent a while ago and that no page took: once per run."""
    context = get_script_run_ctx()
    if context:
        limit_unread(context.uploaded_file_mgr)
    stored = getattr(context and context.uploaded_file_mgr, "file_storage", {})
    there = list(stored.get(context.session_id, ())) if context else []
    since: dict[str, float] = st.session_state.get(_SEEN, {})
    now = time.monotonic()
    seen = {file_id: since.get(file_id, now) for file_id in there}
    _forget([file_id for file_id, first in seen.items() if now - first > _UNREAD_FOR])
    if seen or since:
        st.session_state[_SEEN] = seen


def limit_unread(manager: Any) -> None:
    """Bound what the files that no page took yet keep of memory: the oldest are dropped first.

    To whoever has a session, Streamlit's endpoint is open for any number of files, and a page that is never run drops
    none.

    Args:
        manager: Streamlit's store of files, of the whole server; it is bounded once.
    """
    if manager in _BOUNDED:
        return
    _BOUNDED.add(manager)
    add, sent, size = manager.add_file, deque[tuple[str, str, int]](), 0

    def add_file(session_id: str, file: UploadedFileRec) -> None:
        nonlocal size
        add(session_id, file)
        sent.append((session_id, file.file_id, len(file.data) + len(file.name) + _RECORD))
        size += sent[-1][2]
        while size > LARGEST_UNREAD and len(sent) > 1:
            *oldest, taken = sent.popleft()
            size -= taken
            manager.remove_file(*oldest)

    manager.add_file = add_file


def _forget(file_ids: list[str]) -> None:
    # Not a public name: tests/ui/test_private_names.py checks that it is still there.
    context = get_script_run_ctx()
    remove = getattr(context and context.uploaded_file_mgr, "remove_file", None)
    for file_id in file_ids:
        if context and remove:
            remove(context.session_id, file_id)


def _read(file: _File) -> _File:
    """Read a file, keep its table and fit the input size to it; return the file with what is wrong, if anything is."""
    error = None
    try:
        with st.spinner(_("Reading the table …")):
            table, own = _READER.submit(_table_of, file).result()
    except TableError as reason:
        error = translated(reason.template).format(**reason.values)
    else:
        _keep(file.name, table, own)
    st.session_state[_FILE] = file = replace(file, error=error, is_read=True)
    if not error and (columns := table.values.shape[1]) != session.current_settings().input_size:
        session.apply(input_size=columns)
    return file


def _packed(sent: Any) -> bytes:
    return zlib.compress(_emptied(sent), 1)


def _table_of(file: _File) -> tuple[Table, OwnTable]:
    table = read_table(zlib.decompress(file.packed), file.reading)
    return table, OwnTable.of(table.values)


def _keep(name: str, table: Table, own: OwnTable) -> None:
    notes = tuple(translated(note.message).format(**note.values) for note in table.notes)
    words = understood(table.reading, translated)
    st.session_state[_KEY] = _Upload(name=name, table=own, understood=words, notes=notes)


def _show_upload(upload: _Upload) -> None:
    rows, columns = np.shape(upload.table.values)
    size = _("{name}: {rows} steps of {columns} numbers.")
    st.caption(size.format(name=markdown(upload.name), rows=rows, columns=columns))
    st.caption(_("Read as {form}.").format(form=markdown(upload.understood)))
    for note in upload.notes:
        st.caption(f":material/info: {markdown(note)}")


def _reading_controls(file: _File) -> None:
    """Draw what a reader may say of the file, each with what was found in its place."""
    find = _("found by itself")
    lines = {FIND: find, NO_HEADER: _("no line")}
    lines |= {line: _("line {line}").format(line=line) for line in range(1, _LINES_OFFERED + 1)}
    labels: dict[str, tuple[str, dict[Any, str]]] = {
        "separator": (_("Between columns"), {"auto": find, **SEPARATOR_WORDS}),
        "decimal": (_("Decimal mark"), {"auto": find, **DECIMAL_WORDS}),
        "header_line": (_("Names of the columns"), lines),
        "encoding": (_("Encoding"), {"auto": find, **ENCODINGS}),
    }
    for name, (label, options) in labels.items():
        words = {value: translated(word) for value, word in options.items()}
        key = f"table_{name}"
        st.session_state.setdefault(key, getattr(file.reading, name))
        st.selectbox(label, list(words), key=key, format_func=words.__getitem__, on_change=_reread)


def _reread() -> None:
    """Have the file read again, as its reader says; for callbacks."""
    file: _File = st.session_state[_FILE]
    said = {name: st.session_state[f"table_{name}"] for name in schema(TableReading)}
    st.session_state[_FILE] = replace(file, reading=TableReading(**said), is_read=False)
