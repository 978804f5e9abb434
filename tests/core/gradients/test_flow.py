"""gradient_flow against autograd through plain cells, closed forms and published numbers."""

import math

import numpy as np
import oracle
import pytest
import torch
from torch import nn

import lstm_explorer as lx
from lstm_explorer.core.gradients.flow import Outputs, flow_of_outputs, gradient_flow

# float64: both sides add up T products of H terms; 1e-9 relative leaves three digits above what was seen.
TIGHT = {"rtol": 1e-9, "atol": 0.0}

CASES = [
    # class, layers, batch_first, bias, extra
    (nn.RNN, 1, False, True, {}),
    (nn.RNN, 2, True, True, {"nonlinearity": "relu"}),
    (nn.RNN, 3, False, False, {}),
    (nn.LSTM, 1, False, True, {}),
    (nn.LSTM, 2, True, True, {}),
    (nn.LSTM, 3, False, False, {}),
    (nn.GRU, 1, False, True, {}),
    (nn.GRU, 2, True, True, {}),
    (nn.GRU, 3, False, False, {}),
]


def _network(kind, layers, batch_first, bias, extra, seed=0, dtype=torch.float64):
    torch.manual_seed(seed)
    network = kind(3, 5, num_layers=layers, batch_first=batch_first, bias=bias, **extra).to(dtype)
    for weight in network.parameters():  # away from the tame default, so that no path is negligible
        nn.init.normal_(weight, std=0.6)
    inputs = torch.randn((2, 17, 3) if batch_first else (17, 2, 3), dtype=dtype)
    state = [torch.randn(layers, 2, 5, dtype=dtype) for _ in range(2)]
    return network, inputs, tuple(state) if kind is nn.LSTM else state[0], torch.randn(2, 5, dtype=dtype)


@pytest.mark.parametrize("loss", ["last", "every"])
@pytest.mark.parametrize(("kind", "layers", "batch_first", "bias", "extra"), CASES)
def test_agrees_with_autograd_through_plain_cells(kind, layers, batch_first, bias, extra, loss):
    network, inputs, state, cotangent = _network(kind, layers, batch_first, bias, extra)
    flow = gradient_flow(network, inputs, cotangent=cotangent, initial_state=state, loss=loss)
    hidden, cell, x = oracle.run(network, inputs, initial_state=state, cotangent=cotangent, loss=loss)
    torch.testing.assert_close(10**flow.log10_hidden, oracle.norms(hidden), **TIGHT)
    torch.testing.assert_close(10**flow.log10_inputs, oracle.norms([x])[0], **TIGHT)
    if kind is nn.LSTM:
        torch.testing.assert_close(10**flow.log10_cell, oracle.norms(cell), **TIGHT)


@pytest.mark.parametrize("loss", ["last", "every"])
@pytest.mark.parametrize("layers", [1, 2, 3])
def test_cell_path_is_what_is_left_when_hidden_is_detached(layers, loss):
    network, inputs, state, cotangent = _network(nn.LSTM, layers, False, True, {})
    flow = gradient_flow(network, inputs, cotangent=cotangent, initial_state=state, loss=loss)
    _, cell, _ = oracle.run(network, inputs, initial_state=state, cotangent=cotangent, loss=loss, detach_recurrent=True)
    torch.testing.assert_close(10**flow.log10_cell_path, oracle.norms(cell), **TIGHT)


