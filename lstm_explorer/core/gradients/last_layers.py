"""The last layer, run forwards: of every replica of an experiment, or of a network of one's own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple, cast

import torch
from torch import Tensor, nn

from lstm_explorer.core.architectures import Network, Parameters, architecture_of, num_directions
from lstm_explorer.core.checks import Batch, InitialState, Inputs, check_cotangent, check_given, check_inputs
from lstm_explorer.core.engine.engines import Engine, engine_of
from lstm_explorer.core.engine.layers import LayerStates, Upstream
from lstm_explorer.core.engine.trajectory import unroll_given
from lstm_explorer.core.gradients.through_layers import upstreams_of_outputs
from lstm_explorer.core.inputs import TableLike, make_inputs
from lstm_explorer.core.networks.build import build_network
from lstm_explorer.core.networks.finding import is_network, refusal
from lstm_explorer.core.settings import Settings


class LastLayer(NamedTuple):
    """The last layer of one replica, or one direction of that of a network of one's own.

    Attributes:
        architecture: Name of its record.
        engine: What carries gradients back through it.
        weights: Its parameters.
        states: Its states, in the order in which it reads.
        upstream: What the loss puts on its hidden states.
        lengths: Steps of each sample, ``(B,)``; None where all are as long as the inputs.
    """

    architecture: str
    engine: Engine
    weights: Parameters
    states: LayerStates
    upstream: Upstream
    lengths: Tensor | None


class OwnRun(NamedTuple):
    """A network of one's own and what it reads, as :func:`lstm_explorer.gradient_flow` takes them."""

    network: Network
    inputs: Inputs
    cotangent: Any = None
    initial_state: InitialState = None

    @property
    def architecture(self) -> str:
        """Name of its record."""
        return architecture_of(self.network).name

    @property
    def steps(self) -> int:
        """The steps of its inputs."""
        return len(check_inputs(self.network, self.inputs).inputs)

    def first_steps(self, count: int) -> OwnRun:
        """Return the same on the first steps of the inputs, which are not packed."""
        inputs = cast(Tensor, self.inputs)
        batched = self.network.batch_first and inputs.ndim == 3
        return self._replace(inputs=inputs[:, :count] if batched else inputs[:count])


def run_of(settings: Any, inputs: Inputs | None, *, table: TableLike | None, **own: Any) -> Settings | OwnRun:
    """Return the experiment, or the network of one's own with its inputs.

    Args:
        settings: Settings, or a network.
        inputs: What the network reads; None of settings, which describe their own.
        table: None of a network.
        own: ``cotangent`` and ``initial_state`` of a network.

    Raises:
        TypeError: It is neither, or a network comes without inputs.
        ValueError: Something was given that settings describe, or that only settings read.
    """
    if isinstance(settings, Settings):
        given = [name for name, value in {"inputs": inputs, **own}.items() if value is not None]
        if given:
            raise ValueError(
                f"{given[0]} comes with Settings, which describe it: expected a network of your own with it; leave "
                f"{given[0]} out, or pass build_network(...) first."
            )
        return settings
    if not isinstance(settings, nn.Module):
        raise TypeError(
            f"settings is a {type(settings).__name__}: expected Settings, such as Settings(), or a network of your own "
            "followed by its inputs."
        )
    if inputs is None:
        raise TypeError("inputs is missing: expected what the network reads, (T, B, input_size).")
    if table is not None:
        raise ValueError("table comes with a network of your own: expected none; put its numbers into inputs.")
    if not is_network(settings):
        raise TypeError(refusal(settings))
    return OwnRun(settings, inputs, **own)


def dtype_of(run: Settings | OwnRun) -> torch.dtype:
    """Return the dtype of the weights, which is that of the results."""
    dtype: torch.dtype
    dtype = next(run.network.parameters()).dtype if isinstance(run, OwnRun) else getattr(torch, run.dtype)
    return dtype


def last_layers(
    run: Settings | OwnRun, *, architecture: str = "lstm", table: TableLike | None = None
) -> Iterator[LastLayer]:
    """Run the replicas forwards, one after another; or a network of one's own, whose directions come one by one."""
    if isinstance(run, OwnRun):
        yield from _layers(*run, loss="last")
        return
    for r in range(run.num_seeds):
        replica = run.replace(seed=run.seed + r, num_seeds=1)
        network = build_network(architecture, replica)
        yield from _layers(network, make_inputs(replica, table=table), None, None, loss=run.loss)


def _layers(
    network: Network, inputs: Inputs, cotangent: Any, initial_state: InitialState, *, loss: Any
) -> Iterator[LastLayer]:
    given = check_given(network, inputs, initial_state)
    reached = check_cotangent(network, cotangent, Batch(given.inputs, given.lengths))
    layers, directions = unroll_given(given), num_directions(network)
    upstreams = upstreams_of_outputs(given, layers, reached, loss)
    name, engine = architecture_of(network).name, engine_of(network)
    for weights, states, upstream in zip(given.parameters[-directions:], layers[-directions:], upstreams, strict=True):
        yield LastLayer(name, engine, weights, states, upstream, given.lengths)
