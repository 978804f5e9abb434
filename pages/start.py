"""Start here: the gradient dies in an RNN, lives in an LSTM, and the forget bias decides."""

import streamlit as st

from lstm_explorer.exhibits.gradients import journey
from lstm_explorer.exhibits.view import View
from lstm_explorer.locales import _
from lstm_explorer.ui.controls import presets, setting_number, setting_slider
from lstm_explorer.ui.language import fragment
from lstm_explorer.ui.lesson import show_lesson
from lstm_explorer.ui.page import open_page
from lstm_explorer.ui.presets import preset_note, preset_options
from lstm_explorer.ui.runner import CachedRunner
from lstm_explorer.ui.session import current_settings
from lstm_explorer.ui.toolbar import show_exhibit
from lstm_explorer.ui.verdicts import show_verdicts
from lstm_explorer.ui.work import continue_work


def controls() -> None:
    """Draw the three controls that matter."""
    setting_number("sequence_length", _("Sequence length (steps)"), help=_("How far the gradient has to travel."))
    setting_slider(
        "forget_bias",
        _("Forget-gate bias of the LSTM"),
        step=0.25,
        help=_("The effective bias, bias_ih + bias_hh. Large: f near 1, the cell keeps. Small: f near 0, it forgets."),
    )
    setting_slider(
        "recurrent_gain",
        _("Recurrent gain of the RNN"),
        step=0.05,
        help=_(
            "Factor on the RNN's weight_hh. The LSTM keeps its own weights here; on the page Gradient flow it scales "
            "every network."
        ),
    )


@fragment
def picture() -> None:
    """Draw the picture, then the controls and cards around it; reruns without the rest of the page."""
    above, (left, right) = st.container(), st.columns([3, 8], gap="medium")
    with right:
        exhibit = journey(CachedRunner(), current_settings(), View())
        if exhibit:
            show_exhibit(exhibit, head_start=True)
    with above:
        lit = presets(_("Try these, from left to right"), preset_options(current_settings()))
    with left:
        controls()
        if note := preset_note(lit):
            st.info(note)
    if exhibit:
        show_verdicts(exhibit.series, exhibit.theory)
    continue_work()


open_page(__file__)
st.title(_("Why an RNN forgets, and what an LSTM does about it"))
st.markdown(
    _(
        "To learn from step 0, a network needs the **gradient** to travel back from the loss to step 0. An RNN "
        "multiplies it by the same weights at every step, so it **dies**. An LSTM gives it a direct road, the **cell "
        "state**, where it is multiplied by the forget gate *f* instead: near 1 **keeps**, near 0 **forgets**. "
        "Press **▶ Play**, then raise the forget-gate bias."
    )
)
picture()
show_lesson()
