"""Inside the cell: one step of a real network, stage by stage, and the whole sequence beneath it."""

import streamlit as st

from lstm_explorer.core.engine.trajectory import Trajectory
from lstm_explorer.exhibits.inside import InsideView, by_hand, diagram, gate_map, traces, unrolled
from lstm_explorer.locales import _
from lstm_explorer.ui.browser import move_cursor, pick
from lstm_explorer.ui.by_hand import challenge_control, challenge_verdict, note_solved, phase_controls
from lstm_explorer.ui.errors import shielded
from lstm_explorer.ui.inside import (
    common_mistakes,
    fit_view,
    input_picture,
    network_controls,
    part_control,
    pick_unit,
    stage_controls,
    step_controls,
    walk_through,
)
from lstm_explorer.ui.language import fragment
from lstm_explorer.ui.page import open_page, picture_columns
from lstm_explorer.ui.runner import CachedRunner
from lstm_explorer.ui.session import current_settings, current_view
from lstm_explorer.ui.toolbar import show_exhibit


@fragment
def cell() -> None:
    """Draw the cell's settings, its step and its sequence; each part reruns without the others."""
    left, right = picture_columns("cell_row")
    with left:
        network_controls(current_settings(), current_view())
    trajectory = unrolled(CachedRunner(), current_settings(), current_view())
    if trajectory is None:
        return
    fit_view(current_view(), trajectory)
    with right:
        step(trajectory)
    sequence()
    pick(".st-key-gate_map", pick_unit, key="unit_picked")


@fragment
def step(trajectory: Trajectory) -> None:
    """Draw one step: its controls, the diagram, and the walk through its stages."""
    settings, controls, words = current_settings(), st.container(), st.container()
    if exhibit := diagram(CachedRunner(), settings, current_view()):  # first, so that the new numbers are there first
        show_exhibit(exhibit, slider="step", words=words)
    with controls:
        step_controls(current_view(), trajectory)
        stage_controls(current_view())
        input_picture(settings, current_view())
    walk_through(settings, current_view(), trajectory)
    move_cursor(current_view().step)


@fragment
def sequence() -> None:
    """Draw the whole sequence; the step only moves its cursor, which the browser does alone."""
    st.subheader(_("Over time"))  # not before it: see ui/toolbar.py, why a fragment inside another comes at once
    runner, settings = CachedRunner(), current_settings()
    with shielded():
        if exhibit := traces(runner, settings, current_view()):
            show_exhibit(exhibit)
    part_control(current_view())
    with shielded():
        if exhibit := gate_map(runner, settings, current_view()):
            show_exhibit(exhibit)


@fragment
def hand() -> None:
    """Draw the cell whose gates the reader sets."""
    st.header(_("One cell by hand"))
    st.markdown(
        _(
            "A cell with a single unit, and its gates are yours. Set each phase, and watch what the cell holds and how "
            "much of the gradient gets back: f multiplies both. Then try a challenge."
        )
    )
    note_solved()
    challenge_control()
    left, right = picture_columns("hand_row")
    with left:
        phase_controls()
    with right, shielded():
        challenge_verdict()
        if exhibit := by_hand(CachedRunner(), current_settings(), current_view()):
            show_exhibit(exhibit)


open_page(__file__, view=InsideView)
st.title(_("Inside the cell"))
st.markdown(
    _(
        "A real `nn.LSTM` reads the sequence, and here is one of its steps. The **cell state** runs along the top "
        "like a conveyor; **forget** decides what stays on it, **input** and **candidate** what is put on it, "
        "**output** what is shown. Walk through the stages, then move the step."
    )
)
cell()
common_mistakes()
hand()
