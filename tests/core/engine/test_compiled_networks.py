"""Compiled gates, cells and passes against the one place where the equations stand: the step of the record."""

import numpy as np
import pytest
import torch
from torch import nn

from lstm_explorer.core.architectures import ARCHITECTURES, layer_parameters
from lstm_explorer.core.architectures.lstm import LSTMState
from lstm_explorer.core.engine.compiled_networks import COMPILED

T, B, H, I, N = 150, 2, 5, 3, 4  # noqa: E741 - more steps than a window; N biases
TIGHT = {"rtol": 1e-11, "atol": 1e-13}


def _case(name):
    torch.manual_seed(2)
    network = ARCHITECTURES[name].module(I, H).double()
    for weight in network.parameters():
        nn.init.normal_(weight, std=0.7)
    return network, layer_parameters(network, 0), torch.randn(T, B, I, dtype=torch.float64)


def _state(name, hidden, cell):
    return LSTMState(hidden, cell) if name == "lstm" else hidden


@pytest.mark.parametrize("name", sorted(COMPILED))
def test_fused_states_gates_and_cells_are_those_of_the_step(name):
    network, weights, inputs = _case(name)
    initial = tuple(torch.randn(1, B, H, dtype=torch.float64) for _ in ARCHITECTURES[name].states)
    hidden = torch.cat([initial[0], COMPILED[name].fused(network, weights, inputs, initial).detach()])
    layer = COMPILED[name].known(weights, inputs, hidden, initial)
    step, cell = ARCHITECTURES[name].step_of(network), None if layer.cell is None else torch.from_numpy(layer.cell)
    for t in range(T):
        after, gates = step(weights, _state(name, hidden[t], None if cell is None else cell[t]), inputs[t])
        torch.testing.assert_close(hidden[t + 1], after.hidden if name == "lstm" else after, **TIGHT)
        if name == "lstm":
            torch.testing.assert_close(cell[t + 1], after.cell, **TIGHT)
        if name == "rnn":
            assert layer.gates is layer.cell is gates is None
        else:
            np.testing.assert_allclose(layer.gates[:, t], torch.stack(list(gates)), rtol=1e-11)


@pytest.mark.parametrize("name", ["lstm", "gru"])
def test_passes_over_biases_are_the_step_with_those_biases(name):
    network, weights, inputs = _case(name)
    blocks = len(ARCHITECTURES[name].gates)
    own = weights.bias_ih + torch.randn(N * B, blocks * H, dtype=torch.float64)  # the B inputs are taken in turns
    layer = COMPILED[name].biased(weights._replace(bias_ih=own), inputs)
    step = ARCHITECTURES[name].step_of(network)
    zeros = torch.zeros(N, B, 1, H, dtype=torch.float64)
    parameters, state = weights._replace(bias_ih=own.unflatten(0, (N, B))), _state(name, zeros, zeros)
    for t, x in enumerate(inputs):
        state, gates = step(parameters, state, x[:, None])
        hidden = state.hidden if name == "lstm" else state
        torch.testing.assert_close(layer.hidden[t + 1], hidden.flatten(0, 2), **TIGHT)
        np.testing.assert_allclose(layer.gates[:, t], torch.stack(list(gates)).flatten(1, 3), rtol=1e-10, atol=1e-14)
        if name == "lstm":
            np.testing.assert_allclose(layer.cell[t + 1], state.cell.flatten(0, 2), **TIGHT)


@pytest.mark.parametrize(
    ("name", "extra"), [("rnn", {"nonlinearity": "tanh"}), ("rnn", {"nonlinearity": "relu"}), ("lstm", {}), ("gru", {})]
)
def test_coefficients_are_derivatives_of_the_step(name, extra):
    torch.manual_seed(2)
    network = ARCHITECTURES[name].module(I, H, **extra).double()
    weights, inputs = layer_parameters(network, 0), torch.randn(6, B, I, dtype=torch.float64)
    initial = tuple(torch.randn(1, B, H, dtype=torch.float64) for _ in ARCHITECTURES[name].states)
    hidden = torch.cat([initial[0], COMPILED[name].fused(network, weights, inputs, initial).detach()])
    layer = COMPILED[name].known(weights, inputs, hidden, initial)
    found = COMPILED[name].coefficients(network, weights, layer, 5, 2)
    step = ARCHITECTURES[name].step_of(network)
    for t in range(2, 5):
        cell = None if layer.cell is None else torch.from_numpy(layer.cell[t])
        bias = weights.bias_ih.clone().requires_grad_()
        parameters, state = weights._replace(bias_ih=bias), _state(name, hidden[t], cell)
        after = step(parameters, state, inputs[t])[0]
        if name == "rnn":  # the derivative towards the preactivation, summed over the samples
            (slope,) = torch.autograd.grad(after.sum(), bias)
            np.testing.assert_allclose(found[t - 2].sum(axis=0), slope, rtol=1e-11)
        elif name == "lstm":
            (slope,) = torch.autograd.grad(after.hidden.sum(), after.cell)
            np.testing.assert_allclose(found.hidden_slope[t - 2], slope, rtol=1e-11)
            np.testing.assert_allclose(found.tanh_cell[t - 2], after.cell.tanh().detach(), rtol=1e-11)
        else:
            recurrent = hidden[t] @ weights.weight_hh[2 * H :].T + weights.bias_hh[2 * H :]
            np.testing.assert_allclose(found.recurrent[t - 2], recurrent, rtol=1e-11)
            np.testing.assert_allclose(found.before[t - 2], hidden[t], rtol=0)
