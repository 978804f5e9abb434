"""LSTM Explorer: watch the gradient travel back through real recurrent networks. Run with ``streamlit run``."""

import streamlit as st

from lstm_explorer.ui import address, language, navigation, report
from lstm_explorer.ui.drawing import DRAWING
from lstm_explorer.ui.errors import shielded
from lstm_explorer.ui.page import ICON, frame
from lstm_explorer.ui.startup import start_process

st.set_page_config(page_title="LSTM Explorer", page_icon=str(ICON), layout="wide")
start_process()

incoming = address.begin()
language.begin(incoming)
report.begin(incoming)
page = navigation.choose()
frame()
with DRAWING.run(), shielded():
    page.run()
