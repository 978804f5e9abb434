"""Gradient norms of the last layer over biases, and how they are set in relation to the last step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lstm_explorer.core.architectures import architecture_named

StateQuantity = Literal["hidden", "cell", "cell_path"]


class Norms(NamedTuple):
    """log10 of gradient norms of the last layer's states, as :class:`BiasMap` describes them; None without a cell."""

    log10_hidden: Tensor
    log10_cell: Tensor | None
    log10_cell_path: Tensor | None

    def map(self, change: Callable[[Tensor], Tensor]) -> Norms:
        """Return the norms with every tensor changed."""
        return Norms.join([self], lambda tensors: change(tensors[0]))

    @staticmethod
    def join(many: Sequence[Any], how: Callable[[list[Tensor]], Tensor] = torch.cat) -> Norms:
        """Return the norms of many records as one; by default the first axis goes on."""
        columns: list[list[Any]] = [[getattr(one, name) for one in many] for name in Norms._fields]
        hidden, *of_cell = columns
        return Norms(how(hidden), *(None if tensors[0] is None else how(tensors) for tensors in of_cell))


def norms_of(record: Any, quantity: StateQuantity) -> Tensor:
    """Return the norms of a quantity.

    Raises:
        ValueError: The architecture has no such quantity.
    """
    there = {name.removeprefix("log10_") for name in Norms._fields if getattr(record, name) is not None}
    if quantity not in there:
        expected, name = ", ".join(map(repr, sorted(there))), architecture_named(record.architecture).title
        raise ValueError(f"quantity is {quantity!r}: expected one of {expected}, the states of the {name}.")
    norms: Tensor = getattr(record, f"log10_{quantity}")
    return norms


def relative_to_last(norms: Tensor) -> Tensor:
    """Return ``(..., T + 1, B)`` norms relative to the last step; NaN where that is exactly zero."""
    last = norms[..., -1:, :]
    return norms - torch.where(last == -torch.inf, torch.nan, last)


def median_of_runs(runs: Tensor) -> NDArray[np.float64]:
    """Return the median over the last axis, the nearest run's own number: a mean with -inf says nothing."""
    median: NDArray[np.float64] = np.quantile(runs.double().numpy(), 0.5, axis=-1, method="nearest")
    return median
