"""The exhibit of the page Training: networks as they learn, and their gradient with them."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Sequence
from functools import partial

import numpy as np
import pandas as pd

from lstm_explorer.core.errors import ExplainedError
from lstm_explorer.core.settings import Settings
from lstm_explorer.core.training.result import TrainingRun
from lstm_explorer.core.training.tasks import TASKS
from lstm_explorer.exhibits.exhibit import Exhibit
from lstm_explorer.exhibits.training_view import TrainingView
from lstm_explorer.figures.formatting import percent
from lstm_explorer.figures.learners import Learner, learners
from lstm_explorer.figures.names import network_name
from lstm_explorer.figures.training import plot_training, training_spec
from lstm_explorer.locales import N_, _, translated
from lstm_explorer.runs.experiment import Experiment
from lstm_explorer.runs.job import Runner
from lstm_explorer.runs.training import background, gallery

#: Share of a run that "just before" and "just after" are from the moment it learnt.
_AROUND = 0.1


def status_of(view: TrainingView) -> background.RunStatus | None:
    """Return how far the run of a view is; None where there is none, or none any more."""
    with contextlib.suppress(ExplainedError, OSError):
        return background.status(view.run) if view.run else None
    return None


def started(view: TrainingView) -> bool:
    """Tell whether the view's run was started here, and has the view's settings."""
    status = status_of(view)
    return status is not None and status.trainings == view.trainings


def found_runs(view: TrainingView) -> list[TrainingRun]:
    """Return the runs that a view means, or as much of them as is done: those started here, else those of the gallery.

    Args:
        view: What is trained, and the identifier of a run, where one was started.
    """
    if started(view):
        return [run for run in background.read(view.run) if run is not None and len(run.loss)]
    return [run for run in map(gallery.find, view.trainings) if run is not None]


def training(runner: Runner, settings: Settings, view: TrainingView, pins: Sequence[Experiment] = ()) -> Exhibit | None:
    """Return the exhibit of the runs that a view means.

    Raises:
        ExplainedError: There are none.
    """
    runs = found_runs(view)
    if not runs:
        raise ExplainedError(N_("Nothing was trained with these settings: train it on the page Training first."), {})
    return training_exhibit(runs, view)


def training_exhibit(runs: Sequence[TrainingRun], view: TrainingView, *, playable: bool = True) -> Exhibit:
    """Return the exhibit of some runs, or of as much of them as is done.

    Args:
        runs: Those of one network beside each other; at least one.
        view: What is trained, and what of it is drawn.
        playable: Whether the figure has a slider; one that is redrawn every second has none.
    """
    task, everyone = TASKS[view.task], learners(runs, view.gradient)
    says = training_summary(everyone)
    return Exhibit(
        name="training",
        title=_("Networks that learn, and their gradient with them: {task}").format(task=translated(task.title)),
        alt=_("Training loss, and the gradient that reaches each lag, over optimizer steps. {says}").format(says=says),
        how_to_read=_(
            "From left to right the networks are trained. At the top is the loss of every optimizer step, faint, and "
            "its mean over 25 steps. Each map below has one column per measurement and one row per lag: fully coloured "
            "where all of the gradient of the training loss arrives, blank where less than 10⁻⁸ of what reaches the "
            "last step does, violet where more arrives. The numbers at the right are the share at the dotted lag, at "
            "the cursor; move it with the slider. Measured by exact back-propagation on the batch of that step, the "
            "median of {samples} samples. Learnt is a mean loss that stays below half of knowing nothing."
        ).format(samples=view.samples)
        + " "
        + _("The dotted lag is {lag}. {why}").format(lag=runs[0].lag, why=translated(task.lag_about)),
        summary=says,
        settings=view.network_settings(1).replace(sequence_length=runs[0].log10_hidden.shape[1] - 1),
        experiments=(),
        draw=lambda theme: plot_training(runs, gradient=view.gradient, theme=theme),
        spec=lambda theme: training_spec(runs, gradient=view.gradient, theme=theme, playable=playable),
        numbers=partial(_numbers, runs),
        view=view,
    )


def _numbers(runs: Sequence[TrainingRun]) -> pd.DataFrame:
    return pd.concat([run.to_frame() for run in runs], ignore_index=True)


def training_summary(everyone: Sequence[Learner]) -> str:
    """Say when each network learnt, and how much gradient reached the lag that the task needs, before and after."""
    return " ".join(_sentence(one) for one in everyone if len(one.first.loss))


def _sentence(one: Learner) -> str:
    run, name = one.first, network_name(one.network)
    lag = min(run.lag, run.log10_hidden.shape[1] - 1)
    lost = np.flatnonzero(~(np.isfinite(run.loss) & np.isfinite(run.gradient_norm[:, 0])))
    if lost.size:
        step, of_loss = int(lost[0]), not np.isfinite(run.loss[lost[0]])
        left = _("The loss of the **{network}** left the range of floats at step {step}.")
        exploded = _("The gradient of the **{network}** left the range of floats at step {step}: it exploded.")
        return (left if of_loss else exploded).format(network=name, step=step)
    seeds = _seeds(one)
    if run.learnt_at is None:
        return _(
            "The **{network}** has not learnt in {steps} steps{seeds}: {share} of the gradient reaches lag {lag}."
        ).format(network=name, steps=len(run.loss), seeds=seeds, share=_share(one, len(run.loss), lag), lag=lag)
    around = max(round(_AROUND * run.training.steps), 1)
    before, after = max(run.learnt_at - around, 0), min(run.learnt_at + around, len(run.loss))
    return _(
        "The **{network}** has learnt by step {step}{seeds}: {before} of the gradient reached lag {lag} at step "
        "{earlier}, and {after} at step {later}."
    ).format(
        network=name, step=run.learnt_at, seeds=seeds, lag=lag, before=_share(one, before, lag),
        after=_share(one, after, lag), earlier=_measured(run, before), later=_measured(run, after),
    )  # fmt: skip


def _seeds(one: Learner) -> str:
    """Say in how many seeds a network learnt, where there are several."""
    if len(one.runs) == 1:
        return ""
    learnt = sum(run.learnt_at is not None for run in one.runs)
    return _(" ({learnt} of {seeds} seeds do; these are the numbers of the first)").format(
        learnt=learnt, seeds=len(one.runs)
    )


def _row(run: TrainingRun, step: int) -> int:
    return max(int(np.searchsorted(run.steps, step, side="right")) - 1, 0)


def _measured(run: TrainingRun, step: int) -> int:
    """Return the optimizer step of the last measurement up to a step."""
    return int(run.steps[_row(run, step)])


def _share(one: Learner, step: int, lag: int) -> str:
    share = float(one.arriving()[_row(one.first, step), lag]) if len(one.first.steps) else math.nan
    return _("none") if share == -math.inf else percent(share)
