"""Open a JSON file of the Download button, with its settings and its view."""

from __future__ import annotations

from dataclasses import asdict

import streamlit as st

from lstm_explorer.core.errors import ExplainedError
from lstm_explorer.core.escape import markdown
from lstm_explorer.core.record import schema
from lstm_explorer.export.data import read_settings
from lstm_explorer.locales import _, translated
from lstm_explorer.ui import address, session
from lstm_explorer.ui.uploads import take

_SEEN, _ERROR = "settings_file_id", "settings_file_error"


def settings_file_control(figure: str) -> None:
    """Draw the upload box; a file that cannot be read is refused with the reason, and nothing changes.

    Args:
        figure: Name of the exhibit whose view is read.
    """
    with st.expander(_("Open a settings file")):
        file = st.file_uploader(_("A JSON file of the Download button"), type=["json"], key="settings_file")
        if file is not None and st.session_state.get(_SEEN) != file.file_id:
            st.session_state[_SEEN] = file.file_id
            st.session_state[_ERROR] = _open(take(file), figure)
            st.rerun()  # what stands above shows the old settings
        if error := st.session_state.get(_ERROR):
            st.error(markdown(error), icon=":material/error:")


def _open(data: bytes, figure: str) -> str:
    """Apply the settings, or return what is wrong with the file."""
    try:
        settings, view = read_settings(data, figure)
    except ExplainedError as error:
        return translated(error.template).format(**error.values)
    except (TypeError, ValueError) as error:
        return str(error)
    fitting, corrections = address.clamp(settings, session.current_limits())
    fields = {name: getattr(view, name) for name in schema(type(view))}
    session.apply(**asdict(fitting), **fields)
    session.report(*corrections)
    return ""
