"""The dots are the effective biases, and the references what the initialisations give."""

import numpy as np
import pytest
import torch
from torch import nn

from lstm_explorer.core.diagnosis.weights import layer_weights
from lstm_explorer.core.gate_theory import chrono_quantile
from lstm_explorer.figures import plot_gate_biases


def traces(figure, name):
    return [trace for trace in figure.data if trace.name == name]


def test_every_unit_of_every_gate_is_a_dot():
    torch.manual_seed(0)
    (layer,) = layer_weights(nn.LSTM(2, 9))
    figure = plot_gate_biases(layer, architecture="lstm", longest=50)
    dots, box = traces(figure, "forget gate f")
    np.testing.assert_allclose(dots.x, layer.biases["forget"].numpy())
    np.testing.assert_allclose(box.x, dots.x)
    assert figure.layout.xaxis.title.text == "effective bias, b_ih + b_hh"
    ranges = traces(figure, "PyTorch's range")
    assert all(list(one.x) == pytest.approx([-2 / 3, 2 / 3]) for one in ranges)
    keras = [one.x[0] for one in traces(figure, "Keras")]
    assert keras == [0, 0, 1, 0]  # from below: output, candidate, forget, input
    chrono = [list(one.x) for one in traces(figure, "chrono, middle half, for 50 steps") if one.x[0] is not None]
    expected = chrono_quantile(50, [0.25, 0.75])
    assert chrono == [pytest.approx(list(expected)), pytest.approx(list(-expected))]


def test_other_networks_have_the_references_of_theirs():
    (plain,) = layer_weights(nn.RNN(2, 4))
    figure = plot_gate_biases(plain, architecture="rnn")
    assert len(traces(figure, "PyTorch's range")) == 1
    (gru,) = layer_weights(nn.GRU(2, 4))
    figure = plot_gate_biases(gru, architecture="gru", theme="dark")
    assert [one.x[0] is not None for one in traces(figure, "chrono, middle half, for 100 steps")] == [False, True]
