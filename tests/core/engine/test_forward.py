"""Compiled forward passes against PyTorch's own cells, every sample a network with biases of its own."""

import numpy as np
import pytest
import torch

from lstm_explorer.core.engine import forward

FEATURES, STEPS = 3, 7


def cells_with_biases(kind, size, biases):
    """Return a cell for each sample: the same weights, and its own addition to bias_ih."""
    torch.manual_seed(size)
    first = kind(FEATURES, size, dtype=torch.float64)
    cells = []
    for bias in biases:
        cell = kind(FEATURES, size, dtype=torch.float64)
        cell.load_state_dict(first.state_dict())
        with torch.no_grad():
            cell.bias_ih += bias
        cells.append(cell)
    return first, cells


def drawn(blocks, size, samples, shared):
    generator = torch.Generator().manual_seed(samples)
    biases = torch.randn(samples, blocks * size, generator=generator, dtype=torch.float64)
    inputs = torch.randn(STEPS, shared, FEATURES, generator=generator, dtype=torch.float64)
    states = torch.randn(2, samples, size, generator=generator, dtype=torch.float64)
    return biases, inputs, states


SIZES = [(1, 1, 1), (3, 2, 2), (4, 4, 1), (5, 6, 3), (8, 9, 3), (33, 5, 1)]


@torch.no_grad()
@pytest.mark.parametrize(("size", "samples", "shared"), SIZES)
def test_lstm_pass_is_lstm_cell(size, samples, shared):
    biases, inputs, (before, cell_before) = drawn(4, size, samples, shared)
    first, cells = cells_with_biases(torch.nn.LSTMCell, size, biases)
    hidden, cell = np.empty((2, STEPS + 1, samples, size))
    hidden[0], cell[0] = before, cell_before
    gates = np.empty((4, STEPS, samples, size))
    from_input = (inputs @ first.weight_ih.mT + first.bias_ih + first.bias_hh).numpy()
    weight = first.weight_hh.mT.contiguous().numpy()
    forward.lstm_pass(from_input, biases.numpy(), weight, hidden, gates, cell)
    for b, one in enumerate(cells):
        h, c = before[b : b + 1], cell_before[b : b + 1]
        for t in range(STEPS):
            parts = (one.weight_ih @ inputs[t, b % shared] + one.bias_ih + one.weight_hh @ h[0] + one.bias_hh).chunk(4)
            expected = [torch.sigmoid(parts[0]), torch.sigmoid(parts[1]), torch.tanh(parts[2]), torch.sigmoid(parts[3])]
            np.testing.assert_allclose(gates[:, t, b], torch.stack(expected), rtol=1e-12)
            h, c = one(inputs[t, b % shared][None], (h, c))
            np.testing.assert_allclose(hidden[t + 1, b], h[0], rtol=1e-12)
            np.testing.assert_allclose(cell[t + 1, b], c[0], rtol=1e-12)


@torch.no_grad()
@pytest.mark.parametrize(("size", "samples", "shared"), SIZES)
def test_gru_pass_is_gru_cell(size, samples, shared):
    biases, inputs, (before, _) = drawn(3, size, samples, shared)
    first, cells = cells_with_biases(torch.nn.GRUCell, size, biases)
    hidden = np.empty((STEPS + 1, samples, size))
    hidden[0] = before
    gates = np.empty((3, STEPS, samples, size))
    from_input = (inputs @ first.weight_ih.mT + first.bias_ih).numpy()
    weight = first.weight_hh.mT.contiguous().numpy()
    forward.gru_pass(from_input, biases.numpy(), weight, first.bias_hh.numpy(), hidden, gates)
    for b, one in enumerate(cells):
        h = before[b : b + 1]
        for t in range(STEPS):
            outer = (one.weight_ih @ inputs[t, b % shared] + one.bias_ih).chunk(3)
            inner = (one.weight_hh @ h[0] + one.bias_hh).chunk(3)
            reset, update = torch.sigmoid(outer[0] + inner[0]), torch.sigmoid(outer[1] + inner[1])
            expected = [reset, update, torch.tanh(outer[2] + reset * inner[2])]
            np.testing.assert_allclose(gates[:, t, b], torch.stack(expected), rtol=1e-12)
            h = one(inputs[t, b % shared][None], h)
            np.testing.assert_allclose(hidden[t + 1, b], h[0], rtol=1e-11, atol=1e-14)


@torch.no_grad()
def test_float32_states_are_rounded_as_the_network_s_own():
    torch.manual_seed(0)
    network = torch.nn.LSTM(FEATURES, 8)
    inputs = torch.randn(50, 2, FEATURES)
    weight_ih, weight_hh, bias_ih, bias_hh = network.all_weights[0]
    hidden, cell, gates = np.zeros((51, 2, 8), np.float32), np.zeros((51, 2, 8)), np.empty((4, 50, 2, 8))
    from_input = (inputs @ weight_ih.mT + bias_ih + bias_hh).numpy()
    nothing = np.zeros((2, 32), np.float32)
    forward.lstm_pass(from_input, nothing, weight_hh.mT.contiguous().numpy(), hidden, gates, cell)
    np.testing.assert_allclose(hidden[1:], network(inputs)[0], rtol=1e-4, atol=1e-6)
    assert hidden.dtype == np.float32
