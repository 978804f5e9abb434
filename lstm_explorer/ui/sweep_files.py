"""The reader's own sweep: the table of one, sent once, checked, and kept for the session."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from lstm_explorer.core.escape import markdown, one_line
from lstm_explorer.locales import _
from lstm_explorer.runs.sweeps.table import SweepTable, from_bytes
from lstm_explorer.ui import uploads
from lstm_explorer.ui.room import Room

_KEY, _ERROR, _SEEN = "lstm_explorer_sweep", "lstm_explorer_sweep_error", "lstm_explorer_sweep_id"
#: MB of one file, bytes that its numbers may take, and that those of all sessions may take together.
LARGEST_FILE, _LARGEST_TABLE, _LARGEST_SERVER = 10, 40_000_000, 80_000_000


@dataclass(eq=False, kw_only=True)
class OwnSweep:
    """A sweep of this session, with the file's name."""

    name: str
    table: SweepTable

    @property
    def size(self) -> int:
        """About how many bytes it takes."""
        return 4 * int(self.table.frame.memory_usage(deep=False).sum())


_ROOM = Room[OwnSweep](_LARGEST_SERVER)


def current_sweep() -> OwnSweep | None:
    """Return the sweep of this session, if one was sent and is still kept."""
    own: OwnSweep | None = st.session_state.get(_KEY)
    if own is None or not _ROOM.holds(own):
        st.session_state.pop(_KEY, None)
        return None
    return own


def sweep_control() -> OwnSweep | None:
    """Draw the upload box; a file that cannot be read is refused with the reason, and the last one is kept.

    Returns:
        The sweep of this session.
    """
    sent = st.file_uploader(
        _("sweep.parquet, from the folder of lstm-explorer sweep"), type=["parquet"], key="sweep_file",
        max_upload_size=LARGEST_FILE,
    )  # fmt: skip
    if sent is not None and sent.file_id != st.session_state.get(_SEEN):
        st.session_state[_SEEN] = sent.file_id
        name, data = one_line(sent.name), uploads.take(sent)
        st.session_state.pop(_ERROR, None)
        try:
            own = OwnSweep(name=name, table=from_bytes(data, _LARGEST_TABLE))
        except ValueError as error:
            st.session_state[_ERROR] = f"{name}: {one_line(str(error), 400)}"
        else:
            _ROOM.add(own)
            st.session_state[_KEY] = own
    if refused := st.session_state.get(_ERROR):
        st.error(markdown(refused), icon=":material/error:")
    if (own_sweep := current_sweep()) is None:
        st.caption(
            _("Up to {megabytes} MB. The file stays in this browser session; an address cannot carry it.").format(
                megabytes=LARGEST_FILE
            )
        )
    return own_sweep
