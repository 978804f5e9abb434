"""Every exhibit, with what pages, the toolbar, reports and the command line need to know about it."""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from lstm_explorer.core.architectures import ARCHITECTURES
from lstm_explorer.core.record import schema
from lstm_explorer.exhibits.biases import effective, gates_map, lag_map, lengths_map, required
from lstm_explorer.exhibits.biases_view import GATED, RECURRENT, BiasesView
from lstm_explorer.exhibits.clipping import clipping, truncation
from lstm_explorer.exhibits.exhibit import Exhibit
from lstm_explorer.exhibits.gradients import GradientsView, gradients, units
from lstm_explorer.exhibits.inside import InsideView, by_hand, diagram, gate_map, traces
from lstm_explorer.exhibits.jacobians import eigenvalues, exponents, phase_map, products
from lstm_explorer.exhibits.jacobians_view import JacobiansView
from lstm_explorer.exhibits.journey import journey
from lstm_explorer.exhibits.paths import contributions, paths, rates, weights
from lstm_explorer.exhibits.sweeps import before_and_after, loss_curves, outcome_map
from lstm_explorer.exhibits.sweeps_view import SweepsView
from lstm_explorer.exhibits.trained import (
    trained_cell,
    trained_eigenvalues,
    trained_flow,
    trained_gates,
    trained_map,
    trained_phase_map,
    trained_products,
    trained_traces,
)
from lstm_explorer.exhibits.training import training
from lstm_explorer.exhibits.training_view import TrainingView
from lstm_explorer.exhibits.view import View
from lstm_explorer.exhibits.your_network import (
    own_biases,
    own_eigenvalues,
    own_mend,
    own_phase_map,
    own_products,
    own_reach,
    own_units,
)
from lstm_explorer.exhibits.your_network_view import YourNetworkView


@dataclass(frozen=True, kw_only=True)
class ExhibitEntry:
    """How an exhibit is made, and of which networks.

    Attributes:
        page: File name, without ``.py``, of its page.
        view: Class of that page's view.
        build: ``(runner, settings, view, pins)`` -> the exhibit, or None where it could not be measured.
        chosen_by: Field of the view that chooses its network or networks; empty where none does.
        networks: The networks that can be chosen.
        family: Its name on the command line, shared by the exhibits of all networks; empty where it has its own name.
        pins: Whether it draws the page's pins.
    """

    page: str
    view: type[View]
    build: Callable[..., Exhibit | None]
    chosen_by: str = ""
    networks: tuple[str, ...] = ()
    family: str = ""
    pins: bool = False


def _entry(page: str, view: type[View], build: Callable[..., Exhibit | None], chosen_by: str = "") -> ExhibitEntry:
    networks = schema(view)[chosen_by].options if chosen_by else ()
    return ExhibitEntry(page=page, view=view, build=build, chosen_by=chosen_by, networks=networks)


def _of_some(build: Callable[..., Exhibit | None], *networks: str) -> ExhibitEntry:
    """Return an exhibit of the page Gate biases that only some of its networks have."""
    return ExhibitEntry(page="biases", view=BiasesView, build=build, chosen_by="network", networks=networks)


#: Name -> exhibit, in the order in which the command line offers them.
EXHIBITS: Mapping[str, ExhibitEntry] = types.MappingProxyType(
    {
        "gradients": ExhibitEntry(
            page="gradients", view=GradientsView, build=gradients, chosen_by="networks", networks=tuple(ARCHITECTURES),
            pins=True,
        ),
        "journey": _entry("start", View, journey),
        **{
            f"units_{name}": ExhibitEntry(
                page="gradients", view=GradientsView, build=partial(units, network=name), networks=(name,),
                family="units",
            )
            for name in ARCHITECTURES
        },
        "cell": _entry("inside", InsideView, diagram, "network"),
        "traces": _entry("inside", InsideView, traces, "network"),
        "gate_map": _entry("inside", InsideView, gate_map, "network"),
        "by_hand": _entry("inside", InsideView, by_hand),
        "bias_map": _entry("biases", BiasesView, lag_map, "network"),
        "two_gates": _entry("biases", BiasesView, gates_map, "network"),
        "lengths": _entry("biases", BiasesView, lengths_map, "network"),
        "required_bias": _entry("biases", BiasesView, required, "network"),
        "effective_bias": _of_some(effective, *(name for name in GATED if name in RECURRENT)),
        "paths": _of_some(paths, "lstm"),
        "rates": _of_some(rates, "lstm"),
        "weights": _entry("biases", BiasesView, weights, "weights_of"),
        "contributions": _entry("biases", BiasesView, contributions, "weights_of"),
        "products": _entry("jacobians", JacobiansView, products, "network"),
        "eigenvalues": _entry("jacobians", JacobiansView, eigenvalues, "network"),
        "exponents": _entry("jacobians", JacobiansView, exponents, "networks"),
        "phase_map": ExhibitEntry(
            page="jacobians", view=JacobiansView, build=phase_map, chosen_by="network", networks=RECURRENT
        ),
        "clipped": _entry("jacobians", JacobiansView, clipping, "network"),
        "truncated": _entry("jacobians", JacobiansView, truncation, "network"),
        "training": _entry("training", TrainingView, training),
        "trained_cell": _entry("training", TrainingView, trained_cell),
        "trained_traces": _entry("training", TrainingView, trained_traces),
        "trained_gates": _entry("training", TrainingView, trained_gates),
        "trained_flow": _entry("training", TrainingView, trained_flow),
        "trained_map": _entry("training", TrainingView, trained_map),
        "trained_products": _entry("training", TrainingView, trained_products),
        "trained_eigenvalues": _entry("training", TrainingView, trained_eigenvalues),
        "trained_phase_map": _entry("training", TrainingView, trained_phase_map),
        "sweep_map": _entry("sweeps", SweepsView, outcome_map),
        "sweep_curves": _entry("sweeps", SweepsView, loss_curves),
        "sweep_outcomes": _entry("sweeps", SweepsView, before_and_after),
        "own_biases": _entry("your_network", YourNetworkView, own_biases),
        "own_reach": _entry("your_network", YourNetworkView, own_reach),
        "own_units": _entry("your_network", YourNetworkView, own_units),
        "own_mend": _entry("your_network", YourNetworkView, own_mend),
        "own_products": _entry("your_network", YourNetworkView, own_products),
        "own_eigenvalues": _entry("your_network", YourNetworkView, own_eigenvalues),
        "own_phase_map": _entry("your_network", YourNetworkView, own_phase_map),
    }
)  # fmt: skip
