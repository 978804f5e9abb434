"""The exhibits of the page Gate biases that look into one network: by which paths, and what weights hear of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from lstm_explorer.core import theory
from lstm_explorer.core.gradients.paths import GATES, TERMS, path_flows
from lstm_explorer.core.gradients.weights import StepContributions, step_contributions, weight_gradients
from lstm_explorer.core.inputs.kinds import TableLike
from lstm_explorer.core.settings import Architecture, Settings
from lstm_explorer.exhibits.bias_view import BiasesView, alone, lengths_up_to, steps_of
from lstm_explorer.exhibits.bias_words import contributions_say, paths_say, rates_say, reading_paths, weights_say
from lstm_explorer.exhibits.exhibit import Bench, Exhibit, Experiment
from lstm_explorer.figures.paths import plot_paths, plot_rates
from lstm_explorer.figures.theme import NETWORK_NAMES
from lstm_explorer.figures.weights import plot_contributions, plot_weight_gradients
from lstm_explorer.locales import _

#: Norms and shares of every step.
_PATHS = 2 + 2 * len(GATES) + len(TERMS)


def paths(bench: Bench, settings: Settings, view: BiasesView, pins: Sequence[Experiment] = ()) -> Exhibit | None:
    """Return the gradient of the LSTM's cell path by path."""
    flows = bench.measured(path_flows, settings, numbers=_PATHS)
    if flows is None:
        return None
    says = paths_say(flows, view.through)
    return Exhibit(
        name="paths",
        title=_("The LSTM's gradient, path by path"),
        alt=_("The gradient of the cell state by the path it takes. {says}").format(says=says),
        read=reading_paths(view.through),
        says=says,
        settings=settings,
        experiments=alone("lstm", settings),
        draw=lambda theme: plot_paths(flows, through=view.through, theme=theme),
        numbers=flows.to_frame,
        view=view,
    )


def rates(bench: Bench, settings: Settings, view: BiasesView, pins: Sequence[Experiment] = ()) -> Exhibit | None:
    """Return the factor of every step: the puzzle of σ(1) first, and more later."""
    flows = bench.measured(path_flows, settings, numbers=_PATHS)
    if flows is None:
        return None
    gate = None if settings.recurrent_init == "chrono" else float(theory.forget_gate(settings.forget_bias))
    says = rates_say(flows, gate)
    return Exhibit(
        name="rates",
        title=_("The factor that each step back multiplies the gradient by"),
        alt=_("Factor of each step back. {says}").format(says=says),
        read=_(
            "A gradient that is multiplied by the same number at every step is a level line. The dashed line is what "
            "the forget gate's bias alone would give, the dotted one the cell path with its real gates, the solid "
            "one the total. The last step goes by the cell alone: h₀ is an input of its own, not made from c₀."
        ),
        says=says,
        settings=settings,
        experiments=alone("lstm", settings),
        draw=lambda theme: plot_rates(flows, gate=gate, theme=theme),
        numbers=flows.to_frame,
        view=view,
    )


def weights(bench: Bench, settings: Settings, view: BiasesView, pins: Sequence[Experiment] = ()) -> Exhibit | None:
    """Return the gradient of the recurrent weights beside that of the first state, over the sequence length."""
    network, lengths = view.weights_of, lengths_up_to(steps_of(bench, settings))
    measured = bench.measured(weight_gradients, settings, architecture=network, lengths=lengths)
    if measured is None:
        return None
    says = weights_say(measured)
    return Exhibit(
        name="weights",
        title=_("Weights look fine, states do not: the {network} over its sequence length").format(
            network=NETWORK_NAMES[network]
        ),
        alt=_("Gradient norms of the recurrent weights and of the first state over the length. {says}").format(
            says=says
        ),
        read=_(
            "Solid: the norm of dL/dW_hh, which is what training dashboards plot. Dashed: the norm of dL/dh₀, how much "
            "of the loss hears of the first step. The first is a sum over all steps, and the last few fill it."
        ),
        says=says,
        settings=settings,
        experiments=alone(network, settings),
        draw=lambda theme: plot_weight_gradients(measured, theme=theme),
        numbers=measured.to_frame,
        view=view,
    )


def contributions(
    bench: Bench, settings: Settings, view: BiasesView, pins: Sequence[Experiment] = ()
) -> Exhibit | None:
    """Return what every step adds to the gradient of the recurrent weights."""
    network = view.weights_of
    measured = bench.measured(_contributions, settings, architecture=network)
    if measured is None:
        return None
    says = contributions_say(measured)
    return Exhibit(
        name="contributions",
        title=_("What each step adds to dL/dW_hh of the {network}").format(network=NETWORK_NAMES[network]),
        alt=_("Norm of every step's contribution to the gradient of the recurrent weights. {says}").format(says=says),
        read=_(
            "The contributions of all steps sum to what weight_hh.grad holds after backward(). Each line is the rows "
            "of one gate."
        ),
        says=says,
        settings=settings,
        experiments=alone(network, settings),
        draw=lambda theme: plot_contributions(measured, theme=theme),
        numbers=measured.to_frame,
        view=view,
    )


def _contributions(
    settings: Settings, *, architecture: Architecture, table: TableLike | None = None
) -> StepContributions:
    """Measure without the sum itself, a matrix for every replica that no figure shows."""
    found = step_contributions(settings, architecture=architecture, table=table)
    return replace(found, total=found.total[:0])
