"""The peer of bench_app.py and bench_load.py: an otherwise empty page, a slider and a chart, no computation.

Move for move it draws the very figures that the first page draws, at the same width, read from the file named in
``LSTM_EXPLORER_PEER_FIGURES``: what is left of a ratio is what our page computes and what else stands on it.
"""

import json
import os
from pathlib import Path

import plotly.graph_objects as go
import streamlit as st


@st.cache_resource
def figures_read() -> dict[str, dict]:
    """Read the figures once, by bias."""
    return json.loads(Path(os.environ["LSTM_EXPLORER_PEER_FIGURES"]).read_text(encoding="utf-8"))


def page() -> None:
    """Draw the slider and the chart."""
    st.set_page_config(layout="wide")
    slider, chart = os.environ.get("LSTM_EXPLORER_PEER_KEYS", "forget_bias journey").split()
    bias = st.slider("Bias", -6.0, 8.0, 0.0, step=0.25, key=slider)
    figure = go.Figure(figures_read()[str(bias)])
    st.plotly_chart(figure, theme=None, width=int(os.environ["LSTM_EXPLORER_PEER_WIDTH"]), key=chart)


if __name__ == "__main__":
    page()