@pytest.mark.parametrize("until", [17, 16, 5])
@pytest.mark.parametrize(("kind", "layers", "batch_first", "bias", "extra"), CASES)
def test_a_cotangent_of_every_step(kind, layers, batch_first, bias, extra, until):
    """Any loss of the outputs; one that ends before the last step leaves zeros after it."""
    network, inputs, state, _ = _network(kind, layers, batch_first, bias, extra)
    cotangent = torch.randn(*inputs.shape[:2], 5, dtype=torch.float64)
    (cotangent[:, until:] if batch_first else cotangent[until:]).zero_()
    flow = gradient_flow(network, inputs, cotangent=cotangent, initial_state=state)
    hidden, cell, x = oracle.run(network, inputs, initial_state=state, cotangent=cotangent)
    torch.testing.assert_close(10**flow.log10_hidden, oracle.norms(hidden), **TIGHT)
    torch.testing.assert_close(10**flow.log10_inputs, oracle.norms([x])[0], **TIGHT)
    if kind is nn.LSTM:
        torch.testing.assert_close(10**flow.log10_cell, oracle.norms(cell), **TIGHT)
        _, path, _ = oracle.run(network, inputs, initial_state=state, cotangent=cotangent, detach_recurrent=True)
        torch.testing.assert_close(10**flow.log10_cell_path, oracle.norms(path), **TIGHT)


def test_a_cotangent_of_the_last_step_alone_is_the_loss_last():
    network, inputs, state, cotangent = _network(nn.GRU, 2, False, True, {})
    every = torch.zeros(17, 2, 5, dtype=torch.float64)
    every[-1] = cotangent
    one, same = (gradient_flow(network, inputs, cotangent=v, initial_state=state) for v in (cotangent, every))
    assert torch.equal(one.log10_hidden, same.log10_hidden)
    with pytest.raises(ValueError, match='loss is "every" with a cotangent of every step: expected one of the two'):
        gradient_flow(network, inputs, cotangent=every, loss="every")


@pytest.mark.parametrize("name", ["mingru", "minlstm"])
def test_a_cotangent_of_every_step_of_the_app_s_own_networks(name):
    settings = lx.Settings(sequence_length=9, hidden_size=4, batch_size=3, dtype="float64", num_layers=2)
    network, inputs = lx.build_network(name, settings), lx.make_inputs(settings)
    cotangent = torch.randn(9, 3, 4, dtype=torch.float64)
    flow = gradient_flow(network, inputs, cotangent=cotangent)
    state = torch.zeros(2, 3, 4, dtype=torch.float64, requires_grad=True)
    (network(inputs, state)[0] * cotangent).sum().backward()
    torch.testing.assert_close(10 ** flow.log10_hidden[:, 0], state.grad.norm(dim=-1), **TIGHT)


@pytest.mark.parametrize("kind", [nn.RNN, nn.LSTM, nn.GRU])
def test_float32_network_agrees_with_its_float64_twin(kind):
    network, inputs, state, cotangent = _network(kind, 2, False, True, {}, dtype=torch.float32)
    flow = gradient_flow(network, inputs, cotangent=cotangent, initial_state=state)
    assert flow.log10_hidden.dtype == torch.float32
    double = [part.double() for part in state] if kind is nn.LSTM else state.double()
    hidden, _, _ = oracle.run(network.double(), inputs.double(), initial_state=double, cotangent=cotangent.double())
    # 17 steps of float32 rounding in the forward pass
    torch.testing.assert_close(10 ** flow.log10_hidden.double(), oracle.norms(hidden), rtol=1e-4, atol=0.0)


@pytest.mark.parametrize("forget_bias", [-30.0, 0.0, 4.0])
def test_a_large_float32_lstm_agrees_with_its_float64_twin(forget_bias):
    torch.manual_seed(0)
    lstm, inputs, cotangent = nn.LSTM(3, 32, num_layers=2), torch.randn(150, 8, 3), torch.randn(8, 32)
    with torch.no_grad():
        lstm.bias_ih_l0[32:64] = forget_bias
    flow = gradient_flow(lstm, inputs, cotangent=cotangent, loss="every")
    twin = gradient_flow(lstm.double(), inputs.double(), cotangent=cotangent.double(), loss="every")
    for name in ("log10_hidden", "log10_cell", "log10_cell_path", "log10_inputs"):
        # 150 steps of float32 rounding in the forward pass, as autograd in float32 has it
        torch.testing.assert_close(getattr(flow, name).double(), getattr(twin, name), rtol=1e-6, atol=1e-4)


