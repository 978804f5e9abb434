"""An experiment: one network with its settings and what it reads."""

from __future__ import annotations

import functools
import hashlib
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lstm_explorer.core.architectures import Network, architecture_named, architecture_of
from lstm_explorer.core.inputs import INPUTS, TableLike, input_length, make_inputs
from lstm_explorer.core.networks.build import build_network
from lstm_explorer.core.reading import unread
from lstm_explorer.core.record import schema
from lstm_explorer.core.settings import Settings


@dataclass(frozen=True, eq=False)
class OwnTable:
    """The reader's own table: rows of numbers, compared by their content."""

    values: TableLike
    digest: str

    @classmethod
    def of(cls, values: TableLike) -> OwnTable:
        """Wrap a table."""
        numbers = np.ascontiguousarray(values, dtype=np.float64)
        return cls(values, hashlib.sha256(repr(numbers.shape).encode() + numbers.tobytes()).hexdigest())

    def __eq__(self, other: object) -> bool:
        """Tell whether another table holds the same numbers."""
        return isinstance(other, OwnTable) and self.digest == other.digest

    def __hash__(self) -> int:
        """Return a hash of the numbers."""
        return hash(self.digest)


@dataclass(frozen=True, eq=False, kw_only=True)
class Moment:
    """A network with weights of its own, as at a moment of a training run, and one sample that it reads.

    Attributes:
        network: The network; it is not changed.
        inputs: What it reads, ``(T, B, I)``.
        cotangent: What the loss puts on each of its outputs, ``(T, B, H)``.
        labels: What is read at each step, for hovering; or empty.
        digest: Differs where any of these differs.
    """

    network: Network
    inputs: Tensor
    cotangent: Tensor
    labels: tuple[str, ...] = ()
    digest: str

    def __eq__(self, other: object) -> bool:
        """Tell whether another moment is the same."""
        return isinstance(other, Moment) and self.digest == other.digest

    def __hash__(self) -> int:
        """Return a hash of the digest."""
        return hash(self.digest)


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """One network with exactly its settings and, where the network reads it, the reader's own table.

    Attributes:
        architecture: Name of its architecture.
        settings: Sizes, weights, biases, inputs, seeds.
        table: The reader's own table; dropped where the settings read none.
        moment: Weights and inputs in place of those that the settings would draw; dropped where another architecture's.
        name: Its name in figures, by default the architecture's title; experiments that differ in it alone are equal.
    """

    architecture: str
    settings: Settings
    table: OwnTable | None = None
    moment: Moment | None = None
    name: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        """Find the name, and drop a table that is not read."""
        title = architecture_named(self.architecture).title
        object.__setattr__(self, "name", self.name or title)
        if not INPUTS[self.settings.input_kind].reads_table:
            object.__setattr__(self, "table", None)
        if self.moment and architecture_of(self.moment.network).name != self.architecture:
            object.__setattr__(self, "moment", None)

    @property
    def network(self) -> Network:
        """The network of the first replica."""
        return self.moment.network if self.moment else build_network(self.architecture, self.settings)

    @property
    def inputs(self) -> Tensor:
        """What the first replica reads, ``(T, B, I)``."""
        return self.moment.inputs if self.moment else make_inputs(self.settings, table=self.rows)

    @property
    def rows(self) -> TableLike | None:
        """The rows that the core reads."""
        return self.table.values if self.table else None

    @property
    def steps(self) -> int:
        """How many steps the sequence has: an input with a length of its own may have fewer than are wanted."""
        if self.moment:
            return len(self.moment.inputs)
        if INPUTS[self.settings.input_kind].reads_table:
            # A table that is not there yet, or has other columns than the settings, is for the measurement to refuse.
            wanted = self.settings.sequence_length
            return min(wanted, len(self.table.values)) if self.table else wanted
        return input_length(self.settings.replace(batch_size=1))

    @property
    def numbers(self) -> int:
        """Numbers of one state of one replica, all layers together; memory and time grow with it."""
        settings = self.settings
        return settings.sequence_length * settings.batch_size * settings.hidden_size * settings.num_layers

    def replace(self, **changes: Any) -> Experiment:
        """Return the experiment with some settings changed."""
        return self if not changes else replace(self, settings=self.settings.replace(**changes))

    def without_rows(self) -> Experiment:
        """Return an equal experiment that holds neither the table's rows nor a sequence: as a key, it keeps neither."""
        if self.table is None and self.moment is None:
            return self
        nothing = torch.empty(0)
        return replace(
            self,
            table=self.table and OwnTable(np.empty((0, 0)), self.table.digest),
            moment=self.moment and replace(self.moment, inputs=nothing, cotangent=nothing, labels=()),
        )

    def essential(self) -> Experiment:
        """Return the experiment with every setting that it does not read at its default: these need no new measurement.

        Example:
            >>> rnn = Experiment(architecture="rnn", settings=Settings(forget_bias=5, seed=1))
            >>> rnn.essential().settings.to_query()
            {'seed': '1'}
        """
        settings = _essential(self.architecture, self.settings)
        return self if settings == self.settings else replace(self, settings=settings)


@functools.lru_cache(maxsize=1024)
def _essential(architecture: str, settings: Settings) -> Settings:
    return settings.replace(**{name: schema(Settings)[name].default for name in unread(architecture, settings)})
