"""The exhibits of an explosion: what clipping does to it, and what truncation cuts off."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import pandas as pd

from lstm_explorer.core.gradients.clipping import ClippedGradient
from lstm_explorer.core.gradients.plain import PlainBackward
from lstm_explorer.core.gradients.summaries import Curve, summarise
from lstm_explorer.core.settings import Settings
from lstm_explorer.exhibits.clipping_words import clipping_summary, truncation_summary
from lstm_explorer.exhibits.curve_table import curve_numbers
from lstm_explorer.exhibits.exhibit import Exhibit
from lstm_explorer.exhibits.jacobians_view import JacobiansView, experiment, lag_of
from lstm_explorer.figures.clipping import plot_clipping, plot_truncation
from lstm_explorer.figures.curves import Series
from lstm_explorer.figures.names import network_name
from lstm_explorer.locales import _
from lstm_explorer.runs.clipping import ClippedWeights, Plain, Truncated
from lstm_explorer.runs.experiment import Experiment
from lstm_explorer.runs.job import Runner
from lstm_explorer.runs.measurements import Flow


def clipping(
    runner: Runner, settings: Settings, view: JacobiansView, pins: Sequence[Experiment] = ()
) -> Exhibit | None:
    """Return what every step adds to the weights' gradient, with clipping and without, and what breaks in floats."""
    one = experiment(runner, view.network, settings)
    measured = runner.run(ClippedWeights(experiment=one, clipping=view.clipping, clip_at=view.clip_at))
    backward = runner.run(Plain(experiment=one))
    if measured is None or backward is None:
        return None
    summary = clipping_summary(measured, backward, lag=lag_of(one, view), optimizer=view.optimizer)
    return Exhibit(
        name="clipped",
        title=_("Would clipping have helped the {network}?").format(network=network_name(view.network)),
        alt=_("What each step adds to the weights' gradient, with clipping and without. {says}").format(says=summary),
        how_to_read=_(
            "Each point is what one step adds to the gradient of the last layer's weights: solid as it is, dotted "
            "after PyTorch's clipping. Clipping by norm moves the curve down as a whole and leaves its shape. A cross "
            "is where an ordinary backward pass breaks: the curves themselves are exact beyond the range of floats."
        ),
        summary=summary,
        settings=settings,
        experiments=(one,),
        draw=lambda theme: plot_clipping(measured, backward, theme=theme),
        numbers=partial(_clipping_table, measured, backward),
        view=view,
    )


def truncation(
    runner: Runner, settings: Settings, view: JacobiansView, pins: Sequence[Experiment] = ()
) -> Exhibit | None:
    """Return the gradient of the hidden state as it is, and where the states are detached every so many steps."""
    one = experiment(runner, view.network, settings)
    flow = runner.run(Flow(experiment=one))
    cut = runner.run(Truncated(experiment=one, truncation=view.truncation))
    if flow is None or cut is None:
        return None
    network, whole, left = view.network, summarise(flow), summarise(cut)
    series = (
        _series(_("{network}, not cut").format(network=network_name(network)), network, whole, cut=False),
        _series(_("{network}, truncated").format(network=network_name(network)), network, left, cut=True),
    )
    summary = truncation_summary(network, whole, left, lag=lag_of(one, view))
    return Exhibit(
        name="truncated",
        title=_("What truncated back-propagation leaves of the gradient of the {network}").format(
            network=network_name(network)
        ),
        alt=_("The gradient of the hidden state over the lag, not cut and truncated. {says}").format(says=summary),
        how_to_read=_(
            "The solid curve is the exact gradient. The one with marks is that of the same states where they are "
            "detached every so many steps, counted back from the last, as state.detach() does between two pieces: it "
            "ends at the dashed line."
        ),
        summary=summary,
        settings=settings,
        experiments=(one,),
        draw=lambda theme: plot_truncation(series, truncation=view.truncation, theme=theme),
        numbers=partial(curve_numbers, series, ()),
        view=view,
    )


def _series(name: str, network: str, curve: Curve, *, cut: bool) -> Series:
    return Series(name=name, network=network, curve=curve, style="ghost" if cut else "solid", variant=int(cut))


def _clipping_table(measured: ClippedGradient, backward: PlainBackward) -> pd.DataFrame:
    """Return what the steps add beside the norm of the hidden state's gradient, exact and as the floats have it."""
    exact = backward.exact.log10_hidden[-1, 1:, 0].double().numpy()
    return measured.to_frame().assign(
        log10_hidden=exact, hidden_in_floats=backward.norm_hidden[-1, 1:, 0].double().numpy()
    )