@pytest.mark.parametrize("kind", [nn.RNN, nn.LSTM, nn.GRU])
def test_every_element_of_the_states_gradients(kind):
    network, inputs, state, cotangent = _network(kind, 2, False, True, {})
    flow = gradient_flow(network, inputs, cotangent=cotangent, initial_state=state, units=True)
    hidden, cell, _ = oracle.run(network, inputs, initial_state=state, cotangent=cotangent)
    of_states = [(flow.log10_hidden_units, hidden), *([(flow.log10_cell_units, cell)] if kind is nn.LSTM else [])]
    for measured, leaves in of_states:
        for layer in range(2):
            for step in (0, 1, 9, 16):
                expected = leaves[layer][step].grad.abs()
                torch.testing.assert_close(10 ** measured[layer, step], expected, rtol=1e-8, atol=0.0)
    assert (flow.log10_cell_units is None) == (kind is not nn.LSTM)


@pytest.mark.parametrize("kind", [nn.RNN, nn.LSTM, nn.GRU])
def test_a_batch_is_its_samples_one_by_one(kind):
    network, inputs, _, _ = _network(kind, 2, False, True, {})
    together = gradient_flow(network, inputs)
    alone = [gradient_flow(network, inputs[:, [b]]) for b in range(2)]
    torch.testing.assert_close(together.log10_hidden, torch.cat([flow.log10_hidden for flow in alone], dim=2))


@pytest.mark.parametrize("kind", [nn.RNN, nn.LSTM, nn.GRU])
def test_central_differences_of_the_initial_state(kind):
    network, inputs, state, _ = _network(kind, 1, False, True, {})
    h0 = (state[0] if kind is nn.LSTM else state)[:, :1]
    c0 = state[1][:, :1] if kind is nn.LSTM else None

    def loss(h):
        return network(inputs[:, :1], (h, c0) if kind is nn.LSTM else h)[0][-1].sum().item()

    eps = 1e-6
    slopes = [(loss(h0 + eps * e) - loss(h0 - eps * e)) / (2 * eps) for e in torch.eye(5, dtype=h0.dtype)]
    flow = gradient_flow(network, inputs[:, :1], initial_state=(h0, c0) if kind is nn.LSTM else h0)
    assert 10 ** flow.log10_hidden[0, 0, 0].item() == pytest.approx(torch.tensor(slopes).norm().item(), rel=1e-5)


def _closed_lstm(forget_bias, dtype):
    lstm = nn.LSTM(1, 2).to(dtype)
    for weight in lstm.parameters():
        nn.init.zeros_(weight)
    with torch.no_grad():
        lstm.bias_ih_l0[2:4] = forget_bias
    return lstm


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(("forget_bias", "steps"), [(1.0, 100), (-8.0, 500), (-8.0, 2000), (-60.0, 40), (5.0, 2000)])
def test_zero_weights_leave_the_forget_gate_alone(forget_bias, steps, dtype):
    flow = gradient_flow(_closed_lstm(forget_bias, dtype), torch.zeros(steps, 1, 1, dtype=dtype))
    # the gate the network really has, at its own precision
    gate = torch.sigmoid(torch.tensor(forget_bias, dtype=dtype).double()).item()
    expected = steps * math.log10(gate)
    tolerance = 1e-12 if dtype == torch.float64 else 2e-7
    for total in (flow.log10_cell, flow.log10_cell_path):
        assert (total[0, 0, 0] - total[0, steps, 0]).item() == pytest.approx(expected, rel=tolerance)


