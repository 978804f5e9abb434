"""Gate biases: the map of what survives, the bias one needs, and the paths that the gradient takes."""

import streamlit as st

from lstm_explorer.exhibits.biases_view import BiasesView
from lstm_explorer.locales import _
from lstm_explorer.ui.biases import (
    bias_figure,
    closer_look,
    experiment_controls,
    explosion_notice,
    fit_view,
    map_controls,
    pick_bias,
)
from lstm_explorer.ui.browser import pick
from lstm_explorer.ui.language import fragment
from lstm_explorer.ui.page import open_page, picture_columns
from lstm_explorer.ui.runner import CachedRunner
from lstm_explorer.ui.session import current_settings, current_view
from lstm_explorer.ui.work import continue_work


@fragment
def biases() -> None:
    """Draw the map, then the topic beneath it; reruns without the rest of the page."""
    left, right = picture_columns("biases_row")
    with left:
        experiment_controls(current_settings(), fit_view(current_view()))
    # Read only now: a file that was just uploaded has changed the settings.
    settings, view, runner = current_settings(), current_view(), CachedRunner()
    with right:
        controls = st.container()
        bias_figure(runner, settings, view)
    with controls:
        map_controls(view)
    with left:
        explosion_notice(runner, settings, view)
    closer_look(runner, settings, view)
    pick(".st-key-bias_map", lambda _lag, bias: pick_bias(bias), key="bias_picked")
    continue_work()


open_page(__file__, view=BiasesView)
st.title(_("Gate biases"))
st.markdown(
    _(
        "Should the forget bias be 1, 2 or 5? It depends on how far back you must remember, and on the other gates. "
        "The map shows every bias at once: **full colour keeps**, blank has forgotten, violet **explodes**. Move the "
        "slider under it to see one bias as a curve, or set how long you must remember further down."
    )
)
biases()
