"""unroll and the single steps against PyTorch's own cells and fused networks."""

import oracle
import pytest
import torch
from torch import nn

from lstm_explorer.core.architectures import layer_parameters
from lstm_explorer.core.architectures.gru import step as gru_step
from lstm_explorer.core.architectures.lstm import LSTMState
from lstm_explorer.core.architectures.lstm import step as lstm_step
from lstm_explorer.core.architectures.rnn import step as rnn_step
from lstm_explorer.core.engine.trajectory import unroll

# 23 steps of rounding in the network's dtype, on both sides.
TOLERANCES = {torch.float64: {"rtol": 1e-11, "atol": 1e-13}, torch.float32: {"rtol": 1e-4, "atol": 1e-5}}

KINDS = [
    pytest.param(nn.RNN, {"nonlinearity": "tanh"}, id="tanh"),
    pytest.param(nn.RNN, {"nonlinearity": "relu"}, id="relu"),
    pytest.param(nn.LSTM, {}, id="lstm"),
    pytest.param(nn.GRU, {}, id="gru"),
]
SHAPES = [
    # layers, batch_first, bias, dtype
    (1, False, True, torch.float64),
    (3, True, False, torch.float64),
    (2, True, True, torch.float32),
    (2, False, False, torch.float32),
]


def _case(kind, extra, layers, batch_first, bias, dtype):
    torch.manual_seed(3)
    network = kind(3, 5, num_layers=layers, batch_first=batch_first, bias=bias, **extra).to(dtype)
    inputs = torch.randn((2, 23, 3) if batch_first else (23, 2, 3), dtype=dtype)
    state = [torch.randn(layers, 2, 5, dtype=dtype) for _ in range(2)]
    return network, inputs, tuple(state) if kind is nn.LSTM else state[0]


def _stepped(network, inputs, state):
    """Return hidden and cell ``(L, T + 1, B, H)`` of plain cells, stepped by hand."""
    hidden, cell, _ = oracle.run(network, inputs, initial_state=state)
    return tuple(torch.stack([torch.stack(layer) for layer in part]).detach() for part in (hidden, cell))


@pytest.mark.parametrize(("layers", "batch_first", "bias", "dtype"), SHAPES)
@pytest.mark.parametrize(("kind", "extra"), KINDS)
def test_hidden_states_are_those_of_plain_cells_and_of_the_fused_network(kind, extra, layers, batch_first, bias, dtype):
    network, inputs, state = _case(kind, extra, layers, batch_first, bias, dtype)
    trajectory = unroll(network, inputs, state)
    hidden, _ = _stepped(network, inputs, state)
    torch.testing.assert_close(trajectory.hidden, hidden, **TOLERANCES[dtype])
    output, final = network(inputs, state)
    output = output.transpose(0, 1) if batch_first else output
    torch.testing.assert_close(trajectory.hidden[-1, 1:], output.detach(), rtol=0, atol=1e-6)
    final_hidden = final[0] if kind is nn.LSTM else final
    torch.testing.assert_close(trajectory.hidden[:, -1], final_hidden.detach(), rtol=0, atol=1e-6)


@pytest.mark.parametrize(("layers", "batch_first", "bias", "dtype"), SHAPES)
def test_cell_states_are_those_of_plain_cells_and_of_the_fused_network(layers, batch_first, bias, dtype):
    network, inputs, state = _case(nn.LSTM, {}, layers, batch_first, bias, dtype)
    trajectory = unroll(network, inputs, state)
    _, cell = _stepped(network, inputs, state)
    torch.testing.assert_close(trajectory.cell, cell, **TOLERANCES[dtype])
    _, (_, final_cell) = network(inputs, state)
    torch.testing.assert_close(trajectory.cell[:, -1], final_cell.detach(), rtol=0, atol=1e-6)


def _preactivations(network, layer, x, hidden):
    """Return ``W_ih x + b_ih`` and ``W_hh h + b_hh`` in blocks, by the definition in PyTorch's documentation."""
    get = lambda name: getattr(network, f"{name}_l{layer}").detach()  # noqa: E731
    zero = torch.zeros(len(get("weight_ih")), dtype=x.dtype)
    b_ih, b_hh = (get("bias_ih"), get("bias_hh")) if network.bias else (zero, zero)
    count = len(zero) // network.hidden_size
    return (x @ get("weight_ih").T + b_ih).chunk(count, -1), (hidden @ get("weight_hh").T + b_hh).chunk(count, -1)


