"""The peer of bench_app.py: an otherwise empty Streamlit page, a slider and a chart of the same size, no computation.

The chart is the one that the first page draws, at the same width, read from the file named in
``LSTM_EXPLORER_PEER_FIGURE``; the slider moves its curves, so that every press draws other data.
"""

import base64
import json
import os
from pathlib import Path

import numpy as np
import plotly.graph_objects as go
import streamlit as st


@st.cache_resource
def figure_read() -> tuple[dict, np.ndarray]:
    """Read the figure once, and the numbers of its last curve."""
    figure = json.loads(Path(os.environ["LSTM_EXPLORER_PEER_FIGURE"]).read_text(encoding="utf-8"))
    numbers = figure["data"][-3]["y"]
    return figure, np.frombuffer(base64.b64decode(numbers["bdata"]), dtype=numbers["dtype"])


def page() -> None:
    """Draw the slider and the chart."""
    st.set_page_config(layout="wide")
    figure, curve = figure_read()
    bias = st.slider("Bias", -6.0, 8.0, 0.0, step=0.25, key="forget_bias")
    data = [*figure["data"]]
    data[-3] = {**data[-3], "y": curve + bias}
    built = go.Figure(data=data, layout=figure["layout"], frames=figure["frames"])
    st.plotly_chart(built, theme=None, width=int(os.environ["LSTM_EXPLORER_PEER_WIDTH"]), key="journey")


if __name__ == "__main__":
    page()
