r"""The Jacobian of every step, d state_t / d state_{t-1}: in closed form where there is one, else by autograd.

Everything is in float64 at the states that the forward pass has reached. Entry ``[..., i, j]`` is d out_i / d in_j; a
state is the hidden state's numbers, then the cell's.

Index legend: ``n`` steps of a window; ``B`` samples; ``H`` hidden units; ``P`` numbers of a projected hidden state;
``S`` numbers of a state.
"""

from __future__ import annotations

import math
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import cast

import numpy as np
import torch
from torch import Tensor

from lstm_explorer.core.architectures import Network, Parameters, architecture_of
from lstm_explorer.core.engine.compiled import compiled_entry
from lstm_explorer.core.engine.compiled_networks import slope_of_hidden
from lstm_explorer.core.engine.generic import Linearized, linearize
from lstm_explorer.core.engine.generic_engine import GenericEngine
from lstm_explorer.core.engine.layers import LayerStates
from lstm_explorer.core.engine.scaled import Array

#: How many numbers autograd may hold at once: one batch of cotangents.
_NUMBERS = 2**21


def step_jacobians_of(
    network: Network, weights: Parameters, layer: LayerStates, steps: slice, dtype: torch.dtype = torch.float64
) -> Tensor:
    """Return the Jacobians of some steps of a layer, ``(n, B, S, S)``, computed in float64, on the CPU.

    Args:
        network: The network.
        weights: The layer's parameters.
        layer: Its states, ``(T + 1, B, H)``.
        steps: Which; index ``t - 1`` is step ``t``.
        dtype: What they are rounded to.

    Raises:
        ValueError: The derivative of a step that has no closed form is not finite.
    """
    closed = CLOSED_FORMS.get(architecture_of(network).name, _by_autograd)
    return closed(network, weights.map(_exact), layer, steps, dtype)


def _rnn(network: Network, weights: Parameters, layer: LayerStates, steps: slice, dtype: torch.dtype) -> Tensor:
    r"""Return :math:`\phi'_t W_{hh}`."""
    after = _exact(layer.hidden[1:][steps])
    slope = 1.0 - after.square() if network.nonlinearity == "tanh" else (after > 0).double()
    jacobians = _room(slope, slope.shape[-1], dtype)
    _fill(jacobians, weights, [slope])
    return jacobians


def _gru(network: Network, weights: Parameters, layer: LayerStates, steps: slice, dtype: torch.dtype) -> Tensor:
    r"""Return :math:`z + (1 - z) n' (r W_n + u r' W_r) + (h - n) z' W_z` with :math:`u = W_n h + b_{hn}`."""
    reset, update, candidate = _gates(layer, steps)
    before = _exact(layer.hidden[:-1][steps])
    recurrent = before @ weights.weight_hh.chunk(3)[2].mT + weights.bias_hh.chunk(3)[2]
    slope = (1 - update) * (1 - candidate.square())
    of_reset, of_update = slope * recurrent * reset * (1 - reset), (before - candidate) * update * (1 - update)
    jacobians = _room(update, update.shape[-1], dtype)
    _fill(jacobians, weights, [of_reset, of_update, slope * reset])
    jacobians.diagonal(dim1=-2, dim2=-1).add_(update)
    return jacobians


def _lstm(network: Network, weights: Parameters, layer: LayerStates, steps: slice, dtype: torch.dtype) -> Tensor:
    r"""Return the four blocks.

    .. math::
        c_t \leftarrow c_{t-1}: f_t, \quad
        c_t \leftarrow h_{t-1}: C = g i' W_i + c_{t-1} f' W_f + i g' W_g, \quad
        h_t \leftarrow c_{t-1}: s_t f_t, \quad
        h_t \leftarrow h_{t-1}: s_t C + \tanh(c_t) o' W_o, \quad s_t = o_t (1 - \tanh^2 c_t)

    With projections the rows of the hidden state are multiplied by ``weight_hr``.
    """
    i, f, g, o = _gates(layer, steps)
    cell = cast(Array, layer.cell)
    before = torch.from_numpy(cell[:-1][steps])
    shown, exposed = map(torch.from_numpy, slope_of_hidden(cast(Array, layer.gates)[3, steps], cell[1:][steps]))
    size, hidden = i.shape[-1], weights.weight_hh.shape[1]
    of_cell = [g * i * (1 - i), before * f * (1 - f), i * (1 - g.square())]
    jacobians = _room(f, hidden + size, dtype)
    jacobians[..., hidden:] = 0.0
    _fill(jacobians, weights, of_cell, first_row=hidden)
    jacobians[..., hidden:, hidden:].diagonal(dim1=-2, dim2=-1).copy_(f)
    # What the projection has in, or what is the hidden state itself.
    inner = jacobians if weights.weight_hr is None else f.new_zeros(*f.shape, hidden + size)
    _fill(inner, weights, [*(shown * part for part in of_cell), exposed * o * (1 - o)])
    inner[..., :size, hidden:].diagonal(dim1=-2, dim2=-1).copy_(shown * f)
    if weights.weight_hr is not None:
        jacobians[..., :hidden, :] = weights.weight_hr @ inner
    return jacobians


