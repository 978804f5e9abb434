"""Your network: what it can remember, and which bias would mend it."""

import streamlit as st

from lstm_explorer.exhibits.your_network_view import YourNetworkView
from lstm_explorer.locales import _
from lstm_explorer.ui.language import fragment
from lstm_explorer.ui.page import open_page, picture_columns
from lstm_explorer.ui.work import continue_work
from lstm_explorer.ui.your_network import controls, picture


@fragment
def your_network() -> None:
    """Draw the choice of the network and its diagnosis; reruns without the rest of the page."""
    left, right = picture_columns("own_network")
    with left:
        controls()
    with right:
        picture()
    continue_work()


open_page(__file__, view=YourNetworkView)
st.title(_("What can your network remember?"))
st.markdown(
    _(
        "Take the weights of your own RNN, LSTM or GRU, and data like yours. The exact gradient says how many steps "
        "back it can learn from; a search on these very weights says which bias would carry it further."
    )
)
your_network()
