"""The exhibits of the page Gate biases that are about a range of biases: the maps, and the bias one needs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from lstm_explorer.core import theory
from lstm_explorer.core.biases.grids import BiasGrid, join_grids, length_map, two_gate_map
from lstm_explorer.core.biases.maps import KEEPING, BiasMap, StateQuantity, bias_map, join_maps, total_of
from lstm_explorer.core.biases.required import BIASES_TRIED, RequiredBias, required_bias
from lstm_explorer.core.gradients.summaries import EXPLODES_ABOVE, summarise
from lstm_explorer.core.settings import Architecture, Settings
from lstm_explorer.exhibits.bias_view import (
    BiasesView,
    alone,
    bias_of,
    gate_of,
    lengths_up_to,
    memory_of,
    one_bias,
    other_gate,
    quantity_of,
    steps_of,
)
from lstm_explorer.exhibits.bias_words import both_say, grid_says, map_says, required_says
from lstm_explorer.exhibits.curve_table import curve_numbers
from lstm_explorer.exhibits.exhibit import Bench, Exhibit, Experiment
from lstm_explorer.figures.bias_map import bias_map_spec, plot_bias_grid, plot_bias_map, row_of
from lstm_explorer.figures.formatting import percent
from lstm_explorer.figures.gradient_flow import FlowAxes, Series, Style, plot_gradient_flow
from lstm_explorer.figures.inside import gate_name
from lstm_explorer.figures.required_bias import plot_required_bias
from lstm_explorer.figures.theme import NETWORK_NAMES
from lstm_explorer.locales import _

#: Biases of the maps, and of the coarser ones over two things.
FINE, COARSE = np.arange(-8.0, 8.01, 0.25), np.arange(-8.0, 8.01, 0.5)
#: How one vector filled and both filled are drawn.
_STYLES: tuple[Style, Style] = ("solid", "ghost")


def lag_map(bench: Bench, settings: Settings, view: BiasesView, pins: Sequence[Experiment] = ()) -> Exhibit | None:
    """Return the map of bias and steps back, with the curve of the reader's own bias beneath."""
    gate, network, own = gate_of(view), view.network, bias_of(settings, gate_of(view))
    measured = _map(bench, settings, network, gate)
    if measured is None:
        return None
    quantity = quantity_of(view)
    says = map_says(measured, quantity, row_of(measured.biases, own), every_step=settings.loss == "every")
    options: dict[str, Any] = {"settings": one_bias(settings, gate), "quantity": quantity, "bias": own}
    return Exhibit(
        name="bias_map",
        title=_("What survives, over the bias of the {gate} of the {network}").format(
            gate=gate_name(gate, network), network=NETWORK_NAMES[network]
        ),
        alt=_("Map of the surviving gradient over bias and steps back. {says}").format(says=says),
        read=_(
            "Across: steps back from the loss. Upwards: the bias. Full colour is all of the gradient, blank less than "
            "10⁻⁸, violet more than ten times what left the loss. The lines are where it has fallen to 1/e, 10⁻³, 10⁻⁶ "
            "and to the smallest number of float32. Beneath, the row with the triangles as curves: the slider under "
            "the map moves it in your browser, and a click on the map takes that bias into your settings."
        ),
        says=says,
        settings=settings,
        experiments=alone(network, settings),
        draw=lambda theme: plot_bias_map(measured, theme=theme, **options),
        spec=lambda theme: bias_map_spec(measured, theme=theme, **options),
        numbers=measured.to_frame,
        view=view,
    )


