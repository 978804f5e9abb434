"""The recurrence as one node of autograd's graph, against the same written out."""

import pytest
import torch

import lstm_explorer as lx
from lstm_explorer.core.architectures.own_network import OwnNetwork
from lstm_explorer.core.architectures.recurrence import linear_recurrence


def numbers(steps):
    generator = torch.Generator().manual_seed(0)
    shapes = ((steps, 2, 3), (steps, 2, 3), (2, 3))
    return [torch.randn(shape, generator=generator, dtype=torch.float64).requires_grad_() for shape in shapes]


@pytest.mark.parametrize("steps", [1, 2, 9])
def test_states_and_gradients_are_those_of_the_loop(steps):
    kept, added, initial = numbers(steps)
    states, h = [], initial
    for k, a in zip(kept, added, strict=True):
        h = k * h + a
        states.append(h)
    weights = torch.randn(steps, 2, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    expected = torch.autograd.grad((torch.stack(states) * weights).sum(), (kept, added, initial))
    measured = linear_recurrence(kept, added, initial)
    torch.testing.assert_close(measured, torch.stack(states), rtol=1e-13, atol=0)
    for one, other in zip(
        torch.autograd.grad((measured * weights).sum(), (kept, added, initial)), expected, strict=True
    ):
        torch.testing.assert_close(one, other, rtol=1e-12, atol=1e-14)


def test_central_differences():
    assert torch.autograd.gradcheck(linear_recurrence, numbers(4))


@pytest.mark.parametrize("name", ["mingru", "minlstm"])
@pytest.mark.parametrize("layers", [1, 2])
def test_networks_with_factors_do_what_their_step_does(name, layers):
    settings = lx.Settings(sequence_length=12, hidden_size=5, batch_size=3, num_layers=layers, dtype="float64")
    network, inputs = lx.build_network(name, settings), lx.make_inputs(settings)
    by_step = type("ByStep", (type(network),), {"factors": None})(network.input_size, 5, layers, dtype=torch.float64)
    by_step.load_state_dict(network.state_dict())
    assert isinstance(by_step, OwnNetwork)
    state = torch.randn(layers, 3, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    for one, other in zip(network(inputs, state), by_step(inputs, state), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-12, atol=1e-14)
    for each in (network, by_step):
        each(inputs, state)[0].square().sum().backward()
    for one, other in zip(network.parameters(), by_step.parameters(), strict=True):
        torch.testing.assert_close(one.grad, other.grad, rtol=1e-10, atol=1e-12)


def test_nothing_is_kept_where_nothing_is_differentiated():
    with torch.no_grad():
        assert linear_recurrence(*numbers(3)).grad_fn is None
