"""The parts of the page Vanish or explode: the network's settings, and the topics beneath the fan."""

from __future__ import annotations

from typing import Any

import streamlit as st

from lstm_explorer.core.architectures import architecture_named
from lstm_explorer.core.settings import Settings
from lstm_explorer.exhibits.biases_view import memory_gate, one_bias
from lstm_explorer.exhibits.clipping import clipping, truncation
from lstm_explorer.exhibits.jacobians import axes_of, eigenvalues, exponents, phase_map
from lstm_explorer.exhibits.jacobians_view import JacobiansView
from lstm_explorer.exhibits.words import OPTIMIZERS
from lstm_explorer.figures.names import network_names
from lstm_explorer.locales import _, translated
from lstm_explorer.runs.job import Runner
from lstm_explorer.ui import session
from lstm_explorer.ui.controls import setting_choice, setting_number, setting_slider, setting_subset
from lstm_explorer.ui.errors import shielded
from lstm_explorer.ui.lab import (
    bias_controls,
    input_controls,
    length_control,
    own_data_control,
    precision_control,
    weight_controls,
)
from lstm_explorer.ui.toolbar import show_exhibit

#: Bounds of clipping that are offered.
_CLIP_AT = (0.01, 0.1, 0.5, 1.0, 5.0, 10.0)


def experiment_controls(view: JacobiansView) -> None:
    """Draw the settings that make this network vanish or explode, and the rest folded."""
    setting_choice("network", _("Network"), network_names(), pills=True)
    record = architecture_named(view.network)
    if record.remark:
        st.caption(translated(record.remark))
    length_control()
    own_data_control()
    with st.expander(_("Weights"), expanded=True):
        weight_controls([view.network])
    if record.gates:
        with st.expander(_("Gate biases"), expanded=True):
            bias_controls([view.network])
    with st.expander(_("Input")):
        input_controls()
    with st.expander(_("Size and seed")):
        setting_number("hidden_size", _("Hidden size (units)"))
        setting_slider("num_layers", _("Layers"), help=_("Jacobians are those of the last layer."))
        setting_number("seed", _("First seed"))
        precision_control()


def closer_look(runner: Runner, settings: Settings, view: JacobiansView) -> None:
    """Draw the choice of a topic, and the chosen one."""
    names = {
        "eigenvalues": _("Eigenvalues"),
        "exponents": _("Lyapunov exponents"),
        "edge": _("The edge between"),
        "clipping": _("Would clipping have helped?"),
        "truncation": _("Truncation"),
    }
    setting_choice("topic", _("Look closer"), names, side_by_side=len(names))
    draw = {
        "eigenvalues": _eigenvalues, "exponents": _exponents, "edge": _edge, "clipping": _clipping,
        "truncation": _truncation,
    }  # fmt: skip
    with shielded():
        draw[view.topic](runner, settings, view)


def _eigenvalues(runner: Runner, settings: Settings, view: JacobiansView) -> None:
    if exhibit := eigenvalues(runner, settings, view):
        show_exhibit(exhibit)


def _exponents(runner: Runner, settings: Settings, view: JacobiansView) -> None:
    setting_subset("networks", _("Networks"), network_names())
    if exhibit := exponents(runner, settings, view):
        show_exhibit(exhibit)


def _edge(runner: Runner, settings: Settings, view: JacobiansView) -> None:
    record = architecture_named(view.network)
    if not record.recurrent:
        st.info(
            _(
                "The {network} has no recurrent weights, so there is no gain and no edge: its Jacobian is its gate, "
                "which is below 1. Choose another network."
            ).format(network=record.title)
        )
        return
    if exhibit := phase_map(runner, settings, view):
        show_exhibit(exhibit)


def _clipping(runner: Runner, settings: Settings, view: JacobiansView) -> None:
    left, right = st.columns([3, 8], gap="medium")
    with left:
        setting_choice("clipping", _("Gradient clipping"), {"norm": _("by norm"), "value": _("by value")})
        bounds = {at: f"{at:g}" for at in _CLIP_AT}
        setting_choice("clip_at", _("Clipped at"), bounds, side_by_side=len(bounds))  # type: ignore[arg-type]
        setting_choice("optimizer", _("Optimizer"), {name: OPTIMIZERS[name] for name in ("sgd", "adam")})
        _memory(settings)
    with right, shielded():
        if exhibit := clipping(runner, settings, view):
            show_exhibit(exhibit, words=st.container())


def _truncation(runner: Runner, settings: Settings, view: JacobiansView) -> None:
    left, right = st.columns([3, 8], gap="medium")
    with left:
        setting_slider(
            "truncation", _("Detach every so many steps (0: never)"), limits=(0, settings.sequence_length),
            help=_("The states are detached between two pieces, counted back from the last step."),
        )  # fmt: skip
        _memory(settings)
    with right, shielded():
        if exhibit := truncation(runner, settings, view):
            show_exhibit(exhibit)


def _memory(settings: Settings) -> None:
    setting_slider(
        "memory", _("Steps back that you ask about (0: all)"), limits=(0, settings.sequence_length),
    )  # fmt: skip


def pick_settings(across: float, up: float) -> None:
    """Take the settings that were clicked on in the map; a callback."""
    (first, _rows), (second, _columns) = axes_of(session.current_view().network)
    limits = session.current_limits()
    picked = {first: up, second: across}
    changes: dict[str, Any] = {
        name: min(max(round(value, 3), limits[name].low), limits[name].high) for name, value in picked.items()
    }
    settings, network = session.current_settings(), session.current_view().network
    if gate := memory_gate(network):  # the map has one bias in all units
        changes["recurrent_init"] = one_bias(network, settings, gate).recurrent_init
    session.apply(**changes)
