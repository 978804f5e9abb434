"""The one way a figure is shown: the picture, how to read it, and what it says now."""

from __future__ import annotations

import time

import plotly.basedatatypes
import streamlit as st
from _plotly_utils.utils import convert_to_base64

from lstm_explorer.exhibits.exhibit import Exhibit
from lstm_explorer.export.interactive import chart_config
from lstm_explorer.figures.gradient_flow import FigureSpec
from lstm_explorer.locales import _
from lstm_explorer.ui.browser import draw

#: Seconds. A browser lays out all that came together before it draws a picture; so what follows one that is redrawn at
#: every move of a slider comes a moment later, and the picture takes a third less (benchmarks/bench_app.py).
_HEAD_START = 0.06


def theme_name() -> str:
    """Return ``"light"`` or ``"dark"``, as the reader's screen is."""
    return st.context.theme.type or "light"


def show_figure(exhibit: Exhibit, *, key: str) -> None:
    """Draw a figure with its two sentences: what it says now, and how to read it."""
    if exhibit.near:
        draw(exhibit.near(theme_name()), key=key, slider=".st-key-step input[type=range]")
    else:
        _show_chart(exhibit, key)
    if exhibit.spec:
        time.sleep(_HEAD_START)
    if exhibit.says:
        st.markdown(exhibit.says)
    st.caption(_("**How to read it.** {text}").format(text=exhibit.read))


class _Unchecked(plotly.basedatatypes.BaseFigure):
    """A figure that is plain dicts: Streamlit asks it for nothing else, and tests check them as ``go.Figure``."""

    def __init__(self, spec: FigureSpec) -> None:
        """Keep the dicts; nothing is checked or copied."""
        convert_to_base64(spec["data"])  # numbers as bytes, as Plotly's own figures send them
        self._spec = spec

    def to_dict(self) -> FigureSpec:
        """Return the dicts."""
        return self._spec


def _show_chart(exhibit: Exhibit, key: str) -> None:
    st.plotly_chart(
        _Unchecked(exhibit.spec(theme_name())) if exhibit.spec else exhibit.draw(theme_name()),
        theme=None,
        width="stretch",
        key=key,
        alt=exhibit.alt,
        config=chart_config(exhibit.name),
    )
