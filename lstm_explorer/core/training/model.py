"""A recurrent network with the linear layer that makes answers of its hidden states."""

from __future__ import annotations

import math
from typing import Any, Literal, NamedTuple, cast

import torch
from torch import Tensor, nn

from lstm_explorer.core.architectures import Network
from lstm_explorer.core.gradients.truncated import pieces
from lstm_explorer.core.inputs.kind import INPUT_SEEDS
from lstm_explorer.core.networks.build import build_network
from lstm_explorer.core.training.options import Training


class Forward(NamedTuple):
    """One forward pass: the answers, and the last layer's hidden states ``(T, B, H)`` that they were made from."""

    answers: Tensor
    hidden: Tensor


class Model(nn.Module):
    r"""A recurrent network, and answers :math:`W h_t + b` from its last hidden state or from every one.

    Or two of them: an encoder, and a decoder that goes on from the encoder's last states and answers.

    Args:
        training: The network's settings; ``truncation`` detaches the states between pieces of so many steps.
        features: Numbers read per step.
        outputs: Numbers of an answer.
        reads: ``"last"``: answers ``(B, outputs)`` from each sample's own last step; ``"every"``: ``(T, B, outputs)``,
            of a decoder ``(T - source_steps, B, outputs)``.
        source_steps: Steps that the encoder reads; 0 for one network alone.

    Attributes:
        network: The network, or the encoder.
        decoder: The decoder; None for one network alone.
        head: The linear layer.
    """

    def __init__(
        self, training: Training, features: int, outputs: int, reads: Literal["last", "every"], source_steps: int = 0
    ) -> None:
        """Build the networks, and draw the linear layer as PyTorch does, from a generator of its own."""
        super().__init__()
        settings = training.network_settings(features)
        self.network: Network = build_network(training.architecture, settings)
        self.decoder: Network | None = None
        if source_steps:
            self.decoder = build_network(training.architecture, settings.replace(seed=decoder_seed(training.seed)))
        self.head = cast(nn.Linear, _Undrawn(training.hidden_size, outputs, dtype=getattr(torch, training.dtype)))
        self.head.__class__ = nn.Linear
        generator, bound = (
            torch.Generator().manual_seed(INPUT_SEEDS + training.seed),
            1 / math.sqrt(settings.hidden_size),
        )
        with torch.no_grad():
            for parameter in self.head.parameters():
                parameter.uniform_(-bound, bound, generator=generator)
        self.reads, self.truncation, self.source_steps = reads, training.truncation, source_steps

    def forward(self, inputs: Tensor, lengths: Tensor | None = None) -> Forward:
        """Answer.

        Args:
            inputs: ``(T, B, features)``.
            lengths: Steps of each sample, ``(B,)``; what is padded after them is never read.
        """
        hidden = self._hidden(inputs)
        if self.reads == "every":
            return Forward(self.head(hidden[self.source_steps :]), hidden)
        if lengths is None:
            return Forward(self.head(hidden[-1]), hidden)
        return Forward(self.head(hidden[lengths - 1, torch.arange(len(lengths))]), hidden)

    def _hidden(self, inputs: Tensor) -> Tensor:
        if not self.truncation and self.decoder is None:
            return self.network(inputs)[0]
        outputs, state = [], None
        for first, last in pieces(len(inputs), self.truncation):
            for network, start, end in self.stages(first, last):
                output, state = network(inputs[start:end], state)
                outputs.append(output)
            state = detached(state)
        return torch.cat(outputs)

    def stages(self, first: int, last: int) -> list[tuple[Network, int, int]]:
        """Return which network reads which of some steps: one of them, or the encoder and then the decoder."""
        if self.decoder is None:
            return [(self.network, first, last)]
        turn = min(max(self.source_steps, first), last)
        return [part for part in ((self.network, first, turn), (self.decoder, turn, last)) if part[1] < part[2]]


def decoder_seed(seed: int) -> int:
    """Return the seed of a decoder's weights: they are not those of its encoder."""
    return (seed + 2**30) % 2**31


def detached(state: Any) -> Any:
    """Return the states without the way that led to them."""
    return tuple(part.detach() for part in state) if isinstance(state, tuple) else state.detach()


class _Undrawn(nn.Linear):
    """A linear layer without what its constructor ends with: draws from PyTorch's global random state.

    PyTorch's own way, building on ``meta``, first loads a compiler: half a second and 30 MB.
    """

    def reset_parameters(self) -> None:
        """Draw nothing."""
