"""The minGRU against plain tensors and autograd: its gradient is the product of 1 - z, and nothing else."""

import math

import pytest
import torch

import lstm_explorer as lx
from lstm_explorer.core.architectures.mingru import MinGRU
from lstm_explorer.core.gradients.summaries import summarise

SETTINGS = lx.Settings(hidden_size=4, input_size=3, sequence_length=60, batch_size=2, dtype="float64", update_bias=-1)


def by_hand(network, inputs):
    """Return the states and update gates of one layer, in the paper's words."""
    weight, bias = network.weight_ih_l0.detach(), network.bias_ih_l0.detach()
    states, gates = [torch.zeros(inputs.shape[1], 4, dtype=inputs.dtype)], []
    for x in inputs:
        z = 1 / (1 + torch.exp(-(x @ weight[:4].T + bias[:4])))
        gates.append(z)
        states.append((1 - z) * states[-1] + z * (x @ weight[4:].T + bias[4:]))
    return torch.stack(states), torch.stack(gates)


def test_states_and_gates_are_the_papers():
    network, inputs = lx.build_network("mingru", SETTINGS), lx.make_inputs(SETTINGS)
    trajectory = lx.unroll(network, inputs)
    states, gates = by_hand(network, inputs)
    torch.testing.assert_close(trajectory.hidden[0], states, rtol=1e-12, atol=1e-14)
    torch.testing.assert_close(trajectory.gates.update[0], gates, rtol=1e-12, atol=1e-14)
    assert trajectory.cell is None


def test_the_product_of_gates_is_the_whole_gradient():
    network, inputs = lx.build_network("mingru", SETTINGS), lx.make_inputs(SETTINGS)
    flow = lx.gradient_flow(network, inputs)
    _states, gates = by_hand(network, inputs)
    product = torch.cat([torch.cumprod((1 - gates).flip(0), 0).flip(0), torch.ones_like(gates[:1])])
    torch.testing.assert_close(flow.log10_hidden[0], product.norm(dim=-1).log10(), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("loss", ["last", "every"])
def test_two_layers_against_autograd(loss):
    settings = SETTINGS.replace(num_layers=2, sequence_length=12)
    network, inputs = lx.build_network("mingru", settings), lx.make_inputs(settings).requires_grad_()
    output, last = network(inputs)
    (output[-1] if loss == "last" else output).sum().backward()
    flow = lx.gradient_flow(network, inputs, loss=loss)
    torch.testing.assert_close(flow.log10_inputs, inputs.grad.norm(dim=-1).log10(), rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(last[-1], output[-1])
    assert all(parameter.grad is None or parameter.requires_grad for parameter in network.parameters())


def test_without_weights_a_bias_keeps_one_minus_sigma():
    settings = lx.Settings(sequence_length=1000, input_kind="zeros", dtype="float64", update_bias=4.0)
    network = lx.build_network("mingru", settings)
    flow = lx.gradient_flow(network, lx.make_inputs(settings))
    expected = 1000 * math.log10(1 - 1 / (1 + math.exp(-4.0)))  # about 10^-1745
    assert float(flow.log10_hidden[0, 0, 0] - flow.log10_hidden[0, -1, 0]) == pytest.approx(expected, rel=1e-12)


def test_a_lower_bias_keeps_more_and_the_bias_that_one_needs_is_the_largest_that_suffices():
    settings = lx.Settings(sequence_length=50, hidden_size=8)
    found = lx.bias_map(settings, gate="update", biases=(-4, -2, 0), architecture="mingru").ratios("hidden")[:, 0]
    assert found[0] > found[1] > found[2]
    need = lx.required_bias(settings, lag=50, share=0.1, architecture="mingru")
    at, beyond = lx.bias_map(
        settings, gate="update", biases=(need.measured, need.measured + 0.02), architecture="mingru"
    ).ratios("hidden")[:, 0]
    assert at >= -1 > beyond
    assert need.closed_form == pytest.approx(-lx.theory.required_forget_bias(50, 0.1))


def test_every_bias_of_a_map_is_a_run_of_its_own():
    settings = lx.Settings(sequence_length=30, hidden_size=6, num_seeds=2, batch_size=2, num_layers=2)
    found = lx.bias_map(settings, gate="candidate", biases=(-1, 0.5), architecture="mingru")
    for at, bias in enumerate((-1, 0.5)):
        flows = lx.seed_flows(settings.replace(candidate_bias=bias), architecture="mingru")
        torch.testing.assert_close(found.log10_hidden[at], flows.log10_hidden[:, -1], rtol=1e-4, atol=1e-4)


def test_seeds_are_runs_of_their_own_and_summarised():
    settings = lx.Settings(sequence_length=30, hidden_size=6, num_seeds=3, dtype="float64")
    flows = lx.seed_flows(settings, architecture="mingru")
    for seed in range(3):
        one = settings.replace(seed=seed, num_seeds=1)
        alone = lx.gradient_flow(lx.build_network("mingru", one), lx.make_inputs(one))
        torch.testing.assert_close(flows.log10_hidden[seed], alone.log10_hidden, rtol=1e-12, atol=1e-12)
    assert summarise(flows, "hidden").verdict == "vanishes"


def test_the_module_draws_as_torch_does_and_reads_no_hidden_state():
    torch.manual_seed(5)
    drawn = MinGRU(3, 4, 2)
    built = lx.build_network("mingru", lx.Settings(input_size=3, hidden_size=4, num_layers=2, seed=5))
    for name in ("weight_ih_l0", "weight_ih_l1"):
        assert torch.equal(drawn.get_parameter(name), built.get_parameter(name))
    assert drawn.all_weights[0][1].shape == (8, 0)
    assert not drawn.bias_ih_l0.requires_grad or drawn.bias_ih_l0.abs().max() <= 0.5
