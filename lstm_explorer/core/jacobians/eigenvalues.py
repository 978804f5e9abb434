"""Eigenvalues in the complex plane: of the recurrent weights, and of what every step really does to the state."""

from __future__ import annotations

import types
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from lstm_explorer.core.architectures import Network, architecture_of
from lstm_explorer.core.biases.checks import is_whole_number
from lstm_explorer.core.checks import InitialState, Inputs
from lstm_explorer.core.jacobians.steps import last_layer_steps
from lstm_explorer.core.kinds import checks_kinds
from lstm_explorer.core.undisturbed import undisturbed


@dataclass(frozen=True, eq=False, kw_only=True)
class Eigenvalues:
    r"""Eigenvalues of the last layer; detached, on the CPU; of a bidirectional network with the direction in front.

    Attributes:
        architecture: A name of ``ARCHITECTURES``, such as ``"rnn"``.
        weight_hh: Name of a gate, ``"hidden"`` of the plain RNN, to the eigenvalues of its block of ``weight_hh``,
            ``(H,)``, complex; of :math:`W_{hh} W_{hr}` where there are projections. Empty where no gate reads the
            hidden state.
        largest_singular_values: The same names to the largest singular value of the block.
        steps: The steps looked at, ``n`` of them.
        jacobians: Eigenvalues of d state_t / d state_{t-1} of these steps, ``(n, B, S)``, complex.
        directions: 2 of a bidirectional network, else 1.
    """

    architecture: str
    weight_hh: Mapping[str, Tensor]
    largest_singular_values: Mapping[str, Tensor]
    steps: tuple[int, ...]
    jacobians: Tensor
    directions: int = 1

    @property
    def spectral_radii(self) -> Mapping[str, Tensor]:
        """Name of a gate to the largest absolute value of its eigenvalues."""
        return {gate: values.abs().amax(dim=-1) for gate, values in self.weight_hh.items()}

    def to_frame(self) -> pd.DataFrame:
        """Return the eigenvalues as a tidy table.

        Returns:
            Columns ``architecture, of, step, sample, real, imaginary``, ``direction`` behind ``architecture`` where
            there are two. ``of`` is ``weight_hh`` and the gate's name, or ``step_jacobian``; of weights step and sample
            are -1.

        Example:
            >>> network = torch.nn.RNN(1, 2)
            >>> jacobian_eigenvalues(network, torch.zeros(3, 1, 1)).to_frame()["of"].value_counts().to_dict()
            {'step_jacobian': 6, 'weight_hh hidden': 2}
        """
        return pd.concat([part for d in range(self.directions) for part in self._frames(d)], ignore_index=True)

    def _frames(self, direction: int) -> list[pd.DataFrame]:
        named = {"architecture": self.architecture}
        if self.directions == 2:
            named["direction"] = ("forward", "backward")[direction]
        at = direction if self.directions == 2 else ...
        blocks = [
            pd.DataFrame({**named, "of": f"weight_hh {gate}", "step": -1, "sample": -1, **_parts(values[at])})
            for gate, values in self.weight_hh.items()
        ]
        cloud = self.jacobians[at]
        step, sample, _ = (index.ravel() for index in np.indices(cloud.shape))
        of_steps = {"of": "step_jacobian", "step": np.asarray(self.steps)[step], "sample": sample, **_parts(cloud)}
        return [*blocks, pd.DataFrame({**named, **of_steps})]


