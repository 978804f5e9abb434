"""The exhibits of the page Gate biases on one network: the gradient by path, and that of the recurrent weights."""

from __future__ import annotations

from collections.abc import Sequence

from lstm_explorer.core import theory
from lstm_explorer.core.settings import Settings
from lstm_explorer.exhibits.bias_summaries import (
    contributions_summary,
    how_to_read_paths,
    paths_summary,
    rates_summary,
    weight_gradients_summary,
)
from lstm_explorer.exhibits.biases_view import BiasesView, experiment, lengths_up_to
from lstm_explorer.exhibits.exhibit import Exhibit
from lstm_explorer.figures.names import network_name
from lstm_explorer.figures.paths import plot_paths, plot_rates
from lstm_explorer.figures.weights import plot_contributions, plot_weight_gradients
from lstm_explorer.locales import _
from lstm_explorer.runs.experiment import Experiment
from lstm_explorer.runs.job import Runner
from lstm_explorer.runs.measurements import Contributions, Paths, Weights


def paths(runner: Runner, settings: Settings, view: BiasesView, pins: Sequence[Experiment] = ()) -> Exhibit | None:
    """Return the gradient of the LSTM's cell path by path."""
    one = experiment(runner, "lstm", settings)
    flows = runner.run(Paths(experiment=one))
    if flows is None:
        return None
    summary = paths_summary(flows, view.through)
    return Exhibit(
        name="paths",
        title=_("The LSTM's gradient, path by path"),
        alt=_("The gradient of the cell state by the path it takes. {says}").format(says=summary),
        how_to_read=how_to_read_paths(view.through),
        summary=summary,
        settings=settings,
        experiments=(one,),
        draw=lambda theme: plot_paths(flows, through=view.through, theme=theme),
        numbers=flows.to_frame,
        view=view,
    )


def rates(runner: Runner, settings: Settings, view: BiasesView, pins: Sequence[Experiment] = ()) -> Exhibit | None:
    """Return the factor per step: σ(1) at first, larger later on."""
    one = experiment(runner, "lstm", settings)
    flows = runner.run(Paths(experiment=one))
    if flows is None:
        return None
    gate = None if settings.recurrent_init == "chrono" else float(theory.forget_gate(settings.forget_bias))
    summary = rates_summary(flows, gate)
    return Exhibit(
        name="rates",
        title=_("The factor that each step back multiplies the gradient by"),
        alt=_("Factor of each step back. {says}").format(says=summary),
        how_to_read=_(
            "A gradient that is multiplied by the same number at every step is a level line. The dashed line is what "
            "the forget gate's bias alone would give, the dotted one the cell path with its real gates, the solid "
            "one the total. The last step goes by the cell alone: h₀ is an input of its own, not made from c₀."
        ),
        summary=summary,
        settings=settings,
        experiments=(one,),
        draw=lambda theme: plot_rates(flows, gate=gate, theme=theme),
        numbers=flows.to_frame,
        view=view,
    )


def weights(runner: Runner, settings: Settings, view: BiasesView, pins: Sequence[Experiment] = ()) -> Exhibit | None:
    """Return the gradient of the recurrent weights beside that of the first state, over the sequence length."""
    network, one = view.weights_of, experiment(runner, view.weights_of, settings)
    measured = runner.run(Weights(experiment=one, lengths=lengths_up_to(one.steps)))
    if measured is None:
        return None
    summary = weight_gradients_summary(measured)
    return Exhibit(
        name="weights",
        title=_("Weights look fine, states do not: the {network} over its sequence length").format(
            network=network_name(network)
        ),
        alt=_("Gradient norms of the recurrent weights and of the first state over the length. {says}").format(
            says=summary
        ),
        how_to_read=_(
            "Solid: the norm of dL/dW_hh, which is what training dashboards plot. Dashed: the norm of dL/dh₀, the "
            "gradient that reaches the first step. The solid one is a sum over all steps, and the last few make up "
            "most of it."
        ),
        summary=summary,
        settings=settings,
        experiments=(one,),
        draw=lambda theme: plot_weight_gradients(measured, theme=theme),
        numbers=measured.to_frame,
        view=view,
    )


def contributions(
    runner: Runner, settings: Settings, view: BiasesView, pins: Sequence[Experiment] = ()
) -> Exhibit | None:
    """Return what every step adds to the gradient of the recurrent weights."""
    network, one = view.weights_of, experiment(runner, view.weights_of, settings)
    measured = runner.run(Contributions(experiment=one))
    if measured is None:
        return None
    summary = contributions_summary(measured)
    return Exhibit(
        name="contributions",
        title=_("What each step adds to dL/dW_hh of the {network}").format(network=network_name(network)),
        alt=_("Norm of every step's contribution to the gradient of the recurrent weights. {says}").format(
            says=summary
        ),
        how_to_read=_(
            "The contributions of all steps sum to what weight_hh.grad holds after backward(). Each line is the rows "
            "of one gate."
        ),
        summary=summary,
        settings=settings,
        experiments=(one,),
        draw=lambda theme: plot_contributions(measured, theme=theme),
        numbers=measured.to_frame,
        view=view,
    )
