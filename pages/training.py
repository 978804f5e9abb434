"""Training: networks that learn, and how much of their gradient reaches every lag on the way."""

import streamlit as st

from lstm_explorer.exhibits.training_view import TrainingView
from lstm_explorer.locales import _
from lstm_explorer.ui.language import fragment
from lstm_explorer.ui.page import open_page, picture_columns
from lstm_explorer.ui.session import current_view
from lstm_explorer.ui.trained import look_inside
from lstm_explorer.ui.training import controls, picture, preset_controls
from lstm_explorer.ui.work import continue_work


@fragment
def training() -> None:
    """Draw the presets, the controls, and the picture; reruns without the rest of the page."""
    preset_controls()
    left, right = picture_columns("training_row")
    with left:
        controls(current_view())
    with right:
        picture(current_view())
    look_inside(current_view())
    continue_work()


open_page(__file__, view=TrainingView)
st.title(_("Watch a network learn, and its gradient with it"))
st.markdown(
    _(
        "A network can only learn what its gradient reaches. Here real networks are trained; beneath the loss, over "
        "the same axis, is how much of the loss's gradient **arrives** at every lag. Watch what happens at the moment "
        "when one learns."
    )
)
training()
