"""What the core refuses at its boundary: by name, with the reason, and nothing that it supports."""

import copy

import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_sequence

from lstm_explorer import gradient_flow
from lstm_explorer.core.checks import Batch, check_cotangent, check_initial_state, check_inputs, check_network

DOUBLE = torch.float64
#: Five steps of four samples.
BATCH = Batch(torch.zeros(5, 4, 2), None)


@pytest.mark.parametrize(
    ("network", "error", "message"),
    [
        (nn.Linear(1, 1), TypeError, "network is a Linear"),
        (nn.LSTM(2, 3, num_layers=2, dropout=0.5), ValueError, r"dropout=0.5, training mode.*network.eval\(\)"),
        (nn.RNN(2, 3).half(), ValueError, r"torch.float16: expected float32 or float64"),
        (nn.GRU(2, 3, device="meta"), ValueError, "meta device, without numbers"),
    ],
)
def test_networks_that_are_not_supported(network, error, message):
    with pytest.raises(error, match=message):
        check_network(network)


def test_dropout_that_drops_nothing_is_no_reason():
    assert len(check_network(nn.LSTM(2, 3, num_layers=2, dropout=0.5).eval())) == 2
    assert check_network(nn.GRU(2, 3, bias=False, dtype=DOUBLE))[0].bias_hh.abs().sum() == 0


def test_weights_that_are_not_finite_are_counted_by_name():
    network = nn.RNN(2, 3)
    network.weight_hh_l0.data[0, :2] = float("nan")
    network.bias_ih_l0.data[1] = float("inf")
    with pytest.raises(ValueError, match="weight_hh_l0 has 2, bias_ih_l0 has 1 values that are NaN or infinite"):
        check_network(network)


def test_weights_whose_sum_overflows_are_finite():
    network = nn.RNN(2, 3)
    network.weight_ih_l0.data[:] = 3e38
    assert len(check_network(network)) == 1


def test_inputs_come_back_time_first_and_detached():
    inputs = torch.randn(5, 4, 2, requires_grad=True)
    assert not check_inputs(nn.RNN(2, 3), inputs).inputs.requires_grad
    swapped = check_inputs(nn.RNN(2, 3, batch_first=True), inputs)
    assert torch.equal(swapped.inputs, inputs.detach().transpose(0, 1))
    assert swapped.lengths is None


def test_what_padding_holds_is_not_read():
    inputs = torch.ones(5, 2, 2)
    inputs[3:, 1] = torch.nan
    batch = check_inputs(nn.RNN(2, 3), inputs, [5, 3])
    assert batch.inputs[:, 1].sum() == 6
    assert batch.lengths.tolist() == [5, 3]
    assert check_inputs(nn.RNN(2, 3), torch.ones(5, 2, 2), torch.tensor([5, 5])).lengths is None


def test_the_hints_can_be_followed_to_the_letter():
    """Each message says what to write; written as it says, the call works."""
    network, inputs = nn.LSTM(2, 3, batch_first=True), torch.randn(4, 5, 2)
    nested = torch.nested.nested_tensor([torch.randn(5, 2), torch.randn(3, 2)], layout=torch.jagged)
    with pytest.raises(ValueError, match="to_padded_tensor"):
        gradient_flow(network, nested)
    gradient_flow(network, nested.to_padded_tensor(0.0), lengths=[len(sample) for sample in nested.unbind()])
    with pytest.raises(ValueError, match=r"pass inputs\.to_dense\(\)"):
        gradient_flow(network, inputs.to_sparse())
    gradient_flow(network, inputs.to_sparse().to_dense())
    with pytest.raises(ValueError, match=r"inputs\.to\(network\.weight_ih_l0\)"):
        gradient_flow(network, inputs.double())
    gradient_flow(network, inputs.double().to(network.weight_ih_l0))
    half = copy.deepcopy(network).bfloat16()
    with pytest.raises(ValueError, match=r"copy\.deepcopy\(network\)\.float\(\), with inputs\.float\(\)"):
        gradient_flow(half, inputs.bfloat16())
    gradient_flow(copy.deepcopy(half).float(), inputs.bfloat16().float())


