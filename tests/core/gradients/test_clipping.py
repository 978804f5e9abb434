"""clipped_gradient against autograd and PyTorch's own clipping, and past the range of the floats."""

import copy
import math

import numpy as np
import pytest
import torch
from torch import nn

import lstm_explorer as lx
from lstm_explorer.core.architectures import architecture_of, layer_parameters
from lstm_explorer.core.architectures.lstm import LSTMState
from lstm_explorer.core.engine import outer_products

CLIPPERS = {"norm": nn.utils.clip_grad_norm_, "value": nn.utils.clip_grad_value_}
SETTINGS = lx.Settings(
    sequence_length=7, hidden_size=4, input_size=3, batch_size=2, recurrent_gain=2.0, forget_bias=1.0, dtype="float64",
    seed=3,
)  # fmt: skip


def real(network, inputs, cotangent, clipping=None, clip_at=None):
    """Return the norm of the gradient of all weights after a real backward pass, on a copy, clipped or not."""
    own = copy.deepcopy(network)
    own(inputs)[0].backward(cotangent)
    if clipping:
        CLIPPERS[clipping](own.parameters(), clip_at)
    return own, nn.utils.get_total_norm([one.grad for one in own.parameters()]).item()


def of_steps(network, inputs, ends):
    """Return what every step adds to the gradient of each weight: that of a network with a copy of them for each."""
    record = architecture_of(network)
    weights = layer_parameters(network, 0)
    copies = [weights.map(lambda one: one.clone().requires_grad_()) for _ in inputs]
    zeros = torch.zeros(inputs.shape[1], network.hidden_size, dtype=inputs.dtype)
    cell = LSTMState(zeros, zeros)
    state = cell if len(record.states) == 2 else zeros
    for own, x in zip(copies, inputs, strict=True):
        state, _gates = record.step_of(network)(own, state, x)
    (state if len(record.states) == 1 else state.hidden).backward(ends)
    return [[one.grad if one.grad is not None else torch.zeros_like(one) for one in own.tensors] for own in copies]


@pytest.mark.parametrize("batch_size", [1, 2])
@pytest.mark.parametrize("clipping", CLIPPERS)
@pytest.mark.parametrize("architecture", ["rnn", "lstm", "gru", "mingru"])
def test_norms_and_what_every_step_adds_are_autograd_s(monkeypatch, architecture, clipping, batch_size):
    monkeypatch.setattr(outer_products, "_NUMBERS_AT_ONCE", 100)
    settings = SETTINGS.replace(batch_size=batch_size)
    network, inputs = lx.build_network(architecture, settings), lx.make_inputs(settings)
    ends = torch.linspace(-1, 2, 4, dtype=torch.float64).expand(batch_size, 4)
    cotangent = torch.zeros(7, batch_size, 4, dtype=torch.float64)
    cotangent[-1] = ends
    whole, norm = real(network, inputs, cotangent)
    clip_at = 0.4 * norm if clipping == "norm" else 0.1 * norm
    clipped, norm_after = real(network, inputs, cotangent, clipping, clip_at)
    found = lx.clipped_gradient(network, inputs, clipping=clipping, clip_at=clip_at, cotangent=ends)
    for one in (found.own, found.wide):
        assert (one.norm_before, one.norm_after) == pytest.approx((norm, norm_after), rel=1e-9)
        assert one.share_cut > 0
    assert 10**found.log10_norm_before == pytest.approx(norm, rel=1e-9)
    assert 10**found.log10_norm_after == pytest.approx(norm_after, rel=1e-6)
    steps = of_steps(network, inputs, ends)
    names = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")
    there = [name for name in names if hasattr(network, name)]
    pairs = [(clipped.get_parameter(name).grad, whole.get_parameter(name).grad) for name in there]
    factors = [torch.where(one == other, 1.0, one / other) for one, other in pairs]
    for t, parts in enumerate(steps):
        own = [part for name, part in zip(names, parts, strict=True) if name in there]
        before = math.sqrt(sum(part.square().sum() for part in own))
        after = math.sqrt(sum((f * part).square().sum() for f, part in zip(factors, own, strict=True)))
        assert 10 ** found.log10_steps_before[0, t].item() == pytest.approx(before, rel=1e-9)
        assert 10 ** found.log10_steps_after[0, t].item() == pytest.approx(after, rel=1e-6)
    assert all(weight.grad is None for weight in network.parameters())


OTHERS = {
    "stacked, both ways, batch first": lambda: nn.GRU(3, 4, num_layers=2, bidirectional=True, batch_first=True),
    "projected": lambda: nn.LSTM(3, 4, num_layers=2, proj_size=2),
    "no bias": lambda: nn.RNN(3, 4, bias=False),
}


