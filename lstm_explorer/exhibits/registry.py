"""Exhibits: a figure with its words, its numbers and the experiments behind it.

A page shows an exhibit, the toolbar beneath hands it out, a report collects several, and the command line makes the
same one from the same settings. :data:`EXHIBITS` lists them all.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from html import escape
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd

from lstm_explorer.core.gradients.flow import GradientFlow
from lstm_explorer.core.gradients.summaries import Quantity, summarise
from lstm_explorer.core.inputs.kinds import step_labels
from lstm_explorer.core.settings import ARCHITECTURES, Architecture, Settings
from lstm_explorer.exhibits.bias_view import BiasesView
from lstm_explorer.exhibits.biases import effective, gates_map, lag_map, lengths_map, required
from lstm_explorer.exhibits.curve_table import curve_numbers
from lstm_explorer.exhibits.exhibit import Bench, Exhibit, Experiment
from lstm_explorer.exhibits.inside import InsideView, by_hand, diagram, gate_map, traces
from lstm_explorer.exhibits.paths import contributions, paths, rates, weights
from lstm_explorer.exhibits.theory import gate_lines, rnn_lines
from lstm_explorer.exhibits.view import View, number
from lstm_explorer.exhibits.words import units_say, what_it_says
from lstm_explorer.figures.gradient_flow import (
    FlowAxes,
    Series,
    Style,
    TheoryLine,
    plot_gradient_flow,
)
from lstm_explorer.figures.journey import journey_spec, plot_journey
from lstm_explorer.figures.theme import NETWORK_NAMES
from lstm_explorer.figures.units import plot_unit_heatmap
from lstm_explorer.locales import _, translated


@dataclass(frozen=True, kw_only=True)
class GradientsView(View):
    """What the lab shows of its experiment."""

    networks: tuple[Architecture, ...] = ("rnn", "lstm")
    quantity: Quantity = "hidden"
    layer: int = number(1, 1, 4)
    measure: Literal["relative", "absolute"] = "relative"
    against: Literal["step", "lag"] = "step"
    scale: Literal["log", "linear"] = "log"
    theory: bool = True


def journey(bench: Bench, settings: Settings, view: View, pins: Sequence[Experiment] = ()) -> Exhibit | None:
    """Return the first page's exhibit; the recurrent gain is the RNN's alone there."""
    of_lstm = settings.replace(recurrent_gain=1.0)
    rnn, lstm, rates = bench.flow(settings, "rnn"), bench.flow(of_lstm, "lstm"), bench.rates(settings)
    if rnn is None or lstm is None or rates is None:
        return None
    strips = [
        Series(name="RNN", network="rnn", curve=summarise(rnn, "hidden")),
        Series(name="LSTM", network="lstm", curve=summarise(lstm, "cell")),
    ]
    path = Series(name=_("LSTM, cell path alone"), network="lstm", curve=summarise(lstm, "cell_path"), style="path")
    theory = (*rnn_lines(rates), *gate_lines(of_lstm, "lstm"))
    series = (*strips, path)
    return Exhibit(
        name="journey",
        title=_("The gradient's way back through an RNN and an LSTM"),
        alt=_("Gradient reaching each step of an RNN and an LSTM. {says}").format(says=what_it_says(strips)),
        read=_(
            "Each strip is a network unrolled in time, one cell a step. The loss is at the right; a cell is fully "
            "coloured where all of the gradient arrives and blank where less than 10⁻⁸ of it does. The curves "
            "below are the same numbers on a logarithmic scale: measured by exact back-propagation through a real "
            "nn.RNN (its hidden state) and a real nn.LSTM (its cell state). Violet cells receive more than left "
            "the loss. Grey lines are theory; the dotted line in the LSTM's colour is the part that travels by the "
            "cell state alone."
        ),
        says=what_it_says(series),
        settings=settings,
        experiments=(
            Experiment(name="RNN", architecture="rnn", settings=settings),
            Experiment(name="LSTM", architecture="lstm", settings=of_lstm),
        ),
        draw=lambda theme: plot_journey(strips, beside=[path], theory=theory, theme=theme),
        spec=lambda theme: journey_spec(strips, beside=[path], theory=theory, theme=theme),
        numbers=partial(curve_numbers, series, theory),
        series=series,
        theory=theory,
    )


def gradients(bench: Bench, settings: Settings, view: GradientsView, pins: Sequence[Experiment] = ()) -> Exhibit | None:
    """Return the lab's exhibit: every network that is on, and every pin; None where nothing could be measured."""
    on = [Experiment(name=NETWORK_NAMES[network], architecture=network, settings=settings) for network in view.networks]
    wanted: list[tuple[Experiment, Style]] = [(one, "solid") for one in on] + [(pin, "ghost") for pin in pins]
    measured = [(one, _series(bench, one, view, style)) for one, style in wanted]
    series = tuple(curve for _one, curve in measured if curve is not None)
    if not series:
        return None
    theory = _theory(bench, settings, view)
    axes = FlowAxes(against=view.against, scale=view.scale)
    return Exhibit(
        name="gradients",
        title=_quantity_title(view.quantity),
        alt=_("Gradient norms along time. {says}").format(says=what_it_says(series)),
        read=_(
            "Every solid curve is the norm of a gradient at each step, measured by exact back-propagation "
            "through a real PyTorch network: the median over seeds and samples, with the quartiles as a band. "
            "A straight fall on the log axis is a constant factor a step. Grey is theory, dash-dotted curves "
            "are your pins."
        ),
        says=what_it_says([one for one in series if one.style != "ghost"]),
        settings=settings,
        experiments=tuple(one for one, curve in measured if curve is not None),
        draw=lambda theme: plot_gradient_flow(series, theory=theory, axes=axes, theme=theme),
        numbers=partial(curve_numbers, series, theory),
        view=view,
        series=series,
        theory=theory,
    )


