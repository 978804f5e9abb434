"""The one way a figure is shown: the picture, how to read it, and what it says now."""

from __future__ import annotations

import plotly.graph_objects as go
import streamlit as st

from lstm_explorer.locales import _

#: Buttons of the chart's own bar that say nothing here.
_REMOVED = ["select2d", "lasso2d", "autoScale2d", "zoomIn2d", "zoomOut2d"]


def theme_name() -> str:
    """Return ``"light"`` or ``"dark"``, as the reader's screen is."""
    return st.context.theme.type or "light"


def show_figure(figure: go.Figure, *, key: str, alt: str, read: str, says: str = "") -> None:
    """Draw a figure with its two sentences.

    Args:
        figure: Made by a ``plot_*`` function with :func:`theme_name`.
        key: Name of the figure on its page, and of the file that the camera button saves.
        alt: What the figure shows, for those who cannot see it.
        read: How to read it.
        says: What it says now, computed from the numbers on screen.
    """
    st.plotly_chart(
        figure,
        theme=None,
        width="stretch",
        key=key,
        alt=alt,
        config={
            "displaylogo": False,
            "modeBarButtonsToRemove": _REMOVED,
            "toImageButtonOptions": {"format": "svg", "filename": f"lstm-explorer-{key}"},
            "showSendToCloud": False,
            "plotlyServerURL": "",
        },
    )
    if says:
        st.markdown(says)
    st.caption(_("**How to read it.** {text}").format(text=read))
