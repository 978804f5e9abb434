"""The exhibits of the page Your network: what it is, what it can remember, and what would mend it."""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from torch import Tensor

from lstm_explorer.core.architectures import Network, architecture_named, architecture_of, num_directions
from lstm_explorer.core.diagnosis.diagnose import Diagnosis
from lstm_explorer.core.diagnosis.weights import LayerWeights, layer_weights
from lstm_explorer.core.errors import ExplainedError
from lstm_explorer.core.escape import one_line
from lstm_explorer.core.inputs import TableLike, make_inputs, step_labels
from lstm_explorer.core.inputs.kind import windows
from lstm_explorer.core.record import schema
from lstm_explorer.core.settings import Settings
from lstm_explorer.core.training.options import Training, TrainingOptions, trainings_of
from lstm_explorer.core.training.presets import PRESETS
from lstm_explorer.exhibits.added_biases import added_biases
from lstm_explorer.exhibits.exhibit import Exhibit
from lstm_explorer.exhibits.jacobians import eigenvalues, phase_map, products
from lstm_explorer.exhibits.jacobians_view import JacobiansView
from lstm_explorer.exhibits.of_moment import of_moment
from lstm_explorer.exhibits.your_network_view import YourNetworkView
from lstm_explorer.exhibits.your_network_words import (
    biases_summary,
    layer_name,
    reach_summary,
    unit_sizes,
    units_sentence,
)
from lstm_explorer.figures.gate_biases import plot_gate_biases
from lstm_explorer.figures.names import network_name
from lstm_explorer.figures.reach import plot_reach
from lstm_explorer.figures.units import plot_unit_heatmap
from lstm_explorer.locales import N_, _
from lstm_explorer.runs.diagnosis import Diagnose
from lstm_explorer.runs.experiment import Experiment, Moment
from lstm_explorer.runs.job import Runner
from lstm_explorer.runs.own_networks import (
    Subject,
    digest_of,
    moment_of_inputs,
    moment_of_training,
    trained_model,
)
from lstm_explorer.runs.training import gallery


def trained(view: YourNetworkView) -> Training:
    """Return the training of the app's that the view asks for: its network, else the nearest there is."""
    preset = PRESETS[view.preset]
    networks = preset.networks if view.inside not in preset.networks else (view.inside,)
    return trainings_of(TrainingOptions(**preset.changes), networks)[0]


def subject_of(runner: Runner, view: YourNetworkView) -> Subject:
    """Return the network that the view asks for.

    Raises:
        ExplainedError: It is in a file that is not here.
        ValueError: The file has no network of that name, or it cannot be read.
    """
    if view.origin == "trained":
        return _trained_subject(trained(view))
    file = runner.own_file
    if file is None or file.digest != view.file:
        raise ExplainedError(
            N_(
                "The file of this view is not in this session: an address cannot carry it. Choose it again, or take "
                "one of the app's own networks."
            ),
            {},
        )
    name = view.module if view.module in file.names else file.names[0]
    return Subject(network=file.network(name), name=name, digest=file.digest)


@functools.lru_cache(maxsize=4)
def _trained_subject(training: Training) -> Subject:
    weights = gallery.weights(training)
    if weights is None:
        raise ExplainedError(N_("No weights of this network were kept: run it yourself."), {})
    model = trained_model(training, weights)
    return Subject(network=model.network.requires_grad_(False), name="network", digest=digest_of(weights))


def layers_of(subject: Subject) -> tuple[LayerWeights, ...]:
    """Return what the weights of a network say, kept as long as the network is: eigenvalues take their time."""
    if subject.network not in _LAYERS:
        _LAYERS[subject.network] = layer_weights(subject.network)
    return _LAYERS[subject.network]


_LAYERS: weakref.WeakKeyDictionary[Network, tuple[LayerWeights, ...]] = weakref.WeakKeyDictionary()


def input_settings(view: YourNetworkView, network: Network) -> Settings:
    """Return the settings of what the network reads, and of its sizes as far as settings have them."""
    sizes = {
        "input_size": network.input_size,
        "hidden_size": network.hidden_size,
        "num_layers": network.num_layers * num_directions(network),
    }
    fitting = {name: schema(Settings)[name].from_text(str(size))[0] for name, size in sizes.items()}
    kind: Any = "noise" if view.data == "task" else view.data
    return Settings(
        sequence_length=view.sequence_length, batch_size=view.samples, seed=view.seed, input_kind=kind,
        input_scale=view.input_scale, text=view.text or " ", **fitting,
    )  # fmt: skip


