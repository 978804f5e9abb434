"""The exhibits of the page Gate biases over a range of biases: the maps, and the bias that is required."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from lstm_explorer.core.biases.grids import BiasGrid
from lstm_explorer.core.biases.maps import BiasMap
from lstm_explorer.core.biases.norms import StateQuantity
from lstm_explorer.core.biases.required import RequiredBias
from lstm_explorer.core.gradients.summaries import EXPLODES_ABOVE, summarise
from lstm_explorer.core.settings import Settings
from lstm_explorer.exhibits.bias_summaries import both_vectors_summary, grid_summary, map_summary, required_bias_summary
from lstm_explorer.exhibits.biases_view import (
    BiasesView,
    bias_of,
    experiment,
    gate_of,
    lag_of,
    lengths_up_to,
    memory_gate,
    memory_of,
    one_bias,
    other_gate,
    quantity_of,
)
from lstm_explorer.exhibits.curve_table import curve_numbers
from lstm_explorer.exhibits.exhibit import Exhibit, StillPart
from lstm_explorer.figures.axes import FlowAxes
from lstm_explorer.figures.bias_grid import bias_grid_spec, plot_bias_grid
from lstm_explorer.figures.bias_map import (
    bias_map_spec,
    bias_map_still,
    kept_by_biases,
    plot_bias_map,
    row_of,
    with_row,
)
from lstm_explorer.figures.curves import Series, Style
from lstm_explorer.figures.formatting import percent
from lstm_explorer.figures.gradient_flow import plot_gradient_flow
from lstm_explorer.figures.names import gate_name, network_name
from lstm_explorer.figures.required_bias import plot_required_bias, required_bias_spec
from lstm_explorer.locales import _
from lstm_explorer.runs.experiment import Experiment
from lstm_explorer.runs.job import Runner
from lstm_explorer.runs.measurements import Flow, Lengths, Map, Required, TwoGates

#: Biases of the maps over the lag, and of the coarser ones over a second axis.
FINE, COARSE = np.arange(-8.0, 8.01, 0.25), np.arange(-8.0, 8.01, 0.5)
#: Fewest seeds of the bias that is required: one network says too little.
_SEEDS = 5
#: Line styles of one vector filled, and of both.
_STYLES: tuple[Style, Style] = ("solid", "ghost")


def lag_map(runner: Runner, settings: Settings, view: BiasesView, pins: Sequence[Experiment] = ()) -> Exhibit | None:
    """Return the map of bias and steps back, with the curve of the reader's own bias beneath."""
    gate, network, own = gate_of(view), view.network, bias_of(settings, gate_of(view))
    job = _map(runner, settings, network, gate)
    measured = runner.run(job)
    if measured is None:
        return None
    quantity = quantity_of(view)
    summary = map_summary(measured, quantity, row_of(measured.biases, own), every_step=settings.loss == "every")
    still: dict[str, Any] = {"settings": one_bias(network, settings, gate), "quantity": quantity}
    row: dict[str, Any] = {"settings": still["settings"], "bias": own}
    return Exhibit(
        name="bias_map",
        title=_("What survives, over the bias of the {gate} of the {network}").format(
            gate=gate_name(gate, network), network=network_name(network)
        ),
        alt=_("Map of the surviving gradient over bias and steps back. {says}").format(says=summary),
        how_to_read=_(
            "Across: steps back from the loss. Upwards: the bias. Full colour is all of the gradient, blank less than "
            "10⁻⁸, violet more than ten times what left the loss. The lines are where it has fallen to 1/e, 10⁻³, 10⁻⁶ "
            "and to the smallest number of float32. Beneath, the row with the triangles as curves: the slider under "
            "the map moves it in your browser, and a click on the map takes that bias into your settings."
        ),
        summary=summary,
        settings=settings,
        experiments=(experiment(runner, network, settings),),
        draw=lambda theme: plot_bias_map(measured, theme=theme, bias=own, **still),
        spec=lambda theme: bias_map_spec(measured, theme=theme, bias=own, **still),
        still=StillPart(
            job=job,
            options=(measured.biases, quantity),
            make=lambda theme: bias_map_still(measured, theme=theme, **still),
            complete=lambda part, theme: with_row(part, measured, theme=theme, **row),
        ),
        numbers=measured.to_frame,
        view=view,
    )


