"""The page Your network: choosing it, what it is, what it can remember, and what would mend it."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from lstm_explorer.core.architectures import architecture_of
from lstm_explorer.core.checkpoints import CheckpointError
from lstm_explorer.core.diagnosis.diagnose import Diagnosis
from lstm_explorer.core.diagnosis.mending import mended_biases, mending_lines
from lstm_explorer.core.diagnosis.weights import LayerWeights
from lstm_explorer.core.escape import markdown, one_line
from lstm_explorer.core.networks.finding import access_path
from lstm_explorer.core.tables.messages import Note
from lstm_explorer.core.training.presets import PRESETS
from lstm_explorer.exhibits.jacobians import is_plain
from lstm_explorer.exhibits.your_network import (
    diagnosis_of,
    layer_index,
    layers_of,
    own_biases,
    own_eigenvalues,
    own_mend,
    own_phase_map,
    own_products,
    own_reach,
    own_units,
    subject_of,
    trained,
)
from lstm_explorer.exhibits.your_network_view import YourNetworkView
from lstm_explorer.exhibits.your_network_words import (
    clipping_sentence,
    layer_name,
    mend_sentences,
    truncation_sentence,
)
from lstm_explorer.figures.names import gate_name, network_name, network_names
from lstm_explorer.locales import _, translated
from lstm_explorer.runs.own_networks import Subject
from lstm_explorer.runs.training import gallery
from lstm_explorer.runs.training.files import state_dict_bytes
from lstm_explorer.ui import uploads
from lstm_explorer.ui.checkpoints import OwnCheckpoint, checkpoint_control, current_file
from lstm_explorer.ui.controls import setting_choice, setting_number, setting_slider, setting_text, setting_toggle
from lstm_explorer.ui.download import download_button
from lstm_explorer.ui.errors import shielded
from lstm_explorer.ui.runner import CachedRunner
from lstm_explorer.ui.session import apply, current_settings, current_view
from lstm_explorer.ui.toolbar import show_exhibit

#: Shares that can be asked for, and how they are written.
_SHARES = {0.5: "50 %", 0.1: "10 %", 0.01: "1 %", 0.001: "0.1 %"}


def controls() -> None:
    """Draw the choice of the network, of what it reads, and of what it is to remember."""
    view: YourNetworkView = current_view()
    setting_choice("origin", _("The network"), {"trained": _("one of the app's"), "file": _("from your file")})
    if view.origin == "file":
        _file_controls(view)
    else:
        titles = {code: translated(PRESETS[code].title) for code in gallery.WITH_WEIGHTS}
        setting_choice("preset", _("Trained on"), titles, side_by_side=0)
        setting_choice("inside", _("Network"), network_names(*PRESETS[view.preset].networks))
    _data_controls(current_view())
    st.markdown("**" + _("What it is to remember") + "**")
    setting_number("needs_lag", _("Steps back"), help=_("How far back the task needs something from."))
    setting_choice("share", _("Share of the gradient that is to arrive"), _SHARES)  # type: ignore[arg-type]


def _file_controls(view: YourNetworkView) -> None:
    own = checkpoint_control()
    if own is None:
        return
    if view.file != own.digest:
        apply(file=own.digest, module="")
    names = {found.name: str(found) for found in own.checkpoint.found}
    if len(names) > 1:
        if view.module not in names:
            apply(module=next(iter(names)))
        setting_choice("module", _("Network in the file"), names, side_by_side=0)
    _said(own, current_view())


def _said(own: OwnCheckpoint, view: YourNetworkView) -> None:
    """Say what was found in the file, what was assumed, and what was left."""
    checkpoint = own.checkpoint
    found = next((one for one in checkpoint.found if one.name == view.module), checkpoint.found[0])
    st.caption(
        _("{file}, {format}: {network}").format(
            file=markdown(own.name), format=checkpoint.format, network=markdown(str(found))
        )
    )
    for note in (*checkpoint.notes, *found.notes):
        st.caption(":material/info: " + markdown(_in_words(note)))
    if checkpoint.left:
        with st.expander(_("Left out: {count}").format(count=len(checkpoint.left))):
            for left in checkpoint.left[:50]:
                why = "" if left.reason is None else f": {_reason(left.reason)}"
                st.caption(markdown(one_line(left.name, 200) + why))


def _in_words(note: Note) -> str:
    return translated(note.message).format(**note.values)


def _reason(reason: Note | CheckpointError) -> str:
    return translated(reason.message if isinstance(reason, Note) else reason.template).format(**reason.values)


def _data_controls(view: YourNetworkView) -> None:
    """Draw the choice of what the network reads."""
    kinds = {"task": _("its own task"), "noise": _("noise"), "text": _("a text"), "csv": _("your CSV file")}
    if view.origin == "file":
        kinds.pop("task")
        if view.data == "task":
            apply(data="noise")
            view = current_view()
    setting_choice("data", _("What it reads"), kinds, side_by_side=0)
    if view.data == "task":
        st.caption(_("Held-out samples of its training, and the gradient of their own loss."))
    else:
        st.caption(_("The loss is the sum of the last output."))
    if view.data == "text":
        setting_text("text", _("The text"), tall=True, help=_("Every character is a random vector, always the same."))
    if view.data == "csv":
        uploads.table_control()
        setting_toggle(
            "standardised", _("Standardise the columns"),
            help=_("To mean 0 and standard deviation 1, as in training where that was done; else they are read as is."),
        )  # fmt: skip
    if view.data != "task":
        setting_number("sequence_length", _("Sequence length (steps)"))
    with st.expander(_("Samples and noise")):
        setting_slider("samples", _("Samples"))
        if view.data != "task":
            setting_slider("input_scale", _("Scale"), step=0.1)
            setting_number("seed", _("Seed"))


def picture() -> None:
    """Draw what the network is, what it remembers, and what would mend it; one failure leaves the rest."""
    view: YourNetworkView = current_view()
    if view.origin == "file" and current_file() is None:
        _no_file(view)
        return
    runner = CachedRunner()
    with shielded():
        subject = subject_of(runner, view)
        layers = layers_of(subject)
        _layer_control(layers)
        view = current_view()
        _remembers(runner, subject, layers, view)
        _what_it_is(runner, layers, view, architecture_of(subject.network).name)


def _no_file(view: YourNetworkView) -> None:
    if view.file:
        st.info(
            _(
                "The file of this view is not in this session: an address cannot carry it. Choose it again, or take "
                "one of the app's own networks."
            )
        )
    else:
        st.info(_("Choose a checkpoint: a file with the weights of an RNN, LSTM or GRU."))


def _layer_control(layers: Sequence[LayerWeights]) -> None:
    if len(layers) > 1:
        options = {-1: _("the last")} | {index: layer_name(layer) for index, layer in enumerate(layers)}
        setting_choice("layer", _("Layer"), options, side_by_side=5)  # type: ignore[arg-type]


def _remembers(runner: CachedRunner, subject: Subject, layers: Sequence[LayerWeights], view: YourNetworkView) -> None:
    """Draw what it can remember, layer by layer and unit by unit, and what would mend it."""
    st.subheader(_("What can it remember?"))
    if exhibit := own_reach(runner, current_settings(), view):
        show_exhibit(exhibit, words=st.container())
    diagnosis = diagnosis_of(runner, view)
    if diagnosis is None:
        return
    if view.needs_lag > diagnosis.needs_lag:
        st.caption(
            _("The data has {steps} steps: nothing can be said about more. Choose other data, or fewer.").format(
                steps=diagnosis.needs_lag
            )
        )
    st.dataframe(_layer_table(diagnosis), hide_index=True)
    _mend(runner, subject, diagnosis, view)
    st.subheader(_("Which units remember"))
    if exhibit := own_units(runner, current_settings(), view):
        show_exhibit(exhibit)
    with st.expander(_("Every direction at once"), on_change="rerun", key="directions_open") as expander:
        if expander.open:
            for build in (own_products, own_eigenvalues, own_phase_map):
                with shielded():
                    if exhibit := build(runner, current_settings(), view):
                        show_exhibit(exhibit)
            if not is_plain(subject.network):
                st.info(
                    _("There is no map of gain and bias: it needs a network of one direction and without projections.")
                )


def _layer_table(diagnosis: Diagnosis) -> pd.DataFrame:
    """Return one row for each layer: how far it reaches, and how large its recurrent weights are."""
    rows = []
    for index, layer in enumerate(diagnosis.layers):
        half = diagnosis.half_life(index)
        rows.append(
            {
                _("Layer"): layer_name(layer),
                _("Half-life (steps)"): f"> {diagnosis.flow.log10_hidden.shape[1] - 1}" if half is None else str(half),
                _("Reaches (steps)"): diagnosis.reach(diagnosis.share, index),
                _("Spectral radius"): _largest(layer.spectral_radius),
                _("Largest singular value"): _largest(layer.largest_singular_value),
            }
        )
    return pd.DataFrame(rows)


def _largest(by_gate: object) -> str:
    values = dict(by_gate).values()  # type: ignore[call-overload]
    return f"{max(values):.2f}" if values else "–"


def _mend(runner: CachedRunner, subject: Subject, diagnosis: Diagnosis, view: YourNetworkView) -> None:
    """Draw the recommendation, the lines to paste, the file to take, and the map behind it."""
    st.subheader(_("Mend it"))
    network = subject.network
    st.markdown(mend_sentences(diagnosis, has_bias=network.bias))
    if diagnosis.mend is not None:
        own = current_file() if view.origin == "file" else None
        if own is None or own.checkpoint.format != "Keras":  # whose own layers these lines cannot reach
            st.code(mending_lines(network, diagnosis.mend, f"model{access_path(subject.name)}"), language="python")
        _mended_file(subject, diagnosis, view)
    st.markdown("- " + clipping_sentence(diagnosis) + "\n- " + truncation_sentence(diagnosis))
    if exhibit := own_mend(runner, current_settings(), view):
        show_exhibit(exhibit)


def _mended_file(subject: Subject, diagnosis: Diagnosis, view: YourNetworkView) -> None:
    """Draw the button that saves the weights with only these biases changed."""
    mend = diagnosis.mend
    assert mend is not None
    changes = mended_biases(subject.network, mend)
    own = current_file()
    if view.origin == "file" and own is not None:
        stem, dot, ending = own.name.rpartition(".")
        name, mime = f"{stem or own.name}-mended{dot}{ending}", "application/octet-stream"
        download_button(
            _("Mended file"), name, mime, lambda: own.checkpoint.mended(subject.name, changes), key="mended_file"
        )
        st.caption(_("Your file, with only these biases changed."))
        return
    training = trained(view)
    weights = dict(gallery.weights(training) or {})
    download_button(
        _("Mended state_dict"), f"lstm-explorer-{training.architecture}-{training.task}-mended.pt",
        "application/octet-stream",
        lambda: state_dict_bytes(weights | {f"network.{name}": bias for name, bias in changes.items()}),
        key="mended_file",
    )  # fmt: skip


def _what_it_is(runner: CachedRunner, layers: Sequence[LayerWeights], view: YourNetworkView, architecture: str) -> None:
    """Draw its sizes and its biases."""
    st.subheader(_("What is it?"))
    subject = subject_of(runner, view)
    network = subject.network
    facts = {
        _("Kind"): network_name(architecture),
        _("Inputs"): str(network.input_size),
        _("Units"): str(network.hidden_size),
        _("Layers"): str(network.num_layers),
        _("Directions"): "2" if network.bidirectional else "1",
    }
    if network.proj_size:
        facts[_("Projected to")] = str(network.proj_size)
    st.markdown(" · ".join(f"{label}: **{value}**" for label, value in facts.items()))
    if exhibit := own_biases(runner, current_settings(), view):
        show_exhibit(exhibit)
    layer = layers[layer_index(view, layers)]
    rows = [
        {
            _("Gate"): gate_name(gate, architecture),
            _("Median bias"): f"{float(bias.median()):.3f}",
            _("Spectral radius"): f"{layer.spectral_radius[gate]:.2f}" if layer.spectral_radius else "–",
            _("Largest singular value"): (
                f"{layer.largest_singular_value[gate]:.2f}" if layer.largest_singular_value else "–"
            ),
        }
        for gate, bias in layer.biases.items()
    ]
    st.dataframe(pd.DataFrame(rows), hide_index=True)