@checks_kinds
@undisturbed
def jacobian_eigenvalues(
    network: Network, inputs: Inputs, *, steps: Sequence[int] | None = None, initial_state: InitialState = None
) -> Eigenvalues:
    r"""Return the eigenvalues of the recurrent weights and of the steps' Jacobians, of the last layer.

    A plain RNN's step multiplies a change of the state by :math:`\mathrm{diag}(\phi'_t) W_{hh}`. Slopes of at most 1
    usually draw the eigenvalues inwards, and keep them within the largest singular value of the weights.

    Args:
        network: As :func:`lstm_explorer.gradient_flow` takes it; not modified.
        inputs: What it reads, likewise; samples of one length.
        steps: Which steps, from 1 on, ascending; all by default.
        initial_state: ``h_0``, or ``(h_0, c_0)`` for the LSTM, each ``(L, B, H)``; zeros by default.

    Returns:
        The eigenvalues, computed in float64.

    Raises:
        TypeError: An argument is of another kind, or a step no whole number.
        ValueError: A step is not one of the inputs', or they do not ascend; or as :func:`lstm_explorer.step_jacobians`.

    Source:
        pascanu2013

    Example:
        >>> rnn = torch.nn.RNN(1, 2)
        >>> _ = torch.nn.init.eye_(rnn.weight_hh_l0)
        >>> found = jacobian_eigenvalues(rnn, torch.randn(9, 1, 1), steps=(9,))
        >>> found.weight_hh["hidden"].real.tolist(), bool(found.jacobians.abs().max() < 1)
        ([1.0, 1.0], True)
    """
    layers = last_layer_steps(network, inputs, initial_state)
    chosen = _check_steps(steps, layers[0].shape[0])
    record, clouds = architecture_of(network), []
    for layer in layers:
        of_steps = [torch.linalg.eigvals(layer.jacobians(slice(step - 1, step))[0]) for step in chosen]
        clouds.append(torch.stack(of_steps))
    blocks = [_blocks(layer.weights.weight_hh, layer.weights.weight_hr, record.blocks) for layer in layers]
    names = record.blocks if record.recurrent else ()
    eigenvalues = {name: [torch.linalg.eigvals(one[name]) for one in blocks] for name in names}
    values = {name: [torch.linalg.matrix_norm(one[name], 2) for one in blocks] for name in names}
    return Eigenvalues(
        architecture=record.name,
        weight_hh=types.MappingProxyType({name: _together(parts) for name, parts in eigenvalues.items()}),
        largest_singular_values=types.MappingProxyType({name: _together(parts) for name, parts in values.items()}),
        steps=chosen,
        jacobians=_together(clouds),
        directions=len(layers),
    )


def join_eigenvalues(parts: Sequence[Eigenvalues]) -> Eigenvalues:
    """Return the eigenvalues of one network at several parts of its steps as one."""
    jacobians = torch.cat([part.jacobians for part in parts], dim=-3)
    return replace(parts[0], steps=tuple(step for part in parts for step in part.steps), jacobians=jacobians)


def _together(of_directions: Sequence[Tensor]) -> Tensor:
    """Return the only direction's, or those of both with an axis in front."""
    return of_directions[0] if len(of_directions) == 1 else torch.stack(list(of_directions))


def _check_steps(steps: Sequence[int] | None, last: int) -> tuple[int, ...]:
    """Return the steps to look at as whole numbers.

    Raises:
        TypeError: It is no sequence of whole numbers.
        ValueError: There is none, they do not ascend, or one is not among the steps of the inputs.
    """
    if steps is None:
        return tuple(range(1, last + 1))
    if not hasattr(steps, "__len__") or not all(is_whole_number(step) for step in steps):
        raise TypeError(f"steps is {steps!r}: expected whole numbers, such as (1, 10, 100).")
    chosen = tuple(map(int, steps))
    if not chosen or list(chosen) != sorted(set(chosen)) or not 1 <= chosen[0] <= chosen[-1] <= last:
        raise ValueError(
            f"steps is {steps!r}: expected numbers from 1 to {last}, ascending, each once; sort them first."
        )
    return chosen


def _blocks(weight_hh: Tensor, weight_hr: Tensor | None, names: Sequence[str]) -> dict[str, Tensor]:
    whole = weight_hh.detach().cpu().double()
    whole = whole if weight_hr is None else whole @ weight_hr.detach().cpu().double()
    return dict(zip(names, whole.chunk(len(names)), strict=True))


def _parts(values: Tensor) -> dict[str, np.ndarray]:
    flat = values.flatten().numpy()
    return {"real": flat.real, "imaginary": flat.imag}
