"""The lab's controls and what it draws from them."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from lstm_explorer.core.datasets import load_digits, load_sunspots
from lstm_explorer.core.settings import Settings
from lstm_explorer.exhibits.exhibit import Bench
from lstm_explorer.exhibits.registry import GradientsView, units
from lstm_explorer.figures.gradient_flow import Series
from lstm_explorer.figures.theme import NETWORK_NAMES
from lstm_explorer.locales import _
from lstm_explorer.ui import uploads
from lstm_explorer.ui.address import current_settings, current_view
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
from lstm_explorer.ui.presets import preset_note, preset_options
from lstm_explorer.ui.toolbar import show_exhibit


def experiment_controls() -> None:
    """Draw every setting of the experiment, in the order a reader needs them."""
    setting_subset("networks", _("Networks"), dict(NETWORK_NAMES))
    setting_number("sequence_length", _("Sequence length (steps)"))
    with st.expander(_("Gate biases"), expanded=True):
        _bias_controls()
    with st.expander(_("Weights")):
        weight_controls()
    with st.expander(_("Input")):
        input_controls()
    with st.expander(_("Size, seeds and loss")):
        size_controls()


def preset_controls() -> None:
    """Draw the presets, and what the lit one shows.

    In a container of their own: a note that comes and goes would move all that follows, and close its open expanders.
    """
    with st.container():
        lit = presets(_("Presets"), preset_options(current_settings()))
        if note := preset_note(lit):
            st.caption(note)


def view_controls() -> None:
    """Draw what decides how the experiment is shown."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
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
        setting_choice(
            "measure", _("Measured"), {"relative": _("relative to the last step"), "absolute": _("absolute")}
        )
        setting_choice("against", _("Against"), {"step": _("step"), "lag": _("lag")})
        setting_choice("scale", _("Scale"), {"log": _("log"), "linear": _("linear")})
        if current_settings().num_layers > 1:
            with st.container(width=160):
                setting_slider("layer", _("Layer"), limits=(1, current_settings().num_layers))
        setting_toggle("theory", _("Theory"))


def view_note(view: GradientsView) -> None:
    """Say where another quantity is drawn than the one that was asked for."""
    if view.quantity in ("cell", "cell_path") and {"rnn", "gru"} & set(view.networks):
        st.caption(_("The RNN and the GRU have no cell state: their hidden state is drawn instead."))


def numbers_table(series: Sequence[Series]) -> None:
    """Draw the numbers behind the curves, one row a step."""
    with st.expander(_("The numbers"), on_change="rerun", key="numbers_open") as expander:
        if not expander.open or not series:
            return
        columns = {one.name: pd.Series(one.curve.median, index=one.curve.steps) for one in series}
        table = pd.DataFrame(columns)
        table.index.name = _("step")
        st.caption(_("log10 of the median norm at every step; full precision in the download of the table."))
        st.dataframe(table, height=320)


def unit_heat_maps(bench: Bench, settings: Settings, view: GradientsView) -> None:
    """Draw every unit's gradient along time, for the networks that are on."""
    with st.expander(_("Unit by unit"), on_change="rerun", key="units_open") as expander:
        if not expander.open:
            return
        for network in view.networks:
            with shielded():
                if exhibit := units(bench, settings, view, network=network):
                    show_exhibit(exhibit)


def _bias_controls() -> None:
    networks = current_view().networks
    chrono = current_settings().recurrent_init == "chrono"
    if chrono:
        st.caption(_("Chrono draws the forget, input and update biases for every unit; the others are yours."))
    if "lstm" in networks:
        if not chrono:
            setting_slider("forget_bias", _("LSTM forget gate"), step=0.25)
            setting_slider("input_bias", _("LSTM input gate"), step=0.25)
        setting_slider("output_bias", _("LSTM output gate"), step=0.25)
    if {"lstm", "gru"} & set(networks):
        setting_slider("candidate_bias", _("Candidate (LSTM and GRU)"), step=0.25)
    if "gru" in networks:
        setting_slider("reset_bias", _("GRU reset gate"), step=0.25)
        if not chrono:
            setting_slider("update_bias", _("GRU update gate (1 keeps)"), step=0.25)
    if {"lstm", "gru"} & set(networks):
        setting_toggle(
            "split_biases",
            _("Half in bias_ih, half in bias_hh"),
            help=_("The sum counts: filling both vectors with 1 is an effective bias of 2."),
        )
    else:
        st.caption(_("The plain RNN has no gates."))


def weight_controls() -> None:
    """Draw how the weights are drawn."""
    setting_choice(
        "recurrent_init",
        _("Initialisation"),
        {
            "pytorch": _("PyTorch: uniform ±1/√H"),
            "keras": _("Keras: orthogonal recurrent, Glorot input"),
            "orthogonal": _("Orthogonal"),
            "identity": _("Identity (IRNN)"),
            "normal": _("Normal, variance 1/H"),
            "chrono": _("Chrono (biases for memory up to T)"),
        },
    )
    if current_settings().recurrent_init == "chrono":
        setting_number("chrono_max", _("Longest memory of chrono (steps)"))
    setting_slider("recurrent_gain", _("Gain on weight_hh, every network"), step=0.05)
    setting_choice("nonlinearity", _("Nonlinearity of the RNN"), {"tanh": "tanh", "relu": "ReLU"})


def input_controls() -> None:
    """Draw what the networks read."""
    setting_choice(
        "input_kind",
        _("The networks read"),
        {
            "noise": _("noise"),
            "zeros": _("zeros"),
            "impulse": _("an impulse at step 1"),
            "sine": _("sine waves"),
            "text": _("a sentence, character by character"),
            "digit": _("a handwritten digit, pixel by pixel"),
            "sunspots": _("the sunspot numbers since 1700"),
            "csv": _("your own table (CSV)"),
        },
    )
    settings = current_settings()
    if settings.input_kind == "text":
        setting_text("text", _("Sentence"))
    if settings.input_kind == "digit":
        setting_slider("digit", _("Digit"))
    if settings.input_kind == "csv":
        uploads.table_control()
    own = _own_length(settings)
    if own is not None and own < settings.sequence_length:
        st.caption(_("This input has {steps} steps; the sequence ends there.").format(steps=own))
    if settings.input_kind in ("noise", "zeros", "impulse", "sine", "text"):
        setting_number("input_size", _("Numbers a step"))
    setting_slider("input_scale", _("Input scale"), step=0.1)


def _own_length(settings: Settings) -> int | None:
    """Return how many steps the input itself has, where it has a length."""
    table = uploads.current_table()
    lengths = {
        "text": len(settings.text),
        "digit": load_digits().images[0].size,
        "sunspots": len(load_sunspots()),
        "csv": len(table.values) if table else None,
    }
    return lengths.get(settings.input_kind)


def size_controls() -> None:
    """Draw the sizes, the seeds and the loss."""
    setting_number("hidden_size", _("Hidden size (units)"))
    setting_slider("num_layers", _("Layers"))
    setting_number("batch_size", _("Batch (samples)"))
    setting_number("num_seeds", _("Seeds"), help=_("The median over all seeds is drawn, and the quartiles as a band."))
    setting_number("seed", _("First seed"))
    setting_choice("loss", _("Loss"), {"last": _("at the last step"), "every": _("at every step")})
    setting_choice(
        "dtype", _("Precision"), {"float32": "float32", "float64": "float64"},
        help=_("PyTorch draws other random numbers in the other precision: it is another network."),
    )  # fmt: skip
