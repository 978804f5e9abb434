"""build_network against PyTorch's own constructors, and against what each initialisation promises."""

import math

import pytest
import torch
from torch import nn

from lstm_explorer.core.architectures import ARCHITECTURES
from lstm_explorer.core.networks.build import build_network, effective_biases
from lstm_explorer.core.settings import Settings

DTYPES = {"float32": torch.float32, "float64": torch.float64}
INITS = ("pytorch", "keras", "orthogonal", "identity", "normal", "chrono")


def twin_of(architecture: str, settings: Settings) -> nn.Module:
    """What a user's script gets from PyTorch itself."""
    torch.manual_seed(settings.seed)
    sizes = (settings.features, settings.hidden_size, settings.num_layers)
    return ARCHITECTURES[architecture].module(*sizes, dtype=DTYPES[settings.dtype])


def blocks(network: nn.Module, layer: int = 0) -> tuple[torch.Tensor, ...]:
    weight = getattr(network, f"weight_hh_l{layer}").detach()
    return weight.split(weight.shape[1])


def output(network: nn.Module, seed: int = 0) -> torch.Tensor:
    inputs = torch.randn(7, 2, network.input_size, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return network(inputs)[0]


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("num_layers", [1, 3])
def test_weights_are_exactly_those_of_manual_seed(architecture, dtype, num_layers):
    settings = Settings(hidden_size=5, input_size=3, num_layers=num_layers, seed=11, dtype=dtype)
    network, twin = build_network(architecture, settings), twin_of(architecture, settings)
    expected = {name: value for name, value in twin.state_dict().items() if name.startswith("weight")}
    actual = {name: value for name, value in network.state_dict().items() if name.startswith("weight")}
    torch.testing.assert_close(actual, expected, rtol=0, atol=0)
    assert type(network) is type(twin)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("init", INITS)
def test_global_random_state_is_neither_changed_nor_read(architecture, init):
    settings = Settings(hidden_size=4, recurrent_init=init)
    torch.manual_seed(1)
    before = torch.get_rng_state()
    first = build_network(architecture, settings)
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(2)
    torch.testing.assert_close(build_network(architecture, settings).state_dict(), first.state_dict(), rtol=0, atol=0)


@pytest.mark.parametrize("nonlinearity", ["tanh", "relu"])
def test_the_network_is_a_plain_module_that_runs_and_learns(nonlinearity):
    network = build_network("rnn", Settings(nonlinearity=nonlinearity, dtype="float64", hidden_size=4, num_layers=2))
    twin = twin_of("rnn", Settings(dtype="float64", hidden_size=4, num_layers=2))
    twin.nonlinearity, twin.mode = nonlinearity, f"RNN_{nonlinearity.upper()}"
    twin.load_state_dict(network.state_dict())
    torch.testing.assert_close(output(network), output(twin), rtol=0, atol=0)
    output(network).sum().backward()
    assert all(parameter.grad.abs().sum() > 0 for parameter in network.parameters())


def test_each_gate_bias_lands_in_its_own_slice_of_bias_ih():
    lstm = build_network(
        "lstm", Settings(hidden_size=2, input_bias=1, forget_bias=2, candidate_bias=3, output_bias=4, num_layers=2)
    )
    gru = build_network("gru", Settings(hidden_size=2, reset_bias=1, update_bias=2, candidate_bias=3))
    for layer in (0, 1):
        assert getattr(lstm, f"bias_ih_l{layer}").tolist() == [1, 1, 2, 2, 3, 3, 4, 4]
        assert getattr(lstm, f"bias_hh_l{layer}").tolist() == [0] * 8
    assert gru.bias_ih_l0.tolist() == [1, 1, 2, 2, 3, 3]
    assert gru.bias_hh_l0.tolist() == [0] * 6


def test_rnn_biases_are_zero_whatever_the_gates_are_set_to():
    rnn = build_network("rnn", Settings(hidden_size=3, candidate_bias=3, forget_bias=2))
    assert rnn.bias_ih_l0.tolist() == rnn.bias_hh_l0.tolist() == [0, 0, 0]


@pytest.mark.parametrize("architecture", ["lstm", "gru"])
def test_split_biases_share_evenly_and_compute_the_same(architecture):
    settings = Settings(
        hidden_size=3, forget_bias=2, update_bias=1.5, candidate_bias=0.7, output_bias=-1, dtype="float64"
    )
    whole, split = (build_network(architecture, settings.replace(split_biases=choice)) for choice in (False, True))
    torch.testing.assert_close(output(split), output(whole), rtol=1e-13, atol=1e-15)
    name = {"lstm": "forget", "gru": "update"}[architecture]
    index = ARCHITECTURES[architecture].blocks.index(name)
    halves = [bias.detach().split(3)[index] for bias in (split.bias_ih_l0, split.bias_hh_l0)]
    assert torch.equal(*halves)
    assert torch.equal(sum(halves), effective_biases(whole)[name])


def test_filling_both_lstm_vectors_with_one_is_forget_bias_two_split():
    split = build_network("lstm", Settings(hidden_size=2, forget_bias=2, split_biases=True))
    assert split.bias_ih_l0.tolist() == split.bias_hh_l0.tolist() == [0, 0, 1, 1, 0, 0, 0, 0]


def test_gru_candidate_bias_is_never_split_because_reset_multiplies_its_half():
    gru = build_network("gru", Settings(hidden_size=2, candidate_bias=4, split_biases=True))
    assert gru.bias_ih_l0.tolist() == [0, 0, 0, 0, 4, 4]
    assert gru.bias_hh_l0.tolist() == [0] * 6


def test_effective_biases_name_the_gates_in_pytorchs_order():
    lstm = nn.LSTM(2, 3, num_layers=2)
    sums = (lstm.bias_ih_l1 + lstm.bias_hh_l1).detach()
    named = effective_biases(lstm, 1)
    assert list(named) == ["input", "forget", "candidate", "output"]
    assert torch.equal(torch.cat(list(named.values())), sums)
    assert list(effective_biases(nn.GRU(2, 3))) == ["reset", "update", "candidate"]
    assert effective_biases(nn.RNN(2, 3, bias=False))["hidden"].tolist() == [0, 0, 0]


def test_the_forget_bias_that_is_set_is_the_gate_that_opens():
    # Independent of names and slices: with zero weights and inputs c_1 = sigma(b_f) c_0.
    lstm = build_network(
        "lstm", Settings(hidden_size=1, recurrent_gain=0, forget_bias=3, dtype="float64", input_size=1)
    )
    zeros = torch.zeros(1, 1, 1, dtype=torch.float64)
    cell = lstm(zeros, (zeros, zeros + 1))[1][1]
    assert cell.item() == pytest.approx(1 / (1 + math.exp(-3)), rel=1e-14)


def test_scalar_inputs_make_one_input_column():
    assert build_network("lstm", Settings(input_kind="sunspots", hidden_size=3)).weight_ih_l0.shape == (12, 1)


def test_unknown_architecture_is_refused_with_the_choices():
    with pytest.raises(ValueError, match=r"'transformer': expected one of 'rnn', 'lstm', 'gru'"):
        build_network("transformer", Settings())


def test_effective_biases_refuse_other_modules_and_layers():
    with pytest.raises(TypeError, match=r"Linear: expected torch\.nn\.RNN"):
        effective_biases(nn.Linear(2, 2))
    with pytest.raises(ValueError, match="layer is 1: expected 0 to 0"):
        effective_biases(nn.GRU(2, 2), 1)