@pytest.mark.parametrize("name", OTHERS)
def test_whatever_gradient_flow_takes_is_clipped(name):
    torch.manual_seed(1)
    network = OTHERS[name]()
    inputs = torch.randn(2, 6, 3)
    directions, size = (2 if network.bidirectional else 1), network.proj_size or network.hidden_size
    cotangent = torch.zeros(2, 6, size * directions)
    time_first = inputs if network.batch_first else inputs.transpose(0, 1)
    # Each direction's own last output: of the one that reads backwards the first in time.
    cotangent[:, -1, :size] = 1.0
    cotangent[:, 0, size:] = 1.0
    _, norm = real(network, time_first, cotangent if network.batch_first else cotangent.transpose(0, 1))
    found = lx.clipped_gradient(network, time_first)
    assert found.own.norm_before == pytest.approx(norm, rel=1e-5)
    assert found.wide.norm_before == pytest.approx(norm, rel=1e-5)
    assert (found.own.dtype, found.wide.dtype) == ("float32", "float64")
    assert found.log10_steps_before.shape == (directions, 6)
    assert len(found.to_frame()) == directions * 6


def tenfold(steps):
    """Return a linear RNN whose gradient grows tenfold at every step back, and what it reads."""
    rnn = nn.RNN(1, 2, nonlinearity="relu", bias=False, dtype=torch.float64)
    nn.init.ones_(rnn.weight_ih_l0)
    rnn.weight_hh_l0.data.copy_(torch.diag(torch.tensor([10.0, 0.5])))
    inputs = torch.zeros(steps, 1, 1, dtype=torch.float64)
    inputs[0] = 1e-290
    return rnn, inputs


def test_clipping_is_exact_past_the_range_of_any_float():
    """After 550 steps the gradient of weight_hh is 550 * 10^259, and with a huge cotangent 10^559."""
    rnn, inputs = tenfold(550)
    huge = torch.full((1, 2), 1e300, dtype=torch.float64)
    found = lx.clipped_gradient(rnn, inputs, cotangent=huge)
    # Each step from the second on adds 10^(300 + 550 - t) times the state of 10^(t - 2 - 290), but for the other unit.
    adds = 300 + 550 - 292
    np.testing.assert_allclose(found.log10_steps_before[0, 9:], adds, atol=1e-9)
    assert found.log10_norm_before == pytest.approx(adds + math.log10(549), abs=0.01)
    assert found.log10_norm_after == pytest.approx(0.0, abs=1e-9)
    np.testing.assert_allclose(found.log10_steps_after[0, 9:], -math.log10(549), atol=0.01)
    assert found.wide.not_finite_before > 0  # no float64 holds it
    by_value = lx.clipped_gradient(rnn, inputs, clipping="value", clip_at=3.0, cotangent=huge)
    np.testing.assert_allclose(by_value.log10_steps_after[0, 9:], math.log10(3 / 549), atol=0.01)
    assert by_value.log10_norm_after > math.log10(3.0)


def test_clipping_by_norm_leaves_the_shares_and_adam_s_step_almost_as_they_are():
    settings = lx.Settings(sequence_length=60, recurrent_gain=4.0)
    found = lx.clipped_gradient(lx.build_network("rnn", settings), lx.make_inputs(settings))
    change = found.log10_steps_after - found.log10_steps_before
    torch.testing.assert_close(change, change[:, :1].expand_as(change), equal_nan=True)
    sgd, adam = found.own.optimizer_steps["sgd"], found.own.optimizer_steps["adam"]
    assert sgd.length == pytest.approx(1 / found.own.norm_before, rel=1e-4)
    assert sgd.degrees < 0.01
    assert 0.9 < adam.length < 1.001
    assert adam.degrees < 10


def test_a_gradient_that_is_small_enough_stays_as_it_is():
    settings = lx.Settings(sequence_length=60, recurrent_gain=0.5)
    network, inputs = lx.build_network("rnn", settings), lx.make_inputs(settings)
    for clipping in CLIPPERS:
        found = lx.clipped_gradient(network, inputs, clipping=clipping, clip_at=1e6)
        assert torch.equal(found.log10_steps_after, found.log10_steps_before)
        assert (found.own.share_cut, found.own.cosine) == (0.0, pytest.approx(1.0))
    one = lx.clipped_gradient(network, inputs[:1])  # weight_hh, which meets a state at rest, has no gradient at all
    assert math.isfinite(one.log10_norm_before)


def test_wrong_thresholds_are_refused():
    gru = nn.GRU(2, 3)
    for clip_at in (0.0, -1.0):
        with pytest.raises(ValueError, match=f"clip_at is {clip_at:g}: expected a number above 0"):
            lx.clipped_gradient(gru, torch.ones(5, 1, 2), clip_at=clip_at)
    packed = nn.utils.rnn.pack_sequence([torch.ones(5, 2), torch.ones(3, 2)])
    with pytest.raises(ValueError, match=r"samples of \[5, 3\] steps: expected all of one length"):
        lx.clipped_gradient(gru, packed)


def test_weights_and_inputs_of_inference_mode_are_clipped():
    with torch.inference_mode():
        network, inputs = nn.LSTM(3, 4), torch.ones(5, 1, 3)
    found = lx.clipped_gradient(network, inputs, clip_at=0.1)
    assert found.own.norm_before == pytest.approx(found.wide.norm_before, rel=1e-5)
