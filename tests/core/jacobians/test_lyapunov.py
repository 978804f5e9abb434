"""lyapunov_exponents against published values, and where they are known."""

import math

import pytest
import torch
from torch import nn

import lstm_explorer as lx


def spectrum(seed, forget_bias):
    """Return exponents of the full state and of the hidden state's block alone: PyTorch's weights, biases of zero."""
    torch.manual_seed(seed)
    lstm = nn.LSTM(8, 32).double()
    with torch.no_grad():
        lstm.bias_ih_l0.zero_()
        lstm.bias_hh_l0.zero_()
        lstm.bias_ih_l0[32:64] = forget_bias
    inputs = torch.randn(400, 1, 8, dtype=torch.float64)
    jacobians = lx.step_jacobians(lstm, inputs)
    alone = lx.jacobian_blocks(jacobians).hidden_from_hidden
    return lx.lyapunov_exponents(lstm, inputs)[0], lx.lyapunov_exponents_of(alone, count=1)[0, 0], jacobians


@pytest.mark.parametrize(("forget_bias", "lowest", "highest"), [(0.0, -0.51, -0.45), (5.0, 0.006, 0.017)])
def test_the_largest_exponent_of_an_lstm_is_the_published_one(forget_bias, lowest, highest):
    runs = [spectrum(seed, forget_bias) for seed in range(5)]
    assert all(lowest < full[0] < highest for full, _, _ in runs)
    # The hidden state's own block does not see the forget bias: about -1.95 whatever it is.
    assert sum(float(blind) for _, blind, _ in runs) / 5 == pytest.approx(-1.95, abs=0.03)
    # Their sum is the rate of a volume.
    full, _, jacobians = runs[0]
    volume = torch.linalg.slogdet(jacobians[:, 0]).logabsdet.mean()
    torch.testing.assert_close(full.sum(), volume, rtol=1e-10, atol=0.0)
    assert (full.diff() <= 0).all()


def test_the_largest_exponent_of_a_linear_rnn_is_the_logarithm_of_its_spectral_radius():
    torch.manual_seed(0)
    rnn = nn.RNN(1, 6, nonlinearity="relu", bias=False).double()
    with torch.no_grad():
        rnn.weight_ih_l0.fill_(1.0)
        rnn.weight_hh_l0.uniform_(0, 0.3)  # nothing below 0, so that ReLU lets all pass
    inputs = torch.ones(500, 2, 1, dtype=torch.float64)
    found = lx.lyapunov_exponents(rnn, inputs, skip=50)
    radii = torch.linalg.eigvals(rnn.weight_hh_l0.detach()).abs().log().sort(descending=True).values
    assert found.shape == (2, 6)
    torch.testing.assert_close(found[1, 0], radii[0], rtol=1e-10, atol=0.0)
    torch.testing.assert_close(found[0], radii, rtol=0.05, atol=0.0)
    leading = lx.lyapunov_exponents(rnn, inputs, skip=50, count=1)
    torch.testing.assert_close(leading[:, 0], found[:, 0])


def test_exponents_are_those_of_lapacks_qr():
    torch.manual_seed(0)
    jacobians = torch.randn(6, 2, 4, 4, dtype=torch.float64)
    directions, rates = torch.eye(4, dtype=torch.float64).expand(2, 4, 4), torch.zeros(2, 4, dtype=torch.float64)
    for t, one in enumerate(jacobians):
        directions, triangle = torch.linalg.qr(one @ directions)
        rates = rates + (t >= 2) * triangle.diagonal(dim1=-2, dim2=-1).abs().log() / 4
    expected = rates.sort(dim=-1, descending=True).values
    torch.testing.assert_close(lx.lyapunov_exponents_of(jacobians, skip=2), expected, rtol=1e-10, atol=1e-12)


def test_skipped_steps_do_not_count_but_what_they_lose_is_lost():
    steps = torch.diag_embed(torch.tensor([[2.0, 0.0, 3.0], [4.0, 1.0, 8.0], [4.0, 1.0, 8.0]])).unsqueeze(1)
    found = lx.lyapunov_exponents_of(steps, skip=1)[0] / math.log(2)
    assert found.tolist() == pytest.approx([3.0, 2.0, -math.inf])
    assert found.dtype == torch.float32
    # What is left by rounding alone is lost too.
    one_way = torch.outer(torch.tensor([0.3, 0.7, 0.9]).double(), torch.tensor([0.1, 0.7, 0.3]).double()).expand(
        2, 1, 3, 3
    )
    assert lx.lyapunov_exponents_of(one_way)[0, 1:].tolist() == [-math.inf, -math.inf]
    # A first direction that is lost takes no other with it.
    shifted = torch.tensor([[[0.0, 1.0, 1.0], [0.0, 1.0, 0.0], [0.0, 0.0, 0.0]], torch.eye(3).tolist()]).unsqueeze(1)
    assert lx.lyapunov_exponents_of(shifted)[0].isfinite().tolist() == [True, True, False]
    torch.testing.assert_close(lx.lyapunov_exponents_of(shifted)[0, :2].sum(), torch.tensor(0.0), rtol=0.0, atol=1e-6)


def test_far_past_the_float_range():
    found = lx.lyapunov_exponents_of(torch.diag(torch.tensor([10.0, 0.1], dtype=torch.float64)).expand(4000, 1, 2, 2))
    assert found[0].tolist() == pytest.approx([math.log(10), -math.log(10)], rel=1e-12)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"skip": 4}, "skip is 4: expected 0 to 3, fewer than the 4 steps of the inputs"),
        ({"skip": -1}, "skip is -1: expected 0 to 3"),
        ({"count": 0}, "count is 0: expected 1 to 6, the numbers in a state; or None for all"),
        ({"count": 7}, "count is 7: expected 1 to 6"),
    ],
)
def test_skip_and_count_have_their_ranges(options, said):
    with pytest.raises(ValueError, match=said):
        lx.lyapunov_exponents(nn.LSTM(2, 3), torch.zeros(4, 1, 2), **options)
