"""Which engine runs a network: a compiled one where there is one, else the generic one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from torch import Tensor

from lstm_explorer.core.architectures import Network, Parameters, architecture_of
from lstm_explorer.core.engine.compiled_engine import CompiledEngine
from lstm_explorer.core.engine.compiled_networks import COMPILED
from lstm_explorer.core.engine.generic_engine import GenericEngine
from lstm_explorer.core.engine.layers import Backward, LayerStates, Request
from lstm_explorer.core.engine.projected import ProjectedEngine


class Engine(Protocol):
    """How one layer of a network runs forwards and backwards."""

    def forward(self, weights: Parameters, inputs: Tensor, initial: tuple[Tensor, ...]) -> LayerStates:
        """Run a layer over a sequence.

        Args:
            weights: The layer's parameters.
            inputs: ``(T, B, I)``.
            initial: The initial states in the order of the record, each ``(1, B, H)``.

        Raises:
            ValueError: A state left the float range.
        """

    def forward_with_biases(self, weights: Parameters, inputs: Tensor) -> LayerStates:
        """Run a layer from zeros once for each of N biases.

        Args:
            weights: The layer's parameters, with ``bias_ih`` ``(N, G*H)``.
            inputs: ``(T, N, B, I)``, or the same for all biases, ``(T, B, I)``.

        Returns:
            The layer's states with the leading axes ``(N, B)``.

        Raises:
            ValueError: A state left the float range.
        """

    def backward(self, weights: Parameters, layer: LayerStates, requests: Sequence[Request]) -> list[Backward]:
        """Carry gradients back from the last step of a layer to step 0, one for each request.

        Args:
            weights: The layer's parameters, a stack of R replicas' parameters, or those with N biases.
            layer: Its states; with a stack of parameters the replicas' own, ``(R, B)``. The LSTM's compiled engine also
                takes one for all, ``(B,)``, and weights that differ from those of the forward pass.
            requests: What reaches the layer's hidden states, with the leading axes of its states, and what to give.
        """


def engine_of(network: Network) -> Engine:
    """Return the engine of a network."""
    record = architecture_of(network)
    compiled = COMPILED.get(record.name)
    if compiled is None:
        return GenericEngine(network, record)
    plain = CompiledEngine(network, record, compiled)
    return ProjectedEngine(network, plain) if network.proj_size else plain
