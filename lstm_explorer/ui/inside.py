"""The parts of the page Inside the cell: its settings, the step, and the walk through its stages."""

from __future__ import annotations

import streamlit as st

from lstm_explorer.core.architectures import architecture_named
from lstm_explorer.core.engine.trajectory import Trajectory
from lstm_explorer.core.settings import Settings
from lstm_explorer.exhibits.inside import InsideView, part_of, place, stage_of, stages
from lstm_explorer.exhibits.walk import walk
from lstm_explorer.figures.cell import DIAGRAMS, cell_values
from lstm_explorer.figures.digit import plot_digit
from lstm_explorer.figures.names import gate_name, network_names, parts
from lstm_explorer.locales import _
from lstm_explorer.ui import session
from lstm_explorer.ui.browser import draw, play
from lstm_explorer.ui.controls import setting_choice, setting_number, setting_slider
from lstm_explorer.ui.figure import theme_name
from lstm_explorer.ui.idle import why_idle
from lstm_explorer.ui.lab import input_controls, length_control, own_data_control


def network_controls(settings: Settings, view: InsideView) -> None:
    """Draw the settings of the cell."""
    setting_choice("network", _("Cell"), network_names(*DIAGRAMS))
    length_control()
    own_data_control()
    setting_slider(
        "unit", _("Unit (−1: the mean of all)"), limits=(-1, settings.hidden_size - 1),
        help=_("Gates are vectors: every unit has a value of its own."),
    )  # fmt: skip
    squashing = {gate.name for gate in architecture_named(view.network).gates if gate.function == "sigmoid"}
    for gate in filter(squashing.__contains__, parts(view.network)):
        name, label = f"{gate}_bias", _("Bias of the {gate}").format(gate=gate_name(gate, view.network))
        setting_slider(name, label, step=0.25, idle=why_idle(name, [view.network]))
    with st.expander(_("Input")):
        input_controls()
    with st.expander(_("Size and weights")):
        setting_number("hidden_size", _("Hidden size (units)"))
        setting_slider("num_layers", _("Layers"))
        if settings.num_layers > 1:
            setting_slider("depth", _("Layer"), limits=(1, settings.num_layers))
        setting_slider("recurrent_gain", _("Gain on weight_hh, every network"), step=0.05)
        setting_number("seed", _("First seed"))


def fit_view(view: InsideView, trajectory: Trajectory) -> None:
    """Limit the view to what this network has: a step, a stage and a part that exist."""
    step, _layer, _unit = place(trajectory, view)
    fitting = view.replace(
        step=step,
        unit=min(view.unit, trajectory.hidden.shape[-1] - 1),
        stage=stage_of(view) or "all",
        part=part_of(view),
    )
    if fitting != view:
        session.apply(step=fitting.step, unit=fitting.unit, stage=fitting.stage, part=fitting.part)


def step_controls(view: InsideView, trajectory: Trajectory) -> None:
    """Draw the step: a slider, and buttons with keys."""
    last = trajectory.hidden.shape[1] - 1
    with st.container(horizontal=True, vertical_alignment="bottom", key="step_row"):
        with st.container(width="stretch", key="step_slider"):
            setting_slider("step", _("Step t"), limits=(1, last))
        st.toggle(_("Play"), key="playing")
        st.button(
            _("Back"), key="step_back", icon=":material/chevron_left:", shortcut="J", disabled=view.step <= 1,
            on_click=_go, args=("step", min(view.step, last) - 1),
        )  # fmt: skip
        st.button(
            _("Next"), key="step_next", icon=":material/chevron_right:", shortcut="L", disabled=view.step >= last,
            on_click=_go, args=("step", view.step + 1),
        )  # fmt: skip
    play(".st-key-step_next button", on=st.session_state["playing"])


def input_picture(settings: Settings, view: InsideView) -> None:
    """Draw the input where it is a picture; every other input is written beside x in the diagram."""
    if settings.input_kind == "digit":
        draw({view.step: plot_digit(settings, step=view.step, theme=theme_name())}, key="digit_read")


def stage_controls(view: InsideView) -> None:
    """Draw the choice of a stage of the step, with buttons that go through all of them in the lesson's order."""
    order = ["all", *stages(view.network)]
    at = order.index(stage_of(view) or "all")
    with st.container(horizontal=True, vertical_alignment="bottom", key="stage_row"):
        names = {"all": _("all"), **stages(view.network)}
        setting_choice("stage", _("Walk through the step"), names, side_by_side=len(names))
        st.button(
            _("Previous stage"), key="stage_back", shortcut="B", disabled=at == 0,
            on_click=_go, args=("stage", order[max(at - 1, 0)]),
        )  # fmt: skip
        st.button(
            _("Next stage"), key="stage_next", shortcut="N", disabled=at == len(order) - 1, type="primary",
            on_click=_go, args=("stage", order[min(at + 1, len(order) - 1)]),
        )  # fmt: skip


def walk_through(settings: Settings, view: InsideView, trajectory: Trajectory) -> None:
    """Draw the equation of the stage, or of all stages: with symbols, and with this step's numbers."""
    here = stage_of(view)
    step, layer, unit = place(trajectory, view)
    values = cell_values(trajectory, step=step, layer=layer, unit=unit)
    units = settings.hidden_size if unit is None else None
    names = [here] if here else list(stages(view.network))
    steps = [walk(view.network, name, values, units=units, theme=theme_name()) for name in names]
    # One element, not two per stage: each costs the browser time at every step.
    lines = r" \\[0.9em] ".join(rf"{stage.equation} \\[0.3em] {stage.numbers}" for stage in steps)
    st.latex(rf"\begin{{gathered}}{lines}\end{{gathered}}")
    if units is not None:
        st.caption(
            _("A bar is a mean over the {units} units. Choose one unit to see its sum inside every gate.").format(
                units=units
            )
        )


def part_control(view: InsideView) -> None:
    """Draw the choice of the heat map's gate or state."""
    setting_choice("part", _("Every unit's"), {name: gate_name(name, view.network) for name in parts(view.network)})


def pick_unit(step: float, unit: float) -> None:
    """Select the unit and the step that were clicked on in the heat map; a callback."""
    session.apply(unit=round(unit), step=max(1, round(step)))


def common_mistakes() -> None:
    """Draw the four mistakes that many notes share."""
    with st.expander(_("Four slips that many notes share")):
        st.markdown(
            _(
                "1. A forget gate near **1 keeps** and near **0 forgets**: the name says the opposite of the number.\n"
                "2. The **cell state c** is the long-term memory; the **hidden state h** is the short-term, exposed "
                "part. (Some notes call c the short-term memory.)\n"
                "3. Gates are **vectors**: one number for every unit, not one for the whole cell.\n"
                "4. The direct path of the gradient runs through **c**, not through h."
            )
        )


def _go(name: str, value: object) -> None:
    session.apply(**{name: value})
