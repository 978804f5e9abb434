"""The controls of the page Gradient flow, and its tables and heat maps."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pandas as pd
import streamlit as st

from lstm_explorer.core.architectures import ARCHITECTURES, Architecture, architecture_named
from lstm_explorer.core.escape import cell
from lstm_explorer.core.inputs import INPUTS
from lstm_explorer.core.reading import unread
from lstm_explorer.core.settings import Settings
from lstm_explorer.exhibits.exhibit import Exhibit
from lstm_explorer.exhibits.gradients import GradientsView, no_cell, units
from lstm_explorer.figures.curves import Series
from lstm_explorer.figures.names import gate_name, network_names, parts
from lstm_explorer.locales import _, translated
from lstm_explorer.runs.experiment import Experiment
from lstm_explorer.runs.job import Runner
from lstm_explorer.ui import uploads
from lstm_explorer.ui.controls import (
    presets,
    setting_choice,
    setting_number,
    setting_slider,
    setting_subset,
    setting_text,
    setting_toggle,
)
from lstm_explorer.ui.errors import shielded
from lstm_explorer.ui.idle import why_idle
from lstm_explorer.ui.presets import preset_note, preset_options
from lstm_explorer.ui.session import apply, current_record, current_settings, current_view
from lstm_explorer.ui.toolbar import show_exhibit


def experiment_controls() -> None:
    """Draw every setting of the experiment, in the order a reader needs them."""
    setting_subset("networks", _("Networks"), network_names())
    length_control()
    own_data_control()
    with st.expander(_("Gate biases"), expanded=True):
        bias_controls(current_view().networks)
    more_controls(current_view().networks)


def more_controls(networks: Sequence[str]) -> None:
    """Draw the settings that are seldom moved, folded; what is folded is not drawn: most moves would pay for it."""
    parts: dict[str, tuple[str, Callable[[], None]]] = {
        "weights": (_("Weights"), lambda: weight_controls(networks)),
        "input": (_("Input"), input_controls),
        "size": (_("Size, seeds and loss"), size_controls),
    }
    for name, (label, draw) in parts.items():
        with st.expander(label, on_change="rerun", key=f"{name}_settings_open") as expander:
            if expander.open:
                draw()


def preset_controls() -> None:
    """Draw the presets, and a note on the chosen one.

    In a container of their own: a note that comes and goes would move all that follows, and close its open expanders.
    """
    with st.container():
        lit = presets(_("Presets"), preset_options(current_settings()))
        if note := preset_note(lit, current_settings()):
            st.caption(note)


def quantity_control() -> None:
    """Draw the choice of the gradient."""
    setting_choice(
        "quantity",
        _("Gradient of"),
        {
            "hidden": _("hidden state h"),
            "cell": _("cell state c"),
            "cell_path": _("c, cell path alone"),
            "inputs": _("inputs x"),
        },
    )


def axes_controls() -> None:
    """Draw how the curves are drawn."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        setting_choice(
            "measure", _("Measured"), {"relative": _("relative to the last step"), "absolute": _("absolute")}
        )
        setting_choice("against", _("Against"), {"step": _("step"), "lag": _("lag")})
        setting_choice("scale", _("Scale"), {"log": _("log"), "linear": _("linear")})
        if current_settings().num_layers > 1:
            with st.container(width=160):
                setting_slider("layer", _("Layer"), limits=(1, current_settings().num_layers))
        setting_toggle("theory", _("Theory"))


def view_note(view: GradientsView, exhibit: Exhibit | None) -> None:
    """Note which networks lack the chosen quantity, that there is no theory to draw, and the remarks on networks."""
    if view.theory and exhibit and not exhibit.theory:
        st.caption(_("There is no closed form to draw for these settings and this axis."))
    if note := no_cell(view):
        st.caption(note)
    for record in map(architecture_named, view.networks):
        if record.remark:
            st.caption(translated(record.remark))


def numbers_table(series: Sequence[Series]) -> None:
    """Draw the numbers behind the curves, one row per step."""
    with st.expander(_("The numbers"), on_change="rerun", key="numbers_open") as expander:
        if not expander.open or not series:
            return
        columns = {cell(one.name): pd.Series(one.curve.median, index=one.curve.steps) for one in series}
        table = pd.DataFrame(columns)
        table.index.name = _("step")
        st.caption(_("log10 of the median norm at every step; full precision in the download of the table."))
        st.dataframe(table, height=320)


def unit_heat_maps(runner: Runner, settings: Settings, view: GradientsView) -> None:
    """Draw every unit's gradient over time, for the chosen networks."""
    with st.expander(_("Unit by unit"), on_change="rerun", key="units_open") as expander:
        if not expander.open:
            return
        for network in view.networks:
            with shielded():
                if exhibit := units(runner, settings, view, network=network):
                    show_exhibit(exhibit)


