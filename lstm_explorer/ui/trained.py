"""Looking inside a network at any moment of its training, and taking it home."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from lstm_explorer.core.inputs import TableLike
from lstm_explorer.core.scripts.training import to_training_script
from lstm_explorer.core.training.tasks import TASKS
from lstm_explorer.exhibits.trained import (
    chosen,
    kept_moments,
    kept_weights,
    look_at,
    moment_of,
    part_of,
    trained_cell,
    trained_eigenvalues,
    trained_flow,
    trained_gates,
    trained_map,
    trained_phase_map,
    trained_products,
    trained_traces,
)
from lstm_explorer.exhibits.training import started
from lstm_explorer.exhibits.training_view import TrainingView
from lstm_explorer.figures.names import gate_name, network_names, parts
from lstm_explorer.locales import _
from lstm_explorer.runs.training import background
from lstm_explorer.runs.training.files import state_dict_bytes, tensors_to_bytes
from lstm_explorer.ui import uploads
from lstm_explorer.ui.controls import setting_choice, setting_slider, setting_stops
from lstm_explorer.ui.download import download_button
from lstm_explorer.ui.errors import shielded
from lstm_explorer.ui.runner import CachedRunner
from lstm_explorer.ui.session import apply, current_settings
from lstm_explorer.ui.toolbar import show_exhibit

#: Held-out samples that can be looked at.
_MOST_SAMPLES = 128


def look_inside(view: TrainingView) -> None:
    """Draw one of the networks at any moment of its training, with one sample that it reads."""
    with st.expander(
        _("Look inside a network, at any moment of its training"), on_change="rerun", key="look_inside_open"
    ) as expander:
        if not expander.open:
            return
        setting_choice("inside", _("Network"), network_names(*view.networks))
        view = _fitting(view)
        moments = kept_moments(view)
        if not moments:
            st.caption(_("No weights of this network were kept: run it yourself."))
            return
        with shielded():
            _inside(view, moments)
        _take_home(view, moments)


def _fitting(view: TrainingView) -> TrainingView:
    """Limit what is looked at to what the network has."""
    fitting = view.replace(inside=chosen(view).architecture)
    fitting = fitting.replace(part=part_of(fitting))
    if fitting != view:
        apply(inside=fitting.inside, part=fitting.part)
    return fitting


def _inside(view: TrainingView, moments: Sequence[int]) -> None:
    looked = look_at(view)
    if looked is None:
        return
    network, steps = chosen(view).architecture, len(looked.moment.inputs)
    with st.container(horizontal=True):
        setting_stops("at", _("After optimizer step"), moments)
        setting_slider("sample", _("Held-out sample"), limits=(0, min(looked.samples, _MOST_SAMPLES) - 1))
        setting_slider("step", _("Step that is marked"), limits=(1, steps))
    if looked.answer:
        st.markdown(
            _("It answers **{answer}**; right is **{right}**.").format(answer=looked.answer, right=looked.right)
        )
    runner, settings = CachedRunner(), current_settings()
    for build in (trained_cell, trained_traces, trained_gates, trained_flow, trained_map):
        if build is trained_gates:
            setting_choice("part", _("Unit by unit"), {part: gate_name(part, network) for part in parts(network)})
        if exhibit := build(runner, settings, view):
            show_exhibit(exhibit, slider="step")
    if st.toggle(_("Every direction at once"), key="directions_shown"):
        for build in (trained_products, trained_eigenvalues, trained_phase_map):
            with shielded():
                if exhibit := build(runner, settings, view):
                    show_exhibit(exhibit)


def _take_home(view: TrainingView, moments: Sequence[int]) -> None:
    """Draw the buttons that save the weights of this moment, and the program that trains the same network."""
    training, step = chosen(view), moment_of(view, moments)
    stem = f"lstm-explorer-{training.architecture}-{training.task}-step{step}"
    st.caption(
        _(
            "The weights at this moment, by PyTorch's own names (network.weight_ih_l0 … and head.weight), and a "
            "program that needs only PyTorch, trains the same network and prints the same losses."
        )
    )
    with st.container(horizontal=True):
        download_button(
            "safetensors", f"{stem}.safetensors", "application/octet-stream",
            lambda: tensors_to_bytes(kept_weights(view, training, step)), key="save_safetensors",
        )  # fmt: skip
        download_button(
            _("PyTorch state_dict"), f"{stem}.pt", "application/octet-stream",
            lambda: state_dict_bytes(kept_weights(view, training, step)), key="save_state_dict",
        )  # fmt: skip
        download_button(
            _("Program"), f"lstm-explorer-train-{training.architecture}-{training.task}.py", "text/x-python",
            lambda: to_training_script(training, table=_table(view)).encode(), key="save_program",
        )  # fmt: skip


def _table(view: TrainingView) -> TableLike | None:
    """Return the table that the network was trained on."""
    return background.table(view.run) if started(view) else None


def rows_of(view: TrainingView) -> TableLike | None:
    """Return the reader's own table where the task reads one."""
    table = uploads.current_table() if TASKS[view.task].reads_table else None
    return table.values if table else None