def gates_map(bench: Bench, settings: Settings, view: BiasesView, pins: Sequence[Experiment] = ()) -> Exhibit | None:
    """Return the map over the biases of two gates, at the lag to be remembered."""
    gate, other, network, lag = gate_of(view), other_gate(view), view.network, memory_of(bench, settings, view)
    grid: BiasGrid | None = bench.swept(
        _rows_of_two, join_grids, _neutral(settings, gate, other), biases=tuple(COARSE.tolist()), runs=len(COARSE),
        gates=(gate, other), lag=lag, architecture=network,
    )  # fmt: skip
    if grid is None:
        return None
    at = bias_of(settings, gate), bias_of(settings, other)
    says = grid_says(grid, quantity_of(view), at)
    return Exhibit(
        name="two_gates",
        title=_("What survives {lag} steps, over the biases of two gates of the {network}").format(
            lag=lag, network=NETWORK_NAMES[network]
        ),
        alt=_("Map of the surviving gradient over the biases of two gates. {says}").format(says=says),
        read=_(
            "Each point is a network with these two biases: full colour keeps all of its gradient over {lag} steps, "
            "blank loses it, violet explodes. The cross is your settings."
        ).format(lag=lag),
        says=says,
        settings=settings,
        experiments=alone(network, settings),
        draw=lambda theme: plot_bias_grid(grid, quantity=quantity_of(view), at=at, theme=theme),
        numbers=partial(_grid_table, grid),
        view=view,
    )


def lengths_map(bench: Bench, settings: Settings, view: BiasesView, pins: Sequence[Experiment] = ()) -> Exhibit | None:
    """Return the map over bias and sequence length."""
    gate, network = gate_of(view), view.network
    lengths = lengths_up_to(steps_of(bench, settings))
    grid: BiasGrid | None = bench.swept(
        length_map, join_grids, _neutral(settings, gate), biases=tuple(COARSE.tolist()), runs=len(lengths) // 2 + 1,
        gate=gate, lengths=lengths, architecture=network,
    )  # fmt: skip
    if grid is None:
        return None
    at = bias_of(settings, gate), float(lengths[-1])
    says = grid_says(grid, quantity_of(view), at)
    return Exhibit(
        name="lengths",
        title=_("What reaches step 0 of the {network}, over bias and sequence length").format(
            network=NETWORK_NAMES[network]
        ),
        alt=_("Map of the gradient that reaches step 0, over bias and sequence length. {says}").format(says=says),
        read=_("Each column is a network that reads a sequence of this length. The cross is your settings.")
        + (
            " " + _("Follow a contour to the right: the longer the sequence, the larger a bias must be.")
            if gate == KEEPING[network]
            else ""
        ),
        says=says,
        settings=settings,
        experiments=alone(network, settings),
        draw=lambda theme: plot_bias_grid(grid, quantity=quantity_of(view), at=at, theme=theme),
        numbers=partial(_grid_table, grid),
        view=view,
    )


#: What the map is drawn over -> its exhibit.
MAPS = {"lag": lag_map, "gate": gates_map, "length": lengths_map}


def needed(bench: Bench, settings: Settings, view: BiasesView) -> RequiredBias | None:
    """Return the bias that keeps the wanted share for the wanted number of steps."""
    network, lag = view.network, memory_of(bench, settings, view)
    at_the_end = _neutral(settings, KEEPING[network]).replace(loss="last")
    return bench.measured(
        required_bias, at_the_end, numbers=BIASES_TRIED, lag=lag, share=view.share, architecture=network
    )


def required(bench: Bench, settings: Settings, view: BiasesView, pins: Sequence[Experiment] = ()) -> Exhibit | None:
    """Return what survives over the bias, with the biases that suffice."""
    network, gate = view.network, KEEPING[view.network]
    # A loss at every step puts gradient of its own on each: nothing would have to survive.
    need, measured = needed(bench, settings, view), _map(bench, settings.replace(loss="last"), network, gate)
    if need is None or measured is None:
        return None
    says = required_says(need, network)
    return Exhibit(
        name="required_bias",
        title=_("The bias that keeps {share} over {lag} steps").format(
            share=percent(math.log10(need.share)), lag=need.lag
        ),
        alt=_("What survives {lag} steps over the bias. {says}").format(lag=need.lag, says=says),
        read=_(
            "The dashed curve is σ(b)ᵏ, what the gate alone keeps; the solid one is measured on your settings and "
            "has every path in it. A dot is the smallest bias whose curve reaches the dotted level. The bar at the "
            "bottom is what chrono initialisation draws from for this memory. The loss is at the last step."
        ),
        says=says,
        settings=settings,
        experiments=alone(network, settings),
        draw=lambda theme: plot_required_bias(need, measured, theme=theme),
        numbers=partial(_required_table, need, measured),
        view=view,
    )


