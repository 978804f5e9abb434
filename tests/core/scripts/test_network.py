"""The code of a network builds the network that is measured, weight for weight."""

import math

import pytest
import torch

import lstm_explorer as lx
from lstm_explorer.core.architectures import ARCHITECTURES
from lstm_explorer.core.record import schema
from lstm_explorer.core.scripts.network import needs_math, network_code, step_code

SETTINGS = lx.Settings(hidden_size=4, input_size=3, num_layers=2, forget_bias=1.5, update_bias=-1, recurrent_gain=1.2)


@pytest.mark.parametrize("split", [False, True])
@pytest.mark.parametrize("init", schema(lx.Settings)["recurrent_init"].options)
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_every_weight_is_the_measured_network_s(architecture, init, split):
    settings = SETTINGS.replace(recurrent_init=init, split_biases=split, seed=5)
    record = ARCHITECTURES[architecture]
    scope = {"torch": torch, "seed": 5} | ({"math": math} if needs_math(settings, record) else {})
    with torch.random.fork_rng():
        exec(network_code(settings, record), scope)
    expected = list(lx.build_network(architecture, settings).parameters())
    written = [weight for layer in scope["layers"] for weight in layer]
    assert len(written) == len(expected)
    assert all(torch.equal(one, other) for one, other in zip(written, expected, strict=True))


def test_a_seed_is_written_where_there_is_one():
    code = network_code(SETTINGS, ARCHITECTURES["gru"], seed=5)
    assert "\nseed = 5\ntorch.manual_seed(seed)\n" in code
    assert "seed = " not in network_code(SETTINGS, ARCHITECTURES["gru"])


def test_a_step_has_its_options_filled_in():
    assert "torch.relu(" in step_code(SETTINGS.replace(nonlinearity="relu"), ARCHITECTURES["rnn"])
