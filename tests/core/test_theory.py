"""Closed forms against the exact numbers of the literature, Monte Carlo and real back-propagation."""

import inspect
import math
import re

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from lstm_explorer.core import datasets, mean_field, theory
from lstm_explorer.core.inputs import kinds as inputs
from lstm_explorer.core.inputs.kinds import make_inputs
from lstm_explorer.core.networks import build as networks
from lstm_explorer.core.networks import initialization
from lstm_explorer.core.networks.build import build_network
from lstm_explorer.core.networks.initialization import draw_gate_biases
from lstm_explorer.core.settings import Settings
from lstm_explorer.core.sources import SOURCES

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
    # FACTS.md: sigma(b)^100 of b = 0 to 5, and the half-lives
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
    drawn = draw_gate_biases(networks.BLOCKS["lstm"], settings, torch.Generator().manual_seed(0))["forget"]
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


# FACTS.md: predicted 0.902 (orthogonal) and 0.558 (default). Those hold with PyTorch's default biases kept, two more
# numbers of variance 1/(3 H) in every preactivation; with zero biases the theory gives 0.911 and 0.561.
@pytest.mark.parametrize(
    ("sigma_w2", "numbers_added", "rate"), [(1, 10, 0.902), (1 / 3, 10, 0.558), (1, 8, 0.911), (1 / 3, 8, 0.561)]
)
def test_mean_field_of_the_published_cases(sigma_w2, numbers_added, rate):
    assert theory.mean_field(sigma_w2, numbers_added / (3 * 128)).rate == pytest.approx(rate, abs=5e-4)


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


@pytest.mark.parametrize(("recurrent", "driven"), [(0.5, 0.3), (1.0, 0.05), (3.0, 1.0), (30.0, 0.1)])
def test_mean_field_by_monte_carlo(recurrent, driven):
    field = theory.mean_field(recurrent, driven)
    slope = np.tanh(math.sqrt(field.q) * np.random.default_rng(0).standard_normal(2_000_000))
    # Two million draws: the relative error of both means is below 0.2 %.
    assert recurrent * np.mean(slope**2) + driven == pytest.approx(field.q, rel=5e-3)
    assert recurrent * np.mean((1 - slope**2) ** 2) == pytest.approx(field.chi, rel=5e-3)
    assert field.rate == pytest.approx(math.sqrt(field.chi))
    assert field.time_scale == pytest.approx(-1 / math.log(field.chi))


@pytest.mark.parametrize(("recurrent", "driven"), [(0.3, 0.02), (1.0, 0.02), (1.5, 0.5)])
def test_mean_field_by_gauss_hermite_iteration(recurrent, driven):
    nodes, weights = np.polynomial.hermite_e.hermegauss(120)
    q = driven
    for _ in range(5000):
        q = recurrent * weights @ np.tanh(math.sqrt(q) * nodes) ** 2 / weights.sum() + driven
    assert theory.mean_field(recurrent, driven).q == pytest.approx(q, rel=1e-9)


def test_mean_field_of_a_strongly_saturated_rnn():
    # For large q, E[sech^4(sqrt(q) z)] -> (1/sqrt(2 pi q)) * integral of sech^4 = 4 / (3 sqrt(2 pi q)).
    field = theory.mean_field(1e4, 1.0)
    assert field.chi == pytest.approx(1e4 * 4 / (3 * math.sqrt(2 * math.pi * field.q)), rel=1e-3)


def test_mean_field_without_input_is_critical_at_one():
    assert theory.mean_field(1.0, 0.0).chi == pytest.approx(1, abs=1e-6)
    assert theory.mean_field(0.81, 0.0).rate == pytest.approx(0.9, abs=1e-9)
    grown = theory.mean_field(1.21, 0.0)
    assert grown.q > 0.05  # above the critical point the silent state is not stable: activity sustains itself
    assert theory.mean_field(0.0, 1.0).time_scale == 0


def test_relu_mean_field_is_closed():
    assert theory.mean_field(2.0, 0.0, "relu") == (0, 1, 1, math.inf)
    assert theory.mean_field(2.0, 0.1, "relu").q == math.inf
    field = theory.mean_field(1.0, 0.25, "relu")
    draws = np.maximum(math.sqrt(field.q) * np.random.default_rng(0).standard_normal(1_000_000), 0)
    assert np.mean(draws**2) + 0.25 == pytest.approx(field.q, rel=5e-3)
    assert field.chi == 0.5


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


@pytest.mark.parametrize("seed", range(3))
def test_singular_value_bound_holds_for_real_gradients(seed):
    settings = Settings(hidden_size=16, seed=seed, dtype="float64", sequence_length=10, recurrent_gain=2)
    rnn = build_network("rnn", settings)
    state = torch.zeros(1, 1, 16, dtype=torch.float64, requires_grad=True)
    rnn(make_inputs(settings), state)[0][-1].sum().backward()
    bound = theory.singular_value_bound(rnn.weight_hh_l0)
    assert state.grad.norm() <= bound**10 * 4  # the loss' own gradient has norm sqrt(16)
    assert bound == pytest.approx(theory.recurrent_statistics(rnn).largest_singular_value)
    assert theory.singular_value_bound(rnn.weight_hh_l0, "relu") == bound
    assert theory.singular_value_bound(rnn.weight_hh_l0, "sigmoid") == bound / 4


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


def test_every_source_named_in_a_docstring_exists():
    modules = (datasets, initialization, inputs, mean_field, networks, theory)
    text = "\n".join(inspect.getsource(module) for module in modules)
    named = {key for line in re.findall(r"Source:\n\s+(.*)", text) for key in re.findall(r"\b[a-z]+\d{4,}\b", line)}
    assert named >= {"gers2000", "chen2018", "pascanu2013", "tallec2018"}
    assert named <= set(SOURCES)


def test_sources_cannot_be_changed_and_have_honest_addresses():
    with pytest.raises(TypeError, match="does not support item assignment"):
        SOURCES["new"] = SOURCES["le2015"]
    for key, source in SOURCES.items():
        assert str(source.year) in key or key == "keras16151"
        assert source.url.startswith("https://") or key == "gers2000"
