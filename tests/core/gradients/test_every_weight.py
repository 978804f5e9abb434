"""The gradient of every weight, summed over the steps past the float range, against ``.grad`` of the real network."""

import math

import pytest
import torch
from torch import nn

import lstm_explorer as lx
from lstm_explorer.core.checks import check_given
from lstm_explorer.core.engine.scaled import log10_norm, shifted
from lstm_explorer.core.engine.trajectory import unroll_given
from lstm_explorer.core.gradients.every_weight import weight_products
from lstm_explorer.core.gradients.through_layers import upstreams_of_outputs


def products_of(network, inputs, cotangent):
    given = check_given(network, inputs)
    layers = unroll_given(given)
    return weight_products(given, layers, upstreams_of_outputs(given, layers, cotangent, "last"))


NETWORKS = {
    "rnn": lambda: nn.RNN(3, 4, num_layers=2, dtype=torch.float64),
    "relu, no bias": lambda: nn.RNN(3, 4, num_layers=2, bias=False, nonlinearity="relu", dtype=torch.float64),
    "lstm": lambda: nn.LSTM(3, 4, num_layers=2, dtype=torch.float64),
    "lstm, projected": lambda: nn.LSTM(3, 4, num_layers=2, proj_size=2, dtype=torch.float64),
    "gru": lambda: nn.GRU(3, 4, num_layers=2, dtype=torch.float64),
    "gru, both ways": lambda: nn.GRU(3, 4, num_layers=2, bidirectional=True, dtype=torch.float64),
    "mingru": lambda: lx.build_network(
        "mingru", lx.Settings(input_size=3, hidden_size=4, num_layers=2, dtype="float64")
    ),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_the_sum_is_the_grad_of_every_weight_of_the_real_network(name):
    torch.manual_seed(2)
    network = NETWORKS[name]()
    inputs = torch.randn(9, 2, 3, dtype=torch.float64)
    output, _ = network(inputs)
    cotangent = torch.randn_like(output)
    output.backward(cotangent)
    found = {key: one for layer in products_of(network, inputs, cotangent) for key, one in layer.items()}
    expected = dict(network.named_parameters())
    assert set(found) == set(expected)
    for key, weight in expected.items():
        total = torch.from_numpy(shifted(*found[key].total())).view(weight.shape)
        torch.testing.assert_close(total, weight.grad, rtol=1e-9, atol=1e-12)


def test_it_goes_on_past_the_float_range():
    """A linear RNN that grows tenfold a step: what step t adds to weight_ih is 10^(T - t)."""
    rnn = nn.RNN(1, 1, nonlinearity="relu", dtype=torch.float64)
    for weight, value in zip(rnn.parameters(), (1.0, 10.0, 0.0, 0.0), strict=True):
        nn.init.constant_(weight, value)
    inputs = torch.zeros(600, 1, 1, dtype=torch.float64)
    inputs[0], inputs[-1] = 1e-300, 1e300  # the state stays inside the range, its gradient leaves it
    (layer,) = products_of(rnn, inputs, torch.ones(1, 1, dtype=torch.float64))
    steps = layer["weight_ih_l0"].log10_of_steps()
    assert steps[[0, -1]] == pytest.approx([599 - 300, 300])
    assert steps[1:-1].tolist() == [-math.inf] * 598
    assert log10_norm(layer["bias_ih_l0"].total()) == pytest.approx(math.log10(10 / 9) + 599)
