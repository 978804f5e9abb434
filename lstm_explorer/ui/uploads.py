"""The reader's own table: uploaded once, checked, and kept for the session."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import pandas as pd
import streamlit as st

from lstm_explorer.core.tables import TableError, read_table
from lstm_explorer.locales import _, translated
from lstm_explorer.ui import address

_KEY = "lstm_explorer_table"


@dataclass(frozen=True, eq=False, kw_only=True)
class Upload:
    """A checked table: its rows of numbers, what was mended on the way, and what it is called."""

    name: str
    digest: str
    values: pd.DataFrame
    notes: tuple[str, ...]


def current_table() -> Upload | None:
    """Return the table of this session, if one was uploaded."""
    return st.session_state.get(_KEY)


def table_control() -> None:
    """Draw the upload box; a table that cannot be read is refused with the reason, and the last one stays."""
    file = st.file_uploader(
        _("CSV file with numbers: one row a step, one column a feature"), type=["csv", "tsv", "txt"], key="table_file"
    )
    if file is not None and st.session_state.get("table_file_id") != file.file_id:
        st.session_state["table_file_id"] = file.file_id
        st.session_state["table_error"] = _take(file.name, file.getvalue())
    if error := st.session_state.get("table_error"):
        st.error(error, icon=":material/error:")
    table = current_table()
    if table is None:
        st.caption(_("Up to 50 MB. The file stays in this browser session; an address cannot carry it."))
        return
    rows, columns = table.values.shape
    st.caption(_("{name}: {rows} steps of {columns} numbers.").format(name=table.name, rows=rows, columns=columns))
    for note in table.notes:
        st.caption(f":material/info: {note}")


def _take(name: str, data: bytes) -> str | None:
    """Keep a new table and fit the input size to it; return what is wrong with it, if anything is."""
    try:
        with st.spinner(_("Reading the table …")):
            table = read_table(data)
    except TableError as error:
        return translated(error.template).format(**error.values)
    notes = tuple(translated(note.message).format(**note.values) for note in table.notes)
    st.session_state[_KEY] = Upload(
        name=name, digest=hashlib.sha256(data).hexdigest(), values=table.values, notes=notes
    )
    columns = table.values.shape[1]
    if columns != address.current_settings().input_size:
        address.apply(input_size=columns)
    return None