@pytest.mark.parametrize(
    ("inputs", "error", "message"),
    [
        ([[1.0]], TypeError, "inputs is a list: expected a torch.Tensor"),
        (torch.zeros(5), ValueError, r"shape \(5,\): expected \(T, B, input_size\), or \(T, input_size\)"),
        (torch.zeros(5, 1, 2, device="meta"), ValueError, "inputs is torch.float32 on meta"),
        (torch.zeros(5, 1, 2, dtype=torch.complex64), ValueError, "inputs is torch.complex64"),
        (torch.zeros(5, 1, 2, dtype=torch.long), ValueError, "inputs is torch.int64"),
        (pack_sequence([torch.zeros(5, 3)]), ValueError, r"packed: expected input_size=2"),
        (pack_sequence([torch.zeros(5)]), ValueError, r"packed: expected input_size=2"),
        (torch.zeros(5, 1, 3), ValueError, "input_size=2"),
        (torch.zeros(0, 1, 2), ValueError, "at least one step and one sample"),
        (torch.zeros(5, 1, 2, dtype=DOUBLE), ValueError, "inputs is torch.float64 on cpu: expected the network's"),
        (torch.full((5, 1, 2), float("inf")), ValueError, "inputs has values that are NaN or infinite"),
    ],
)
def test_inputs_that_do_not_fit(inputs, error, message):
    with pytest.raises(error, match=message):
        check_inputs(nn.RNN(2, 3), inputs)


def test_the_cotangent_is_ones_by_default():
    network = nn.GRU(2, 3, dtype=DOUBLE)
    assert torch.equal(check_cotangent(network, None, BATCH), torch.ones(4, 3, dtype=DOUBLE))
    every = torch.arange(60.0, dtype=DOUBLE).reshape(5, 4, 3)
    assert torch.equal(check_cotangent(network, every, BATCH), every)
    expected = r"\(B, hidden_size\) = \(4, 3\), of the last step, or \(T, B, hidden_size\) = \(5, 4, 3\), of every step"
    with pytest.raises(ValueError, match=r"cotangent is \(3,\): expected .*" + expected):
        check_cotangent(network, torch.ones(3, dtype=DOUBLE), BATCH)
    with pytest.raises(ValueError, match=r"cotangent is torch\.float32"):
        check_cotangent(network, torch.ones(4, 3), BATCH)


def test_a_cotangent_of_every_step_is_laid_out_as_the_inputs_are():
    network = nn.GRU(2, 3, batch_first=True)
    every = torch.arange(60.0).reshape(4, 5, 3)
    assert torch.equal(check_cotangent(network, every, BATCH), every.transpose(0, 1))
    with pytest.raises(ValueError, match=r"\(B, T, hidden_size\) = \(4, 5, 3\), of every step"):
        check_cotangent(network, every.transpose(0, 1), BATCH)


def test_states_are_zeros_by_default_one_for_each_of_the_network_s():
    ((hidden, cell),) = check_initial_state(nn.LSTM(2, 3), None, 4)
    assert hidden.shape == cell.shape == (1, 4, 3)
    assert (hidden.abs() + cell.abs()).sum() == 0
    state = torch.arange(24.0).reshape(2, 4, 3)
    layers = check_initial_state(nn.GRU(2, 3, num_layers=2), state, 4)
    assert [torch.equal(layer[0][0], state[index]) for index, layer in enumerate(layers)] == [True, True]


@pytest.mark.parametrize(
    ("network", "state", "message"),
    [
        (nn.LSTM(2, 3), torch.zeros(1, 4, 3), r"expected \(h_0, c_0\), two tensors of shape"),
        (nn.RNN(2, 3), (torch.zeros(1, 4, 3),) * 2, "expected h_0, one tensor of shape"),
        (nn.RNN(2, 3), torch.zeros(4, 3), r"initial_state is \[\(4, 3\)\]"),
        (nn.RNN(2, 3), torch.full((1, 4, 3), float("nan")), "initial_state has values that are NaN"),
    ],
)
def test_states_that_do_not_fit(network, state, message):
    with pytest.raises(ValueError, match=message):
        check_initial_state(network, state, 4)