def gates_map(runner: Runner, settings: Settings, view: BiasesView, pins: Sequence[Experiment] = ()) -> Exhibit | None:
    """Return the map over the biases of two gates, at the lag to be remembered."""
    gate, other, network = gate_of(view), other_gate(view), view.network
    one = experiment(runner, network, one_bias(network, settings, gate, other))
    lag, biases = lag_of(one, view), tuple(COARSE.tolist())
    grid = runner.run(TwoGates(experiment=one, gate=gate, biases=biases, other=other, others=biases, lag=lag))
    if grid is None:
        return None
    at = bias_of(settings, gate), bias_of(settings, other)
    summary = grid_summary(grid, quantity_of(view), at)
    return Exhibit(
        name="two_gates",
        title=_("What survives {lag} steps, over the biases of two gates of the {network}").format(
            lag=lag, network=network_name(network)
        ),
        alt=_("Map of the surviving gradient over the biases of two gates. {says}").format(says=summary),
        how_to_read=_(
            "Each point is a network with these two biases: full colour keeps all of its gradient over {lag} steps, "
            "blank loses it, violet explodes. The cross is your settings."
        ).format(lag=lag),
        summary=summary,
        settings=settings,
        experiments=(experiment(runner, network, settings),),
        draw=lambda theme: plot_bias_grid(grid, quantity=quantity_of(view), at=at, theme=theme),
        spec=lambda theme: bias_grid_spec(grid, quantity=quantity_of(view), at=at, theme=theme),
        numbers=partial(_grid_table, grid),
        view=view,
    )


def lengths_map(
    runner: Runner, settings: Settings, view: BiasesView, pins: Sequence[Experiment] = ()
) -> Exhibit | None:
    """Return the map over bias and sequence length."""
    gate, network = gate_of(view), view.network
    one = experiment(runner, network, one_bias(network, settings, gate))
    lengths = lengths_up_to(one.steps)
    grid = runner.run(Lengths(experiment=one, gate=gate, biases=tuple(COARSE.tolist()), lengths=lengths))
    if grid is None:
        return None
    at = bias_of(settings, gate), float(lengths[-1])
    summary = grid_summary(grid, quantity_of(view), at)
    return Exhibit(
        name="lengths",
        title=_("What reaches step 0 of the {network}, over bias and sequence length").format(
            network=network_name(network)
        ),
        alt=_("Map of the gradient that reaches step 0, over bias and sequence length. {says}").format(says=summary),
        how_to_read=_("Each column is a network that reads a sequence of this length. The cross is your settings.")
        + (
            " " + _("Follow a contour to the right: the longer the sequence, the larger a bias must be.")
            if gate == memory_gate(network)
            else ""
        ),
        summary=summary,
        settings=settings,
        experiments=(experiment(runner, network, settings),),
        draw=lambda theme: plot_bias_grid(grid, quantity=quantity_of(view), at=at, theme=theme),
        spec=lambda theme: bias_grid_spec(grid, quantity=quantity_of(view), at=at, theme=theme),
        numbers=partial(_grid_table, grid),
        view=view,
    )


#: What the map is drawn over -> its exhibit.
MAPS = {"lag": lag_map, "gate": gates_map, "length": lengths_map}


def needed(runner: Runner, settings: Settings, view: BiasesView) -> RequiredBias | None:
    """Return the bias that keeps the wanted share for the wanted number of steps."""
    network = view.network
    at_the_end = one_bias(network, settings, memory_gate(network)).replace(loss="last")
    one = experiment(runner, network, at_the_end.replace(num_seeds=max(settings.num_seeds, _SEEDS)))
    return runner.run(Required(experiment=one, lag=lag_of(one, view), share=view.share))


def required(runner: Runner, settings: Settings, view: BiasesView, pins: Sequence[Experiment] = ()) -> Exhibit | None:
    """Return what survives over the bias, with the biases that suffice."""
    network, gate = view.network, memory_gate(view.network)
    # A loss at every step puts gradient of its own on each: nothing would have to survive.
    at_the_end = settings.replace(loss="last")
    need, measured = needed(runner, settings, view), runner.run(_map(runner, at_the_end, network, gate))
    if need is None or measured is None:
        return None
    summary = required_bias_summary(need, measured)
    return Exhibit(
        name="required_bias",
        title=_("The bias that keeps {share} over {lag} steps").format(
            share=percent(math.log10(need.share)), lag=need.lag
        ),
        alt=_("What survives {lag} steps over the bias. {says}").format(lag=need.lag, says=summary),
        how_to_read=_(
            "The dashed curve is what the biases alone keep; the solid one is measured on your settings and "
            "has every path in it. The thick line on the dotted level reaches from the seed that needs the least to "
            "the one that needs the most; the dot on the dashed curve is the formula's answer. The bar at the bottom "
            "is what chrono initialisation draws from for this memory. The loss is at the last step."
        ),
        summary=summary,
        settings=settings,
        experiments=(experiment(runner, network, settings),),
        draw=lambda theme: plot_required_bias(need, measured, settings=settings, theme=theme),
        spec=lambda theme: required_bias_spec(need, measured, settings=settings, theme=theme),
        numbers=partial(_required_table, need, measured, settings),
        view=view,
    )


