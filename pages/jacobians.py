"""Vanish or explode: what becomes of every direction of the state, and where the edge lies between the two."""

import streamlit as st

from lstm_explorer.exhibits.jacobians import products
from lstm_explorer.exhibits.jacobians_view import JacobiansView
from lstm_explorer.locales import _
from lstm_explorer.ui.browser import pick
from lstm_explorer.ui.errors import shielded
from lstm_explorer.ui.jacobians import closer_look, experiment_controls, pick_settings
from lstm_explorer.ui.lab import preset_controls
from lstm_explorer.ui.language import fragment
from lstm_explorer.ui.page import open_page, picture_columns
from lstm_explorer.ui.runner import CachedRunner
from lstm_explorer.ui.session import current_settings, current_view
from lstm_explorer.ui.toolbar import show_exhibit
from lstm_explorer.ui.work import continue_work


@fragment
def jacobians() -> None:
    """Draw the fan of all directions, then the topic beneath it; reruns without the rest of the page."""
    preset_controls()
    left, right = picture_columns("jacobians_row")
    with left:
        experiment_controls(current_view())
    runner, settings, view = CachedRunner(), current_settings(), current_view()
    with right, shielded():
        if exhibit := products(runner, settings, view):
            show_exhibit(exhibit, head_start=True)
    closer_look(runner, settings, view)
    pick(".st-key-phase_map", pick_settings, key="settings_picked")
    continue_work()


open_page(__file__, view=JacobiansView)
st.title(_("Vanish or explode"))
st.markdown(
    _(
        "A gradient is **one** direction of the state. The **Jacobian** of a step has them all, and the product of "
        "Jacobians from a step to the last says what any gradient can become on its way back: it **vanishes** where "
        "even the best kept direction shrinks, and may **explode** where one grows. Move the gain, and look for the "
        "edge."
    )
)
jacobians()
