"""A recurrent network with the linear layer that makes answers of its hidden states."""

from __future__ import annotations

import itertools
import math
from typing import Literal, NamedTuple, cast

import torch
from torch import Tensor, nn

from lstm_explorer.core.architectures import Network
from lstm_explorer.core.inputs.kind import INPUT_SEEDS
from lstm_explorer.core.networks import build_network
from lstm_explorer.core.training.options import Training


class Forward(NamedTuple):
    """One forward pass: the answers, and the last layer's hidden states ``(T, B, H)`` that they were made from."""

    answers: Tensor
    hidden: Tensor


class Model(nn.Module):
    r"""A recurrent network, and answers :math:`W h_t + b` from its last hidden state or from every one.

    Args:
        training: The network's settings; ``truncation`` detaches the states between pieces of so many steps.
        features: Numbers read per step.
        outputs: Numbers of an answer.
        reads: ``"last"``: answers ``(B, outputs)`` from each sample's own last step; ``"every"``: ``(T, B, outputs)``.
    """

    def __init__(self, training: Training, features: int, outputs: int, reads: Literal["last", "every"]) -> None:
        """Build the network and draw the linear layer as PyTorch does, from a generator of its own."""
        super().__init__()
        self.network: Network = build_network(training.architecture, training.network_settings(features))
        self.head = cast(nn.Linear, _Undrawn(training.hidden_size, outputs, dtype=getattr(torch, training.dtype)))
        self.head.__class__ = nn.Linear
        generator, bound = (
            torch.Generator().manual_seed(INPUT_SEEDS + training.seed),
            1 / math.sqrt(self.head.in_features),
        )
        with torch.no_grad():
            for parameter in self.head.parameters():
                parameter.uniform_(-bound, bound, generator=generator)
        self.reads, self.truncation = reads, training.truncation

    def forward(self, inputs: Tensor, lengths: Tensor | None = None) -> Forward:
        """Answer.

        Args:
            inputs: ``(T, B, features)``.
            lengths: Steps of each sample, ``(B,)``; what is padded after them is never read.
        """
        hidden = self._hidden(inputs)
        if self.reads == "every":
            return Forward(self.head(hidden), hidden)
        if lengths is None:
            return Forward(self.head(hidden[-1]), hidden)
        return Forward(self.head(hidden[lengths - 1, torch.arange(len(lengths))]), hidden)

    def _hidden(self, inputs: Tensor) -> Tensor:
        if not self.truncation:
            return self.network(inputs)[0]
        outputs, state = [], None
        for first, last in pieces(len(inputs), self.truncation):
            output, state = self.network(inputs[first:last], state)
            state = tuple(part.detach() for part in state) if isinstance(state, tuple) else state.detach()
            outputs.append(output)
        return torch.cat(outputs)


class _Undrawn(nn.Linear):
    """A linear layer without what its constructor ends with: draws from PyTorch's global random state.

    PyTorch's own way, building on ``meta``, first loads a compiler: half a second and 30 MB.
    """

    def reset_parameters(self) -> None:
        """Draw nothing."""


def pieces(length: int, truncation: int) -> list[tuple[int, int]]:
    """Return the first and last step of each piece between two detached states, counted back from the end.

    Example:
        >>> pieces(50, 20)
        [(0, 10), (10, 30), (30, 50)]
        >>> pieces(50, 0)
        [(0, 50)]
    """
    if not truncation:
        return [(0, length)]
    ends = sorted({0, *range(length, 0, -truncation)})
    return list(itertools.pairwise(ends))
