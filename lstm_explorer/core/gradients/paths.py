r"""How the gradient travels through an LSTM: by the cell alone, and by the hidden state through each gate.

Cutting the hidden state before a gate, as ``h.detach()`` in that gate's preactivation does, drops the gate's block of
``weight_hh`` from the backward pass and changes no state and no gate. So every cut is one more replica of the same
backward recurrence, and all of them run in one batched pass.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from lstm_explorer.core.architectures import Network
from lstm_explorer.core.architectures.lstm import LSTMGates
from lstm_explorer.core.checks import InitialState, Inputs
from lstm_explorer.core.engine.compiled_networks import slope_of_hidden
from lstm_explorer.core.engine.directions import until_the_end
from lstm_explorer.core.engine.layers import Backward, LayerStates, Request, as_float64, window_of
from lstm_explorer.core.engine.projected import unprojected
from lstm_explorer.core.engine.scaled import Array, Scaled, log10_norm, shifted
from lstm_explorer.core.gradients.last_layers import LastLayer, OwnRun, dtype_of, last_layers, run_of
from lstm_explorer.core.inputs import TableLike
from lstm_explorer.core.kinds import checks_kinds
from lstm_explorer.core.settings import Settings
from lstm_explorer.core.undisturbed import undisturbed

#: The gates through which the hidden state reaches the next step, in PyTorch's order.
GATES = LSTMGates._fields
#: What dL/dc_t is the sum of, in the order in which :attr:`PathFlows.split` holds the shares.
TERMS = ("cell", *GATES, "loss")
#: Norms and shares of every step.
NUMBERS_PER_STEP = 2 + 2 * len(GATES) + len(TERMS)


@dataclass(frozen=True, eq=False, kw_only=True)
class PathFlows:
    r"""Gradient of the last layer's cell by the path that it takes; detached, on the CPU, in the network's dtype.

    The norms of ``cell_alone``, ``only`` and ``without`` are **not** parts of ``total`` and do not add up to it: a path
    of many steps may leave by one gate and return by another, so it is in none of the ``only`` and missing from several
    of the ``without``; and vectors that point apart cancel. What does add up is one step, in ``split``.

    Every tensor is ``(R, T + 1, B)``, step 0 being the initial state. Norms are log10, exact past the float range; a
    gradient of exactly zero is ``-inf``.

    Attributes:
        total: log10 of the norm of the total derivative dL/dc_t.
        cell_alone: What arrives when the hidden state is cut before all four gates: the product of forget gates.
        only: Gate to what arrives when the hidden state reaches the next step through that gate alone, besides the
            cell; ``"input"``, ``"forget"``, ``"candidate"``, ``"output"``.
        without: Gate to what arrives when the hidden state is cut before that one gate.
        split: Term to its signed share of dL/dc_t, :math:`\langle term, total \rangle / \langle total, total \rangle`:
            the six sum to 1. ``"cell"`` is what comes along the cell, :math:`f_{t+1} \odot dc_{t+1}`; a gate's is what
            comes by the hidden state through that gate of the next step, :math:`o_t (1 - \tanh^2 c_t) \odot
            W_{hh,gate}^T \delta_{t+1,gate}`; ``"loss"`` is what the loss puts on :math:`h_t` itself. The first five
            come from the total derivative at step ``t + 1``. A share below 0 points against the total, one above 1 is
            cancelled by others; NaN where the total is exactly zero.
    """

    total: Tensor
    cell_alone: Tensor
    only: Mapping[str, Tensor]
    without: Mapping[str, Tensor]
    split: Mapping[str, Tensor]

    def to_frame(self) -> pd.DataFrame:
        """Return all numbers as a tidy table, one row per number.

        Returns:
            Columns ``quantity, through, replica, step, lag, sample, log10_norm, share``. ``quantity`` is ``total``,
            ``cell_alone``, ``only``, ``without`` or ``split``; ``through`` is the gate or, of a split, the term.
            ``share`` is filled for the split, ``log10_norm`` for all others.

        Example:
            >>> frame = path_flows(Settings(sequence_length=3)).to_frame()
            >>> frame.groupby("quantity").size().to_dict()
            {'cell_alone': 4, 'only': 16, 'split': 24, 'total': 4, 'without': 16}
        """
        frames = [_rows("total", "", self.total), _rows("cell_alone", "", self.cell_alone)]
        for quantity in ("only", "without", "split"):
            frames += [_rows(quantity, through, numbers) for through, numbers in getattr(self, quantity).items()]
        return pd.concat(frames, ignore_index=True)


@checks_kinds
@undisturbed
def path_flows(
    settings: Settings | Network,
    inputs: Inputs | None = None,
    *,
    cotangent: Tensor | PackedSequence | None = None,
    initial_state: InitialState = None,
    table: TableLike | None = None,
) -> PathFlows:
    r"""Measure by which paths the gradient travels back through an LSTM.

    The layer is the last one, whose hidden states the loss reads; ``loss``, ``seed`` and ``num_seeds`` count as in
    :func:`lstm_explorer.seed_flows`. A path that is cut is what autograd finds when ``h.detach()`` enters the
    preactivation of a gate in place of ``h``. Of a network of your own the axis ``R`` is its directions, the forward
    one first: 1, or 2 of a bidirectional one.

    Args:
        settings: The experiment; or an ``nn.LSTM`` of your own.
        inputs: What a network of your own reads, as :func:`lstm_explorer.gradient_flow` takes it.
        cotangent: What the loss puts on its outputs, likewise.
        initial_state: Its initial state, likewise.
        table: The rows read when ``input_kind="csv"``.

    Returns:
        Norms of what arrives by each path, and the shares of one step, the replicas in front.

    Raises:
        TypeError: An argument is of another kind.
        ValueError: As :func:`build_network` and :func:`make_inputs`; or, of a network of your own, as
            :func:`lstm_explorer.gradient_flow`, or it is no LSTM.

    Source:
        arpit2019, keras16151

    Example:
        With default weights and an open forget gate, most of what reaches step 0 has been through the gates:

        >>> flows = path_flows(Settings(forget_bias=1.0))
        >>> flows.total.shape
        torch.Size([1, 101, 1])
        >>> bool(flows.total[0, 0, 0] - flows.cell_alone[0, 0, 0] > 3)
        True
        >>> round(sum(float(share[0, 50, 0]) for share in flows.split.values()), 4)
        1.0
    """
    run = run_of(settings, inputs, table=table, cotangent=cotangent, initial_state=initial_state)
    if isinstance(run, OwnRun) and not isinstance(run.network, nn.LSTM):
        raise ValueError(
            f"network is a {type(run.network).__name__}: expected a torch.nn.LSTM; the paths are those of its cell and "
            "its four gates."
        )
    runs = [_norms_and_shares(_unprojected(layer)) for layer in last_layers(run, table=table)]
    norms, shares = (torch.stack(tensors, dim=1).to(dtype_of(run)) for tensors in zip(*runs, strict=True))
    total, cell_alone, *by_gate = norms
    return PathFlows(
        total=total,
        cell_alone=cell_alone,
        only=dict(zip(GATES, by_gate[:4], strict=True)),
        without=dict(zip(GATES, by_gate[4:], strict=True)),
        split=dict(zip(TERMS, shares, strict=True)),
    )


def _unprojected(layer: LastLayer) -> LastLayer:
    """Return the same cell without projections: the paths are those of the cell."""
    if layer.weights.weight_hr is None:
        return layer
    engine, weights, states, upstream = unprojected(layer.engine, layer.weights, layer.states, layer.upstream)
    return layer._replace(engine=engine, weights=weights, states=states, upstream=upstream)


def join_paths(parts: Sequence[PathFlows]) -> PathFlows:
    """Return the replicas of several measurements as one."""

    def by_name(name: str) -> dict[str, Tensor]:
        return {key: torch.cat([getattr(part, name)[key] for part in parts]) for key in getattr(parts[0], name)}

    total, alone = (torch.cat([getattr(part, name) for part in parts]) for name in ("total", "cell_alone"))
    return PathFlows(
        total=total, cell_alone=alone, only=by_name("only"), without=by_name("without"), split=by_name("split")
    )


def deltas(layer: LastLayer) -> Backward:
    """Return the total derivatives of a layer's states, and of what the hidden state adds to its preactivations."""
    request = Request(layer.upstream, ("states", "preactivations"))
    (back,) = layer.engine.backward(layer.weights, layer.states, [request])
    return back


