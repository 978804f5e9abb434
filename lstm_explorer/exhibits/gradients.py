"""The exhibits of the page Gradient flow: curves over time, and every unit as a heat map."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

import numpy as np
import pandas as pd

from lstm_explorer.core.architectures import ARCHITECTURES, architecture_named
from lstm_explorer.core.gradients.result import GradientFlow
from lstm_explorer.core.gradients.summaries import Quantity, summarise
from lstm_explorer.core.record import number, subset
from lstm_explorer.core.settings import Settings
from lstm_explorer.exhibits.curve_summaries import curves_summary, units_summary
from lstm_explorer.exhibits.curve_table import curve_numbers
from lstm_explorer.exhibits.exhibit import Exhibit
from lstm_explorer.exhibits.labels import escaped_labels
from lstm_explorer.exhibits.theory import theory_lines
from lstm_explorer.exhibits.view import View
from lstm_explorer.exhibits.words import difference_words
from lstm_explorer.figures.axes import FlowAxes
from lstm_explorer.figures.curves import Series, TheoryLine
from lstm_explorer.figures.gradient_flow import plot_gradient_flow
from lstm_explorer.figures.units import plot_unit_heatmap
from lstm_explorer.locales import _
from lstm_explorer.runs.experiment import Experiment
from lstm_explorer.runs.job import Runner
from lstm_explorer.runs.measurements import Flow


@dataclass(frozen=True, kw_only=True)
class GradientsView(View):
    """How the page Gradient flow shows its experiment."""

    networks: tuple[str, ...] = subset(("rnn", "lstm"), tuple(ARCHITECTURES))
    quantity: Quantity = "hidden"
    layer: int = number(1, 1, 4)
    measure: Literal["relative", "absolute"] = "relative"
    against: Literal["step", "lag"] = "step"
    scale: Literal["log", "linear"] = "log"
    theory: bool = True


def no_cell(view: GradientsView) -> str:
    """Say which networks lack the cell state that the view asks for; nothing where none does."""
    without = [record.title for record in map(architecture_named, view.networks) if record.memory != "cell"]
    if view.quantity not in ("cell", "cell_path") or not without:
        return ""
    return _("No cell state: {networks}. The hidden state is drawn instead.").format(networks=", ".join(without))


def gradients(
    runner: Runner, settings: Settings, view: GradientsView, pins: Sequence[Experiment] = ()
) -> Exhibit | None:
    """Return the curves of every chosen network and every pin; None where nothing could be measured."""
    chosen = [
        Experiment(architecture=name, settings=settings, table=runner.table, moment=runner.moment)
        for name in view.networks
    ]
    on = [_beside(one, pins) for one in chosen]
    measured = [(one, _series(runner, one, view)) for one in on]
    measured += [(pin, _series(runner, pin, view, variant)) for variant, pin in enumerate(pins)]
    series = tuple(curve for _one, curve in measured if curve is not None)
    experiments = tuple(one for one, curve in measured if curve is not None)
    if not series:
        return None
    theory = _theory(runner, on, view)
    axes = FlowAxes(against=view.against, scale=view.scale)
    return Exhibit(
        name="gradients",
        title=_quantity_title(view.quantity),
        alt=_("Gradient norms over time. {says}").format(says=curves_summary(series, escape=str)),
        how_to_read=_(
            "Every solid curve is the norm of a gradient at each step, measured by exact back-propagation "
            "through a real PyTorch network: the median over seeds and samples, with the quartiles as a band. "
            "A straight fall on the log axis is a constant factor per step. Grey is theory; dashed curves with "
            "marks are your pins."
        ),
        summary=curves_summary(series),
        settings=settings,
        experiments=experiments,
        draw=lambda theme: plot_gradient_flow(series, theory=theory, axes=axes, theme=theme),
        numbers=partial(curve_numbers, series, theory),
        view=view,
        series=series,
        measured=experiments,
        theory=theory,
        axes=axes,
    )


def units(
    runner: Runner,
    settings: Settings,
    view: GradientsView,
    pins: Sequence[Experiment] = (),
    *,
    network: str,
) -> Exhibit | None:
    """Return the heat map of every unit of one network, of the first seed and sample."""
    settings = settings.replace(num_seeds=1, batch_size=1)
    one = Experiment(architecture=network, settings=settings, table=runner.table, moment=runner.moment)
    flow = runner.run(Flow(experiment=one, units=True))
    if flow is None:
        return None
    layer = layer_of(settings, view)
    return Exhibit(
        name=f"units_{network}",
        title=_("Gradient of every hidden unit of the {network}").format(network=one.name),
        alt=_("Heat map of the gradient of every hidden unit of the {network}, step by step.").format(network=one.name),
        how_to_read=_(
            "{network}, first seed and sample. Each row is a unit, each column a step; full colour is the "
            "largest gradient, blank the smallest. Rows that stay coloured to the left are the units that "
            "remember."
        ).format(network=one.name),
        summary=units_summary(flow, layer),
        settings=settings,
        experiments=(one,),
        draw=lambda theme: plot_unit_heatmap(flow, layer=layer, theme=theme),
        numbers=partial(unit_numbers, flow, layer),
        view=view,
    )


def layer_of(settings: Settings, view: GradientsView) -> int:
    """Return the chosen layer, from 0; the last one where the network has fewer."""
    return min(view.layer, settings.num_layers) - 1


def unit_numbers(flow: GradientFlow, layer: int) -> pd.DataFrame:
    """Return the heat map as rows ``architecture, step, lag, unit, log10_size``.

    Raises:
        ValueError: The flow was measured without its units.
    """
    sizes = flow.log10_hidden_units
    if sizes is None:
        raise ValueError("the flow has no units: expected one measured with units=True.")
    first = (sizes[0, layer, :, 0] if sizes.ndim == 5 else sizes[layer, :, 0]).double().numpy()
    step, unit = (index.ravel() for index in np.indices(first.shape))
    return pd.DataFrame(
        {"architecture": flow.architecture, "step": step, "lag": len(first) - 1 - step, "unit": unit,
         "log10_size": first.ravel()}
    )  # fmt: skip


def _beside(one: Experiment, pins: Sequence[Experiment]) -> Experiment:
    """Return an experiment under a name that sets it apart from the pins of its own network, where there are any."""
    apart = difference_words(one, [pin for pin in pins if pin.architecture == one.architecture])
    return replace(one, name=f"{one.name}, {apart}") if apart else one


def _series(runner: Runner, one: Experiment, view: GradientsView, variant: int | None = None) -> Series | None:
    """Return the curve of one experiment; a variant is the place of a pin among the pins."""
    flow = runner.run(Flow(experiment=one))
    if flow is None:
        return None
    states = {state.name for state in architecture_named(one.architecture).states}
    quantity = "hidden" if view.quantity in ("cell", "cell_path") and "cell" not in states else view.quantity
    relative = view.measure == "relative"
    curve = summarise(flow, quantity, layer=layer_of(one.settings, view), relative=relative)
    return Series(
        name=one.name, network=one.architecture, curve=curve, style="solid" if variant is None else "ghost",
        reads=escaped_labels(one), variant=variant or 0,
    )  # fmt: skip


def _theory(runner: Runner, on: Sequence[Experiment], view: GradientsView) -> tuple[TheoryLine, ...]:
    """Return the closed forms of the chosen networks; they predict ratios to the last step, of one layer."""
    fits = [one for one in on if one.settings.num_layers == 1 and one.settings.loss == "last"]
    if not view.theory or view.measure == "absolute":
        return ()
    return tuple(line for one in fits for line in theory_lines(runner, one, bounds=True))


def _quantity_title(quantity: Quantity) -> str:
    titles = {
        "hidden": _("Gradient of the hidden state at each step"),
        "cell": _("Gradient of the cell state at each step"),
        "cell_path": _("Gradient that travels by the cell state alone"),
        "inputs": _("Gradient of the input at each step"),
    }
    return titles[quantity]
