"""Closed forms against the exact numbers of the literature, Monte Carlo and real back-propagation."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from lstm_explorer.core import theory
from lstm_explorer.core.inputs import make_inputs
from lstm_explorer.core.networks.build import build_network
from lstm_explorer.core.settings import Settings


@pytest.mark.parametrize("zero_biases", [True, False])
@pytest.mark.parametrize("init", ["orthogonal", "pytorch"])
def test_mean_field_is_within_4_percent_of_real_backpropagation(init, zero_biases):
    predicted, measured = [], []
    for seed in range(5):
        settings = Settings(hidden_size=128, seed=seed, recurrent_init=init, dtype="float64", sequence_length=200)
        rnn, sequence = build_network("rnn", settings), make_inputs(settings)
        if not zero_biases:
            torch.manual_seed(seed)
            rnn.load_state_dict({**nn.RNN(8, 128).double().state_dict(), "weight_hh_l0": rnn.weight_hh_l0})
        state = torch.zeros(1, 1, 128, dtype=torch.float64, requires_grad=True)
        rnn(sequence, state)[0][-1].sum().backward()
        measured.append((state.grad.norm().item() / math.sqrt(128)) ** (1 / 200))
        predicted.append(theory.mean_field_of(rnn, sequence).rate)
    assert np.median(predicted) == pytest.approx(np.median(measured), rel=0.04)


def test_default_rnn_numbers_of_pascanus_condition():
    drawn = [
        theory.recurrent_statistics(build_network("rnn", Settings(hidden_size=128, seed=seed))) for seed in range(5)
    ]
    radius, singular, sigma_w2 = np.median(drawn, axis=0)
    assert singular == pytest.approx(1.14, abs=0.03)
    assert radius == pytest.approx(0.60, abs=0.03)
    assert sigma_w2 == pytest.approx(1 / 3, abs=0.01)


def test_statistics_of_a_known_matrix():
    rnn = nn.RNN(1, 2, num_layers=2)
    with torch.no_grad():
        rnn.weight_hh_l1.copy_(torch.tensor([[0.5, 3.0], [0.0, -0.75]]))
    statistics = theory.recurrent_statistics(rnn, 1)
    assert statistics.spectral_radius == pytest.approx(0.75)
    assert statistics.sigma_w2 == pytest.approx((0.25 + 9 + 0.5625) / 2)
    # The squared singular values of a 2 x 2 matrix have sum ||W||_F^2 and product det(W)^2.
    squares = (9.8125 + math.sqrt(9.8125**2 - 4 * 0.375**2)) / 2
    assert statistics.largest_singular_value == pytest.approx(math.sqrt(squares))


def test_mean_field_of_reads_batch_first_and_biases():
    settings = Settings(hidden_size=8, dtype="float64", batch_size=3)
    rnn, sequence = build_network("rnn", settings), make_inputs(settings)
    swapped = nn.RNN(8, 8, batch_first=True, dtype=torch.float64)
    swapped.load_state_dict(rnn.state_dict())
    assert theory.mean_field_of(swapped, sequence.transpose(0, 1)).q == pytest.approx(
        theory.mean_field_of(rnn, sequence).q
    )
    nn.init.constant_(rnn.bias_hh_l0, 3.0)
    assert theory.mean_field_of(rnn, 0 * sequence).q == pytest.approx(
        theory.mean_field(theory.recurrent_statistics(rnn).sigma_w2, 9.0).q
    )


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: theory.mean_field(-1.0, 0.0), ValueError, "recurrent_variance is -1.0: expected a finite number"),
        (lambda: theory.mean_field(1.0, math.nan), ValueError, "input_variance is nan"),
        (lambda: theory.mean_field(1.0, 1.0, "sigmoid"), ValueError, "'sigmoid': expected one of 'tanh', 'relu'"),
        (lambda: theory.recurrent_statistics(nn.LSTM(1, 1)), TypeError, "LSTM: expected a torch.nn.RNN"),
        (lambda: theory.recurrent_statistics(nn.RNN(1, 1), 1), ValueError, "layer is 1: expected 0 to 0"),
        (lambda: theory.mean_field_of(nn.GRU(1, 1), torch.zeros(1, 1, 1)), TypeError, "GRU: expected a torch.nn.RNN"),
        (lambda: theory.mean_field_of(nn.RNN(2, 1), torch.zeros(1, 1, 3)), ValueError, "input_size=2"),
        (lambda: theory.singular_value_bound(torch.zeros(8, 2)), ValueError, r"\(8, 2\): expected \(H, H\)"),
        (lambda: theory.singular_value_bound(torch.eye(2), "gelu"), ValueError, "'gelu': expected one of"),
    ],
)
def test_wrong_arguments_are_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()
