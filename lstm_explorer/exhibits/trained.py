"""The exhibits of the page Training that look inside a network at one moment of its training."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from torch import Tensor

from lstm_explorer.core.architectures import architecture_named, architecture_of
from lstm_explorer.core.errors import ExplainedError
from lstm_explorer.core.gradients.summaries import Quantity
from lstm_explorer.core.settings import Settings
from lstm_explorer.core.training.options import Training
from lstm_explorer.exhibits.added_biases import added_biases
from lstm_explorer.exhibits.exhibit import Exhibit
from lstm_explorer.exhibits.gradients import GradientsView, gradients
from lstm_explorer.exhibits.inside import InsideView, diagram, gate_map, traces
from lstm_explorer.exhibits.jacobians import eigenvalues, phase_map, products
from lstm_explorer.exhibits.jacobians_view import JacobiansView
from lstm_explorer.exhibits.of_moment import of_moment
from lstm_explorer.exhibits.training import started
from lstm_explorer.exhibits.training_view import TrainingView
from lstm_explorer.figures.cell import DIAGRAMS
from lstm_explorer.figures.names import network_name, parts
from lstm_explorer.locales import N_, _
from lstm_explorer.runs.experiment import Experiment
from lstm_explorer.runs.job import Runner
from lstm_explorer.runs.training import background, gallery
from lstm_explorer.runs.training.looking import Look, look


def kept_moments(view: TrainingView) -> tuple[int, ...]:
    """Return the optimizer steps after which the chosen network's weights were kept, here or in the gallery."""
    training = chosen(view)
    if started(view):
        return background.moments(view.run, view.trainings.index(training))
    return (training.steps,) if gallery.weights(training) else ()


def chosen(view: TrainingView) -> Training:
    """Return the training that is looked into: the view's network, of the first seed."""
    first = [one for one in view.trainings if one.seed == view.seed]
    return next((one for one in first if one.architecture == view.inside), first[-1])


def look_at(view: TrainingView) -> Look | None:
    """Return the network and the sample that the view asks for; None where no weights were kept."""
    moments = kept_moments(view)
    if not moments:
        return None
    training = chosen(view)
    return _looked(view.run if started(view) else "", view.trainings.index(training), training,
                   moment_of(view, moments), view.sample)  # fmt: skip


@functools.lru_cache(maxsize=8)
def _looked(run: str, which: int, training: Training, step: int, sample: int) -> Look:
    """Return a look, kept for the figures that are about the same one; what was kept at a moment never changes."""
    weights = background.weights(run, which, step) if run else _shipped(training)
    return look(training, weights, sample=sample, table=background.table(run) if run else None)


def moment_of(view: TrainingView, moments: Sequence[int]) -> int:
    """Return the moment nearest to the one that the view asks for; the last for -1."""
    return min(moments, key=lambda kept: abs(kept - view.at)) if view.at >= 0 else moments[-1]


def kept_weights(view: TrainingView, training: Training, step: int) -> Mapping[str, Tensor]:
    """Return the weights of a training at a moment, from the run that was started here or from the gallery.

    Raises:
        ExplainedError: None were kept of that moment, or their file cannot be read.
    """
    if started(view):
        return background.weights(view.run, view.trainings.index(training), step)
    return _shipped(training)


def _shipped(training: Training) -> Mapping[str, Tensor]:
    weights = gallery.weights(training)
    if weights is None:
        raise ExplainedError(N_("No weights of this network were kept: run it yourself."), {})
    return weights