@pytest.mark.parametrize(("layers", "batch_first", "bias", "dtype"), SHAPES)
def test_lstm_gates_are_the_documented_ones(layers, batch_first, bias, dtype):
    network, inputs, state = _case(nn.LSTM, {}, layers, batch_first, bias, dtype)
    trajectory = unroll(network, inputs, state)
    below = inputs.transpose(0, 1) if batch_first else inputs
    for layer in range(layers):
        xs, hs = _preactivations(network, layer, below, trajectory.hidden[layer, :-1])
        functions = (torch.sigmoid, torch.sigmoid, torch.tanh, torch.sigmoid)
        for gate, function, x, h in zip(trajectory.gates, functions, xs, hs, strict=True):
            torch.testing.assert_close(gate[layer], function(x + h), **TOLERANCES[dtype])
        below = trajectory.hidden[layer, 1:]


@pytest.mark.parametrize(("layers", "batch_first", "bias", "dtype"), SHAPES)
def test_gru_gates_are_the_documented_ones(layers, batch_first, bias, dtype):
    network, inputs, state = _case(nn.GRU, {}, layers, batch_first, bias, dtype)
    trajectory = unroll(network, inputs, state)
    below = inputs.transpose(0, 1) if batch_first else inputs
    for layer in range(layers):
        (xr, xz, xn), (hr, hz, hn) = _preactivations(network, layer, below, trajectory.hidden[layer, :-1])
        reset = torch.sigmoid(xr + hr)
        torch.testing.assert_close(trajectory.gates.reset[layer], reset, **TOLERANCES[dtype])
        torch.testing.assert_close(trajectory.gates.update[layer], torch.sigmoid(xz + hz), **TOLERANCES[dtype])
        torch.testing.assert_close(trajectory.gates.candidate[layer], torch.tanh(xn + reset * hn), **TOLERANCES[dtype])
        below = trajectory.hidden[layer, 1:]


def test_plain_rnn_has_neither_cell_nor_gates():
    trajectory = unroll(nn.RNN(3, 4), torch.zeros(5, 1, 3))
    assert (trajectory.architecture, trajectory.cell, trajectory.gates) == ("rnn", None, None)


# Forget gates from 1e-304 to nearly 1, so that a running product of them leaves the float range in one step, in a few
# or never; 300 steps are more than one window.
@pytest.mark.parametrize("forget_bias", [-700.0, -300.0, -20.0, 0.0, 6.0, 40.0])
def test_cells_follow_their_recurrence_whatever_the_forget_gate(forget_bias):
    torch.manual_seed(0)
    lstm = nn.LSTM(2, 4).double()
    with torch.no_grad():
        lstm.bias_ih_l0[4:8] = forget_bias + torch.linspace(-3, 3, 4)
    inputs, state = torch.randn(300, 2, 2).double(), tuple(torch.randn(1, 2, 4).double() for _ in range(2))
    trajectory = unroll(lstm, inputs, state)
    cell = state[1]
    for t in range(300):
        i, f, g, _ = (gate[:, t] for gate in trajectory.gates)
        cell = f * cell + i * g
        torch.testing.assert_close(trajectory.cell[:, t + 1], cell, rtol=1e-11, atol=1e-14)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(("kind", "extra"), KINDS)
def test_one_step_is_the_step_of_pytorchs_cell(kind, extra, dtype):
    network, inputs, _ = _case(kind, extra, 1, False, True, dtype)
    [cell], parameters, x = oracle.cells_of(network), layer_parameters(network, 0), inputs[0]
    h, c = torch.randn(2, 2, 5, dtype=dtype)
    steps = {
        nn.RNN: lambda: (rnn_step(parameters, h, x, extra.get("nonlinearity", "tanh"))[:1], (cell(x, h),)),
        nn.LSTM: lambda: (lstm_step(parameters, LSTMState(h, c), x)[0], cell(x, (h, c))),
        nn.GRU: lambda: (gru_step(parameters, h, x)[:1], (cell(x, h),)),
    }
    ours, theirs = steps[kind]()
    torch.testing.assert_close(tuple(ours), tuple(part.detach() for part in theirs), rtol=0, atol=1e-6)


def test_forward_overflow_names_the_first_bad_step():
    rnn = nn.RNN(1, 2, nonlinearity="relu", bias=False)
    with torch.no_grad():
        rnn.weight_ih_l0.fill_(1.0)
        rnn.weight_hh_l0.fill_(0.5e10)
    # h_t = 1e10 h_{t-1} + 1: above 3.4e38 for the first time at step 5
    with pytest.raises(ValueError, match=r"range of float32 at step 5 of 9.*recurrent gain"):
        unroll(rnn, torch.ones(9, 1, 1))
