import pytest
import torch
from torch import nn
from torch.optim.optimizer import register_optimizer_step_post_hook

from lstm_explorer.core.watching.clock import Clock


@pytest.fixture
def network():
    return nn.LSTM(2, 3)


def by_data(network):
    for weight in network.parameters():
        weight.data.sub_(0.1 * weight.grad)


def in_place(network):
    with torch.no_grad():
        for weight in network.parameters():
            weight -= 0.1 * weight.grad


def ticks_of(clock, network, updates):
    ticks = []
    for update in updates:
        ticks.append(clock.tick())
        network(torch.ones(2, 1, 2))[0].sum().backward()
        if update:
            update(network)
    return ticks


@pytest.mark.parametrize("update", [by_data, in_place])
def test_weights_that_are_changed_by_hand_make_a_step(network, update):
    clock = Clock(network, network)
    assert ticks_of(clock, network, [None, update, update, None, update]) == [False, False, True, True, False]
    assert clock.step == 2


class Twice(torch.optim.SGD):
    """One optimizer around another, as for sharpness-aware minimisation."""

    def __init__(self, parameters, lr):
        super().__init__(parameters, lr=lr)
        self.inner = torch.optim.SGD(self.param_groups, lr=lr)

    def step(self, closure=None):
        self.inner.step()


OPTIMIZERS = {
    "SGD": lambda weights: torch.optim.SGD(weights, lr=0.1),
    "fused": lambda weights: torch.optim.Adam(weights, fused=True),
    "one in another": lambda weights: Twice(list(weights), 0.1),
    "that changes nothing": lambda weights: torch.optim.SGD(weights, lr=0.0),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_the_step_of_an_optimizer_is_heard(network, name):
    clock, optimizer = Clock(network, network), OPTIMIZERS[name](network.parameters())
    other = torch.optim.SGD(nn.Linear(1, 1).parameters(), lr=0.1)
    handle = register_optimizer_step_post_hook(lambda optimizer, args, kwargs: clock.hears(optimizer) and None)

    def step(_network):
        optimizer.step()
        other.step()

    try:
        assert ticks_of(clock, network, [None, step, None, step]) == [False, False, True, False]
        assert clock.tick()
        assert clock.step == 2
    finally:
        handle.remove()


def test_a_frozen_network_goes_by_the_rest_of_its_model(network):
    model = nn.ModuleList([network.requires_grad_(False), nn.Linear(3, 1)])
    clock = Clock(network, model)
    assert clock.hears(torch.optim.SGD(model[1].parameters(), lr=0.1))
    assert not clock.hears(torch.optim.SGD(nn.Linear(3, 1).parameters(), lr=0.1))
    assert not Clock(network, network).tick()
