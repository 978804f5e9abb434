"""jacobian_flow against singular values in arithmetic of hundreds of digits, and where they are known exactly."""

import functools

import mpmath
import numpy as np
import pytest
import torch
from torch import nn

import lstm_explorer as lx
from lstm_explorer.core.jacobians import products


def exact(jacobians, digits):
    """Return log10 of the singular values of the product of ``(T, S, S)``, computed with that many digits."""
    with mpmath.workdps(digits):
        product = mpmath.eye(jacobians.shape[-1])
        for one in jacobians:
            product = mpmath.matrix(one.tolist()) * product
        values = mpmath.svd_r(product, compute_uv=False)
        return torch.tensor([float(mpmath.log10(value)) for value in values], dtype=torch.float64)


@pytest.mark.parametrize(
    ("scale", "steps", "size", "digits"),
    [
        (1e-3, 130, 4, 900),
        (40.0, 180, 5, 900),
        (1.0, 60, 6, 300),
        (1.0, 1, 6, 50),
        (1.0, 9, 1, 50),
        (1e-190, 3, 3, 900),
    ],
)
def test_all_singular_values_are_exact_far_past_the_float_range(scale, steps, size, digits):
    torch.manual_seed(steps)
    jacobians = scale * torch.randn(steps, 1, size, size, dtype=torch.float64)
    found = lx.jacobian_flow_of(jacobians).log10_singular_values
    # Each to its own relative precision: 1e-11 of some hundred roundings, however far below the largest.
    torch.testing.assert_close(found[0, 0], exact(jacobians[:, 0], digits), rtol=0.0, atol=1e-11)
    middle = steps // 2
    torch.testing.assert_close(found[middle, 0], exact(jacobians[middle:, 0], digits), rtol=0.0, atol=1e-11)
    assert torch.equal(found[steps], torch.zeros(1, size, dtype=torch.float64))
    assert (found.diff(dim=-1) <= 0).all()


def test_close_singular_values_are_exact_too():
    torch.manual_seed(0)
    jacobians = torch.eye(6, dtype=torch.float64) + 1e-3 * torch.randn(50, 1, 6, 6, dtype=torch.float64)
    found = lx.jacobian_flow_of(jacobians).log10_singular_values[0, 0]
    torch.testing.assert_close(found, exact(jacobians[:, 0], 50), rtol=0.0, atol=1e-12)


@pytest.mark.parametrize("name", ["rnn", "lstm", "gru"])
def test_networks_are_exact_at_every_lag(name):
    settings = lx.Settings(
        sequence_length=150, hidden_size=3, batch_size=2, forget_bias=2, recurrent_gain=0.3, dtype="float64"
    )
    network, inputs = lx.build_network(name, settings), lx.make_inputs(settings)
    flow, jacobians = lx.jacobian_flow(network, inputs), lx.step_jacobians(network, inputs)
    assert flow.architecture == name
    for t, sample in ((0, 1), (100, 0)):
        expected = exact(jacobians[t:, sample], 900)
        torch.testing.assert_close(flow.log10_singular_values[t, sample], expected, rtol=0.0, atol=1e-10)


def test_every_gradient_stays_between_the_largest_and_the_smallest():
    settings = lx.Settings(sequence_length=60, hidden_size=8, recurrent_gain=1.5, dtype="float64")
    network, inputs = lx.build_network("rnn", settings), lx.make_inputs(settings)
    values = lx.jacobian_flow(network, inputs).log10_singular_values[:, 0]
    survived = lx.gradient_flow(network, inputs).log10_hidden[0, :, 0]
    survived = survived - survived[-1]
    assert (survived <= values[:, 0] + 1e-9).all()
    assert (survived >= values[:, -1] - 1e-9).all()


def test_a_linear_rnn_with_orthogonal_weights_keeps_every_direction():
    rnn = nn.RNN(1, 5, nonlinearity="relu", bias=False).double()
    with torch.no_grad():
        rnn.weight_ih_l0.fill_(1.0)
        rnn.weight_hh_l0.copy_(torch.eye(5)[[2, 0, 4, 1, 3]])  # nothing below 0, so that ReLU lets all pass
    found = lx.jacobian_flow(rnn, torch.ones(300, 1, 1, dtype=torch.float64)).log10_singular_values
    assert torch.equal(found, torch.zeros(301, 1, 5, dtype=torch.float64))


