"""The exhibits of the page Training that look inside a network at one moment of its training."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from torch import Tensor

from lstm_explorer.core.architectures import architecture_named
from lstm_explorer.core.errors import ExplainedError
from lstm_explorer.core.gradients.summaries import Quantity
from lstm_explorer.core.inputs import TableLike
from lstm_explorer.core.settings import Settings
from lstm_explorer.core.training.options import Training
from lstm_explorer.exhibits.exhibit import Exhibit
from lstm_explorer.exhibits.gradients import GradientsView, gradients
from lstm_explorer.exhibits.inside import InsideView, gate_map, traces
from lstm_explorer.exhibits.training import started
from lstm_explorer.exhibits.training_view import TrainingView
from lstm_explorer.figures.names import network_name, parts
from lstm_explorer.locales import N_, _
from lstm_explorer.runs.experiment import Experiment, Moment
from lstm_explorer.runs.job import Job, Runner
from lstm_explorer.runs.training import background, gallery
from lstm_explorer.runs.training.looking import Look, look


class _Looking:
    """A runner whose networks are one that was trained."""

    def __init__(self, runner: Runner, moment: Moment) -> None:
        """Keep the runner that does the work."""
        self._runner, self.moment, self.table = runner, moment, None

    def run(self, job: Job[Any]) -> Any:
        """Return a job's result."""
        return self._runner.run(job)


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


def look_at(view: TrainingView, table: TableLike | None = None) -> Look | None:
    """Return the network and the sample that the view asks for; None where no weights were kept."""
    moments = kept_moments(view)
    if not moments:
        return None
    training = chosen(view)
    weights = kept_weights(view, training, moment_of(view, moments))
    return look(training, weights, sample=view.sample, table=table)


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
    weights = gallery.weights(training)
    if weights is None:
        raise ExplainedError(N_("No weights of this network were kept: run it yourself."), {})
    return weights


def _of_moment(
    build: Callable[..., Exhibit | None], name: str, runner: Runner, view: TrainingView, of: Any
) -> Exhibit | None:
    """Return an exhibit of another page, of the network that the view asks for."""
    looked = look_at(view, runner.table.values if runner.table else None)
    if looked is None:
        return None
    training, steps = chosen(view), len(looked.moment.inputs)
    settings = training.network_settings(looked.moment.inputs.shape[2]).replace(
        sequence_length=steps, batch_size=1, num_seeds=1
    )
    exhibit = build(_Looking(runner, looked.moment), settings, of)
    if exhibit is None:
        return None
    title = _("{title}: the {network} as it was trained").format(
        title=exhibit.title, network=network_name(training.architecture)
    )
    # No program by hand: it would draw a network of its own.
    return replace(exhibit, name=name, title=title, view=view, experiments=(), measured=())


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


def _inside(view: TrainingView) -> InsideView:
    training = chosen(view)
    return InsideView(network=training.architecture, step=view.step, unit=-1, part=part_of(view))


def trained_traces(
    runner: Runner, settings: Settings, view: TrainingView, pins: Sequence[Experiment] = ()
) -> Exhibit | None:
    """Return gates, states and gradient of a trained network over the steps of one sample."""
    return _of_moment(traces, "trained_traces", runner, view, _inside(view))


def trained_gates(
    runner: Runner, settings: Settings, view: TrainingView, pins: Sequence[Experiment] = ()
) -> Exhibit | None:
    """Return every unit of one gate or state of a trained network over the steps of one sample."""
    return _of_moment(gate_map, "trained_gates", runner, view, _inside(view))
