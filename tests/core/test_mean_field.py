"""The mean field of the plain RNN against Monte Carlo, published numbers and real back-propagation."""

import math

import numpy as np
import pytest
import torch

from lstm_explorer.core import theory
from lstm_explorer.core.inputs import make_inputs
from lstm_explorer.core.networks.build import build_network
from lstm_explorer.core.settings import Settings


# Predicted: 0.902 (orthogonal) and 0.558 (default). Those hold with PyTorch's default biases kept, two more
# numbers of variance 1/(3 H) in every preactivation; with zero biases the theory gives 0.911 and 0.561.
@pytest.mark.parametrize(
    ("sigma_w2", "numbers_added", "rate"), [(1, 10, 0.902), (1 / 3, 10, 0.558), (1, 8, 0.911), (1 / 3, 8, 0.561)]
)
def test_mean_field_of_the_published_cases(sigma_w2, numbers_added, rate):
    assert theory.mean_field(sigma_w2, numbers_added / (3 * 128)).rate == pytest.approx(rate, abs=5e-4)


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


@pytest.mark.parametrize("q", [1e-3, 0.5, 7.0, 1e3])
def test_the_edge_of_chaos_is_where_the_rate_is_one(q):
    edge = theory.edge_of_chaos(q)
    field = theory.mean_field(*edge)
    assert field.rate == pytest.approx(1.0, abs=1e-4)
    assert field.q == pytest.approx(q, rel=0.05)
    assert theory.edge_of_chaos(q, "relu").recurrent_variance == 2.0


@pytest.mark.parametrize("q", [6e3, 1e6, 1e9])
def test_a_tanh_that_is_saturated_throughout_has_its_moments(q):
    u = np.linspace(-40.0, 40.0, 200_001)  # sqrt(q) z: where tanh is not yet 1
    density = np.exp(-(u**2) / q / 2) / np.sqrt(2 * np.pi * q)
    slope, missing = (np.trapezoid(part * density, u) for part in (np.cosh(u) ** -4.0, np.cosh(u) ** -2.0))
    edge = theory.edge_of_chaos(q)
    assert edge.recurrent_variance == pytest.approx(1 / slope, rel=1e-3)
    assert q - edge.input_variance == pytest.approx((1 - missing) / slope, rel=1e-3)
    assert theory.mean_field(edge.recurrent_variance, edge.input_variance).rate == pytest.approx(1.0, abs=1e-4)


@pytest.mark.parametrize(("q", "nonlinearity", "said"), [(0.0, "tanh", "above 0"), (1.0, "sigmoid", "expected one of")])
def test_the_edge_of_chaos_says_what_it_expects(q, nonlinearity, said):
    with pytest.raises(ValueError, match=said):
        theory.edge_of_chaos(q, nonlinearity)


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
