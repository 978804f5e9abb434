"""The exhibits of the page Gate biases: the maps, the bias one needs, the paths, and weights beside states."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import numpy as np
import pandas as pd

from lstm_explorer.core import theory
from lstm_explorer.core.bias_grids import BiasGrid, join_grids, length_map, two_gate_map
from lstm_explorer.core.biases import BiasMap, StateQuantity, bias_map, join_maps
from lstm_explorer.core.inputs import make_inputs
from lstm_explorer.core.networks import BLOCKS
from lstm_explorer.core.paths import path_flows
from lstm_explorer.core.required_bias import RequiredBias, required_bias
from lstm_explorer.core.settings import Architecture, Settings
from lstm_explorer.core.summaries import EXPLODES_ABOVE, summarise
from lstm_explorer.core.weight_gradients import step_contributions, weight_gradients
from lstm_explorer.figures.bias_map import bias_map_spec, plot_bias_grid, plot_bias_map, row_of, total_of
from lstm_explorer.figures.bias_words import (
    both_say,
    contributions_say,
    grid_says,
    map_says,
    paths_say,
    rates_say,
    reading_paths,
    required_says,
    weights_say,
)
from lstm_explorer.figures.curve_table import curve_numbers
from lstm_explorer.figures.exhibit import Bench, Exhibit, Experiment
from lstm_explorer.figures.gradients import FlowAxes, Series, Style, plot_gradient_flow
from lstm_explorer.figures.inside import gate_name
from lstm_explorer.figures.numbers import percent
from lstm_explorer.figures.paths import (
    Through,
    plot_paths,
    plot_rates,
)
from lstm_explorer.figures.required_bias import plot_required_bias
from lstm_explorer.figures.theme import NETWORK_NAMES
from lstm_explorer.figures.view import View, number
from lstm_explorer.figures.weights import plot_contributions, plot_weight_gradients
from lstm_explorer.locales import _

Gate = Literal["forget", "input", "candidate", "output", "reset", "update"]

#: Biases of the maps, and of the coarser ones over two things.
FINE, COARSE = np.arange(-8.0, 8.01, 0.25), np.arange(-8.0, 8.01, 0.5)
#: The gate that keeps.
KEEPING: dict[str, Gate] = {"lstm": "forget", "gru": "update"}
#: How one vector filled and both filled are drawn.
_STYLES: tuple[Style, Style] = ("solid", "ghost")
#: Most lengths of a map over the length.
_LENGTHS = 12


@dataclass(frozen=True, kw_only=True)
class BiasesView(View):
    """Which map is shown, and which bias is asked for."""

    network: Literal["lstm", "gru"] = "lstm"
    gate: Gate = "forget"
    other: Gate = "input"
    across: Literal["lag", "gate", "length"] = "lag"
    path: Literal["total", "cell_path"] = "total"
    memory: int = number(100, 1, 2000)
    share: float = number(0.1, 0.001, 0.9)
    topic: Literal["need", "effective", "paths", "puzzle", "weights"] = "need"
    answer: Literal["closed", "measured", "chrono"] = "measured"
    through: Through = "only"
    weights_of: Architecture = "lstm"


def gate_of(view: BiasesView) -> str:
    """Return the gate whose bias is mapped; one that the architecture lacks becomes the gate that keeps."""
    return view.gate if view.gate in BLOCKS[view.network] else KEEPING[view.network]


def other_gate(view: BiasesView) -> str:
    """Return the second gate of a map of two; never the first one."""
    rest = [gate for gate in BLOCKS[view.network] if gate != gate_of(view)]
    return view.other if view.other in rest else rest[0]


def quantity_of(view: BiasesView) -> StateQuantity:
    """Return what is mapped; only the LSTM has a cell path."""
    return "cell_path" if view.path == "cell_path" and view.network == "lstm" else total_of(view.network)


def steps_of(bench: Bench, settings: Settings) -> int:
    """Return how many steps the sequence has: an input with a length of its own may have fewer than were asked for."""
    table = bench.table() if settings.input_kind == "csv" else None
    if settings.input_kind == "csv" and table is None:
        return settings.sequence_length
    return len(make_inputs(settings.replace(batch_size=1), table=table))


def memory_of(bench: Bench, settings: Settings, view: BiasesView) -> int:
    """Return how many steps are to be remembered; no more than the sequence has."""
    return min(view.memory, steps_of(bench, settings))


def bias_of(settings: Settings, gate: str) -> float:
    """Return the settings' bias of a gate."""
    return float(getattr(settings, f"{gate}_bias"))