def bias_controls(networks: Sequence[str]) -> None:
    """Draw the gate biases that some networks read."""
    records, settings = [ARCHITECTURES[name] for name in networks], current_record()
    if settings.recurrent_init == "chrono":
        st.caption(_("Chrono draws the forget, input and update biases for every unit; the others are yours."))
    for gate in dict.fromkeys(part for record in records for part in parts(record.name) if record.has_gate(part)):
        having = [record for record in records if record.has_gate(gate)]
        if all(f"{gate}_bias" not in unread(record.name, settings) for record in having):
            bias_slider(gate, having)
    if any(record.recurrent and record.gates for record in records):
        setting_toggle(
            "split_biases",
            _("Half in bias_ih, half in bias_hh"),
            help=_("The sum counts: filling both vectors with 1 is an effective bias of 2."),
        )
        if settings.split_biases:
            st.caption(_("Every bias is shared out between the two vectors. The network computes the same as before."))
    if not any(record.gates for record in records):
        st.caption(_("The plain RNN has no gates."))


def bias_slider(gate: str, networks: Sequence[Architecture]) -> None:
    """Draw the bias of a gate that some networks share, and where it keeps the memory."""
    ends = {1: _("{network} keeps near 1"), -1: _("{network} keeps near 0")}
    keeps = [(record.title, record.gate(gate).keeps) for record in networks if record.gate(gate).keeps]
    setting_slider(
        f"{gate}_bias",
        _("{networks}: {gate}").format(
            networks=", ".join(record.title for record in networks), gate=gate_name(gate, networks[0].name)
        ),
        step=0.25,
        help="; ".join(ends[sign].format(network=title) for title, sign in keeps) or None,
    )


def weight_controls(networks: Sequence[str]) -> None:
    """Draw the settings of some networks' weights."""
    records, settings = [ARCHITECTURES[name] for name in networks], current_record()
    names = {
        "pytorch": _("PyTorch: uniform ±1/√H"),
        "keras": _("Keras: orthogonal recurrent, Glorot input"),
        "orthogonal": _("Orthogonal"),
        "identity": _("Identity (IRNN)"),
        "normal": _("Normal, variance 1/H"),
        "chrono": _("Chrono (biases for memory up to T)"),
    }
    recurrent, drawn = (record.recurrent for record in records), (record.memory_gate for record in records)
    if not any(recurrent):  # all but chrono are ways to draw weight_hh
        names = {"pytorch": names["pytorch"], "chrono": names["chrono"]}
    if not any(drawn):
        del names["chrono"]
        if settings.recurrent_init == "chrono":
            st.caption(_("Chrono draws biases of gates, and no network here has one: its weights are PyTorch's."))
    setting_choice("recurrent_init", _("Initialisation"), names)
    if current_record().reads("chrono_max"):
        setting_number("chrono_max", _("Longest memory of chrono (steps)"))
    if any(record.recurrent for record in records):
        setting_slider("recurrent_gain", _("Gain on weight_hh, every network"), step=0.05)
    if any("nonlinearity" in record.options for record in records):
        setting_choice("nonlinearity", _("Nonlinearity of the RNN"), {"tanh": "tanh", "relu": "ReLU"})


def length_control(help: str | None = None) -> None:
    """Draw the sequence length, and a note where the input ends sooner."""
    setting_number("sequence_length", _("Sequence length (steps)"), help=help)
    settings = current_settings()
    one = Experiment(architecture="rnn", settings=settings, table=uploads.current_table())
    if one.steps < settings.sequence_length:
        st.caption(_("The input has {steps} steps; the sequence ends there.").format(steps=one.steps))


def own_data_control() -> None:
    """Draw the box for the reader's own table, or the button that brings it."""
    if INPUTS[current_settings().input_kind].reads_table:
        uploads.table_control()
        st.caption(_("Every column is brought to mean 0 and standard deviation 1, then multiplied by the input scale."))
    else:
        st.button(
            _("Read your own CSV"), key="own_data", icon=":material/upload_file:", on_click=apply,
            kwargs={"input_kind": "csv"},
        )  # fmt: skip


def input_controls() -> None:
    """Draw the settings of the input."""
    setting_choice(
        "input_kind", _("The networks read"), {name: translated(kind.title) for name, kind in INPUTS.items()}
    )
    settings = current_settings()
    if settings.reads("text"):
        setting_text("text", _("Sentence"))
    if settings.reads("digit"):
        setting_slider("digit", _("Digit"))
    if settings.reads("input_size") and not INPUTS[settings.input_kind].reads_table:
        setting_number("input_size", _("Input size (features per step)"))
    setting_slider("input_scale", _("Input scale"), step=0.1, idle=why_idle("input_scale", tuple(ARCHITECTURES)))


def size_controls() -> None:
    """Draw the sizes, the seeds and the loss."""
    setting_number("hidden_size", _("Hidden size (units)"))
    setting_slider("num_layers", _("Layers"))
    setting_number("batch_size", _("Batch (samples)"))
    setting_number("num_seeds", _("Seeds"), help=_("The median over all seeds is drawn, and the quartiles as a band."))
    setting_number("seed", _("First seed"))
    setting_choice("loss", _("Loss"), {"last": _("at the last step"), "every": _("at every step")})
    precision_control()


def precision_control() -> None:
    """Draw the choice of the networks' dtype."""
    setting_choice(
        "dtype", _("Precision"), {"float32": "float32", "float64": "float64"},
        help=_("PyTorch draws other random numbers in the other precision: it is another network."),
    )  # fmt: skip
