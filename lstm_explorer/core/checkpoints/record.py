"""What a checkpoint holds: its arrays, not read yet, the recurrent networks among them, and what is left."""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from lstm_explorer.core.architectures import Architecture, architecture_named
from lstm_explorer.core.checkpoints.messages import CheckpointError
from lstm_explorer.core.tables.messages import Note

#: dtypes of weights that can be read -> what they become.
READ_AS: Mapping[torch.dtype, torch.dtype] = types.MappingProxyType(
    {
        torch.float64: torch.float64,
        torch.float32: torch.float32,
        torch.float16: torch.float32,
        torch.bfloat16: torch.float32,
    }
)


class Stored(NamedTuple):
    """One array of a file.

    Attributes:
        key: Its name in the file.
        shape: As the file says.
        dtype: Of its numbers; None where they are none that PyTorch knows.
        read: Reads it.
    """

    key: str
    shape: tuple[int, ...]
    dtype: torch.dtype | None
    read: Callable[[], Tensor]


class Source(NamedTuple):
    """Where a parameter of a network comes from.

    Attributes:
        arrays: The arrays of the file that it is made of.
        shape: Of the parameter.
        make: Makes the parameter of the arrays' numbers.
        back: ``(numbers of the first array, new parameter)`` -> new numbers of that array; None where there are none.
    """

    arrays: tuple[Stored, ...]
    shape: tuple[int, ...]
    make: Callable[..., Tensor]
    back: Callable[[Tensor, Tensor], Tensor] | None


def as_it_is(stored: Stored) -> Source:
    """Return the source of a parameter that stands in the file as PyTorch has it."""
    return Source((stored,), stored.shape, lambda array: array, lambda _old, new: new)


@dataclass(frozen=True, kw_only=True)
class FoundNetwork:
    """A recurrent network in a checkpoint, by the names and shapes of its weights.

    Attributes:
        name: Where it stands in the model, ``"encoder.lstm"``; empty where it is all of the file.
        architecture: ``"rnn"``, ``"lstm"`` or ``"gru"``.
        input_size: As PyTorch's module has it; so are the others.
        hidden_size: Units of a layer.
        num_layers: Layers.
        bidirectional: Whether there are weights of a backward direction.
        proj_size: Size of the projections; 0 without.
        bias: Whether there are biases.
        nonlinearity: Of a plain RNN; ``"tanh"`` in all others.
        dtype: Of the numbers in the file.
        notes: What was converted or assumed.
    """

    name: str
    architecture: str
    input_size: int
    hidden_size: int
    num_layers: int = 1
    bidirectional: bool = False
    proj_size: int = 0
    bias: bool = True
    nonlinearity: str = "tanh"
    dtype: torch.dtype = torch.float32
    notes: tuple[Note, ...] = ()

    def __str__(self) -> str:
        """Return the name and the sizes in one line, as PyTorch writes a module."""
        neutral = {"num_layers": 1, "bidirectional": False, "proj_size": 0, "bias": True}
        said = [f", {name}={getattr(self, name)}" for name, value in neutral.items() if getattr(self, name) != value]
        module = f"{self.record.title}({self.input_size}, {self.hidden_size}{''.join(said)})"
        return f"{self.name}: {module}" if self.name else module

    @property
    def record(self) -> Architecture:
        """The architecture's record."""
        return architecture_named(self.architecture)


class Left(NamedTuple):
    """What is not part of a network: its name in the file, and why where it matters."""

    name: str
    reason: Note | CheckpointError | None = None

    def __str__(self) -> str:
        """Return the name, with the reason in English."""
        return f"{self.name} ({self.reason})" if self.reason else self.name


class Candidate(NamedTuple):
    """What looks like a recurrent network.

    Attributes:
        name: Where it stands in the model.
        keys: Names in the file of the arrays that belong to it.
        found: What it is; None where it cannot be read.
        sources: Name of a parameter -> where it comes from.
        refusal: Why it cannot be read.
    """

    name: str
    keys: frozenset[str]
    found: FoundNetwork | None = None
    sources: Mapping[str, Source] = types.MappingProxyType({})
    refusal: CheckpointError | None = None


class Contents(NamedTuple):
    """A file that was looked through.

    Attributes:
        format: Who wrote it: ``"PyTorch"``, ``"Lightning"``, ``"safetensors"``, ``"Keras"``.
        candidates: What looks like a recurrent network.
        left: Everything else.
        rewrite: ``{key: new numbers}`` -> the file with these arrays changed, and nothing else.
        notes: On all of it.
    """

    format: str
    candidates: tuple[Candidate, ...]
    left: tuple[Left, ...]
    rewrite: Callable[[Mapping[str, Tensor]], bytes]
    notes: tuple[Note, ...] = ()
