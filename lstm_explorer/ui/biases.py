"""The parts of the page Gate biases: the map with its controls, the notice of an explosion, and the topics beneath."""

from __future__ import annotations

import math
from typing import Any

import streamlit as st

from lstm_explorer.core.architectures import architecture_named, layer_parameters
from lstm_explorer.core.biases.lines import bias_lines, chrono_lines, run_bias_lines
from lstm_explorer.core.biases.required import RequiredBias
from lstm_explorer.core.networks.build import build_network, effective_biases
from lstm_explorer.core.settings import Settings
from lstm_explorer.exhibits.biases import MAPS, effective, explosion, needed, required
from lstm_explorer.exhibits.biases_view import GATED, RECURRENT, BiasesView, gate_of, memory_gate, one_bias, other_gate
from lstm_explorer.exhibits.paths import contributions, paths, rates, weights
from lstm_explorer.figures.formatting import percent
from lstm_explorer.figures.names import gate_name, network_names
from lstm_explorer.locales import _, translated
from lstm_explorer.runs.job import Runner
from lstm_explorer.ui import session
from lstm_explorer.ui.controls import setting_choice, setting_slider
from lstm_explorer.ui.errors import shielded
from lstm_explorer.ui.lab import length_control, more_controls, own_data_control
from lstm_explorer.ui.toolbar import show_exhibit

#: The measurement of keras-team/keras issue 16151, in this app's settings.
PUZZLE = {
    "recurrent_init": "keras", "forget_bias": 1.0, "input_bias": 0.0, "candidate_bias": 0.0, "output_bias": 0.0,
    "split_biases": False, "recurrent_gain": 1.0, "sequence_length": 20, "hidden_size": 64, "num_layers": 1,
    "input_kind": "zeros", "loss": "last",
}  # fmt: skip


def experiment_controls(settings: Settings, view: BiasesView) -> None:
    """Draw the settings of the mapped network: its length, the biases of all its gates, and the rest folded."""
    setting_choice("network", _("Network"), network_names(*GATED), pills=True)
    if remark := architecture_named(view.network).remark:
        st.caption(translated(remark))
    length_control()
    own_data_control()
    asked = view.across == "gate" or view.topic == "need"
    setting_slider(
        "memory", _("Steps to remember (0: all)"), limits=(0, settings.sequence_length),
        help=_("How far back the gradient has to reach. 0 is the whole sequence."),
        idle="" if asked else _("For the map over another gate, and for the bias that you need."),
    )  # fmt: skip
    _chrono_note(settings)
    for gate in sorted(architecture_named(view.network).blocks, key=lambda gate: gate != memory_gate(view.network)):
        setting_slider(f"{gate}_bias", _("Bias of the {gate}").format(gate=gate_name(gate, view.network)), step=0.25)
    more_controls([view.network])


def _chrono_note(settings: Settings) -> None:
    """Explain which biases chrono draws instead of the sliders, with a button that ends it."""
    if settings.recurrent_init != "chrono":
        return
    st.info(
        _(
            "**Chrono** draws the forget, input and update biases for every unit of your network. Maps and answers "
            "about these gates are for one bias in all units."
        )
    )
    st.button(
        _("Set one bias for all units instead"), key="no_chrono", on_click=session.apply,
        kwargs={"recurrent_init": "pytorch"},
    )  # fmt: skip


def fit_view(view: BiasesView) -> BiasesView:
    """Limit the view to what the network has: a gate, and another one."""
    fitting = view.replace(gate=gate_of(view))
    fitting = fitting.replace(other=other_gate(fitting))
    if fitting != view:
        session.apply(gate=fitting.gate, other=fitting.other)
    return fitting


def map_controls(view: BiasesView) -> None:
    """Draw the choice of the map's axes."""
    gates = {name: gate_name(name, view.network) for name in architecture_named(view.network).blocks}
    setting_choice("gate", _("Bias of"), gates)  # a line of its own, so that it wraps on a phone
    with st.container(horizontal=True, vertical_alignment="bottom"):
        setting_choice("across", _("Over"), {"lag": _("steps back"), "gate": _("another gate"), "length": _("length")})
        if view.across == "gate":
            rest = {name: text for name, text in gates.items() if name != gate_of(view)}
            setting_choice("other", _("And the bias of"), rest)
        if architecture_named(view.network).memory == "cell":
            setting_choice("path", _("Gradient"), {"total": _("total"), "cell_path": _("cell path alone")})


