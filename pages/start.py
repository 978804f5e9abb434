"""Start here: the gradient dies in an RNN, lives in an LSTM, and the forget bias decides."""

import streamlit as st

from lstm_explorer.core.settings import Settings
from lstm_explorer.core.summaries import summarise
from lstm_explorer.figures.gradients import Series
from lstm_explorer.figures.journey import plot_journey
from lstm_explorer.figures.words import what_it_says
from lstm_explorer.locales import _
from lstm_explorer.ui.address import current_settings
from lstm_explorer.ui.controls import presets, setting_number, setting_slider
from lstm_explorer.ui.experiments import continue_work, measure, theory_lines
from lstm_explorer.ui.figure import show_figure, theme_name
from lstm_explorer.ui.language import fragment
from lstm_explorer.ui.lesson import show_lesson
from lstm_explorer.ui.page import open_page
from lstm_explorer.ui.presets import preset_note, preset_options
from lstm_explorer.ui.verdicts import show_verdicts


def of_lstm(settings: Settings) -> Settings:
    """Return the LSTM's settings: on this page the recurrent gain is the RNN's alone."""
    return settings.replace(recurrent_gain=1.0)


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
def journey() -> None:
    """Draw the controls, the picture and what it says; reruns without the rest of the page."""
    lit = presets(_("Try these, from left to right"), preset_options(current_settings()))
    left, right = st.columns([3, 8], gap="medium")
    with left:
        controls()
        if note := preset_note(lit):
            st.info(note)
    settings = current_settings()
    rnn, lstm = measure(settings, "rnn"), measure(of_lstm(settings), "lstm")
    strips = [
        Series(name="RNN", network="rnn", curve=summarise(rnn, "hidden")),
        Series(name="LSTM", network="lstm", curve=summarise(lstm, "cell")),
    ]
    path = Series(name=_("LSTM, cell path alone"), network="lstm", curve=summarise(lstm, "cell_path"), style="path")
    theory = [*theory_lines(settings, "rnn"), *theory_lines(of_lstm(settings), "lstm")]
    with right:
        show_figure(
            plot_journey(strips, beside=[path], theory=theory, theme=theme_name()),
            key="journey",
            alt=_("Gradient reaching each step of an RNN and an LSTM. {says}").format(says=what_it_says(strips)),
            read=_(
                "Each strip is a network unrolled in time, one cell a step. The loss is at the right; a cell is fully "
                "coloured where all of the gradient arrives and blank where less than 10⁻⁸ of it does. The curves "
                "below are the same numbers on a logarithmic scale: measured by exact back-propagation through a real "
                "nn.RNN (its hidden state) and a real nn.LSTM (its cell state). Violet cells receive more than left "
                "the loss. Grey lines are theory; the dotted line in the LSTM's colour is the part that travels by the "
                "cell state alone."
            ),
            says=what_it_says([*strips, path]),
        )
    show_verdicts([*strips, path], theory)
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
journey()
show_lesson()
