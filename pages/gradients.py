"""Gradient flow, the lab: every setting, every gradient, with pins to compare."""

from dataclasses import dataclass
from typing import Literal

import streamlit as st

from lstm_explorer.core.settings import Architecture
from lstm_explorer.core.summaries import Quantity
from lstm_explorer.figures.gradients import FlowAxes, plot_gradient_flow
from lstm_explorer.figures.words import what_it_says
from lstm_explorer.locales import _
from lstm_explorer.ui.address import current_settings, current_view
from lstm_explorer.ui.experiments import continue_work
from lstm_explorer.ui.figure import show_figure, theme_name
from lstm_explorer.ui.lab import (
    experiment_controls,
    numbers_table,
    preset_controls,
    series_on_screen,
    theory_on_screen,
    unit_heat_map,
    view_controls,
)
from lstm_explorer.ui.language import fragment
from lstm_explorer.ui.page import open_page
from lstm_explorer.ui.pins import PARAMETER, Pin, pin_controls
from lstm_explorer.ui.view import View, number


@dataclass(frozen=True, kw_only=True)
class Lab(View):
    """What the lab shows of the experiment."""

    networks: tuple[Architecture, ...] = ("rnn", "lstm")
    quantity: Quantity = "hidden"
    layer: int = number(1, 1, 4)
    measure: Literal["relative", "absolute"] = "relative"
    against: Literal["step", "lag"] = "step"
    scale: Literal["log", "linear"] = "log"
    theory: bool = True


@fragment
def lab() -> None:
    """Draw the controls, the curves and what is beneath; reruns without the rest of the page."""
    preset_controls()
    left, right = st.columns([3, 8], gap="medium")
    with left:
        experiment_controls()
    settings, view = current_settings(), current_view()
    with right:
        view_controls()
        series = series_on_screen(settings, view)
        if series:
            show_figure(
                plot_gradient_flow(
                    series,
                    theory=theory_on_screen(settings, view),
                    axes=FlowAxes(against=view.against, scale=view.scale),
                    theme=theme_name(),
                ),
                key="gradients",
                alt=_("Gradient norms along time. {says}").format(says=what_it_says(series)),
                read=_(
                    "Every solid curve is the norm of a gradient at each step, measured by exact back-propagation "
                    "through a real PyTorch network: the median over seeds and samples, with the quartiles as a band. "
                    "A straight fall on the log axis is a constant factor a step. Grey is theory, dash-dotted curves "
                    "are your pins."
                ),
                says=what_it_says([one for one in series if one.style != "ghost"]),
            )
        pin_controls(view.networks, settings)
    numbers_table(series)
    unit_heat_map(settings, view)
    continue_work()


open_page(__file__, view=Lab, lists={PARAMETER: Pin.from_text})
st.title(_("Gradient flow"))
st.markdown(
    _(
        "The lab: build the networks you like, and see how much of the gradient reaches each step. **Pin** a curve to "
        "keep it while you change a setting; the address bar always holds the whole picture."
    )
)
lab()