def test_published_cell_path_number():
    # Computed with plain PyTorch cells: T = 100, b_f = 1
    flow = gradient_flow(_closed_lstm(1.0, torch.float64), torch.zeros(100, 1, 1, dtype=torch.float64))
    ratio = 10 ** (flow.log10_cell_path[0, 0, 0] - flow.log10_cell_path[0, 100, 0]).item()
    assert ratio == pytest.approx(2.4843785557240e-14, rel=1e-10)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(("gain", "steps"), [(10.0, 400), (0.125, 2000), (1e9, 60), (1e-9, 60), (1.0, 2000)])
def test_orthogonal_rnn_at_rest_scales_by_its_gain_past_the_float_range(gain, steps, dtype):
    # At h = 0 the slope of tanh is 1, so a permutation times a gain scales every norm by exactly the gain.
    rnn = nn.RNN(1, 3, bias=False).to(dtype)
    with torch.no_grad():
        rnn.weight_hh_l0.copy_(gain * torch.eye(3, dtype=dtype).roll(1, 0))
    flow = gradient_flow(rnn, torch.zeros(steps, 1, 1, dtype=dtype))
    expected = torch.arange(steps, -1, -1, dtype=torch.float64) * math.log10(gain)
    measured = flow.log10_hidden[0, :, 0].double() - flow.log10_hidden[0, -1, 0].double()
    torch.testing.assert_close(measured, expected, rtol=1e-6 if dtype == torch.float32 else 1e-12, atol=1e-7)


def test_identity_relu_rnn_keeps_the_gradient():
    # IRNN with all units active and no bias: every ratio is exactly 1 (le2015)
    rnn = nn.RNN(2, 4, nonlinearity="relu", bias=False).double()
    with torch.no_grad():
        rnn.weight_hh_l0.copy_(torch.eye(4))
        rnn.weight_ih_l0.fill_(0.1)
    flow = gradient_flow(rnn, torch.ones(300, 1, 2, dtype=torch.float64))
    assert (flow.log10_hidden - flow.log10_hidden[:, -1:]).abs().max().item() == 0.0


def _steep(kind):
    """Return two layers whose gradient falls by several orders a step, and a periodic input of 408 steps."""
    network, inputs, _, _ = _network(kind, 2, False, True, {})
    with torch.no_grad():
        for name, weight in network.named_parameters():
            weight *= 0.02
            if kind is not nn.RNN and name.startswith("bias_ih"):
                weight[5:10] -= 20  # the forget gate of the LSTM, the update gate of the GRU: nearly shut
    return network, inputs.repeat(24, 1, 1)


@pytest.mark.parametrize("loss", ["last", "every"])
@pytest.mark.parametrize("kind", [nn.RNN, nn.LSTM, nn.GRU])
def test_steep_stacked_networks_agree_with_autograd_inside_the_float_range(kind, loss):
    network, inputs = _steep(kind)
    flow = gradient_flow(network, inputs, loss=loss)
    hidden, _, _ = oracle.run(network, inputs, loss=loss)
    torch.testing.assert_close(10 ** flow.log10_hidden[:, -8:], oracle.norms(hidden)[:, -8:], rtol=1e-8, atol=0.0)


@pytest.mark.parametrize("kind", [nn.RNN, nn.LSTM, nn.GRU])
def test_steep_stacked_networks_go_on_falling_past_the_float_range(kind):
    network, inputs = _steep(kind)
    flow = gradient_flow(network, inputs)
    assert flow.log10_hidden[0, 0, 0] < -400
    # The input has a period of 17 steps, so each period costs as much as the one before, to the end.
    fall = flow.log10_hidden[:, 17:] - flow.log10_hidden[:, :-17]
    torch.testing.assert_close(fall[:, 17:34], fall[:, 340:357], rtol=1e-4, atol=0.0)


