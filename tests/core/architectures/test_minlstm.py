"""The minLSTM against plain tensors: its gradient is the product of the normalised forget gate, and nothing else."""

import math

import pytest
import torch

import lstm_explorer as lx

SETTINGS = lx.Settings(hidden_size=4, input_size=3, sequence_length=60, batch_size=2, dtype="float64", forget_bias=1)


def by_hand(network, inputs):
    """Return the states and the normalised forget gates of one layer, in the paper's words."""
    weight, bias = network.weight_ih_l0.detach(), network.bias_ih_l0.detach()
    states, kept = [torch.zeros(inputs.shape[1], 4, dtype=inputs.dtype)], []
    for x in inputs:
        f, i, candidate = (x @ weight.T + bias).split(4, dim=-1)
        f, i = 1 / (1 + torch.exp(-f)), 1 / (1 + torch.exp(-i))
        kept.append(f / (f + i))
        states.append(f / (f + i) * states[-1] + i / (f + i) * candidate)
    return torch.stack(states), torch.stack(kept)


def test_states_are_the_papers():
    network, inputs = lx.build_network("minlstm", SETTINGS), lx.make_inputs(SETTINGS)
    states, _kept = by_hand(network, inputs)
    torch.testing.assert_close(lx.unroll(network, inputs).hidden[0], states, rtol=1e-12, atol=1e-14)


def test_the_product_of_normalised_gates_is_the_whole_gradient():
    network, inputs = lx.build_network("minlstm", SETTINGS), lx.make_inputs(SETTINGS)
    flow = lx.gradient_flow(network, inputs)
    _states, kept = by_hand(network, inputs)
    product = torch.cat([torch.cumprod(kept.flip(0), 0).flip(0), torch.ones_like(kept[:1])])
    torch.testing.assert_close(flow.log10_hidden[0], product.norm(dim=-1).log10(), rtol=1e-10, atol=1e-10)
    assert flow.log10_cell is None


def test_gates_far_below_the_float_range_still_have_shares():
    settings = SETTINGS.replace(forget_bias=-100, input_bias=-98)
    flow = lx.gradient_flow(lx.build_network("minlstm", settings), lx.make_inputs(settings))
    assert torch.isfinite(flow.log10_hidden).all()


def test_a_forget_bias_alone_is_not_enough_but_with_the_input_bias_it_is():
    settings = lx.Settings(sequence_length=100, hidden_size=8)
    need = lx.required_bias(settings, lag=100, share=0.1, architecture="minlstm")
    assert need.closed_form == math.inf
    assert need.measured is None
    lower = settings.replace(input_bias=-5.0)
    need = lx.required_bias(lower, lag=100, share=0.1, architecture="minlstm")
    assert need.measured is not None
    assert need.closed_form == pytest.approx(need.measured, abs=0.5)


def test_the_closed_form_is_exact_without_weights():
    settings = lx.Settings(sequence_length=400, input_kind="zeros", dtype="float64", forget_bias=-1.0, input_bias=2.0)
    flow = lx.gradient_flow(lx.build_network("minlstm", settings), lx.make_inputs(settings))
    f, i = 1 / (1 + math.exp(1.0)), 1 / (1 + math.exp(-2.0))
    expected = 400 * math.log10(f / (f + i))
    assert float(flow.log10_hidden[0, 0, 0] - flow.log10_hidden[0, -1, 0]) == pytest.approx(expected, rel=1e-12)


def test_every_bias_of_a_map_is_a_run_of_its_own():
    settings = lx.Settings(sequence_length=30, hidden_size=6, num_seeds=2)
    found = lx.bias_map(settings, gate="forget", biases=(-1, 0.5), architecture="minlstm")
    for at, bias in enumerate((-1, 0.5)):
        flows = lx.seed_flows(settings.replace(forget_bias=bias), architecture="minlstm")
        torch.testing.assert_close(found.log10_hidden[at], flows.log10_hidden[:, -1], rtol=1e-4, atol=1e-4)


def test_chrono_makes_the_two_biases_opposites():
    network = lx.build_network("minlstm", lx.Settings(recurrent_init="chrono", chrono_max=50))
    biases = lx.effective_biases(network)
    assert torch.equal(biases["forget"], -biases["input"])
    assert float(biases["forget"].exp().max()) <= 49
