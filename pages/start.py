"""Start here: the gradient dies in an RNN, lives in an LSTM, and the forget bias decides."""

import streamlit as st

from lstm_explorer.exhibits.journey import journey
from lstm_explorer.exhibits.view import View
from lstm_explorer.locales import _
from lstm_explorer.ui.browser import slide
from lstm_explorer.ui.controls import presets, setting_slider
from lstm_explorer.ui.idle import why_idle
from lstm_explorer.ui.lab import length_control
from lstm_explorer.ui.language import fragment
from lstm_explorer.ui.lesson import show_lesson
from lstm_explorer.ui.page import open_page, picture_columns
from lstm_explorer.ui.presets import preset_note, preset_options
from lstm_explorer.ui.runner import CachedRunner
from lstm_explorer.ui.session import apply, current_settings
from lstm_explorer.ui.toolbar import show_exhibit
from lstm_explorer.ui.verdicts import show_verdicts
from lstm_explorer.ui.work import continue_work


def controls() -> None:
    """Draw the three controls that matter."""
    length_control(help=_("How far the gradient has to travel."))
    setting_slider(
        "forget_bias",
        _("Forget-gate bias of the LSTM"),
        step=0.25,
        help=_("The effective bias, bias_ih + bias_hh. Large: f near 1, the cell keeps. Small: f near 0, it forgets."),
        idle=why_idle("forget_bias", ["lstm"]),
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
    above = st.container()
    left, right = picture_columns("journey_row")
    with right:
        exhibit = journey(CachedRunner(), current_settings(), View())
        if exhibit:
            show_exhibit(exhibit, head_start=True)
    with above:
        lit = presets(_("From left to right"), preset_options(current_settings()))
    with left:
        controls()
        if note := preset_note(lit, current_settings()):
            st.info(note)
    if exhibit:
        show_verdicts(exhibit.series, exhibit.theory)
    slide(".st-key-journey", lambda bias: apply(forget_bias=float(bias)), key="bias_slid")
    continue_work()


open_page(__file__)
st.title(_("Why an RNN forgets, and what an LSTM does about it"))
st.markdown(
    _(
        "To learn from step 0, a network needs the **gradient** to travel back there from the loss. An RNN multiplies "
        "it by the same weights at every step: it **dies**. An LSTM gives it a road of its own, the **cell state**, "
        "times the forget gate *f*: near 1 **keeps**, near 0 **forgets**. Press **▶ Play**, then drag the slider."
    )
)
picture()
show_lesson()
