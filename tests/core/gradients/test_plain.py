"""plain_backward against a real ``loss.backward()`` in float32, and where the floats run out against closed forms."""

import math

import oracle
import pytest
import torch
from torch import nn

import lstm_explorer as lx

SETTINGS = lx.Settings(sequence_length=9, hidden_size=5, input_size=3, batch_size=2, num_layers=2, recurrent_gain=2.0)


def linear(factor, steps):
    """Return a linear RNN of two units, and inputs that keep its state positive and inside the range of the floats."""
    rnn = nn.RNN(1, 2, nonlinearity="relu", bias=False)
    nn.init.ones_(rnn.weight_ih_l0)
    rnn.weight_hh_l0.data.copy_(factor * torch.eye(2))
    inputs = torch.ones(steps, 1, 1)
    if factor > 1:
        inputs[0], inputs[1:] = 1e-30, 0.0
    return rnn, inputs


@pytest.mark.parametrize("loss", ["last", "every"])
@pytest.mark.parametrize("architecture", ["rnn", "lstm", "gru"])
def test_norms_are_those_of_a_real_backward_pass_in_the_same_dtype(architecture, loss):
    network, inputs = lx.build_network(architecture, SETTINGS), lx.make_inputs(SETTINGS)
    found = lx.plain_backward(network, inputs, loss=loss)
    hidden, cell, _ = oracle.run(network, inputs, loss=loss)
    expected = oracle.norms(hidden)
    assert found.norm_hidden.dtype == torch.float32
    torch.testing.assert_close(found.norm_hidden.double(), expected, rtol=1e-4, atol=0.0)
    torch.testing.assert_close(10 ** found.exact.log10_hidden.double(), expected, rtol=1e-4, atol=0.0)
    assert (found.overflows_at, found.dies_at) == (None, None)
    if found.norm_cell is not None:
        torch.testing.assert_close(found.norm_cell.double(), oracle.norms(cell), rtol=1e-4, atol=0.0)


OTHERS = {
    "both ways": lambda: nn.GRU(3, 5, num_layers=2, bidirectional=True, batch_first=True),
    "projected": lambda: nn.LSTM(3, 5, num_layers=2, proj_size=2),
    "mingru": lambda: lx.build_network("mingru", SETTINGS),
}


@pytest.mark.parametrize("name", OTHERS)
def test_whatever_gradient_flow_takes_is_carried_back(name):
    torch.manual_seed(0)
    network, state = OTHERS[name](), None
    inputs = torch.randn(*((2, 9) if network.batch_first else (9, 2)), 3)
    found, exact = lx.plain_backward(network, inputs, initial_state=state), lx.gradient_flow(network, inputs)
    torch.testing.assert_close(found.norm_hidden.log10(), exact.log10_hidden, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(found.exact.log10_hidden, exact.log10_hidden)
    frame = found.to_frame()
    assert len(frame) == found.norm_hidden.numel() * (1 if found.norm_cell is None else 2)
    one = frame.query("quantity == 'hidden' and step == 4 and sample == 1").iloc[0]
    assert one["norm"] == pytest.approx(10 ** one["log10_norm"], rel=1e-4)


def test_float32_overflows_where_its_range_ends():
    rnn, inputs = linear(10.0, 60)
    found = lx.plain_backward(rnn, inputs)
    assert 60 - found.overflows_at == 39  # 10^39 is beyond 3.4 * 10^38
    assert found.norm_hidden[0, found.overflows_at, 0] == math.inf
    assert found.exact.log10_hidden[0, found.overflows_at, 0] == pytest.approx(39 + math.log10(2) / 2)
    assert found.dies_at is None
    assert 60 - lx.plain_backward(rnn, inputs, cotangent=torch.full((1, 2), 1e9)).overflows_at == 30


def test_float32_dies_at_its_smallest_number_and_its_norm_long_before():
    rnn, inputs = linear(0.5, 200)
    found = lx.plain_backward(rnn, inputs)
    assert 200 - found.dies_at == 150  # 2^-149 is the smallest
    norms = found.norm_hidden[0].flip(0)[:, 0]
    assert 1e-23 < 0.5 ** int(norms.nonzero()[-1]) < 1e-22  # the square is below 2^-149
    assert found.exact.log10_hidden[0, 0, 0] == pytest.approx(199.5 * math.log10(0.5))
    assert lx.plain_backward(rnn.double(), inputs.double()).dies_at is None


def test_what_is_zero_for_another_reason_has_not_died():
    rnn, inputs = linear(0.5, 5)
    assert lx.plain_backward(rnn, inputs, cotangent=torch.zeros(1, 2)).dies_at is None
    inputs[2] = -9.0  # the unit is off at step 3: nothing passes
    found = lx.plain_backward(rnn, inputs)
    assert found.exact.log10_hidden[0, 2, 0] == -math.inf
    assert found.dies_at is None


def test_what_cannot_be_measured_is_refused():
    packed = nn.utils.rnn.pack_sequence([torch.ones(5, 2), torch.ones(3, 2)])
    with pytest.raises(ValueError, match=r"samples of \[5, 3\] steps: expected all of one length"):
        lx.plain_backward(nn.GRU(2, 3), packed)
    with pytest.raises(ValueError, match='loss is "every" with a cotangent of every step'):
        lx.plain_backward(nn.GRU(2, 3), torch.ones(5, 1, 2), loss="every", cotangent=torch.ones(5, 1, 3))


def test_weights_and_inputs_of_inference_mode_are_carried_back():
    with torch.inference_mode():
        network, inputs = nn.LSTM(3, 4), torch.ones(5, 1, 3)
    found = lx.plain_backward(network, inputs)
    torch.testing.assert_close(found.norm_hidden.log10(), found.exact.log10_hidden, rtol=1e-4, atol=1e-4)
