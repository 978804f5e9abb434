"""The exhibits of the page Vanish or explode: products of Jacobians, eigenvalues, exponents, and the edge between."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import torch

from lstm_explorer.core.architectures import Network, architecture_named, num_directions
from lstm_explorer.core.gradients.summaries import Curve, summarise
from lstm_explorer.core.jacobians.products import JacobianFlow
from lstm_explorer.core.settings import Settings
from lstm_explorer.exhibits.biases_view import memory_gate, memory_of, one_bias
from lstm_explorer.exhibits.curve_summaries import curves_summary
from lstm_explorer.exhibits.exhibit import Exhibit
from lstm_explorer.exhibits.jacobian_words import (
    directions_summary,
    edge_summary,
    eigenvalues_summary,
    exponents_summary,
    how_to_read_eigenvalues,
    largest_exponent,
)
from lstm_explorer.exhibits.jacobians_view import JacobiansView, experiment
from lstm_explorer.exhibits.theory import theory_lines
from lstm_explorer.figures.curves import Series, TheoryLine
from lstm_explorer.figures.eigenvalues import plot_eigenvalues
from lstm_explorer.figures.exponents import exponents_table, plot_lyapunov_exponents
from lstm_explorer.figures.jacobians import of_sample, plot_jacobian_flow
from lstm_explorer.figures.names import network_name
from lstm_explorer.figures.phase_map import phase_map_spec, plot_phase_map
from lstm_explorer.locales import _
from lstm_explorer.runs.experiment import Experiment
from lstm_explorer.runs.jacobians import Exponents, Phases, Products, StepEigenvalues
from lstm_explorer.runs.job import Runner
from lstm_explorer.runs.measurements import Flow

#: Values of the maps' axes.
_GAINS = tuple(np.linspace(0.0, 3.0, 25).tolist())
_SCALES = tuple(np.linspace(0.0, 3.0, 25).tolist())
_BIASES = tuple(np.linspace(-4.0, 8.0, 25).tolist())


def products(
    runner: Runner, settings: Settings, view: JacobiansView, pins: Sequence[Experiment] = ()
) -> Exhibit | None:
    """Return the singular values of the Jacobian's products over the lag, with the loss's gradient among them."""
    one = experiment(runner, view.network, settings)
    flow, growth = runner.run(Products(experiment=one)), runner.run(Exponents(experiment=one))
    curve = memory_curve(runner, one)
    if flow is None or growth is None or curve is None:
        return None
    values, _gradient = of_sample(flow)
    memory = Series(name=_("gradient of c, as on the other pages"), network=one.architecture, curve=curve, style="path")
    curves = (memory,) if curve.quantity == "cell" else ()
    theory = () if one.moment or settings.num_layers > 1 else tuple(theory_lines(runner, one, bounds=True))
    of_loss = Series(name=one.name, network=one.architecture, curve=curve)
    summary = "  \n".join(
        [
            curves_summary([of_loss]),
            f"{directions_summary(values[-1], one.name)} {largest_exponent(float(growth.exponents[0]))}",
        ]
    )
    return Exhibit(
        name="products",
        title=_(
            "What becomes of every direction: singular values of the products of Jacobians of the {network}"
        ).format(network=_called(one)),
        alt=_("Singular values of the Jacobian from every step to the last, as a fan over the lag. {says}").format(
            says=summary
        ),
        how_to_read=_(
            "The Jacobian from a step to the last says what becomes of a small change of the state in **every** "
            "direction; a gradient is one of them. Each thin line is one of its singular values, the factor by which "
            "one direction shrinks or grows over so many steps. The dark line is the gradient of the loss on the last "
            "hidden state, with respect to the whole state: it can never leave the fan. Grey is theory. First seed, "
            "first sample."
        ),
        summary=summary,
        settings=settings,
        experiments=(one,),
        draw=lambda theme: plot_jacobian_flow(flow, curves=curves, theory=theory, theme=theme),
        numbers=lambda: _products_table(flow, curve, theory),
        view=view,
    )


def _products_table(flow: JacobianFlow, curve: Curve, theory: Sequence[TheoryLine]) -> pd.DataFrame:
    """Return all that is drawn as rows ``architecture, quantity, rank, step, lag, log10``.

    ``quantity`` is ``singular_value``, which alone has a rank from 1 on, ``gradient`` of the whole state, the state
    that remembers, or a theory's name; all but the first are relative to the last step.
    """
    values, gradient = of_sample(flow)
    lag = np.arange(len(values))
    lines = {"gradient": gradient, curve.quantity: curve.median[::-1][: len(lag)]}
    lines |= {line.name: line.log10_at(lag) for line in theory}
    of_lag, rank = (index.ravel() for index in np.indices(values.shape))
    tables = [pd.DataFrame({"quantity": "singular_value", "rank": rank + 1, "lag": of_lag, "log10": values.ravel()})]
    tables += [
        pd.DataFrame({"quantity": name, "rank": 0, "lag": lag, "log10": line})
        for name, line in lines.items()
        if line is not None
    ]
    table = pd.concat(tables, ignore_index=True)
    table.insert(2, "step", int(curve.steps[-1]) - table["lag"])
    table.insert(0, "architecture", flow.architecture)
    return table


def eigenvalues(
    runner: Runner, settings: Settings, view: JacobiansView, pins: Sequence[Experiment] = ()
) -> Exhibit | None:
    """Return the eigenvalues of the recurrent weights and of the steps' Jacobians."""
    one = experiment(runner, view.network, settings)
    found = runner.run(StepEigenvalues(experiment=one))
    if found is None:
        return None
    curve = memory_curve(runner, one)
    nonlinearity = one.moment.network.nonlinearity if one.moment and not _gated(one) else settings.nonlinearity
    summary = eigenvalues_summary(
        found, nonlinearity=nonlinearity, verdict=curve.verdict if curve else None,
        projected=bool(one.moment and one.moment.network.proj_size),
    )  # fmt: skip
    return Exhibit(
        name="eigenvalues",
        title=_("Eigenvalues of the recurrent weights and of every step of the {network}").format(network=_called(one)),
        alt=_("Eigenvalues in the complex plane, with the unit circle. {says}").format(says=summary),
        how_to_read=how_to_read_eigenvalues(one.architecture),
        summary=summary,
        settings=settings,
        experiments=(one,),
        draw=lambda theme: plot_eigenvalues(found, theme=theme),
        numbers=found.to_frame,
        view=view,
    )