@pytest.mark.parametrize("size", [1e-300, 1e-150, 1e150, 1e300])
@pytest.mark.parametrize("steps", [1, 2, 40, 300])
@pytest.mark.parametrize("kind", [nn.RNN, nn.LSTM, nn.GRU])
def test_a_loss_of_any_size_only_shifts_the_norms(kind, steps, size):
    torch.manual_seed(4)
    network, inputs = kind(2, 5).double(), torch.randn(steps, 3, 2, dtype=torch.float64)
    cotangent = torch.rand(3, 5, dtype=torch.float64) + 0.5
    one = gradient_flow(network, inputs, cotangent=cotangent)
    other = gradient_flow(network, inputs, cotangent=size * cotangent)
    shift = math.log10(size)
    for name in ("log10_hidden", "log10_cell", "log10_cell_path", "log10_inputs"):
        if getattr(one, name) is not None:
            torch.testing.assert_close(getattr(other, name), getattr(one, name) + shift, rtol=1e-13, atol=1e-11)


def test_saturated_unit_gives_minus_infinity_not_a_number():
    rnn = nn.RNN(1, 2, nonlinearity="relu", bias=False).double()
    with torch.no_grad():
        for weight in rnn.parameters():
            weight.fill_(-1.0)
    flow = gradient_flow(rnn, torch.ones(5, 1, 1, dtype=torch.float64))
    assert flow.log10_hidden[0, :-1, 0].tolist() == [-math.inf] * 5
    assert not torch.isnan(flow.log10_inputs).any()


def test_network_is_left_as_it_was():
    lstm = nn.LSTM(3, 4, num_layers=2, dropout=0.5).eval()
    lstm.weight_hh_l0.requires_grad_(False)
    lstm.weight_ih_l0.grad = torch.ones_like(lstm.weight_ih_l0)
    before = {name: weight.clone() for name, weight in lstm.state_dict().items()}
    state = torch.get_rng_state()
    flow = gradient_flow(lstm, torch.randn(6, 2, 3, generator=torch.Generator()))
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(before[name], weight) for name, weight in lstm.state_dict().items())
    assert lstm.weight_ih_l0.grad.sum().item() == lstm.weight_ih_l0.numel()
    assert [w.requires_grad for w in lstm.parameters()].count(False) == 1
    assert not lstm.training
    assert not flow.log10_hidden.requires_grad


def test_frame_holds_the_numbers_of_the_result():
    network, inputs, _, _ = _network(nn.LSTM, 2, False, True, {})
    flow = gradient_flow(network, inputs)
    frame = flow.to_frame()
    assert list(frame.columns) == ["architecture", "layer", "quantity", "step", "lag", "sample", "log10_norm"]
    assert len(frame) == 3 * 2 * 18 * 2 + 17 * 2
    row = frame.query("quantity == 'cell' and layer == 1 and step == 4 and sample == 1").iloc[0]
    assert row.lag == 13
    assert row.log10_norm == flow.log10_cell[1, 4, 1].item()
    last_input = frame.query("quantity == 'inputs' and step == 17 and sample == 0").iloc[0]
    assert last_input.lag == 0
    assert last_input.log10_norm == flow.log10_inputs[16, 0].item()


# --- float32 networks at the ends of float32 ------------------------------------------------------------------------


def _filled(network, **weights):
    """Return the network with all parameters zero but these."""
    with torch.no_grad():
        for name, weight in network.named_parameters():
            weight.copy_(torch.as_tensor(weights.get(name, 0.0), dtype=torch.float64).expand_as(weight))
    return network


def test_a_unit_far_below_its_neighbours_outlives_them_in_float32():
    # The second unit is dead until step 51 and carries the gradient beyond; the first halves it at every step.
    rnn = _filled(
        nn.RNN(2, 2, nonlinearity="relu"), weight_hh_l0=torch.diag(torch.tensor([0.5, 1])), weight_ih_l0=torch.eye(2)
    )
    x = torch.full((400, 1, 2), 0.1)
    x[:51, 0, 1], x[50, 0, 1] = 0.0, 1.0
    log10 = gradient_flow(rnn, x).log10_hidden[0, :, 0]
    for step in (0, 20, 49):
        assert log10[step].item() == pytest.approx((400 - step) * math.log10(0.5), rel=1e-6)


