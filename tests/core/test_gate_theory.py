"""Closed forms of the gates against published numbers, a real LSTM and the draws of chrono initialisation."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from lstm_explorer.core import theory
from lstm_explorer.core.architectures import ARCHITECTURES
from lstm_explorer.core.networks.initialization import draw_gate_biases
from lstm_explorer.core.settings import Settings

BIASES = np.arange(6.0)


def test_cell_path_of_the_published_example():
    assert 10 ** float(theory.log10_cell_path(1.0, 100)) == pytest.approx(2.4843785557240e-14, rel=1e-12)


def test_powers_of_the_forget_gate():
    powers = 10 ** theory.log10_cell_path(BIASES, 100)
    np.testing.assert_allclose(powers, [7.89e-31, 2.48e-14, 3.07e-6, 7.76e-3, 0.163, 0.511], rtol=2e-3)


def test_half_lives():
    np.testing.assert_allclose(theory.half_life(BIASES), [1.00, 2.21, 5.46, 14.27, 38.19, 103.2], rtol=2e-3)
    assert 10 ** float(theory.log10_cell_path(2.0, theory.half_life(2.0))) == pytest.approx(0.5, rel=1e-12)


@given(st.floats(-30, 30))
def test_time_constant_is_one_over_one_minus_the_gate(bias):
    forgotten = 1 / (1 + math.exp(bias))  # 1 - sigma(b), without cancellation
    assert float(theory.time_constant(bias)) == pytest.approx(1 / forgotten, rel=1e-12)
    assert float(theory.forget_gate(bias)) == pytest.approx(1 / (1 + math.exp(-bias)), rel=1e-12)


def test_extreme_biases_stay_exact():
    np.testing.assert_allclose(theory.log10_cell_path([-800.0, 800.0], 100), [-80000 / math.log(10), 0], rtol=1e-14)
    np.testing.assert_array_equal(theory.forget_gate([-800.0, 800.0]), [0, 1])
    np.testing.assert_array_equal(theory.time_constant([-800.0, 800.0]), [1, math.inf])
    assert theory.half_life([-800.0, 800.0]).tolist() == [math.log(2) / 800, math.inf]
    assert str(theory.log10_cell_path(1.0, 0)) == "0.0"


def test_lags_broadcast_against_biases():
    grid = theory.log10_cell_path(BIASES[:, None], np.arange(4))
    assert grid.shape == (6, 4)
    np.testing.assert_allclose(grid[0], np.arange(4) * math.log10(0.5))


def test_cell_path_is_what_a_real_lstm_does_with_zero_weights():
    lstm = nn.LSTM(1, 1, dtype=torch.float64)
    for parameter in lstm.parameters():
        nn.init.zeros_(parameter)
    nn.init.constant_(lstm.bias_ih_l0[1:2].detach(), 1.0)
    zeros = torch.zeros(100, 1, 1, dtype=torch.float64)
    cell = torch.zeros(1, 1, 1, dtype=torch.float64, requires_grad=True)
    lstm(zeros, (zeros[:1], cell))[1][1].sum().backward()
    assert math.log10(cell.grad.item()) == pytest.approx(float(theory.log10_cell_path(1.0, 100)), abs=1e-12)


def test_chrono_bias_makes_the_gate_one_minus_one_over_t():
    lags = np.array([2.0, 100.0, 1e6])
    np.testing.assert_allclose(theory.forget_gate(theory.chrono_forget_bias(lags)), 1 - 1 / lags, rtol=1e-14)
    np.testing.assert_allclose(theory.time_constant(theory.chrono_forget_bias(lags)), lags, rtol=1e-14)


@pytest.mark.parametrize("lag", [1, 0, -3, [5, 1], math.nan])
def test_chrono_refuses_lags_of_a_step_or_less(lag):
    with pytest.raises(ValueError, match="expected more than 1 step"):
        theory.chrono_forget_bias(lag)


@given(st.floats(1, 1e6), st.floats(5e-324, 1 - 1e-9))
def test_required_forget_bias_keeps_exactly_the_share(lag, share):
    bias = theory.required_forget_bias(lag, share)
    # the share's own rounding is all there is to lose
    assert float(theory.log10_cell_path(bias, lag)) == pytest.approx(math.log10(share), rel=1e-9, abs=1e-15)


def test_required_forget_bias_of_the_published_powers():
    # sigma(b)^100 of b = 0 to 5, and the half-lives
    shares = [7.89e-31, 2.48e-14, 3.07e-6, 7.76e-3, 0.163, 0.511]
    np.testing.assert_allclose(theory.required_forget_bias(100, shares), BIASES, atol=3e-3)
    lags = [1.00, 2.21, 5.46, 14.27, 38.19, 103.2]
    np.testing.assert_allclose(theory.required_forget_bias(lags, 0.5), BIASES, atol=5e-3)
    assert theory.required_forget_bias([[1], [10]], [0.1, 0.5, 0.9]).shape == (2, 3)


@pytest.mark.parametrize("lag", [0, 0.5, -3, math.nan, math.inf, [10, 0]])
def test_required_forget_bias_refuses_lags(lag):
    with pytest.raises(ValueError, match=r"lag is .*: expected at least 1 step, and finitely many"):
        theory.required_forget_bias(lag, 0.1)


@pytest.mark.parametrize("share", [0, 1, -0.1, 1.5, math.nan, [0.5, 1.0]])
def test_required_forget_bias_refuses_shares(share):
    with pytest.raises(ValueError, match=r"share is .*: expected more than 0 and less than 1"):
        theory.required_forget_bias(10, share)


def test_chrono_quantiles_are_those_of_what_chrono_draws():
    settings = Settings(hidden_size=4096, input_size=1, recurrent_init="chrono", chrono_max=100)
    drawn = draw_gate_biases(ARCHITECTURES["lstm"], settings, torch.Generator().manual_seed(0))["forget"]
    probabilities = np.array([0.05, 0.25, 0.5, 0.75, 0.95])
    # 4096 draws of exp(b) ~ U(1, 99): quantiles are within 98 * 0.5 / 64 * 3 of theirs
    found = np.exp(np.quantile(drawn.double().numpy(), probabilities))
    np.testing.assert_allclose(found, np.exp(theory.chrono_quantile(100, probabilities)), atol=2.3)
    lowest, highest = theory.chrono_quantile(100, [0, 1])
    assert lowest <= drawn.min() < drawn.max() <= highest
    # the longest memory is the gate of 1 - 1/T (tallec2018)
    np.testing.assert_allclose(theory.chrono_quantile([3, 100], 1.0), theory.chrono_forget_bias([3, 100]), rtol=1e-14)


@pytest.mark.parametrize("longest", [2.9, 0, -5, math.nan, math.inf, [100, 2]])
def test_chrono_quantile_refuses_lengths(longest):
    with pytest.raises(ValueError, match=r"longest is .*: expected at least 3 steps; chrono draws from U\(1, longest"):
        theory.chrono_quantile(longest, 0.5)


@pytest.mark.parametrize("probability", [-0.1, 1.1, math.nan, [0.5, 2.0]])
def test_chrono_quantile_refuses_probabilities(probability):
    with pytest.raises(ValueError, match=r"probability is .*: expected 0 to 1"):
        theory.chrono_quantile(100, probability)
