"""One button that makes a file and hands it over.

Streamlit can make a file when its download button is clicked, but such a file belongs to no session: when the runs of
other readers end in that moment, it is dropped before it was fetched (seen with twelve readers at once), and a failure
has no message. So the file is made in the reader's own run and shown as a button that saves it, which is then clicked
for them.
"""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from lstm_explorer.locales import _
from lstm_explorer.ui.browser import click
from lstm_explorer.ui.drawing import DRAWING
from lstm_explorer.ui.errors import shielded


def download_button(
    label: str, name: str, mime: str, work: Callable[[], bytes], *, key: str, disabled: bool = False
) -> None:
    """Draw a button that makes a file when it is clicked and hands it to the browser; a failure becomes a message.

    Args:
        label: Its visible name.
        name: Name of the file.
        mime: Its MIME type.
        work: Makes the file.
        key: Key of the widget.
        disabled: Whether it can be clicked.
    """
    if not st.button(label, key=key, disabled=disabled, type="primary", icon=":material/download:"):
        return
    with shielded():
        with st.spinner(_("Making the file …")), DRAWING.aside():
            content = work()
        st.download_button(
            _("Save {name}").format(name=name), content, name, mime, key=f"{key}_save", on_click="ignore",
            icon=":material/save:",
        )  # fmt: skip
        click(f".st-key-{key}_save button", key=f"{key}_click")