@pytest.mark.parametrize("architecture", ["rnn", "lstm", "gru"])
def test_no_unit_of_an_identity_network_is_lost_in_float32(architecture):
    settings = lx.Settings(hidden_size=8, sequence_length=1000, recurrent_init="identity", recurrent_gain=0.95)
    network, inputs = lx.build_network(architecture, settings), lx.make_inputs(settings)
    flow = gradient_flow(network, inputs, units=True)
    twin = gradient_flow(network.double(), inputs.double(), units=True)
    # 1000 steps of float32 rounding in the forward pass
    torch.testing.assert_close(flow.log10_hidden_units.double(), twin.log10_hidden_units, rtol=1e-5, atol=1e-3)
    torch.testing.assert_close(flow.log10_hidden.double(), twin.log10_hidden, rtol=1e-5, atol=1e-3)


def test_what_underflows_is_not_hidden_by_what_enters():
    tiny = {"weight_hh_l0": 1e-45, "weight_hh_l1": 1e-45, "weight_ih_l0": 1.0, "weight_ih_l1": 1e-3}
    rnn = _filled(nn.RNN(1, 1, num_layers=2, nonlinearity="relu"), **tiny, bias_ih_l0=1.0, bias_ih_l1=1.0)
    flow = gradient_flow(rnn, torch.ones(300, 1, 1))
    twin = gradient_flow(rnn.double(), torch.ones(300, 1, 1, dtype=torch.float64))
    torch.testing.assert_close(flow.log10_hidden.double(), twin.log10_hidden, rtol=1e-6, atol=1e-6)


# --- the ends of float64 --------------------------------------------------------------------------------------------


def test_a_sample_near_the_end_of_the_range_leaves_the_others_alone():
    rnn = _filled(nn.RNN(1, 2, nonlinearity="relu").double(), weight_hh_l0=1e305, weight_ih_l0=1.0)
    x = torch.zeros(4, 2, 1, dtype=torch.float64)
    x[-1, 0] = 1  # the other sample is dead
    log10 = gradient_flow(rnn, x, cotangent=torch.full((2, 2), 9e4, dtype=torch.float64)).log10_hidden[0]
    assert log10[3].tolist() == [pytest.approx(math.log10(2 * 9e4) + 305 + 0.5 * math.log10(2)), -math.inf]
    assert log10[:3, 1].tolist() == [-math.inf] * 3


@pytest.mark.parametrize("units", [2, 3])
def test_a_loss_at_the_end_of_the_range(units):
    cotangent = torch.full((1, units), 1e308, dtype=torch.float64)
    flow = gradient_flow(nn.RNN(1, units).double(), torch.zeros(3, 1, 1, dtype=torch.float64), cotangent=cotangent)
    assert flow.log10_hidden[0, -1, 0].item() == pytest.approx(308 + 0.5 * math.log10(units), rel=1e-14)


# --- what is refused ------------------------------------------------------------------------------------------------

X = torch.zeros(4, 1, 3)


@pytest.mark.parametrize(
    ("network", "match"),
    [
        (nn.GRU(3, 4, num_layers=2, dropout=0.1), r"network\.eval\(\)"),
        (nn.LSTM(3, 4).half(), r"float16.*copy\.deepcopy\(network\)\.float\(\)"),
    ],
)
def test_unsupported_networks_are_refused_by_name(network, match):
    with pytest.raises(ValueError, match=match):
        gradient_flow(network, X)


def test_another_module_is_refused():
    with pytest.raises(TypeError, match=r"Linear: expected torch\.nn\.RNN"):
        gradient_flow(nn.Linear(3, 4), X)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_weights_that_are_no_numbers_are_refused(value):
    rnn = nn.RNN(3, 4)
    with torch.no_grad():
        rnn.weight_hh_l0[1, 2] = value
    with pytest.raises(ValueError, match="weight_hh_l0 has 1 values that are NaN or infinite"):
        gradient_flow(rnn, X)


