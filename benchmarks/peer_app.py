"""The peer of bench_app.py: an otherwise empty Streamlit page, a slider and a chart of the same size, no computation.

The chart is the one that the first page draws, read from the file named in ``LSTM_EXPLORER_PEER_FIGURE``; the slider only
shifts its title, so that every move sends the whole chart again.
"""

import os
from pathlib import Path

import plotly.io as pio
import streamlit as st


@st.cache_resource
def text() -> str:
    """Read the figure once."""
    return Path(os.environ["LSTM_EXPLORER_PEER_FIGURE"]).read_text(encoding="utf-8")


st.title("Peer")
bias = st.slider("Bias", -6.0, 8.0, 0.0, step=0.25, key="forget_bias")
figure = pio.from_json(text())
figure.update_layout(meta=bias)
st.plotly_chart(figure, theme=None, width="stretch", key="journey")
