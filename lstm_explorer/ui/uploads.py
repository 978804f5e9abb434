"""The reader's own table: uploaded once, checked, and kept for the session."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import streamlit as st

from lstm_explorer.core.tables import TableError, read_table
from lstm_explorer.locales import _, translated
from lstm_explorer.runs.experiment import OwnTable
from lstm_explorer.ui import session

_KEY = "lstm_explorer_table"


@dataclass(frozen=True, eq=False, kw_only=True)
class _Upload:
    """A checked table, its file name, and notes on what was changed."""

    name: str
    table: OwnTable
    notes: tuple[str, ...]


def current_table() -> OwnTable | None:
    """Return the table of this session, if one was uploaded."""
    upload: _Upload | None = st.session_state.get(_KEY)
    return upload.table if upload else None


def table_control() -> None:
    """Draw the upload box; a table that cannot be read is refused with the reason, and the last one is kept."""
    file = st.file_uploader(
        _("CSV file with numbers: one row per step, one column per feature"),
        type=["csv", "tsv", "txt"],
        key="table_file",
    )
    if file is not None and st.session_state.get("table_file_id") != file.file_id:
        st.session_state["table_file_id"] = file.file_id
        st.session_state["table_error"] = _keep(file.name, file.getvalue())
    if error := st.session_state.get("table_error"):
        st.error(error, icon=":material/error:")
    upload: _Upload | None = st.session_state.get(_KEY)
    if upload is None:
        st.caption(_("Up to 50 MB. The file stays in this browser session; an address cannot carry it."))
        return
    rows, columns = np.shape(upload.table.values)
    st.caption(_("{name}: {rows} steps of {columns} numbers.").format(name=upload.name, rows=rows, columns=columns))
    for note in upload.notes:
        st.caption(f":material/info: {note}")


def _keep(name: str, data: bytes) -> str | None:
    """Keep a new table and fit the input size to it; return what is wrong with it, if anything is."""
    try:
        with st.spinner(_("Reading the table …")):
            table = read_table(data)
    except TableError as error:
        return translated(error.template).format(**error.values)
    notes = tuple(translated(note.message).format(**note.values) for note in table.notes)
    st.session_state[_KEY] = _Upload(name=name, table=OwnTable.of(table.values), notes=notes)
    columns = table.values.shape[1]
    if columns != session.current_settings().input_size:
        session.apply(input_size=columns)
    return None