def effective(bench: Bench, settings: Settings, view: BiasesView, pins: Sequence[Experiment] = ()) -> Exhibit | None:
    """Return one vector filled with the bias, beside both: what the most copied mistake costs or gains."""
    network, gate = view.network, KEEPING[view.network]
    settings = one_bias(settings, gate)
    bias = bias_of(settings, gate) or 1.0  # of no bias at all, twice is as much
    settings = settings.replace(**{f"{gate}_bias": bias}, split_biases=False)
    named = {
        _("bias_ih filled with {bias:g}: effective {bias:g}").format(bias=bias): settings,
        _("both vectors filled with {bias:g}: effective {both:g}").format(bias=bias, both=2 * bias): settings.replace(
            **{f"{gate}_bias": 2 * bias}, split_biases=True
        ),
    }
    flows = {name: bench.flow(one, network) for name, one in named.items()}
    series = tuple(
        Series(name=name, network=network, curve=summarise(flow, total_of(network)), style=style)
        for (name, flow), style in zip(flows.items(), _STYLES, strict=True)
        if flow is not None
    )
    if len(series) < len(named):
        return None
    says = both_say(bias, series[0].curve, series[1].curve)
    return Exhibit(
        name="effective_bias",
        title=_("One bias vector filled, or both"),
        alt=_("The gradient along time with one bias vector filled, and with both. {says}").format(says=says),
        read=_(
            "PyTorch adds bias_ih and bias_hh. The solid curve has the bias in one of them, as this app does; the "
            "dash-dotted one has the same number in both, which is what filling every parameter named bias does."
        ),
        says=says,
        settings=settings,
        experiments=tuple(Experiment(name=name, architecture=network, settings=one) for name, one in named.items()),
        draw=lambda theme: plot_gradient_flow(series, axes=FlowAxes(against="lag"), theme=theme),
        numbers=partial(curve_numbers, series, ()),
        view=view,
        series=series,
    )


def explosion(bench: Bench, settings: Settings, view: BiasesView) -> float | None:
    """Return log10 of what arrives at step 0 where it is so much that it counts as exploding, else None."""
    # A loss at every step puts gradient of its own on each: that is no growth.
    flow = bench.flow(settings.replace(loss="last"), view.network)
    arrives = summarise(flow, total_of(view.network)).log10_ratio if flow is not None else 0.0
    return arrives if arrives > math.log10(EXPLODES_ABOVE) else None


def _map(bench: Bench, settings: Settings, network: Architecture, gate: str) -> BiasMap | None:
    """Return the map of one gate; the reader's own bias is one of its rows."""
    own = bias_of(settings, gate)
    biases = sorted({*FINE.tolist(), own})
    return bench.swept(
        bias_map, join_maps, _neutral(settings, gate), biases=tuple(biases), gate=gate, architecture=network
    )


def _neutral(settings: Settings, *gates: str) -> Settings:
    """Return the settings with the biases that are swept at 0: moving these costs nothing."""
    return one_bias(settings, *gates).replace(**{f"{gate}_bias": 0.0 for gate in gates})


def _rows_of_two(
    settings: Settings,
    *,
    biases: tuple[float, ...],
    gates: tuple[str, str],
    lag: int,
    architecture: Architecture,
    table: Any = None,
) -> BiasGrid:
    """Return rows of the map of two gates; the second one's biases are always the same."""
    both = (biases, tuple(COARSE.tolist()))
    return two_gate_map(settings, gates=gates, biases=both, lag=lag, architecture=architecture, table=table)


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


def _required_table(need: RequiredBias, measured: BiasMap) -> pd.DataFrame:
    biases = np.asarray(measured.biases)
    total = measured.ratios(total_of(measured.architecture))[:, -1 - need.lag]
    closed = theory.log10_cell_path(biases, need.lag)
    table = pd.DataFrame(
        {"architecture": measured.architecture, "gate": need.gate, "lag": need.lag, "wanted_share": need.share,
         "bias": biases, "log10_closed_form": closed, "log10_measured": total}
    )  # fmt: skip
    return table.assign(closed_form_bias=need.closed_form, measured_bias=need.measured)
