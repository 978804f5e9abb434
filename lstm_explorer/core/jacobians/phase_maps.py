r"""Where a network vanishes and where it explodes: its largest Lyapunov exponent over two settings at once."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from lstm_explorer.core.architectures import Network, Parameters, architecture_named, architecture_of, num_directions
from lstm_explorer.core.biases.checks import check_biases, check_values
from lstm_explorer.core.biases.norms import median_of_runs
from lstm_explorer.core.checks import Given, check_given
from lstm_explorer.core.engine.generic_engine import GenericEngine
from lstm_explorer.core.engine.trajectory import unroll_given
from lstm_explorer.core.gradients.last_layers import OwnRun, run_of
from lstm_explorer.core.inputs import TableLike, make_inputs
from lstm_explorer.core.jacobians.lyapunov import first_frame
from lstm_explorer.core.kinds import checks_kinds
from lstm_explorer.core.networks.build import build_network
from lstm_explorer.core.settings import Settings
from lstm_explorer.core.undisturbed import undisturbed

#: Numbers of recurrent weights, ``n * G * H * H``, in one batched pass.
_NUMBERS_AT_ONCE = 2**22
#: Settings that are factors; every other axis is the bias of a gate.
_FACTORS = ("recurrent_gain", "input_scale")


@dataclass(frozen=True, eq=False, kw_only=True)
class PhaseMap:
    """The largest Lyapunov exponent of the last layer over two settings; detached, on the CPU.

    Attributes:
        architecture: A name of ``ARCHITECTURES``, such as ``"rnn"``.
        axes: Names of the two settings: ``recurrent_gain``, ``input_scale``, or a gate's bias, ``forget_bias``.
        positions: Their values, ascending, ``N`` and ``M`` of them.
        exponents: Nats per step, ``(N, M, R, B)``, in float64; below 0 the state's changes vanish, above 0 they
            explode. NaN where the states leave the float range, ``-inf`` where no change is left.
        edge: Values of the two settings, ``(K, 2)``, at which mean-field theory expects the exponent 0 of random
            recurrent weights of the same size; None where there is no such theory.
    """

    architecture: str
    axes: tuple[str, str]
    positions: tuple[tuple[float, ...], tuple[float, ...]]
    exponents: Tensor
    edge: NDArray[np.float64] | None = None

    @property
    def median(self) -> NDArray[np.float64]:
        """The median over replicas and samples, ``(N, M)``."""
        return median_of_runs(self.exponents.flatten(2))

    def to_frame(self) -> pd.DataFrame:
        """Return the exponents as a tidy table.

        Returns:
            Columns ``architecture``, the names of the two settings, ``replica, sample, largest_exponent``.

        Example:
            >>> settings = Settings(sequence_length=5, hidden_size=2)
            >>> phase_map(settings, across={"recurrent_gain": (0.5, 1), "input_scale": (0, 1)}).to_frame().columns[1]
            'recurrent_gain'
        """
        row, column, replica, sample = (index.ravel() for index in np.indices(self.exponents.shape))
        rows, columns = (np.asarray(positions) for positions in self.positions)
        table = {"architecture": self.architecture, self.axes[0]: rows[row], self.axes[1]: columns[column]}
        table |= {"replica": replica, "sample": sample, "largest_exponent": self.exponents.numpy().ravel()}
        return pd.DataFrame(table)


@checks_kinds
@undisturbed
def phase_map(
    settings: Settings | Network,
    inputs: Tensor | None = None,
    *,
    across: Mapping[str, Sequence[float]],
    architecture: str = "rnn",
    skip: int = 0,
    table: TableLike | None = None,
) -> PhaseMap:
    r"""Measure the largest Lyapunov exponent for every pair of values of two settings.

    .. math::
        \lambda = \frac{1}{T} \sum_t \ln \frac{\|J_t v_{t-1}\|}{\|v_{t-1}\|}, \quad v_t = J_t v_{t-1}

    All networks of the map run side by side, and one direction is carried with each: a value of the map is what
    :func:`lstm_explorer.lyapunov_exponents` gives with ``count=1``. Everything is in float64, as a chaotic network's
    states depend on every rounding.

    Args:
        settings: The experiment; its own values of the two settings do not count. Or a network of your own: then
            factors multiply its recurrent weights and its inputs, and a bias is added to that of every unit.
        inputs: What a network of your own reads, ``(T, B, I)``.
        across: Name of a setting to its values, ascending; two of ``recurrent_gain``, ``input_scale`` and the biases
            of the architecture's gates. The first is the first axis of the result.
        architecture: A name of ``ARCHITECTURES``, such as ``"lstm"``; a network of your own has its own.
        skip: Steps at the beginning which do not count.
        table: The rows read when ``input_kind="csv"``.

    Returns:
        The exponents, and for the plain RNN over gain and input scale the edge of chaos that theory expects.

    Raises:
        TypeError: An argument is of another kind.
        ValueError: There are not two settings, or one is none of these or has illegal values; the network reads in two
            directions, has projections or no recurrent weights; or as :func:`lstm_explorer.lyapunov_exponents`.

    Source:
        vogt2022, chen2018

    Example:
        >>> found = phase_map(Settings(), across={"recurrent_gain": (1, 3), "input_scale": (0.1, 5)})
        >>> (found.median > 0).tolist()  # a large gain explodes, unless the inputs saturate the tanh
        [[False, False], [True, False]]
    """
    run = run_of(settings, inputs, table=table)
    name = run.architecture if isinstance(run, OwnRun) else architecture
    swept = _check_across(across, name, None if isinstance(run, OwnRun) else run)
    (first, rows), (second, columns) = swept.items()
    random = not isinstance(run, Settings) or run.recurrent_init != "identity"
    runs = [_measured(given, swept, skip, random=random) for given in _given(run, tuple(swept), name, table)]
    return PhaseMap(
        architecture=name,
        axes=(first, second),
        positions=(rows, columns),
        exponents=torch.stack([one.exponents for one in runs], dim=2),
        edge=runs[0].edge,
    )


def join_phase_maps(parts: Sequence[PhaseMap]) -> PhaseMap:
    """Return maps of neighbouring values of the first setting as one."""
    rows = tuple(value for part in parts for value in part.positions[0])
    exponents = torch.cat([part.exponents for part in parts])
    return replace(parts[0], positions=(rows, parts[0].positions[1]), exponents=exponents)


class _Run(NamedTuple):
    """The exponents of one network, ``(N, M, B)``, and where theory expects 0."""

    exponents: Tensor
    edge: NDArray[np.float64] | None


def _check_across(
    across: Mapping[str, Sequence[float]], architecture: str, settings: Settings | None
) -> dict[str, tuple[float, ...]]:
    """Return the values of the two settings as floats.

    Raises:
        TypeError: The values of a setting are no numbers.
        ValueError: There are not two settings, or one cannot be swept or has illegal values.
    """
    record = architecture_named(architecture)
    possible = [*_FACTORS, *(f"{gate.name}_bias" for gate in record.gates)]
    if len(across) != 2 or not set(across) <= set(possible):
        raise ValueError(f"across is {dict(across)!r}: expected values of two of {', '.join(possible)}.")
    if not record.recurrent:
        raise ValueError(
            f"architecture is {architecture!r}: expected one with recurrent weights; no gate of the {record.title} "
            "reads the hidden state, so there is no gain, and its Jacobian is its gate."
        )
    return {
        name: check_values(name, values)
        if name in _FACTORS
        else check_biases(name.removesuffix("_bias"), values, architecture, settings)
        for name, values in across.items()
    }


def _given(
    run: Settings | OwnRun, swept: tuple[str, ...], architecture: str, table: TableLike | None
) -> Iterator[Given]:
    """Return the replicas with what they read, the swept settings being neutral in them; or the network of one's own.

    Raises:
        ValueError: The network is not supported.
    """
    if isinstance(run, Settings):
        neutral = {name: 1.0 if name in _FACTORS else 0.0 for name in swept}
        for r in range(run.num_seeds):
            replica = run.replace(seed=run.seed + r, num_seeds=1, **neutral)
            yield check_given(build_network(architecture, replica), make_inputs(replica, table=table))
        return
    given = check_given(run.network, run.inputs)
    if num_directions(run.network) == 2 or run.network.proj_size or given.lengths is not None:
        raise ValueError(
            "network reads in two directions or has projections, or its samples differ in length: expected one "
            "direction, proj_size=0 and inputs (T, B, input_size); lyapunov_exponents measures the others as they are."
        )
    if given.own is not None:
        unroll_given(given)  # compares it with what the network itself computes
    yield given


def _measured(given: Given, swept: Mapping[str, tuple[float, ...]], skip: int, *, random: bool) -> _Run:
    """Measure one network for all pairs of values, as many at once as the memory limit allows.

    Args:
        given: The network.
        swept: Name of a setting to its values, two of them.
        skip: Steps that do not count.
        random: Whether its recurrent weights are drawn at random, as mean-field theory takes them to be.

    Raises:
        ValueError: As many steps are to be skipped as there are.
    """
    if not 0 <= skip < len(given.inputs):
        raise ValueError(f"skip is {skip}: expected 0 to {len(given.inputs) - 1}, fewer than the steps of the inputs.")
    (first, rows), (second, columns) = swept.items()
    pairs = {
        first: torch.tensor(rows, dtype=torch.float64).repeat_interleave(len(columns)),
        second: torch.tensor(columns, dtype=torch.float64).repeat(len(rows)),
    }
    size = max(1, _NUMBERS_AT_ONCE // given.parameters[0].weight_hh.numel())
    parts = [
        _exponents(given, {name: values[start : start + size] for name, values in pairs.items()}, skip)
        for start in range(0, len(rows) * len(columns), size)
    ]
    edge = architecture_of(given.network).edge_of_chaos if random else None
    points = None
    if edge is not None and len(given.parameters) == 1 and set(swept) == set(_FACTORS):
        points = edge(given.network, given.parameters[0], given.inputs)
        points = points if first == "recurrent_gain" else points[:, ::-1]
    return _Run(torch.cat(parts).unflatten(0, (len(rows), len(columns))), points)


@torch.no_grad()
def _exponents(given: Given, changed: Mapping[str, Tensor], skip: int) -> Tensor:
    """Return the largest exponents of ``n`` changed networks, ``(n, B)``."""
    count = len(next(iter(changed.values())))
    engine = GenericEngine(given.network, architecture_of(given.network))
    layers = [_changed(weights.map(torch.Tensor.double), changed, engine) for weights in given.parameters]
    scale = changed.get("input_scale", torch.ones(count, dtype=torch.float64))
    x = scale[:, None, None] * given.inputs.double()[:, None]
    zeros = x.new_zeros(1, count, x.shape[2], given.network.hidden_size)
    initial = (zeros,) * len(engine.names)
    for weights in layers[:-1]:
        x = engine.forward(weights, x, initial).hidden[1:]
    return _grown(engine, layers[-1], x, tuple(part[0] for part in initial), skip)


def _changed(weights: Parameters, changed: Mapping[str, Tensor], engine: GenericEngine) -> Parameters:
    """Return a layer's parameters with the axis ``n`` in front: its gain multiplied, its biases added to."""
    blocks, size = engine.record.blocks, engine.network.hidden_size
    count = len(next(iter(changed.values())))
    added = weights.bias_ih.new_zeros(count, len(blocks), size)
    for index, gate in enumerate(blocks):
        if (bias := changed.get(f"{gate}_bias")) is not None:
            added[:, index] = bias[:, None]
    gain = changed.get("recurrent_gain", torch.ones(count, dtype=torch.float64))
    return weights._replace(
        weight_hh=gain[:, None, None] * weights.weight_hh, bias_ih=weights.bias_ih + added.flatten(1)
    )


