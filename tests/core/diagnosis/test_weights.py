"""What the weights of a network say, against NumPy and the constructed answer."""

import numpy as np
import pytest
import torch
from torch import nn

from lstm_explorer.core.diagnosis.weights import layer_weights


def test_every_layer_and_direction_by_gate():
    torch.manual_seed(0)
    network = nn.LSTM(2, 3, 2, bidirectional=True)
    layers = layer_weights(network)
    assert [(one.layer, one.direction) for one in layers] == [
        (0, "forward"), (0, "backward"), (1, "forward"), (1, "backward"),
    ]  # fmt: skip
    last = layers[3]
    block = network.weight_hh_l1_reverse.detach().double().numpy()[3:6]
    assert last.spectral_radius["forget"] == pytest.approx(np.abs(np.linalg.eigvals(block)).max())
    assert last.largest_singular_value["forget"] == pytest.approx(np.linalg.svd(block)[1][0])
    expected = (network.bias_ih_l1_reverse + network.bias_hh_l1_reverse)[3:6]
    torch.testing.assert_close(last.biases["forget"], expected.detach())


def test_projections_and_other_kinds():
    network = nn.LSTM(2, 4, proj_size=2)
    whole = (network.weight_hh_l0 @ network.weight_hr_l0).detach().double().numpy()
    (layer,) = layer_weights(network)
    assert layer.largest_singular_value["output"] == pytest.approx(np.linalg.svd(whole[12:])[1][0], rel=1e-6)
    (plain,) = layer_weights(nn.RNN(2, 3, bias=False))
    assert list(plain.biases) == ["hidden"]
    assert not plain.biases["hidden"].any()
    (large,) = layer_weights(nn.RNN(1, 520))
    assert np.isnan(large.spectral_radius["hidden"])
    assert large.largest_singular_value["hidden"] > 0
    with pytest.raises(TypeError, match="network is a Linear"):
        layer_weights(nn.Linear(1, 1))