def units(
    bench: Bench,
    settings: Settings,
    view: GradientsView,
    pins: Sequence[Experiment] = (),
    *,
    network: Architecture,
) -> Exhibit | None:
    """Return the heat map of every unit of one network, of the first seed and sample."""
    settings = settings.replace(num_seeds=1, batch_size=1)
    flow = bench.flow(settings, network, units=True)
    if flow is None:
        return None
    name, layer = NETWORK_NAMES[network], layer_of(settings, view)
    return Exhibit(
        name=f"units_{network}",
        title=_("Gradient of every hidden unit of the {network}").format(network=name),
        alt=_("Heat map of the gradient of every hidden unit of the {network}, step by step.").format(network=name),
        read=_(
            "{network}, first seed and sample. Each row is a unit, each column a step; full colour is the "
            "largest gradient, blank the smallest. Rows that stay coloured to the left are the units that "
            "remember."
        ).format(network=name),
        says=units_say(flow, layer),
        settings=settings,
        experiments=(Experiment(name=name, architecture=network, settings=settings),),
        draw=lambda theme: plot_unit_heatmap(flow, layer=layer, theme=theme),
        numbers=partial(unit_numbers, flow, layer),
        view=view,
    )


def layer_of(settings: Settings, view: GradientsView) -> int:
    """Return the layer shown, from 0; a network with fewer layers shows its last."""
    return min(view.layer, settings.num_layers) - 1


def unit_numbers(flow: GradientFlow, layer: int) -> pd.DataFrame:
    """Return the heat map as rows ``architecture, step, lag, unit, log10_size``."""
    sizes = flow.log10_hidden_units
    if sizes is None:
        raise ValueError("the flow has no units: expected one measured with units=True.")
    first = (sizes[0, layer, :, 0] if sizes.ndim == 5 else sizes[layer, :, 0]).double().numpy()
    step, unit = (index.ravel() for index in np.indices(first.shape))
    return pd.DataFrame(
        {"architecture": flow.architecture, "step": step, "lag": len(first) - 1 - step, "unit": unit,
         "log10_size": first.ravel()}
    )  # fmt: skip


def _series(bench: Bench, one: Experiment, view: GradientsView, style: Style) -> Series | None:
    flow = bench.flow(one.settings, one.architecture)
    if flow is None:
        return None
    quantity = view.quantity
    if one.architecture != "lstm" and quantity in ("cell", "cell_path"):
        quantity = "hidden"
    relative = view.measure == "relative"
    curve = summarise(flow, quantity, layer=layer_of(one.settings, view), relative=relative)
    return Series(name=one.name, network=one.architecture, curve=curve, style=style, reads=_reads(bench, one.settings))


def _reads(bench: Bench, settings: Settings) -> tuple[str, ...]:
    """Return what is read at each step, safe to hover over."""
    table = bench.table() if settings.input_kind == "csv" else None
    labels = step_labels(settings, table=table, translate=translated)
    return tuple(escape(label) for label in labels) if any(labels) else ()


def _theory(bench: Bench, settings: Settings, view: GradientsView) -> tuple[TheoryLine, ...]:
    """Return the closed forms of the networks that are on; they are about ratios to the last step, and one layer."""
    if not view.theory or view.measure == "absolute" or settings.num_layers > 1 or settings.loss == "every":
        return ()
    lines: list[TheoryLine] = []
    for network in view.networks:
        if network != "rnn":
            lines += gate_lines(settings, network)
        elif rates := bench.rates(settings):
            lines += rnn_lines(rates, bound=True)
    return tuple(lines)


def _quantity_title(quantity: Quantity) -> str:
    titles = {
        "hidden": _("Gradient of the hidden state at each step"),
        "cell": _("Gradient of the cell state at each step"),
        "cell_path": _("Gradient that travels by the cell state alone"),
        "inputs": _("Gradient of the input at each step"),
    }
    return titles[quantity]


class Plan(NamedTuple):
    """How an exhibit is made: the page it stands on, the record of its view, and the function that builds it."""

    page: str
    view: type[View]
    build: Callable[..., Exhibit | None]


#: Name of an exhibit -> how it is made from ``(bench, settings, view, pins)``.
EXHIBITS: Mapping[str, Plan] = types.MappingProxyType(
    {
        "journey": Plan("start", View, journey),
        "gradients": Plan("gradients", GradientsView, gradients),
        "cell": Plan("inside", InsideView, diagram),
        "traces": Plan("inside", InsideView, traces),
        "gate_map": Plan("inside", InsideView, gate_map),
        "by_hand": Plan("inside", InsideView, by_hand),
        "bias_map": Plan("biases", BiasesView, lag_map),
        "two_gates": Plan("biases", BiasesView, gates_map),
        "lengths": Plan("biases", BiasesView, lengths_map),
        "required_bias": Plan("biases", BiasesView, required),
        "effective_bias": Plan("biases", BiasesView, effective),
        "paths": Plan("biases", BiasesView, paths),
        "rates": Plan("biases", BiasesView, rates),
        "weights": Plan("biases", BiasesView, weights),
        "contributions": Plan("biases", BiasesView, contributions),
        **{f"units_{name}": Plan("gradients", GradientsView, partial(units, network=name)) for name in ARCHITECTURES},
    }
)