def bias_figure(runner: Runner, settings: Settings, view: BiasesView) -> None:
    """Draw the chosen map."""
    with shielded():
        if exhibit := MAPS[view.across](runner, settings, view):
            show_exhibit(exhibit, head_start=True)


def pick_bias(bias: float) -> None:
    """Set the bias that was clicked on in the map; a callback."""
    gate = gate_of(session.current_view())
    low, high = session.current_limits()[f"{gate}_bias"]
    session.apply(**{f"{gate}_bias": min(max(round(bias, 3), low), high)})


def explosion_notice(runner: Runner, settings: Settings, view: BiasesView) -> None:
    """Warn where the reader's own network explodes, with a button that ends it."""
    with shielded():
        arrives = explosion(runner, settings, view)
        if arrives is None:
            return
        with st.container(border=True, key="way_back"):
            st.markdown(
                _("**These settings explode**: {times} as much gradient arrives at step 0 as left the loss.").format(
                    times=percent(arrives)
                )
            )
            signs = {gate.chrono: f"{gate.name}_bias" for gate in architecture_named(view.network).gates if gate.chrono}
            if len(signs) == 2 and settings.recurrent_init != "chrono":
                low, high = session.current_limits()[signs[-1]]
                opposite = min(max(-getattr(settings, signs[1]), low), high)
                st.button(
                    _("Set the input bias to {bias:g}, the forget bias's opposite").format(bias=opposite),
                    key="oppose", type="primary", on_click=session.apply, kwargs={signs[-1]: opposite},
                    help=_("What the cell keeps need not be let in again: b_i = −b_f, as chrono initialisation does."),
                )  # fmt: skip


def closer_look(runner: Runner, settings: Settings, view: BiasesView) -> None:
    """Draw the choice of a topic, and the chosen one."""
    names = {
        "need": _("Which bias do I need?"),
        "effective": _("What if both vectors are filled?"),
        "paths": _("Which way does it travel?"),
        "puzzle": _("Why do early steps lose more?"),
        "weights": _("Why do weight gradients look fine?"),
    }
    setting_choice("topic", _("Look closer"), names, side_by_side=len(names))
    draw = {"need": _need, "effective": _effective, "paths": _paths, "puzzle": _puzzle, "weights": _weights}
    with shielded():
        draw[view.topic](runner, settings, view)


def _need(runner: Runner, settings: Settings, view: BiasesView) -> None:
    left, right = st.columns([3, 8], gap="medium")
    with left:
        setting_slider(
            "share", _("Share that must survive"), step=0.001,
            help=_("0.1 is a tenth of the gradient at the last step."),
        )  # fmt: skip
        setting_choice(
            "answer", _("Take the bias"),
            {"measured": _("measured"), "closed": _("formula"), "chrono": _("chrono")},
        )  # fmt: skip
    with right, shielded():
        if exhibit := required(runner, settings, view):
            show_exhibit(exhibit)
    if need := needed(runner, settings, view):
        with left:
            button = st.container()
        lines = _lines(need, settings, view)
        with button:
            st.button(
                _("Set it here"), key="set_answer", on_click=session.apply, kwargs=_changes(need, settings, view),
                type="primary", disabled=lines is None,
            )  # fmt: skip


def _bias_of_answer(need: RequiredBias, view: BiasesView) -> float | None:
    if view.answer == "closed":
        return round(need.closed_form, 2) if math.isfinite(need.closed_form) else None
    return need.recommended


def _changes(need: RequiredBias, settings: Settings, view: BiasesView) -> dict[str, Any]:
    """Return the settings that the chosen answer sets."""
    if view.answer == "chrono":
        return {"recurrent_init": "chrono", "chrono_max": max(3, need.lag)}
    low, high = session.current_limits()[f"{need.gate}_bias"]
    bias = _bias_of_answer(need, view)
    if bias is None:
        return {}
    init = {"recurrent_init": one_bias(view.network, settings, need.gate).recurrent_init}
    return {f"{need.gate}_bias": min(max(round(bias, 3), low), high), **init}


