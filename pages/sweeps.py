"""Sweeps: many training runs over a grid of settings, and what they say together."""

import streamlit as st

from lstm_explorer.exhibits.sweeps_view import SweepsView
from lstm_explorer.locales import _
from lstm_explorer.ui.browser import pick
from lstm_explorer.ui.language import fragment
from lstm_explorer.ui.page import open_page, picture_columns
from lstm_explorer.ui.sweeps import closer_look, controls, pick_cell, picture


@fragment
def sweeps() -> None:
    """Draw the choice of a sweep, its map, and the runs behind a cell; reruns without the rest of the page."""
    left, right = picture_columns("sweeps_row")
    with left:
        table = controls()
    with right:
        picture(table)
    if table is not None:
        closer_look(table)
    pick(".st-key-sweep_map", pick_cell, key="cell_picked")


open_page(__file__, view=SweepsView)
st.title(_("Who learns, over a whole grid of settings"))
st.markdown(
    _(
        "One run is an anecdote. A **sweep** trains every combination of some settings, with several seeds each: which "
        "networks learn, how soon, and whether the gradient that survived **before** training told so."
    )
)
sweeps()