def experiment_of(runner: Runner, view: YourNetworkView) -> Experiment:
    """Return the network with what it reads.

    Raises:
        ExplainedError: As :func:`subject_of`, or the table is missing.
        ValueError: The data does not suit the network.
    """
    subject = subject_of(runner, view)
    settings = input_settings(view, subject.network)
    if view.origin == "trained" and view.data == "task":
        moment = _held_out(trained(view), view.samples)
    else:
        table = runner.table.values if runner.table and view.data == "csv" else None
        if view.data == "csv" and table is None:
            raise ExplainedError(N_("No table is loaded: choose a CSV file, or another kind of data."), {})
        inputs = make_inputs(settings) if table is None else table_inputs(view, subject.network, settings, table)
        moment = moment_of_inputs(subject, inputs, tuple(step_labels(settings, table=table)))
    return Experiment(
        architecture=architecture_of(subject.network).name,
        settings=settings.replace(
            input_kind="noise", sequence_length=len(moment.inputs), batch_size=moment.inputs.shape[1]
        ),
        moment=moment,
    )


def read_settings(runner: Runner, view: YourNetworkView) -> Settings:
    """Return what a caption says of the network and of what it reads: the steps and samples that there are."""
    one = experiment_of(runner, view)
    return one.settings.replace(num_layers=min(one.network.num_layers, 64))


def table_inputs(view: YourNetworkView, network: Network, settings: Settings, table: TableLike) -> Tensor:
    """Return windows of the reader's own table, as they are unless they are to be standardised.

    Raises:
        ExplainedError: It has another number of columns than the network reads.
    """
    rows = np.asarray(table, dtype=np.float64)
    if rows.shape[1] != network.input_size:
        raise ExplainedError(
            N_(
                "The table has {came} columns and the network reads {expected} numbers per step: choose a table with "
                "as many columns."
            ),
            {"came": rows.shape[1], "expected": network.input_size},
        )
    if view.standardised:
        return make_inputs(settings.replace(input_scale=1.0), table=rows)
    return windows(settings, rows)


@functools.lru_cache(maxsize=4)
def _held_out(training: Training, samples: int) -> Moment:
    weights = gallery.weights(training)
    assert weights is not None
    return moment_of_training(training, weights, samples=samples)


def diagnosis_of(runner: Runner, view: YourNetworkView) -> Diagnosis | None:
    """Return the diagnosis, or as much of it as is done; None where it could not be measured."""
    one = experiment_of(runner, view)
    job = Diagnose(experiment=one, needs_lag=min(view.needs_lag, one.steps), share=view.share)
    findings = runner.run(job)
    return None if findings is None else job.diagnosis(findings)


def _called(view: YourNetworkView, architecture: str) -> str:
    """Return the network's name in a title: its kind, and where it stands in the file."""
    named = view.module if view.origin == "file" else ""
    return f"{network_name(architecture)} {one_line(named)}".strip()


def layer_index(view: YourNetworkView, layers: Sequence[LayerWeights]) -> int:
    """Return which layer and direction is drawn; the last where there are fewer."""
    return len(layers) - 1 if view.layer < 0 else min(view.layer, len(layers) - 1)


def own_biases(
    runner: Runner, settings: Settings, view: YourNetworkView, pins: Sequence[Experiment] = ()
) -> Exhibit | None:
    """Return the effective biases of every unit of one layer, beside those of the usual initialisations."""
    subject = subject_of(runner, view)
    layers, name = layers_of(subject), architecture_of(subject.network).name
    layer = layers[layer_index(view, layers)]
    says = biases_summary(layer, name)
    return Exhibit(
        name="own_biases",
        title=_("Effective gate biases: {network}, {layer}").format(
            network=_called(view, name), layer=layer_name(layer)
        ),
        alt=_("Effective bias of every unit, by gate. {says}").format(says=says),
        how_to_read=_(
            "Each dot is one unit: the sum of its two biases, which is what the gate gets. The box is the middle half. "
            "Grey beneath each gate: the range in which PyTorch starts, Keras' number, and the middle half of chrono "
            "initialisation."
        ),
        summary=says,
        settings=read_settings(runner, view),
        experiments=(),
        draw=lambda theme: plot_gate_biases(layer, architecture=name, longest=view.needs_lag, theme=theme),
        numbers=partial(_bias_numbers, layer),
        view=view,
    )


def _bias_numbers(layer: LayerWeights) -> pd.DataFrame:
    frames = [
        pd.DataFrame(
            {
                "layer": layer.layer, "direction": layer.direction, "gate": gate, "unit": range(len(bias)),
                "effective_bias": bias.double().numpy(),
            }
        )
        for gate, bias in layer.biases.items()
    ]  # fmt: skip
    return pd.concat(frames, ignore_index=True)