@pytest.mark.parametrize(
    ("inputs", "match"),
    [
        (torch.zeros(4, 1, 1, 3), r"\(4, 1, 1, 3\): expected \(T, B, input_size\), or \(T, input_size\) of one sample"),
        (torch.zeros(4, 1, 5), "input_size=3"),
        (torch.zeros(0, 1, 3), "at least one step"),
        (torch.zeros(4, 1, 3, dtype=torch.float64), "float64.*expected the network's torch.float32"),
        (torch.full((4, 1, 3), math.nan), "inputs has values that are NaN"),
    ],
)
def test_wrong_inputs_are_refused(inputs, match):
    with pytest.raises(ValueError, match=match):
        gradient_flow(nn.RNN(3, 4), inputs)


def test_wrong_state_cotangent_and_loss_are_refused():
    lstm = nn.LSTM(3, 4)
    with pytest.raises(ValueError, match=r"expected \(h_0, c_0\), two tensors of shape .* \(1, 1, 4\)"):
        gradient_flow(lstm, X, initial_state=torch.zeros(1, 1, 4))
    with pytest.raises(ValueError, match=r"\(B, hidden_size\) = \(1, 4\)"):
        gradient_flow(lstm, X, cotangent=torch.ones(5))
    with pytest.raises(ValueError, match="'mean': expected one of 'last'"):
        gradient_flow(lstm, X, loss="mean")


def test_forward_overflow_says_where():
    rnn = nn.RNN(1, 2, nonlinearity="relu", bias=False)
    with torch.no_grad():
        for weight in rnn.parameters():
            weight.fill_(10.0)
    with pytest.raises(ValueError, match=r"left the range of float32 at step .* of 100"):
        gradient_flow(rnn, torch.ones(100, 1, 1))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_saturated_cell_still_passes_its_gradient_on(dtype):
    # All gates open, all weights zero: c grows by 1 a step, and h passes sigma(0) sech^2 c on at T. From c = 19 on
    # the difference 1 - tanh^2 is exactly 0 in float64, and a ratio to it would be infinite: a false explosion.
    for steps in (3, 10, 30, 200):
        settings = lx.Settings(
            sequence_length=steps, hidden_size=1, input_bias=100, forget_bias=100, candidate_bias=100,
            input_kind="zeros", recurrent_gain=0, dtype=dtype,
        )  # fmt: skip
        lstm = lx.build_network("lstm", settings)
        flow = lx.gradient_flow(lstm, lx.make_inputs(settings))
        expected = math.log10(0.5 * 4) - 2 * steps * math.log10(math.e) - 2 * math.log10(1 + math.exp(-2 * steps))
        np.testing.assert_allclose(flow.log10_cell[0, 1:, 0], expected, rtol=1e-6)


@pytest.mark.parametrize("bidirectional", [False, True])
def test_what_multiplies_a_layers_outputs_is_as_if_the_next_layers_weights_had_it(bidirectional):
    torch.manual_seed(0)
    network = nn.LSTM(2, 3, num_layers=2, bidirectional=bidirectional).double()
    inputs, kept = torch.randn(6, 2, 2, dtype=torch.float64), torch.rand(3 + 3 * bidirectional, dtype=torch.float64)
    reached = Outputs(torch.randn(6, 2, len(kept), dtype=torch.float64))
    dropped = flow_of_outputs(network, inputs, reached, dropped=(kept.expand(6, 2, -1),))
    with torch.no_grad():
        for name in ("weight_ih_l1", "weight_ih_l1_reverse")[: 1 + bidirectional]:
            getattr(network, name).mul_(kept)
    scaled = flow_of_outputs(network, inputs, reached)
    for name in ("log10_hidden", "log10_cell", "log10_cell_path", "log10_inputs"):
        torch.testing.assert_close(getattr(dropped, name), getattr(scaled, name), msg=name)