def exponents(
    runner: Runner, settings: Settings, view: JacobiansView, pins: Sequence[Experiment] = ()
) -> Exhibit | None:
    """Return the Lyapunov exponents of several networks side by side."""
    ones = [experiment(runner, name, settings) for name in view.networks]
    growths = {one.architecture: runner.run(Exponents(experiment=one)) for one in ones}
    found = {name: growth.exponents for name, growth in growths.items() if growth is not None}
    if not found:
        return None
    tensors = {name: torch.from_numpy(values) for name, values in found.items()}
    summary = exponents_summary(found)
    return Exhibit(
        name="exponents",
        title=_("Lyapunov exponents: how fast every direction dies or grows"),
        alt=_("Lyapunov exponents of several networks, the largest first. {says}").format(says=summary),
        how_to_read=_(
            "Each point is one direction of the state, the best kept on the left; its height is the rate at which it "
            "shrinks (below 0) or grows per step, on average over the sequence. The LSTM's state is h and c together, "
            "so that it has twice as many; half of them are h, which no gate keeps."
        ),
        summary=summary,
        settings=settings,
        experiments=tuple(one for one in ones if one.architecture in found),
        draw=lambda theme: plot_lyapunov_exponents(tensors, theme=theme),
        numbers=lambda: exponents_table(tensors),
        view=view,
    )