def effective(runner: Runner, settings: Settings, view: BiasesView, pins: Sequence[Experiment] = ()) -> Exhibit | None:
    """Return one vector filled with the bias, beside both filled: the most copied mistake."""
    network, gate = view.network, memory_gate(view.network)
    settings = one_bias(network, settings, gate)
    bias = bias_of(settings, gate) or 1.0  # twice a bias of zero would change nothing
    settings = settings.replace(**{f"{gate}_bias": bias}, split_biases=False)
    named = {
        _("bias_ih filled with {bias:g}: effective {bias:g}").format(bias=bias): settings,
        _("both vectors filled with {bias:g}: effective {both:g}").format(bias=bias, both=2 * bias): settings.replace(
            **{f"{gate}_bias": 2 * bias}, split_biases=True
        ),
    }
    experiments = tuple(
        Experiment(architecture=network, settings=one, table=runner.table, name=name) for name, one in named.items()
    )
    flows = [runner.run(Flow(experiment=one)) for one in experiments]
    series = tuple(
        Series(name=one.name, network=network, curve=summarise(flow, memory_of(network)), style=style)
        for one, flow, style in zip(experiments, flows, _STYLES, strict=True)
        if flow is not None
    )
    if len(series) < len(named):
        return None
    axes = FlowAxes(against="lag")
    summary = both_vectors_summary(bias, series[0].curve, series[1].curve)
    return Exhibit(
        name="effective_bias",
        title=_("One bias vector filled, or both"),
        alt=_("The gradient over time with one bias vector filled, and with both. {says}").format(says=summary),
        how_to_read=_(
            "PyTorch adds bias_ih and bias_hh. The solid curve has the bias in one of them, as this app does; the "
            "dash-dotted one has the same number in both, which is what filling every parameter named bias does."
        ),
        summary=summary,
        settings=settings,
        experiments=experiments,
        draw=lambda theme: plot_gradient_flow(series, axes=axes, theme=theme),
        numbers=partial(curve_numbers, series, ()),
        view=view,
        series=series,
        measured=experiments,
        axes=axes,
    )


def explosion(runner: Runner, settings: Settings, view: BiasesView) -> float | None:
    """Return log10 of the gradient at step 0 over that at the last step where it explodes, else None."""
    # A loss at every step puts gradient of its own on each: that is no growth.
    flow = runner.run(Flow(experiment=experiment(runner, view.network, settings.replace(loss="last"))))
    arrives = summarise(flow, memory_of(view.network)).log10_ratio if flow is not None else 0.0
    return arrives if arrives > math.log10(EXPLODES_ABOVE) else None


def _map(runner: Runner, settings: Settings, network: str, gate: str) -> Map:
    """Return the job of one gate's map; the reader's own bias is one of its rows."""
    biases = sorted({*FINE.tolist(), bias_of(settings, gate)})
    one = experiment(runner, network, one_bias(network, settings, gate))
    return Map(experiment=one, gate=gate, biases=tuple(biases))


# Tables.


def _grid_table(grid: BiasGrid) -> pd.DataFrame:
    row, column = (index.ravel() for index in np.indices((len(grid.biases), len(grid.positions))))
    positions = np.asarray(grid.positions)[column]
    columns = {
        "architecture": grid.architecture,
        f"{grid.gate}_bias": np.asarray(grid.biases)[row],
        "length" if grid.across == "length" else f"{grid.across}_bias": positions,
        "lag": positions if grid.lag is None else grid.lag,
    }
    names: tuple[StateQuantity, ...] = ("cell", "cell_path", "hidden") if grid.log10_cell is not None else ("hidden",)
    return pd.DataFrame({**columns, **{f"log10_ratio_{name}": grid.ratios(name).ravel() for name in names}})


def _required_table(need: RequiredBias, measured: BiasMap, settings: Settings) -> pd.DataFrame:
    biases = np.asarray(measured.biases)
    total = measured.ratios(memory_of(measured.architecture))[:, -1 - need.lag]
    kept = kept_by_biases(measured, settings)
    closed = np.full(len(biases), np.nan) if kept is None else need.lag * kept
    table = pd.DataFrame(
        {"architecture": measured.architecture, "gate": need.gate, "lag": need.lag, "wanted_share": need.share,
         "bias": biases, "log10_closed_form": closed, "log10_measured": total}
    )  # fmt: skip
    return table.assign(closed_form_bias=need.closed_form, measured_bias=need.measured)