def _of_diagnosis(
    build: Callable[[Diagnosis, int, YourNetworkView, Settings], Exhibit],
) -> Callable[..., Exhibit | None]:
    """Return the builder of an exhibit of a diagnosis."""

    def built(
        runner: Runner, settings: Settings, view: YourNetworkView, pins: Sequence[Experiment] = ()
    ) -> Exhibit | None:
        diagnosis = diagnosis_of(runner, view)
        if diagnosis is None:
            return None
        index = diagnosis.weakest if view.layer < 0 else layer_index(view, diagnosis.layers)
        return build(diagnosis, index, view, read_settings(runner, view))

    return built


def _reach(diagnosis: Diagnosis, layer: int, view: YourNetworkView, settings: Settings) -> Exhibit:
    says = reach_summary(diagnosis, layer)
    return Exhibit(
        name="own_reach",
        title=_("What arrives how far back: {network}, {layer}").format(
            network=_called(view, diagnosis.architecture), layer=layer_name(diagnosis.layers[layer])
        ),
        alt=_("Share of the gradient over steps back. {says}").format(says=says),
        how_to_read=_(
            "From left to right: steps back from the loss. The curve is the share of the gradient of what remembers "
            "that arrives there, the median over samples with the quartiles as a band; dashed, the same of {seeds} "
            "fresh networks of the same size. Dotted: what is needed."
        ).format(seeds=5),
        summary=says,
        settings=settings,
        experiments=(),
        draw=lambda theme: plot_reach(diagnosis, layer=layer, theme=theme),
        numbers=diagnosis.to_frame,
        view=view,
    )


def _units(diagnosis: Diagnosis, layer: int, view: YourNetworkView, settings: Settings) -> Exhibit:
    says = units_sentence(diagnosis, layer)
    state: Any = diagnosis.memory
    return Exhibit(
        name="own_units",
        title=_("Which units remember: {network}, {layer}").format(
            network=_called(view, diagnosis.architecture), layer=layer_name(diagnosis.layers[layer])
        ),
        alt=_("Heat map of the gradient of every hidden unit, step by step. {says}").format(says=says),
        how_to_read=_(
            "The first sample. Each row is a unit, each column a step; full colour is the largest gradient, blank the "
            "smallest. Rows that stay coloured to the left are the units that remember."
        ),
        summary=says,
        settings=settings,
        experiments=(),
        draw=lambda theme: plot_unit_heatmap(diagnosis.flow, quantity=state, layer=layer, theme=theme),
        numbers=partial(_unit_numbers, diagnosis, layer),
        view=view,
    )


def _unit_numbers(diagnosis: Diagnosis, layer: int) -> pd.DataFrame:
    first = pd.DataFrame(unit_sizes(diagnosis, layer))
    rows = first.rename_axis("step").reset_index().melt("step", var_name="unit", value_name="log10_size")
    return rows.assign(lag=len(first) - 1 - rows["step"])


own_reach, own_units = _of_diagnosis(_reach), _of_diagnosis(_units)


def own_mend(
    runner: Runner, settings: Settings, view: YourNetworkView, pins: Sequence[Experiment] = ()
) -> Exhibit | None:
    """Return what would survive if something were added to the memory gate's bias; None where there is none."""
    one = experiment_of(runner, view)
    gate = architecture_named(one.architecture).memory_gate
    if gate is None or not one.network.bias:
        return None
    exhibit = added_biases(runner, one, gate.name, name="own_mend")
    return exhibit and replace(exhibit, view=view, settings=read_settings(runner, view))


def _of_jacobians(build: Callable[..., Exhibit | None], name: str) -> Callable[..., Exhibit | None]:
    """Return the builder of an exhibit of the page Vanish or explode, of the network that the view asks for."""

    def built(
        runner: Runner, settings: Settings, view: YourNetworkView, pins: Sequence[Experiment] = ()
    ) -> Exhibit | None:
        one = experiment_of(runner, view)
        assert one.moment is not None
        exhibit = of_moment(build, runner, one.moment, one.settings, JacobiansView(network=one.architecture))
        if exhibit is None:
            return None
        title = _("{title}: {network}").format(title=exhibit.title, network=_called(view, one.architecture))
        return replace(exhibit, name=name, title=title, view=view, settings=read_settings(runner, view))

    return built


own_products = _of_jacobians(products, "own_products")
own_eigenvalues = _of_jacobians(eigenvalues, "own_eigenvalues")
own_phase_map = _of_jacobians(phase_map, "own_phase_map")