def _norms_and_shares(layer: LastLayer) -> tuple[Tensor, Tensor]:
    """Return the norms ``(10, T + 1, B)``, total and cuts, and the shares of the terms ``(6, T + 1, B)``."""
    back = deltas(layer)
    cell = back.states["cell"]
    keep = np.concatenate([np.zeros((1, 4)), np.eye(4), 1 - np.eye(4)])  # cell alone; only; without
    norms = np.concatenate([log10_norm(cell)[None], _with_gates(layer, keep)])
    shares = _shares(layer, cell, cast(Scaled, back.preactivations))
    of_norms, of_shares = (until_the_end(torch.from_numpy(array), layer.lengths) for array in (norms, shares))
    return of_norms, of_shares


def _with_gates(layer: LastLayer, keep: Array) -> Array:
    """Return the norms of dL/dc_t, ``(V, T + 1, B)``, for each row of gates that the hidden state still reaches."""
    weights = layer.weights
    weight_hh = (torch.from_numpy(keep)[..., None, None] * weights.weight_hh.unflatten(0, (4, -1)).cpu()).flatten(1, 2)
    cut, request = weights._replace(weight_hh=weight_hh), Request(layer.upstream)
    (back,) = layer.engine.backward(cut, layer.states, [request])
    return back.log10_states["cell"].swapaxes(0, 1)


