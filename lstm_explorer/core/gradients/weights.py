r"""The gradient of the recurrent weights, step by step: the sum that hides how the states' gradient vanishes.

.. math:: \frac{dL}{dW_{hh}} = \sum_t \delta_t \otimes h_{t-1}

The steps near the loss keep this sum large, however little arrives from the steps further back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, cast

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence

from lstm_explorer.core.architectures import Network, architecture_named
from lstm_explorer.core.biases.grids import check_lengths, check_lengths_within
from lstm_explorer.core.checks import InitialState, Inputs
from lstm_explorer.core.engine.layers import as_float64
from lstm_explorer.core.engine.outer_products import OuterProducts
from lstm_explorer.core.engine.scaled import Array, Scaled, log10_norm, shifted
from lstm_explorer.core.gradients.last_layers import LastLayer, OwnRun, dtype_of, last_layers, run_of
from lstm_explorer.core.gradients.paths import deltas
from lstm_explorer.core.inputs import TableLike
from lstm_explorer.core.kinds import checks_kinds
from lstm_explorer.core.settings import Settings
from lstm_explorer.core.undisturbed import undisturbed


@dataclass(frozen=True, eq=False, kw_only=True)
class WeightGradients:
    """Gradient norms of the last layer's recurrent weights and of its initial state, as log10; detached, on the CPU.

    Attributes:
        architecture: A name of ``ARCHITECTURES``, such as ``"lstm"``.
        gates: Names of the row blocks of ``weight_hh`` in PyTorch's order, ``G`` of them; ``("hidden",)`` for the RNN.
        lengths: Sequence lengths, ascending, ``N`` of them.
        log10_weight_hh: log10 of the Frobenius norm of dL/dW_hh by gate, summed over the batch as ``.grad`` is,
            ``(N, R, G)``.
        log10_hidden: log10 of the norm of the total derivative dL/dh_0, ``(N, R, B)``.
    """

    architecture: str
    gates: tuple[str, ...]
    lengths: tuple[int, ...]
    log10_weight_hh: Tensor
    log10_hidden: Tensor

    def to_frame(self) -> pd.DataFrame:
        """Return the norms as rows ``architecture, length, quantity, gate, replica, sample, log10_norm``.

        ``quantity`` is ``weight_hh``, which has no sample (-1), or ``hidden``, which has no gate.

        Example:
            >>> frame = weight_gradients(Settings(), architecture="gru", lengths=(5, 10)).to_frame()
            >>> frame.groupby("quantity").size().to_dict()
            {'hidden': 2, 'weight_hh': 6}
        """
        length, replica, gate = (index.ravel() for index in np.indices(self.log10_weight_hh.shape))
        weights = {"length": length, "quantity": "weight_hh", "gate": np.asarray(self.gates)[gate], "replica": replica}
        weights |= {"sample": -1, "log10_norm": self.log10_weight_hh.numpy().ravel()}
        length, replica, sample = (index.ravel() for index in np.indices(self.log10_hidden.shape))
        states = {"length": length, "quantity": "hidden", "gate": "", "replica": replica}
        states |= {"sample": sample, "log10_norm": self.log10_hidden.numpy().ravel()}
        frame = pd.concat([pd.DataFrame(weights), pd.DataFrame(states)], ignore_index=True)
        frame["length"] = np.asarray(self.lengths)[frame["length"]]
        frame.insert(0, "architecture", self.architecture)
        return frame


@checks_kinds
@undisturbed
def weight_gradients(
    settings: Settings | Network,
    inputs: Tensor | None = None,
    *,
    architecture: str = "lstm",
    lengths: Sequence[int],
    cotangent: Tensor | None = None,
    table: TableLike | None = None,
) -> WeightGradients:
    """Measure the gradient of the recurrent weights beside that of the initial state, as the sequence gets longer.

    The first is what the usual dashboards plot; it says little about how far back the gradient reaches.

    Args:
        settings: The experiment; its own sequence length does not count. Or a network of your own, of which the axis
            ``R`` is the directions. The layer is the last one.
        inputs: What a network of your own reads; of a length, its first steps.
        architecture: A name of ``ARCHITECTURES``, such as ``"lstm"``; a network of your own has its own.
        lengths: Sequence lengths, ascending; an input with a length of its own bounds them.
        cotangent: What the loss puts on the last output of a network of your own, ``(B, H)``; all ones by default.
        table: The rows read when ``input_kind="csv"``.

    Returns:
        Norms with the lengths and the replicas in front.

    Raises:
        TypeError: A length is no whole number.
        ValueError: There is no length, they do not ascend, or the input is shorter; or as :func:`build_network` and
            :func:`make_inputs`.

    Source:
        pascanu2013

    Example:
        >>> result = weight_gradients(Settings(), architecture="rnn", lengths=(10, 100))
        >>> weights, states = result.log10_weight_hh[:, 0, 0], result.log10_hidden[:, 0, 0]
        >>> bool(weights[1] - weights[0] > -0.5), bool(states[1] - states[0] < -15)
        (True, True)
    """
    run = run_of(settings, inputs, table=table, cotangent=cotangent)
    if isinstance(run, OwnRun):
        architecture, checked = run.architecture, check_lengths_within(lengths, run.steps)
    else:
        checked = check_lengths(lengths, run, table)
    dtype, weights, states = dtype_of(run), [], []
    for length in checked:
        here = run.first_steps(length) if isinstance(run, OwnRun) else run.replace(sequence_length=length)
        layers = last_layers(here, architecture=architecture, table=table)
        runs = [_replica_gradients(layer, steps=False) for layer in layers]
        weights.append(_tensor([log10_norm(run.total) for run in runs], dtype))
        states.append(_tensor([log10_norm(run.initial) for run in runs], dtype))
    return WeightGradients(
        architecture=architecture,
        gates=architecture_named(architecture).blocks,
        lengths=checked,
        log10_weight_hh=torch.stack(weights),
        log10_hidden=torch.stack(states),
    )


@dataclass(frozen=True, eq=False, kw_only=True)
class StepContributions:
    r"""What every step adds to the gradient of the last layer's recurrent weights; detached, on the CPU.

    Attributes:
        architecture: A name of ``ARCHITECTURES``, such as ``"lstm"``.
        gates: Names of the row blocks of ``weight_hh`` in PyTorch's order, ``G`` of them; ``("hidden",)`` for the RNN.
        log10_norm: log10 of the Frobenius norm of :math:`\delta_t \otimes h_{t-1}`, summed over the batch as ``.grad``
            is, ``(R, G, T)``; index ``t - 1`` is step ``t``. ``-inf`` where it is exactly zero, as at the first step of
            a network that begins at rest.
        log10_total: log10 of the Frobenius norm of their sum, dL/dW_hh, ``(R, G)``.
        total: Their sum itself, what ``.grad`` holds after ``backward()``, ``(R, G, H, H)`` in float64; 0 or infinite
            where that leaves the float range, which the norms do not.
    """

    architecture: str
    gates: tuple[str, ...]
    log10_norm: Tensor
    log10_total: Tensor
    total: Tensor

    def to_frame(self) -> pd.DataFrame:
        """Return the norms as rows ``architecture, gate, replica, step, lag, log10_norm``.

        Example:
            >>> frame = step_contributions(Settings(sequence_length=3)).to_frame()
            >>> len(frame), frame["lag"].tolist()[:3]
            (12, [2, 1, 0])
        """
        replica, gate, step = (index.ravel() for index in np.indices(self.log10_norm.shape))
        columns = {
            "architecture": self.architecture,
            "gate": np.asarray(self.gates)[gate],
            "replica": replica,
            "step": step + 1,
            "lag": self.log10_norm.shape[-1] - 1 - step,
            "log10_norm": self.log10_norm.numpy().ravel(),
        }
        return pd.DataFrame(columns)


@checks_kinds
@undisturbed
def step_contributions(
    settings: Settings | Network,
    inputs: Inputs | None = None,
    *,
    architecture: str = "lstm",
    cotangent: Tensor | PackedSequence | None = None,
    initial_state: InitialState = None,
    table: TableLike | None = None,
) -> StepContributions:
    r"""Measure what every step adds to the gradient of the recurrent weights.

    The contribution of step ``t`` is :math:`\delta_t \otimes h_{t-1}`, where :math:`\delta_t` is the total derivative
    of the loss with respect to what ``weight_hh`` and ``bias_hh`` give at that step. For the candidate of PyTorch's GRU
    that is inside the reset product, :math:`\delta_n \odot r_t`.

    Args:
        settings: The experiment; ``loss``, ``seed`` and ``num_seeds`` count. Or a network of your own, of which the
            axis ``R`` is the directions. The layer is the last one.
        inputs: What a network of your own reads, as :func:`lstm_explorer.gradient_flow` takes it.
        architecture: A name of ``ARCHITECTURES``, such as ``"lstm"``; a network of your own has its own.
        cotangent: What the loss puts on the outputs of a network of your own, likewise.
        initial_state: Its initial state, likewise.
        table: The rows read when ``input_kind="csv"``.

    Returns:
        Norms by gate and step, and the sum over the steps, the replicas in front.

    Raises:
        TypeError: An argument is of another kind.
        ValueError: As :func:`build_network` and :func:`make_inputs`.

    Source:
        torch.nn.LSTM

    Example:
        >>> from lstm_explorer import build_network, make_inputs
        >>> settings = Settings(sequence_length=20, hidden_size=3, dtype="float64")
        >>> result = step_contributions(settings)
        >>> lstm = build_network("lstm", settings)
        >>> lstm(make_inputs(settings))[0][-1].sum().backward()
        >>> bool(torch.allclose(result.total[0].flatten(0, 1), lstm.weight_hh_l0.grad, rtol=1e-12))
        True
    """
    run = run_of(settings, inputs, table=table, cotangent=cotangent, initial_state=initial_state)
    layers = last_layers(run, architecture=architecture, table=table)
    runs = [_replica_gradients(layer, steps=True) for layer in layers]
    name, dtype = run.architecture if isinstance(run, OwnRun) else architecture, dtype_of(run)
    size = run.network.hidden_size if isinstance(run, OwnRun) else run.hidden_size
    return StepContributions(
        architecture=name,
        gates=architecture_named(name).blocks,
        log10_norm=_tensor([cast(Array, run.log10_steps) for run in runs], dtype),
        log10_total=_tensor([log10_norm(run.total) for run in runs], dtype),
        total=torch.from_numpy(np.stack([shifted(*run.total) for run in runs])).unflatten(-1, (size, -1)),
    )


def join_weight_gradients(parts: Sequence[WeightGradients]) -> WeightGradients:
    """Return the replicas of several measurements as one."""
    return replace(
        parts[0],
        log10_weight_hh=torch.cat([part.log10_weight_hh for part in parts], dim=1),
        log10_hidden=torch.cat([part.log10_hidden for part in parts], dim=1),
    )


def join_contributions(parts: Sequence[StepContributions]) -> StepContributions:
    """Return the replicas of several measurements as one."""
    return replace(
        parts[0],
        log10_norm=torch.cat([part.log10_norm for part in parts]),
        log10_total=torch.cat([part.log10_total for part in parts]),
        total=torch.cat([part.total for part in parts]),
    )


class _ReplicaGradients(NamedTuple):
    """One replica: dL/dW_hh by gate, ``(G, H * H)``; the norms of its steps, ``(G, T)``; dL/dh_0, ``(B, H)``."""

    total: Scaled
    log10_steps: Array | None
    initial: Scaled


def _replica_gradients(layer: LastLayer, *, steps: bool) -> _ReplicaGradients:
    """Run one replica backwards and multiply its gate gradients with the hidden states that the gates read."""
    back = deltas(layer)
    preactivations, initial = cast(Scaled, back.preactivations), back.states["hidden"]
    before = as_float64(layer.states.hidden[:-1])
    blocks = np.split(preactivations.mantissa, len(architecture_named(layer.architecture).blocks), axis=-1)
    products = [OuterProducts.of(Scaled(block, preactivations.exponent), before) for block in blocks]
    totals = [one.total() for one in products]
    return _ReplicaGradients(
        Scaled(np.stack([one.mantissa for one in totals]), np.stack([one.exponent for one in totals])),
        np.stack([one.log10_of_steps() for one in products]) if steps else None,
        Scaled(initial.mantissa[0], initial.exponent[0]),
    )


def _tensor(replicas: list[Array], dtype: torch.dtype) -> Tensor:
    """Return the replicas' arrays as one tensor of a dtype, ``R`` in front."""
    return torch.from_numpy(np.stack(replicas)).to(dtype)
