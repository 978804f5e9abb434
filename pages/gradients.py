"""Gradient flow: every setting, every gradient, with pins to compare."""

import streamlit as st

from lstm_explorer.exhibits.gradients import GradientsView, gradients
from lstm_explorer.locales import _
from lstm_explorer.ui.lab import (
    axes_controls,
    experiment_controls,
    numbers_table,
    preset_controls,
    quantity_control,
    unit_heat_maps,
    view_note,
)
from lstm_explorer.ui.language import fragment
from lstm_explorer.ui.page import open_page, picture_columns
from lstm_explorer.ui.pins import PARAMETER, PINS, current_pins, pin_controls
from lstm_explorer.ui.runner import CachedRunner
from lstm_explorer.ui.session import current_settings, current_view
from lstm_explorer.ui.settings_file import settings_file_control
from lstm_explorer.ui.toolbar import show_exhibit
from lstm_explorer.ui.work import continue_work


@fragment
def lab() -> None:
    """Draw the controls, the curves and the numbers beneath; reruns without the rest of the page."""
    preset_controls()
    left, right = picture_columns("gradients_row")
    with left:
        experiment_controls()
        settings_file_control("gradients")
    settings, view, runner = current_settings(), current_view(), CachedRunner()
    with right:
        quantity_control()
        exhibit = gradients(runner, settings, view, current_pins())
        view_note(view, exhibit)
        if exhibit:
            show_exhibit(exhibit)
        axes_controls()
        pin_controls(view.networks, settings)
    numbers_table(exhibit.series if exhibit else ())
    unit_heat_maps(runner, settings, view)
    continue_work()


open_page(__file__, view=GradientsView, lists={PARAMETER: PINS})
st.title(_("Gradient flow"))
st.markdown(
    _(
        "The lab: build the networks you like, and see how much of the gradient reaches each step. **Pin** a curve to "
        "keep it while you change a setting; the address bar always holds the whole picture."
    )
)
lab()