def phase_map(
    runner: Runner, settings: Settings, view: JacobiansView, pins: Sequence[Experiment] = ()
) -> Exhibit | None:
    """Return the map of the largest exponent over two settings; None of a network that cannot be swept.

    Of a network of one's own, its weights and inputs are multiplied and its biases added to.
    """
    if not architecture_named(view.network).recurrent or (runner.moment and not is_plain(runner.moment.network)):
        return None
    first, second = axes_of(view.network)
    gate, added = memory_gate(view.network), runner.moment is not None
    swept = one_bias(view.network, settings, gate) if gate and not added else settings
    found = runner.run(Phases(experiment=experiment(runner, view.network, swept), rows=first, columns=second))
    if found is None:
        return None
    if added:
        found = replace(found, edge=None)  # its weights are not drawn at random, as theory takes them to be
    at = None if swept != settings else _place(runner, settings, found.axes)
    summary = edge_summary(found, at, rows=len(first[1]), added=added)
    if second[0] == "input_scale" and not settings.reads("input_scale") and not added:
        summary = " ".join([summary, _("Zeros are zeros at every scale.")])
    name = network_name(view.network)
    return Exhibit(
        name="phase_map",
        title=_("Where changes of the state die in the {network}, and where they grow").format(network=name),
        alt=_("Map of the largest Lyapunov exponent over two settings. {says}").format(says=summary),
        how_to_read=_how_to_read_map(added=added),
        summary=summary,
        settings=settings,
        experiments=(experiment(runner, view.network, settings),),
        draw=lambda theme: plot_phase_map(found, at=at, added=added, theme=theme),
        spec=lambda theme: phase_map_spec(found, at=at, added=added, theme=theme),
        numbers=found.to_frame,
        view=view,
    )


def _how_to_read_map(*, added: bool) -> str:
    colours = _(
        "Full colour keeps a small change of the state over 100 steps, blank loses it, violet lets it grow. The thick "
        "line is the edge, where the largest exponent is 0."
    )
    if added:
        points = _(
            "Each point is this network with its recurrent weights, or its inputs, multiplied, and with a number added "
            "to a gate's bias, where it has gates. The cross is the network as it is."
        )
    else:
        points = _(
            "Each point is a network with these two settings. The cross is your settings; a click on the map takes "
            "those of that point."
        )
    return f"{points} {colours}"


def axes_of(network: str) -> tuple[tuple[str, tuple[float, ...]], tuple[str, tuple[float, ...]]]:
    """Return the two settings of a network's map, upwards and across, with their values.

    Example:
        >>> [name for name, _values in axes_of("gru")]
        ['update_bias', 'recurrent_gain']
    """
    gate = memory_gate(network)
    if gate:
        return (f"{gate}_bias", _BIASES), ("recurrent_gain", _GAINS)
    return ("recurrent_gain", _GAINS), ("input_scale", _SCALES)


def is_plain(network: Network) -> bool:
    """Tell whether a network of one's own reads in one direction and has no projections, as a map needs it."""
    return num_directions(network) == 1 and not network.proj_size


def _place(runner: Runner, settings: Settings, axes: tuple[str, str]) -> tuple[float, float]:
    """Return the reader's own values of the two settings of a map; a network of one's own is as it is."""
    own = [
        (0.0 if name.endswith("_bias") else 1.0) if runner.moment else float(getattr(settings, name)) for name in axes
    ]
    return own[0], own[1]


def memory_curve(runner: Runner, one: Experiment) -> Curve | None:
    """Return the gradient of the state that remembers, as the other pages have it; None where it is not measured."""
    flow = runner.run(Flow(experiment=one))
    return None if flow is None else summarise(flow, memory_of(one.architecture))


def _called(one: Experiment) -> str:
    """Return a network's name, and which direction of it is drawn where it has two."""
    if one.moment and num_directions(one.moment.network) == 2:
        return _("{network}, forward direction").format(network=one.name)
    return one.name


def _gated(one: Experiment) -> bool:
    return bool(architecture_named(one.architecture).gates)