def _of_moment(
    build: Callable[..., Exhibit | None], name: str, runner: Runner, view: TrainingView, of: Any
) -> Exhibit | None:
    """Return an exhibit of another page, of the network that the view asks for."""
    looked = look_at(view)
    if looked is None:
        return None
    training, steps = chosen(view), len(looked.moment.inputs)
    settings = training.network_settings(looked.moment.inputs.shape[2]).replace(
        sequence_length=steps, batch_size=1, num_seeds=1
    )
    exhibit = of_moment(build, runner, looked.moment, settings, of)
    if exhibit is None:
        return None
    title = _("{title}: the {network} after {step} optimizer steps, held-out sample {sample}").format(
        title=exhibit.title, network=network_name(training.architecture),
        step=moment_of(view, kept_moments(view)), sample=view.sample,
    )  # fmt: skip
    return replace(exhibit, name=name, title=title, view=view)


def trained_flow(
    runner: Runner, settings: Settings, view: TrainingView, pins: Sequence[Experiment] = ()
) -> Exhibit | None:
    """Return the gradient of one sample's loss at every state of a trained network."""
    record = architecture_named(chosen(view).architecture)
    quantities: Mapping[str, Quantity] = {"memory": "cell", "hidden": "hidden", "cell_path": "cell_path"}
    quantity = quantities[view.gradient] if len(record.states) > 1 else "hidden"
    of = GradientsView(networks=(record.name,), quantity=quantity, theory=False)
    return _of_moment(gradients, "trained_flow", runner, view, of)


def part_of(view: TrainingView) -> str:
    """Return the gate or state that is drawn; one that the network lacks becomes its first."""
    known = parts(chosen(view).architecture)
    return view.part if view.part in known else known[0]


def _inside(build: Callable[..., Exhibit | None], name: str, runner: Runner, view: TrainingView) -> Exhibit | None:
    """Return an exhibit of the page Inside the cell; None for a network that has no diagram there."""
    network = chosen(view).architecture
    if network not in DIAGRAMS:
        return None
    of = InsideView(network=network, step=min(view.step, 2000), unit=-1, part=part_of(view))
    return _of_moment(build, name, runner, view, of)


def trained_traces(
    runner: Runner, settings: Settings, view: TrainingView, pins: Sequence[Experiment] = ()
) -> Exhibit | None:
    """Return gates, states and gradient of a trained network over the steps of one sample."""
    return _inside(traces, "trained_traces", runner, view)


def trained_cell(
    runner: Runner, settings: Settings, view: TrainingView, pins: Sequence[Experiment] = ()
) -> Exhibit | None:
    """Return the cell of a trained network at the marked step, with its numbers."""
    return _inside(diagram, "trained_cell", runner, view)


def trained_gates(
    runner: Runner, settings: Settings, view: TrainingView, pins: Sequence[Experiment] = ()
) -> Exhibit | None:
    """Return every unit of one gate or state of a trained network over the steps of one sample."""
    return _inside(gate_map, "trained_gates", runner, view)


def trained_map(
    runner: Runner, settings: Settings, view: TrainingView, pins: Sequence[Experiment] = ()
) -> Exhibit | None:
    """Return what would survive if something were added to the bias of the memory gate; None where there is none."""
    gate = architecture_named(chosen(view).architecture).memory_gate
    return _of_moment(_bias_map, "trained_map", runner, view, gate.name) if gate else None


def _bias_map(runner: Runner, settings: Settings, gate: str) -> Exhibit | None:
    moment = runner.moment
    assert moment is not None
    one = Experiment(architecture=architecture_of(moment.network).name, settings=settings, moment=moment)
    return added_biases(runner, one, gate, name="trained_map")


def _of_jacobians(build: Callable[..., Exhibit | None], name: str) -> Callable[..., Exhibit | None]:
    """Return the builder of an exhibit of the page Vanish or explode, of the network that the view asks for."""

    def built(
        runner: Runner, settings: Settings, view: TrainingView, pins: Sequence[Experiment] = ()
    ) -> Exhibit | None:
        return _of_moment(build, name, runner, view, JacobiansView(network=chosen(view).architecture))

    return built


trained_products = _of_jacobians(products, "trained_products")
trained_eigenvalues = _of_jacobians(eigenvalues, "trained_eigenvalues")
trained_phase_map = _of_jacobians(phase_map, "trained_phase_map")