def _with_derivative(
    function: Callable[..., tuple[Tensor, ...]], at: tuple[Tensor, ...], along: tuple[Tensor, ...]
) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
    """Return the value of a function and its derivative along a direction."""
    value, derivative, *_auxiliary = torch.func.jvp(function, at, along)
    return value, derivative


def _grown(engine: GenericEngine, weights: Parameters, x: Tensor, state: tuple[Tensor, ...], skip: int) -> Tensor:
    """Carry the states and one direction each through a layer, and return how fast that grew, ``(n, B)``."""
    step = engine.step_of(weights)
    sizes = [part.shape[-1] for part in state]
    begun = torch.from_numpy(first_frame(1, sum(sizes), 1).rows[0, 0])
    direction = tuple(part.expand_as(of) for part, of in zip(begun.split(sizes), state, strict=True))
    grown = state[0].new_zeros(state[0].shape[:-1])
    for t, of_step in enumerate(x):
        if t == skip:
            grown = torch.where(grown == -math.inf, grown, 0.0)  # what is lost stays lost
        state, moved = _with_derivative(lambda *before, x=of_step: step(before, x), state, direction)
        norm = torch.cat(moved, dim=-1).norm(dim=-1)
        grown = grown + norm.log()
        direction = tuple(torch.where(norm[..., None] > 0, part / norm[..., None], 0.0) for part in moved)
    finite = torch.stack([torch.isfinite(part).all(-1) for part in state]).all(0)
    return torch.where(finite, grown / (len(x) - skip), torch.nan)