#: Name of an architecture to the closed form of its Jacobians; all others are differentiated.
CLOSED_FORMS: Mapping[str, Callable[[Network, Parameters, LayerStates, slice, torch.dtype], Tensor]] = (
    types.MappingProxyType({"rnn": _rnn, "lstm": _lstm, "gru": _gru})
)


def _exact(tensor: Tensor) -> Tensor:
    """Return a copy in float64 on the CPU: autograd refuses tensors that were made in inference mode."""
    return tensor.detach().to("cpu", torch.float64, copy=True)


def _gates(layer: LayerStates, steps: slice) -> Iterator[Tensor]:
    return (torch.from_numpy(gate[steps]) for gate in cast(Array, layer.gates))


def _room(like: Tensor, size: int, dtype: torch.dtype) -> Tensor:
    """Return Jacobians ``(n, B, S, S)`` to be filled."""
    # NumPy's, not torch's: of a large array it asks the system for large pages.
    empty = np.empty((*like.shape[:-1], size, size), np.float64 if dtype == torch.float64 else np.float32)
    return torch.from_numpy(empty)


def _fill(jacobians: Tensor, weights: Parameters, factors: Sequence[Tensor], first_row: int = 0) -> None:
    """Fill rows of the first columns with the sum of gates' weights, their rows times factors ``(n, B, H)``."""
    size, columns = factors[0].shape[-1], weights.weight_hh.shape[1]
    of_gates = np.stack([factor.reshape(-1, size).numpy() for factor in factors])
    _fill_rows(jacobians.flatten(0, 1).numpy(), weights.weight_hh.view(-1, size, columns).numpy(), of_gates, first_row)


@compiled_entry
def _fill_rows(jacobians: Array, weights: Array, factors: Array, first_row: int) -> None:
    """Fill rows of ``(N, S, S)`` with the sum over the gates of ``factors[gate, n, i] * weights[gate, i, :]``."""
    gates, samples, rows = factors.shape
    columns = weights.shape[2]
    row = np.empty(columns)  # the sum is one of float64, whatever it is rounded to
    for n in range(samples):
        for i in range(rows):
            factor = factors[0, n, i]
            for j in range(columns):
                row[j] = factor * weights[0, i, j]
            for gate in range(1, gates):
                factor = factors[gate, n, i]
                for j in range(columns):
                    row[j] += factor * weights[gate, i, j]
            for j in range(columns):
                jacobians[n, first_row + i, j] = row[j]


def _by_autograd(network: Network, weights: Parameters, layer: LayerStates, steps: slice, dtype: torch.dtype) -> Tensor:
    """Run the record's step on many steps at once, as samples of one batch, and differentiate it."""
    engine = GenericEngine(network, architecture_of(network))
    before = [_exact(part[:-1][steps]) for part in layer.states]
    inputs = _exact(cast(Tensor, layer.inputs)[steps])
    lead, step = inputs.shape[:2], engine.step_of(weights)
    states, x = [part.flatten(0, 1) for part in before], inputs.flatten(0, 1)
    window = max(1, _NUMBERS // sum(part.shape[-1] for part in states) ** 2)
    windows = zip(zip(*(part.split(window) for part in states), strict=True), x.split(window), strict=True)
    found = [jacobian(linearize(step, state, now, inputs=False)) for state, now in windows]
    jacobians = torch.cat(found).unflatten(0, lead)
    check_finite(jacobians, steps.start)
    return jacobians.to(dtype)


def jacobian(one: Linearized) -> Tensor:
    """Return d after / d before of a step on ``N`` samples that do not mix, ``(N, S, S)``, in its dtype."""
    samples = len(one.after[0])
    sizes = [part.numel() // samples for part in one.after]
    basis = torch.eye(sum(sizes), dtype=one.after[0].dtype, device=one.after[0].device)
    # A part that is made of no argument has no graph: its rows are zero.
    live = [k for k, part in enumerate(one.after) if part.requires_grad]
    columns = basis.split(sizes, dim=1)
    vectors = [columns[k].unsqueeze(1).expand(-1, samples, -1).reshape(-1, *one.after[k].shape) for k in live]
    found: tuple[Tensor | None, ...] = (None,) * len(sizes)
    if live:
        outputs = [one.after[k] for k in live]
        found = torch.autograd.grad(outputs, one.before, vectors, is_grads_batched=True, allow_unused=True)
    blocks = [
        basis.new_zeros(len(basis), samples, size) if part is None else part.reshape(len(basis), samples, size)
        for part, size in zip(found, sizes, strict=True)
    ]
    return torch.cat(blocks, dim=-1).transpose(0, 1).contiguous()


def check_finite(jacobians: Tensor, start: int) -> None:
    """Refuse Jacobians that are not finite; the first is that of step ``start + 1``.

    Raises:
        ValueError: One is not.
    """
    if math.isfinite(jacobians.sum().item()):
        return
    finite = torch.isfinite(jacobians).flatten(1).all(1)
    if not finite.all():
        raise ValueError(
            f"the Jacobian of step {start + 1 + int((~finite).nonzero()[0])} is not finite: expected a step that can "
            "be differentiated wherever it goes. The root of 0 and the norm of a zero vector cannot: add a small "
            "number inside."
        )