def _shares(layer: LastLayer, cell: Scaled, preactivations: Scaled) -> Array:
    """Return each term's share of dL/dc_t, ``(6, T + 1, B)``, made a window of steps at a time."""
    steps, *_ = cell.mantissa.shape
    window = window_of(cell.mantissa[0].size)
    windows = [
        _shares_of(layer, cell, preactivations, slice(start, min(start + window, steps)))
        for start in range(0, steps, window)
    ]
    return np.concatenate(windows, axis=1)


def _shares_of(layer: LastLayer, cell: Scaled, preactivations: Scaled, steps: slice) -> Array:
    """Return the shares of some steps, ``(6, n, B)``."""
    # What comes from the step after; the last step has none.
    after = slice(steps.start, min(steps.stop, len(preactivations.mantissa)))
    count = after.stop - after.start
    from_next = Scaled(cell.mantissa[after.start + 1 : after.stop + 1], cell.exponent[after.start + 1 : after.stop + 1])
    slope = _hidden_slope(layer.states, steps)
    terms = np.zeros((len(TERMS), *slope.shape))
    terms[0, :count] = cast(Array, layer.states.gates)[1, after] * from_next.mantissa
    for term, delta, weight in zip(terms[1:5], *_blocks(layer, preactivations.mantissa[after]), strict=True):
        term[:count] = slope[:count] * (delta @ weight)
    # Every term at the scale of its own step's total, near 1, so that no square leaves the float range.
    _, largest = np.frexp(np.abs(cell.mantissa[steps]).max(axis=-1))
    scale = cell.exponent[steps] + largest
    terms[:5, :count] = shifted(terms[:5, :count], from_next.exponent - scale[:count])
    if layer.upstream.steps is not None:
        added = layer.upstream.steps
        terms[5] = shifted(slope * added.mantissa[steps], added.exponent[steps] - scale)
    elif steps.stop == len(cell.mantissa):
        added = layer.upstream.final
        terms[5, -1] = shifted(slope[-1] * added.mantissa, added.exponent - scale[-1])
    total = terms.sum(axis=0)
    with np.errstate(invalid="ignore"):
        return np.einsum("kt...h,t...h->kt...", terms, total) / np.einsum("t...h,t...h->t...", total, total)


def _hidden_slope(states: LayerStates, steps: slice) -> Array:
    r"""Return :math:`o_t (1 - \tanh^2 c_t)` of some steps, ``(n, B, H)``.

    Zero at step 0, of whose cell no hidden state was made: h_0 and c_0 are two initial states.
    """
    cell, output = cast(Array, states.cell)[steps], cast(Array, states.gates)[3]
    slope, first = np.zeros(cell.shape), int(steps.start == 0)
    slope[first:] = slope_of_hidden(output[steps.start + first - 1 : steps.stop - 1], cell[first:])[0]
    return slope


def _blocks(layer: LastLayer, preactivations: Array) -> tuple[list[Array], list[Array]]:
    """Return preactivations' gradient and weight_hh by gate; their products are what reaches the hidden state."""
    return np.split(preactivations, 4, axis=-1), np.split(as_float64(layer.weights.weight_hh), 4)


def _rows(quantity: str, through: str, numbers: Tensor) -> pd.DataFrame:
    replica, step, sample = (index.ravel() for index in np.indices(numbers.shape))
    values, unknown = numbers.numpy().ravel(), np.full(numbers.numel(), np.nan)
    return pd.DataFrame(
        {
            "quantity": quantity,
            "through": through,
            "replica": replica,
            "step": step,
            "lag": numbers.shape[1] - 1 - step,
            "sample": sample,
            "log10_norm": unknown if quantity == "split" else values,
            "share": values if quantity == "split" else unknown,
        }
    )