def lag_map(bench: Bench, settings: Settings, view: BiasesView, pins: Sequence[Experiment] = ()) -> Exhibit | None:
    """Return the map of bias and steps back, with the curve of the reader's own bias beneath."""
    gate, network, own = gate_of(view), view.network, bias_of(settings, gate_of(view))
    measured = _map(bench, settings, network, gate)
    if measured is None:
        return None
    quantity = quantity_of(view)
    at = row_of(measured.biases, own)
    options: dict[str, Any] = {"settings": settings, "quantity": quantity, "bias": own}
    return Exhibit(
        name="bias_map",
        title=_("What survives, over the bias of the {gate} of the {network}").format(
            gate=gate_name(gate, network), network=NETWORK_NAMES[network]
        ),
        alt=_("Map of the surviving gradient over bias and steps back. {says}").format(
            says=map_says(measured, quantity, at)
        ),
        read=_(
            "Across: steps back from the loss. Upwards: the bias. Full colour is all of the gradient, blank less than "
            "10⁻⁸, violet more than left the loss. The lines are where it has fallen to 1/e, 10⁻³, 10⁻⁶ and to the "
            "smallest number of float32. Beneath, the row with the triangles as curves: the slider under the figure "
            "moves it in your browser."
        ),
        says=map_says(measured, quantity, at),
        settings=settings,
        experiments=_one(network, settings),
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
            "Each point is a network with these two biases: full colour keeps all of its gradient over so many steps, "
            "blank loses it, violet explodes. The cross is your settings."
        ),
        says=says,
        settings=settings,
        experiments=_one(network, settings),
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
        read=_(
            "Each column is a network that reads a sequence of this length. Follow a contour to the right: the longer "
            "the sequence, the larger a bias must be. The cross is your settings."
        ),
        says=says,
        settings=settings,
        experiments=_one(network, settings),
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
    return bench.measured(required_bias, at_the_end, lag=lag, share=view.share, architecture=network)


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
        experiments=_one(network, settings),
        draw=lambda theme: plot_required_bias(need, measured, theme=theme),
        numbers=partial(_required_table, need, measured),
        view=view,
    )


def effective(bench: Bench, settings: Settings, view: BiasesView, pins: Sequence[Experiment] = ()) -> Exhibit | None:
    """Return one vector filled with the bias, beside both: what the most copied mistake costs or gains."""
    network, gate = view.network, KEEPING[view.network]
    bias = bias_of(settings, gate)
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
        draw=lambda theme: plot_gradient_flow(series, axes=FlowAxes(), theme=theme),
        numbers=partial(curve_numbers, series, ()),
        view=view,
        series=series,
    )


def paths(bench: Bench, settings: Settings, view: BiasesView, pins: Sequence[Experiment] = ()) -> Exhibit | None:
    """Return the gradient of the LSTM's cell path by path."""
    flows = bench.measured(path_flows, settings)
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
        experiments=_one("lstm", settings),
        draw=lambda theme: plot_paths(flows, through=view.through, theme=theme),
        numbers=flows.to_frame,
        view=view,
    )


def rates(bench: Bench, settings: Settings, view: BiasesView, pins: Sequence[Experiment] = ()) -> Exhibit | None:
    """Return the factor of every step: the puzzle of σ(1) first, and more later."""
    flows = bench.measured(path_flows, settings)
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
            "one the total."
        ),
        says=says,
        settings=settings,
        experiments=_one("lstm", settings),
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
        experiments=_one(network, settings),
        draw=lambda theme: plot_weight_gradients(measured, theme=theme),
        numbers=measured.to_frame,
        view=view,
    )


def contributions(
    bench: Bench, settings: Settings, view: BiasesView, pins: Sequence[Experiment] = ()
) -> Exhibit | None:
    """Return what every step adds to the gradient of the recurrent weights."""
    network = view.weights_of
    measured = bench.measured(step_contributions, settings, architecture=network)
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
        experiments=_one(network, settings),
        draw=lambda theme: plot_contributions(measured, theme=theme),
        numbers=measured.to_frame,
        view=view,
    )


def explosion(bench: Bench, settings: Settings, view: BiasesView) -> float | None:
    """Return log10 of what arrives at step 0 where it is so much that it counts as exploding, else None."""
    gate = KEEPING[view.network]
    measured = _map(bench, settings, view.network, gate)
    if measured is None:
        return None
    row = row_of(measured.biases, bias_of(settings, gate))
    arrives = float(measured.ratios(total_of(view.network))[row, 0])
    return arrives if arrives > math.log10(EXPLODES_ABOVE) else None


def lengths_up_to(longest: int) -> tuple[int, ...]:
    """Return a dozen lengths, about equally far apart in ratio, the last being the longest.

    Example:
        >>> lengths_up_to(100)
        (2, 3, 4, 6, 8, 12, 17, 24, 35, 49, 70, 100)
    """
    return tuple(sorted({round(float(length)) for length in np.geomspace(min(2, longest), longest, _LENGTHS)}))


def _one(network: Architecture, settings: Settings) -> tuple[Experiment, ...]:
    return (Experiment(name=NETWORK_NAMES[network], architecture=network, settings=settings),)


def _map(bench: Bench, settings: Settings, network: Architecture, gate: str) -> BiasMap | None:
    """Return the map of one gate; the reader's own bias is one of its rows."""
    own = bias_of(settings, gate)
    biases = sorted({*FINE.tolist(), own})
    return bench.swept(
        bias_map, join_maps, _neutral(settings, gate), biases=tuple(biases), gate=gate, architecture=network
    )


def _neutral(settings: Settings, *gates: str) -> Settings:
    """Return the settings with the biases that are swept at 0: moving these costs nothing."""
    return settings.replace(**{f"{gate}_bias": 0.0 for gate in gates})


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
