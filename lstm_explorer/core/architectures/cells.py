r"""The three recurrent cells, one step each, exactly as PyTorch computes them.

The conventions that bite, said once:

- **Gate order.** The rows of ``weight_ih`` and ``weight_hh`` are stacked blocks of ``hidden_size``: input, forget,
  candidate, output (``i f g o``) in the LSTM; reset, update, candidate (``r z n``) in the GRU.
- **Update gate.** In PyTorch's GRU ``z = 1`` *keeps* the old state. Cho et al. 2014 write it the other way round.
- **Reset gate.** PyTorch applies it *after* the recurrent product, ``r * (W_hn h + b_hn)``, as cuDNN does.
- **Two bias vectors.** ``bias_ih`` and ``bias_hh`` are simply added (but for the GRU's candidate, whose ``bias_hh``
  sits inside the reset product). Filling both with 1 is a bias of 2.

Every step takes ``(parameters, state, x)`` and returns ``(state, gates)``; the loop over time belongs to
:func:`lstm_explorer.unroll`. Leading axes of the parameters (replicas) broadcast against those of state and input.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

Recurrent = nn.RNN | nn.LSTM | nn.GRU


class Parameters(NamedTuple):
    """Weights of one layer: ``(G*H, I)``, ``(G*H, H)``, ``(G*H,)``, ``(G*H,)`` with ``G`` gate blocks."""

    weight_ih: Tensor
    weight_hh: Tensor
    bias_ih: Tensor
    bias_hh: Tensor


class LSTMState(NamedTuple):
    """Hidden and cell state, each ``(..., B, H)``."""

    hidden: Tensor
    cell: Tensor


class LSTMGates(NamedTuple):
    """The LSTM's gates in PyTorch's order; each ``(..., B, H)`` for a step, ``(L, T, B, H)`` in a trajectory."""

    input: Tensor
    forget: Tensor
    candidate: Tensor
    output: Tensor


class GRUGates(NamedTuple):
    """The GRU's gates in PyTorch's order; each ``(..., B, H)`` for a step, ``(L, T, B, H)`` in a trajectory."""

    reset: Tensor
    update: Tensor
    candidate: Tensor


def rnn_step(parameters: Parameters, state: Tensor, x: Tensor, nonlinearity: str = "tanh") -> tuple[Tensor, None]:
    r"""Advance the plain RNN: :math:`h' = \tanh(W_{ih} x + b_{ih} + W_{hh} h + b_{hh})`, or ReLU in place of tanh.

    Args:
        parameters: Weights of the layer, one gate block.
        state: Hidden state ``(..., B, H)``.
        x: Input ``(..., B, I)``.
        nonlinearity: ``"tanh"`` or ``"relu"``.

    Returns:
        The new hidden state, and None: the plain RNN has no gates.

    Source:
        torch.nn.RNNCell

    Example:
        >>> parameters = Parameters(torch.eye(2), torch.zeros(2, 2), torch.zeros(2), torch.zeros(2))
        >>> rnn_step(parameters, torch.zeros(1, 2), torch.tensor([[0.0, -3.0]]), "relu")[0]
        tensor([[0., 0.]])
    """
    preactivation = _affine(x, parameters.weight_ih, parameters.bias_ih) + _affine(
        state, parameters.weight_hh, parameters.bias_hh
    )
    return (torch.tanh(preactivation) if nonlinearity == "tanh" else torch.relu(preactivation)), None


def lstm_step(parameters: Parameters, state: LSTMState, x: Tensor) -> tuple[LSTMState, LSTMGates]:
    r"""Advance the LSTM one step.

    .. math::
        i, f, o = \sigma(\cdot), \quad g = \tanh(\cdot), \quad
        c' = f \odot c + i \odot g, \quad h' = o \odot \tanh(c')

    Args:
        parameters: Weights of the layer, four gate blocks ``i f g o``.
        state: Hidden and cell state, each ``(..., B, H)``.
        x: Input ``(..., B, I)``.

    Returns:
        The new state and the gates that made it.

    Source:
        torch.nn.LSTMCell

    Example:
        >>> zeros = Parameters(torch.zeros(4, 1), torch.zeros(4, 1), torch.zeros(4), torch.zeros(4))
        >>> state, gates = lstm_step(zeros, LSTMState(torch.zeros(1, 1), torch.ones(1, 1)), torch.zeros(1, 1))
        >>> state.cell  # every gate is open half way, and the candidate is 0
        tensor([[0.5000]])
    """
    preactivation = _affine(x, parameters.weight_ih, parameters.bias_ih) + _affine(
        state.hidden, parameters.weight_hh, parameters.bias_hh
    )
    gates = lstm_gates(preactivation)
    cell = gates.forget * state.cell + gates.input * gates.candidate
    return LSTMState(gates.output * torch.tanh(cell), cell), gates


def gru_step(parameters: Parameters, state: Tensor, x: Tensor) -> tuple[Tensor, GRUGates]:
    r"""Advance the GRU one step.

    .. math::
        r, z = \sigma(\cdot), \quad n = \tanh(W_{in} x + b_{in} + r \odot (W_{hn} h + b_{hn})), \quad
        h' = (1 - z) \odot n + z \odot h

    Args:
        parameters: Weights of the layer, three gate blocks ``r z n``.
        state: Hidden state ``(..., B, H)``.
        x: Input ``(..., B, I)``.

    Returns:
        The new hidden state and the gates that made it.

    Source:
        torch.nn.GRUCell

    Example:
        >>> zeros = Parameters(torch.zeros(3, 1), torch.zeros(3, 1), torch.zeros(3), torch.zeros(3))
        >>> gru_step(zeros, torch.ones(1, 1), torch.zeros(1, 1))[0]
        tensor([[0.5000]])
    """
    gates = gru_gates(
        _affine(x, parameters.weight_ih, parameters.bias_ih),
        _affine(state, parameters.weight_hh, parameters.bias_hh),
    )
    return (1 - gates.update) * gates.candidate + gates.update * state, gates


def lstm_gates(preactivation: Tensor) -> LSTMGates:
    """Return the gates ``(..., H)`` of LSTM preactivations ``(..., 4*H)``."""
    i, f, g, o = preactivation.chunk(4, dim=-1)
    return LSTMGates(torch.sigmoid(i), torch.sigmoid(f), torch.tanh(g), torch.sigmoid(o))


def gru_gates(from_input: Tensor, from_hidden: Tensor) -> GRUGates:
    """Return the gates ``(..., H)`` of the GRU's two preactivations, ``W_ih x + b_ih`` and ``W_hh h + b_hh``."""
    input_r, input_z, input_n = from_input.chunk(3, dim=-1)
    hidden_r, hidden_z, hidden_n = from_hidden.chunk(3, dim=-1)
    reset = torch.sigmoid(input_r + hidden_r)
    return GRUGates(reset, torch.sigmoid(input_z + hidden_z), torch.tanh(input_n + reset * hidden_n))


def layer_parameters(network: Recurrent, layer: int) -> Parameters:
    """Return one layer's weights, detached; biases of zero where the network was made with ``bias=False``."""
    weights = [weight.detach() for weight in network.all_weights[layer]]
    if not network.bias:
        weights += [weights[0].new_zeros(len(weights[0]))] * 2
    return Parameters(*weights)


def network_parameters(network: Recurrent) -> list[Parameters]:
    """Return the weights of every layer, the first layer first."""
    return [layer_parameters(network, layer) for layer in range(network.num_layers)]


def _affine(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    return x @ weight.mT + bias.unsqueeze(-2)
