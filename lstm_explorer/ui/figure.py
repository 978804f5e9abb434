"""The one way a figure is shown: the picture, how to read it, and what it says now."""

from __future__ import annotations

import streamlit as st

from lstm_explorer.export.interactive import chart_config
from lstm_explorer.figures.exhibit import Exhibit
from lstm_explorer.locales import _
from lstm_explorer.ui.browser import draw


def theme_name() -> str:
    """Return ``"light"`` or ``"dark"``, as the reader's screen is."""
    return st.context.theme.type or "light"


def show_figure(exhibit: Exhibit, *, key: str) -> None:
    """Draw a figure with its two sentences: what it says now, and how to read it."""
    if exhibit.svg:
        draw(exhibit.svg(theme_name()), key=key)
    else:
        _show_chart(exhibit, key)
    if exhibit.says:
        st.markdown(exhibit.says)
    st.caption(_("**How to read it.** {text}").format(text=exhibit.read))


def _show_chart(exhibit: Exhibit, key: str) -> None:
    st.plotly_chart(
        exhibit.draw(theme_name()),
        theme=None,
        width="stretch",
        key=key,
        alt=exhibit.alt,
        config=chart_config(exhibit.name),
    )
