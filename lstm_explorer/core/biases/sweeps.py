"""Measuring many biases at once: a sweep over them is a batch.

The inputs' share of the preactivations is computed once, each sample adds its own biases to it, and one compiled pass
serves them all. In PyTorch every bias would be a network of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import torch
from torch import Tensor

from lstm_explorer.core.architectures import Parameters, architecture_of, num_directions, state_size
from lstm_explorer.core.biases.norms import Norms
from lstm_explorer.core.checks import Batch, Given, check_cotangent, check_given
from lstm_explorer.core.engine.directions import in_order_of, until_the_end
from lstm_explorer.core.engine.engines import Engine, engine_of
from lstm_explorer.core.engine.layers import LayerStates, Request, Upstream
from lstm_explorer.core.engine.trajectory import output_of, unroll_given
from lstm_explorer.core.gradients.last_layers import OwnRun
from lstm_explorer.core.gradients.result import Loss
from lstm_explorer.core.gradients.through_layers import upstreams_of_outputs
from lstm_explorer.core.inputs import TableLike, make_inputs
from lstm_explorer.core.networks.build import build_network
from lstm_explorer.core.settings import Settings

#: Numbers of one state, ``T * N * B * H``, in one batched pass: a pass stays under about 100 MB, and larger ones are no
#: faster.
_NUMBERS_AT_ONCE = 300_000


def sweep_biases(
    settings: Settings,
    swept: Mapping[str, Sequence[float]],
    *,
    architecture: str,
    table: TableLike | None = None,
) -> Iterator[Norms]:
    """Measure with the biases of some gates varied together, as many of them per pass as the memory limit allows.

    Args:
        settings: The experiment.
        swept: Gate to its effective biases, as many each; run ``n`` takes the ``n``-th of every gate.
        architecture: One with gates, such as ``"lstm"``.
        table: The rows read when ``input_kind="csv"``.

    Yields:
        Norms ``(n, R, T + 1, B)`` of the next ``n`` biases.
    """
    without = settings.replace(num_seeds=1, **{f"{gate}_bias": 0.0 for gate in swept})
    replicas = [without.replace(seed=settings.seed + r) for r in range(settings.num_seeds)]
    biases = torch.tensor(list(swept.values()), dtype=getattr(torch, settings.dtype)).T
    size = max(1, _NUMBERS_AT_ONCE // (settings.sequence_length * settings.batch_size * settings.hidden_size))
    for part in biases.split(size):
        passes = [
            _swept(
                check_given(build_network(architecture, one), make_inputs(one, table=table)),
                tuple(swept),
                part,
                settings.loss,
            )
            for one in replicas
        ]
        yield Norms.join(passes, lambda tensors: torch.cat(tensors, dim=1))


@torch.no_grad()
def _swept(given: Given, gates: tuple[str, ...], biases: Tensor, loss: Loss, cotangent: Tensor | None = None) -> Norms:
    """Measure one replica for all biases ``(N, gates)`` at once; norms ``(N, D, T + 1, B)`` of the last layer."""
    network, lengths = given.network, given.lengths
    blocks, engine, directions = architecture_of(network).blocks, engine_of(network), num_directions(network)
    by_block = biases.new_zeros(len(biases), len(blocks))
    by_block[:, [blocks.index(gate) for gate in gates]] = biases
    added = by_block.repeat_interleave(network.hidden_size, dim=1)
    layers: list[LayerStates] = []
    biased, x = [weights._replace(bias_ih=weights.bias_ih + added) for weights in given.parameters], given.inputs
    for index, weights in enumerate(biased):
        direction = index % directions
        if index and direction == 0:
            x = output_of(network, layers, lengths)
        layers.append(engine.forward_with_biases(weights, in_order_of(direction, x, lengths)))
    reached = x.new_ones(given.inputs.shape[1], state_size(network) * directions) if cotangent is None else cotangent
    upstreams = upstreams_of_outputs(given, layers, reached, loss)
    last = zip(biased[-directions:], layers[-directions:], upstreams, strict=True)
    return Norms.join([_norms_of_layer(engine, *one, lengths) for one in last], lambda parts: torch.stack(parts, dim=1))


def _norms_of_layer(
    engine: Engine, weights: Parameters, layer: LayerStates, upstream: Upstream, lengths: Tensor | None
) -> Norms:
    """Return the norms ``(N, T + 1, B)`` of one direction."""
    requests = [Request(upstream), *([Request(upstream, cut=True)] if layer.cell is not None else [])]
    total, *by_cell = engine.backward(weights, layer, requests)
    of_path = [norms for path in by_cell for norms in (total.log10_states["cell"], path.log10_states["cell"])]
    norms = [total.log10_states["hidden"], *of_path]
    dtype = layer.hidden.dtype
    hidden, *of_cell = (until_the_end(torch.from_numpy(one).to(dtype).movedim(1, 0), lengths) for one in norms)
    return Norms(hidden, *(of_cell or (None, None)))


def sweep_own_biases(run: OwnRun, added: Mapping[str, Sequence[float]]) -> Norms:
    """Measure a network of one's own over what is added to the biases of some gates together.

    Args:
        run: The network and what it reads.
        added: Gate to what is added to the bias of every unit, in every layer; as many for each gate.

    Returns:
        Norms ``(N, D, T + 1, B)`` of the last layer, the forward direction first.

    Raises:
        TypeError: The network or the inputs are of another kind.
        ValueError: They do not fit, or the network computes something else than its weights say.
    """
    given = check_given(run.network, run.inputs)
    if given.own is not None:
        unroll_given(given)  # compares it with what the network itself computes
    reached = check_cotangent(run.network, run.cotangent, Batch(given.inputs, given.lengths))
    numbers = torch.tensor(list(added.values()), dtype=given.inputs.dtype).T
    size = max(1, _NUMBERS_AT_ONCE // (given.inputs[..., 0].numel() * run.network.hidden_size))
    return Norms.join([_swept(given, tuple(added), part, "last", reached) for part in numbers.split(size)])
