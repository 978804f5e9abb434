r"""The Jacobian of every step, d state_t / d state_{t-1}: in closed form where there is one, else by autograd.

Everything is in float64 at the states that the forward pass has reached. Entry ``[..., i, j]`` is d out_i / d in_j; a
state is the hidden state's numbers, then the cell's.

Index legend: ``n`` steps of a window; ``B`` samples; ``H`` hidden units; ``P`` numbers of a projected hidden state;
``S`` numbers of a state.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Iterator, Mapping
from typing import cast

import torch
from torch import Tensor

from lstm_explorer.core.architectures import Network, Parameters, architecture_of
from lstm_explorer.core.engine.compiled_networks import slope_of_hidden
from lstm_explorer.core.engine.generic import Linearized, linearize
from lstm_explorer.core.engine.generic_engine import GenericEngine
from lstm_explorer.core.engine.layers import LayerStates
from lstm_explorer.core.engine.scaled import Array

#: How many numbers autograd may hold at once: one batch of cotangents.
_NUMBERS = 2**21


def step_jacobians_of(network: Network, weights: Parameters, layer: LayerStates, steps: slice) -> Tensor:
    """Return the Jacobians of some steps of a layer, ``(n, B, S, S)``, in float64 on the CPU.

    Args:
        network: The network.
        weights: The layer's parameters.
        layer: Its states, ``(T + 1, B, H)``.
        steps: Which; index ``t - 1`` is step ``t``.
    """
    closed = CLOSED_FORMS.get(architecture_of(network).name, _by_autograd)
    return closed(network, weights.map(_exact), layer, steps)


def _rnn(network: Network, weights: Parameters, layer: LayerStates, steps: slice) -> Tensor:
    r"""Return :math:`\phi'_t W_{hh}`."""
    after = _exact(layer.hidden[1:][steps])
    slope = 1.0 - after.square() if network.nonlinearity == "tanh" else (after > 0).double()
    return slope.unsqueeze(-1) * weights.weight_hh


def _gru(network: Network, weights: Parameters, layer: LayerStates, steps: slice) -> Tensor:
    r"""Return :math:`z + (1 - z) n' (r W_n + u r' W_r) + (h - n) z' W_z` with :math:`u = W_n h + b_{hn}`."""
    reset, update, candidate = _gates(layer, steps)
    before = _exact(layer.hidden[:-1][steps])
    of_reset, of_update, of_candidate = weights.weight_hh.chunk(3)
    recurrent = before @ of_candidate.mT + weights.bias_hh.chunk(3)[2]
    slope = (1 - update) * (1 - candidate.square())
    jacobians = _sum_of_rows(
        (slope * reset, of_candidate),
        (slope * recurrent * reset * (1 - reset), of_reset),
        ((before - candidate) * update * (1 - update), of_update),
    )
    jacobians.diagonal(dim1=-2, dim2=-1).add_(update)
    return jacobians


def _lstm(network: Network, weights: Parameters, layer: LayerStates, steps: slice) -> Tensor:
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
    of_i, of_f, of_g, of_o = weights.weight_hh.chunk(4)
    size, hidden = i.shape[-1], weights.weight_hh.shape[1]
    jacobians = f.new_zeros(*f.shape[:-1], hidden + size, hidden + size)
    of_cell = jacobians[..., hidden:, :]
    _sum_of_rows(
        (g * i * (1 - i), of_i),
        (before * f * (1 - f), of_f),
        (i * (1 - g.square()), of_g),
        out=of_cell[..., :hidden],
    )
    of_cell[..., hidden:].diagonal(dim1=-2, dim2=-1).copy_(f)
    if weights.weight_hr is None:
        of_hidden = torch.mul(shown.unsqueeze(-1), of_cell, out=jacobians[..., :hidden, :])
        of_hidden[..., :hidden].addcmul_((exposed * o * (1 - o)).unsqueeze(-1), of_o)
    else:
        inner = shown.unsqueeze(-1) * of_cell
        inner[..., :hidden].addcmul_((exposed * o * (1 - o)).unsqueeze(-1), of_o)
        torch.matmul(weights.weight_hr, inner, out=jacobians[..., :hidden, :])
    return jacobians


#: Name of an architecture to the closed form of its Jacobians; all others are differentiated.
CLOSED_FORMS: Mapping[str, Callable[[Network, Parameters, LayerStates, slice], Tensor]] = types.MappingProxyType(
    {"rnn": _rnn, "lstm": _lstm, "gru": _gru}
)


def _exact(tensor: Tensor) -> Tensor:
    """Return a copy in float64 on the CPU: autograd refuses tensors that were made in inference mode."""
    return tensor.detach().to("cpu", torch.float64, copy=True)


def _gates(layer: LayerStates, steps: slice) -> Iterator[Tensor]:
    return (torch.from_numpy(gate[steps]) for gate in cast(Array, layer.gates))


def _sum_of_rows(*terms: tuple[Tensor, Tensor], out: Tensor | None = None) -> Tensor:
    """Return the sum of weights whose rows are multiplied by coefficients ``(n, B, H)``."""
    (first, of_first), *others = terms
    total = torch.mul(first.unsqueeze(-1), of_first, out=out)
    for coefficient, weight in others:
        total.addcmul_(coefficient.unsqueeze(-1), weight)
    return total


def _by_autograd(network: Network, weights: Parameters, layer: LayerStates, steps: slice) -> Tensor:
    """Run the record's step on many steps at once, as samples of one batch, and differentiate it."""
    engine = GenericEngine(network, architecture_of(network))
    before = [_exact(part[:-1][steps]) for part in layer.states]
    inputs = _exact(cast(Tensor, layer.inputs)[steps])
    lead, step = inputs.shape[:2], engine.step_of(weights)
    states, x = [part.flatten(0, 1) for part in before], inputs.flatten(0, 1)
    window = max(1, _NUMBERS // sum(part.shape[-1] for part in states) ** 2)
    windows = zip(zip(*(part.split(window) for part in states), strict=True), x.split(window), strict=True)
    found = [jacobian(linearize(step, state, now, inputs=False)) for state, now in windows]
    return torch.cat(found).unflatten(0, lead)


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