@pytest.mark.parametrize("gain", [0.02, 50.0])
def test_a_scaled_rotation_scales_every_direction(gain):
    torch.manual_seed(0)
    rotation = torch.linalg.qr(torch.randn(5, 5, dtype=torch.float64)).Q
    found = lx.jacobian_flow_of((gain * rotation).expand(260, 1, 5, 5)).log10_singular_values[:, 0]
    lag = torch.arange(260, -1, -1, dtype=torch.float64)
    torch.testing.assert_close(found, lag[:, None].expand(-1, 5) * np.log10(gain), rtol=1e-13, atol=1e-11)
    assert found[0].abs().min() > 400


def test_a_mingru_is_the_product_of_its_gates():
    settings = lx.Settings(sequence_length=400, hidden_size=6, update_bias=3.0, dtype="float64")
    network, inputs = lx.build_network("mingru", settings), lx.make_inputs(settings)
    kept = (1 - lx.unroll(network, inputs).gates.update[0, :, 0]).log10()
    products_back = torch.cat([kept.flip(0).cumsum(0).flip(0), torch.zeros(1, 6, dtype=torch.float64)])
    found = lx.jacobian_flow(network, inputs).log10_singular_values[:, 0]
    assert found[0, 0] < -400
    torch.testing.assert_close(found, products_back.sort(dim=-1, descending=True).values, rtol=1e-13, atol=1e-11)


def test_what_is_lost_is_lost_and_the_rest_stays_exact():
    """Without inputs, states and biases the output gate lets nothing through: half of the directions end at once."""
    torch.manual_seed(0)
    lstm = nn.LSTM(2, 4, bias=False).double()
    inputs = torch.zeros(100, 1, 2, dtype=torch.float64)
    found = lx.jacobian_flow(lstm, inputs).log10_singular_values[:, 0]
    assert (found[:-1, 4:] == -torch.inf).all()
    blocks = lx.jacobian_blocks(lx.step_jacobians(lstm, inputs))
    # What is left: c' = (f + i W_g o) c, shown in h by half of c.
    step = blocks.cell_from_cell[0, 0] + blocks.cell_from_hidden[0, 0] / 2
    last = np.sqrt(1.25) * torch.cat([blocks.cell_from_hidden[0, 0], blocks.cell_from_cell[0, 0]], dim=1)
    expected = exact(torch.stack([step] * 99), 300)
    rows = torch.linalg.svdvals(last)
    assert (found[0, :4] >= expected + rows.log10().min() - 0.1).all()
    assert (found[0, :4] <= expected + rows.log10().max() + 0.1).all()


def test_a_dead_relu_ends_its_direction_alone():
    jacobians = torch.tensor([[0.0, 3.0, 0.0], [0.0, 0.0, 0.0], [0.0, 4.0, 5.0]], dtype=torch.float64)
    found = lx.jacobian_flow_of(jacobians.expand(1, 1, 3, 3)).log10_singular_values[0, 0]
    expected = torch.linalg.svdvals(jacobians)
    torch.testing.assert_close(10 ** found[:2], expected[:2])
    assert found[2] == -torch.inf
    nothing = lx.jacobian_flow_of(torch.zeros(3, 1, 2, 2)).log10_singular_values
    assert torch.equal(nothing[:3], torch.full((3, 1, 2), -torch.inf))
    tiny = torch.diag(torch.tensor([1.0, 1e-30, 1e-290], dtype=torch.float64)).expand(5, 1, 3, 3)  # known, so not lost
    assert lx.jacobian_flow_of(tiny).log10_singular_values[0, 0].tolist() == pytest.approx([0, -150, -1450], rel=1e-14)


def test_windows_directions_and_dtypes(monkeypatch):
    torch.manual_seed(3)
    gru = nn.GRU(2, 4, bidirectional=True)
    inputs = torch.randn(11, 2, 2)
    flow = lx.jacobian_flow(gru, inputs)
    jacobians = lx.step_jacobians(gru, inputs)
    assert flow.log10_singular_values.shape == (2, 12, 2, 4)
    assert flow.log10_singular_values.dtype == torch.float32
    for direction in range(2):
        expected = lx.jacobian_flow_of(jacobians[direction]).log10_singular_values
        torch.testing.assert_close(flow.log10_singular_values[direction], expected, rtol=0.0, atol=1e-4)
    monkeypatch.setattr(products, "windows", functools.partial(products.windows, at_once=100))
    assert torch.equal(lx.jacobian_flow(gru, inputs).log10_singular_values, flow.log10_singular_values)
    frame = flow.to_frame()
    row = frame[(frame.direction == "backward") & (frame.lag == 8) & (frame["sample"] == 1) & (frame["rank"] == 2)]
    assert row.step.tolist() == [3]
    assert row.log10_singular_value.tolist() == [float(flow.log10_singular_values[1, 3, 1, 1])]