def _lines(need: RequiredBias, settings: Settings, view: BiasesView) -> str | None:
    """Draw the PyTorch lines that set the answer, after running them; None where there is no answer."""
    bias = _bias_of_answer(need, view)
    if view.answer == "chrono":
        lines = chrono_lines(max(3, need.lag), architecture=view.network)
    elif bias is None:
        st.info(_("There is no such bias: shorten the memory, or ask for less of the gradient."))
        return None
    else:
        others = {gate: getattr(settings, f"{gate}_bias") for gate in architecture_named(view.network).blocks}
        set_too = {gate: value for gate, value in others.items() if value and gate != need.gate}
        lines = bias_lines({need.gate: bias, **set_too}, architecture=view.network)
    biases = run_bias_lines(lines, settings, gate=need.gate, architecture=view.network)
    st.code(lines, language="python")
    caption = _("Run just now on a fresh {network}, layers: {layers}. Effective biases: {low:.3f} to {high:.3f}.")
    record = architecture_named(view.network)
    network = f"nn.{record.title}" if record.fused else record.module.__name__
    st.caption(caption.format(network=network, layers=len(biases), low=float(biases.min()), high=float(biases.max())))
    return lines


def _effective(runner: Runner, settings: Settings, view: BiasesView) -> None:
    record, gate = architecture_named(view.network), memory_gate(view.network)
    if not record.recurrent:
        said = _("The {network} has one bias vector per layer. What is in it is the effective bias.")
        st.caption(said.format(network=record.title))
        return
    network = build_network(view.network, one_bias(view.network, settings, gate).replace(num_seeds=1))
    vectors = layer_parameters(network, 0)
    parts = [one.unflatten(0, (-1, settings.hidden_size)).mean(dim=1) for one in (vectors.bias_ih, vectors.bias_hh)]
    rows = zip(effective_biases(network).items(), *parts, strict=True)
    gate_head, sum_head = _("gate"), _("effective: the sum")
    head = f"| {gate_head} | bias_ih | bias_hh | **{sum_head}** |\n|---|---:|---:|---:|\n"
    st.markdown(
        head
        + "\n".join(
            f"| {gate_name(gate, view.network)} | {ih:.2f} | {hh:.2f} | **{both.mean():.2f}** |"
            for (gate, both), ih, hh in rows
        )
    )
    st.caption(_("Means over the units of the first layer of this network."))
    if exhibit := effective(runner, settings, view):
        show_exhibit(exhibit)


def _paths(runner: Runner, settings: Settings, view: BiasesView) -> None:
    setting_choice(
        "through", _("Show"),
        {"only": _("the cell and one gate"), "without": _("all but one gate"), "split": _("what each step is made of")},
    )  # fmt: skip
    _lstm_only(view)
    if exhibit := paths(runner, settings, view):
        show_exhibit(exhibit)


def _puzzle(runner: Runner, settings: Settings, view: BiasesView) -> None:
    st.markdown(
        _(
            "Somebody measured the gradient of the cell state in a Keras LSTM, whose forget bias is 1. The first "
            "step back multiplied it by 0.735 ≈ σ(1), as expected; the later ones by 0.85. Where does the rest come "
            "from ([keras-team/keras 16151](https://github.com/keras-team/keras/issues/16151))? From the other "
            "path: c determines h, h moves the gates of the next step, and these move c."
        )
    )
    set_up = all(getattr(settings, name) == value for name, value in PUZZLE.items())
    st.button(
        _("Set up the puzzle"), key="puzzle", on_click=session.apply, kwargs=PUZZLE, type="primary", disabled=set_up
    )
    caption = _("Other weights than theirs, so the last digits differ.")
    st.caption(caption if set_up else _("The curves are of your own settings until then."))
    _lstm_only(view)
    if exhibit := rates(runner, settings, view):
        show_exhibit(exhibit)


def _weights(runner: Runner, settings: Settings, view: BiasesView) -> None:
    setting_choice("weights_of", _("Network"), network_names(*RECURRENT))
    for build in (weights, contributions):
        with shielded():
            if exhibit := build(runner, settings, view):
                show_exhibit(exhibit)


def _lstm_only(view: BiasesView) -> None:
    if architecture_named(view.network).memory != "cell":
        st.caption(_("This is about the LSTM with these settings: only it has a cell path."))