@pytest.mark.parametrize(
    ("jacobians", "said"),
    [
        (torch.eye(3), r"jacobians has shape \(3, 3\): expected \(T, B, S, S\), as step_jacobians"),
        (torch.ones(2, 1, 3, 2), r"expected \(T, B, S, S\)"),
        (torch.ones(2, 2, 1, 3, 3), r"expected \(T, B, S, S\)"),
        (torch.ones(0, 1, 3, 3), r"expected \(T, B, S, S\)"),
        (torch.full((2, 1, 3, 3), torch.nan), "the Jacobian of step 1 is not finite"),
        (torch.ones(2, 1, 3, 3, dtype=torch.float16), r"jacobians is torch.float16: expected float32 or float64"),
    ],
)
def test_what_is_no_sequence_of_jacobians_is_refused(jacobians, said):
    with pytest.raises(ValueError, match=said):
        lx.jacobian_flow_of(jacobians)
    with pytest.raises(ValueError, match=said):
        lx.lyapunov_exponents_of(jacobians)


@pytest.mark.parametrize("name", ["rnn", "lstm", "gru"])
def test_the_gradient_of_the_whole_state_is_that_of_autograd_and_stays_inside(name):
    torch.manual_seed(1)
    network, inputs = getattr(nn, name.upper())(2, 5).double(), torch.randn(40, 2, 2, dtype=torch.float64)
    cotangent = torch.randn(2, 5, dtype=torch.float64)
    flow = lx.jacobian_flow(network, inputs, cotangent=cotangent)
    for step in (0, 17, 39):
        state = network(inputs[:step])[1] if step else torch.zeros(1, 2, 5, dtype=torch.float64)
        state = (state, torch.zeros_like(state)) if name == "lstm" and not step else state
        parts = [part.detach().requires_grad_() for part in (state if name == "lstm" else (state,))]
        after = network(inputs[step:], tuple(parts) if name == "lstm" else parts[0])[0][-1]
        gradients = torch.autograd.grad((after * cotangent).sum(), parts)
        norm = torch.cat(gradients, dim=-1)[0].norm(dim=-1).log10()
        torch.testing.assert_close(flow.log10_gradient[step], norm, rtol=1e-9, atol=1e-10)
    if name != "lstm":
        exact = lx.gradient_flow(network, inputs, cotangent=cotangent).log10_hidden[0]
        torch.testing.assert_close(flow.log10_gradient, exact, rtol=1e-9, atol=1e-10)
    inside = flow.log10_gradient - cotangent.norm(dim=-1).log10()
    assert (inside <= flow.log10_singular_values[..., 0] + 1e-9).all()
    assert (inside >= flow.log10_singular_values[..., -1] - 1e-9).all()


def test_the_gradient_of_two_directions_each_in_its_own_order():
    torch.manual_seed(1)
    both, inputs = nn.GRU(2, 3, bidirectional=True).double(), torch.randn(6, 1, 2, dtype=torch.float64)
    cotangent = torch.randn(1, 6, dtype=torch.float64)
    flow = lx.jacobian_flow(both, inputs, cotangent=cotangent)
    start = torch.zeros(2, 1, 3, dtype=torch.float64, requires_grad=True)
    last = both(inputs, start)[1]
    (torch.cat([last[0], last[1]], dim=-1) * cotangent).sum().backward()
    torch.testing.assert_close(flow.log10_gradient[:, 0, 0], start.grad[:, 0].norm(dim=-1).log10())


def test_a_gradient_that_comes_in_at_every_step_is_refused():
    with pytest.raises(ValueError, match="expected one for the last step alone"):
        lx.jacobian_flow(nn.RNN(1, 2), torch.zeros(4, 1, 1), cotangent=torch.ones(4, 1, 2))


@pytest.mark.parametrize("recurrent_init", ["orthogonal", "pytorch"])
def test_mean_field_theory_expects_the_rate_of_the_gradient_within_its_published_four_percent(recurrent_init):
    rates, expected = [], []
    for seed in range(5):
        settings = lx.Settings(hidden_size=128, recurrent_init=recurrent_init, seed=seed, dtype="float64")
        rnn, inputs = lx.build_network("rnn", settings), lx.make_inputs(settings)
        exact = lx.gradient_flow(rnn, inputs).log10_hidden[0, :, 0]
        rates.append(10 ** (float(exact[0] - exact[-1]) / 100))
        expected.append(lx.theory.mean_field_of(rnn, inputs).rate)
        largest = float(lx.lyapunov_exponents(rnn, inputs, count=1)[0, 0])
        assert largest == pytest.approx(np.log(rates[-1]), abs=0.06)
    assert np.median(rates) == pytest.approx(np.median(expected), rel=0.04)
