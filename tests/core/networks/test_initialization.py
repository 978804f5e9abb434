"""Every initialisation against what it promises: norms, variances, spreads, and the draws that stay PyTorch's."""

import math

import pytest
import torch
from torch import nn

from lstm_explorer.core.architectures import ARCHITECTURES
from lstm_explorer.core.networks.build import build_network, effective_biases
from lstm_explorer.core.settings import Settings

DTYPES = {"float32": torch.float32, "float64": torch.float64}


RECURRENT = [name for name, record in ARCHITECTURES.items() if record.recurrent]


def twin_of(architecture: str, settings: Settings) -> nn.Module:
    """What a user's script gets from PyTorch itself."""
    torch.manual_seed(settings.seed)
    sizes = (settings.features, settings.hidden_size, settings.num_layers)
    return ARCHITECTURES[architecture].module(*sizes, dtype=DTYPES[settings.dtype])


def blocks(network: nn.Module, layer: int = 0) -> tuple[torch.Tensor, ...]:
    weight = getattr(network, f"weight_hh_l{layer}").detach()
    return weight.split(weight.shape[1])


@pytest.mark.parametrize("architecture", RECURRENT)
def test_keras_draws_over_all_gates_at_once(architecture):
    hidden, size, gates = 24, 16, len(ARCHITECTURES[architecture].blocks)
    network = build_network(
        architecture, Settings(hidden_size=hidden, input_size=size, recurrent_init="keras", dtype="float64")
    )
    weight_ih, weight_hh = network.weight_ih_l0.detach(), network.weight_hh_l0.detach()
    limit = math.sqrt(6 / (size + gates * hidden))
    assert 0.97 * limit < weight_ih.abs().max() <= limit
    assert weight_ih.std().item() == pytest.approx(limit / math.sqrt(3), rel=0.06)
    torch.testing.assert_close(weight_hh.T @ weight_hh, torch.eye(hidden, dtype=torch.float64), rtol=0, atol=1e-12)


@pytest.mark.parametrize("architecture", ["lstm", "gru"])
def test_keras_blocks_of_gated_networks_are_not_orthogonal(architecture):
    network = build_network(architecture, Settings(recurrent_init="keras", dtype="float64"))
    assert all(torch.linalg.matrix_norm(block, 2) < 1 - 1e-3 for block in blocks(network))


@pytest.mark.parametrize("architecture", RECURRENT)
def test_orthogonal_blocks_keep_every_norm_and_differ(architecture):
    network = build_network(
        architecture, Settings(hidden_size=6, recurrent_init="orthogonal", num_layers=2, dtype="float64")
    )
    every = [*blocks(network, 0), *blocks(network, 1)]
    for block in every:
        torch.testing.assert_close(block @ block.T, torch.eye(6, dtype=torch.float64), rtol=0, atol=1e-12)
    assert len({tuple(block.flatten().tolist()) for block in every}) == 2 * len(ARCHITECTURES[architecture].blocks)


@pytest.mark.parametrize("architecture", RECURRENT)
def test_identity_blocks_times_gain(architecture):
    network = build_network(architecture, Settings(hidden_size=3, recurrent_init="identity", recurrent_gain=1.5))
    assert all(torch.equal(block, 1.5 * torch.eye(3)) for block in blocks(network))


def test_normal_entries_have_variance_one_over_hidden_size():
    weight = build_network("rnn", Settings(hidden_size=200, recurrent_init="normal")).weight_hh_l0.detach()
    # 40,000 draws: the standard deviation of a sample variance is sqrt(2/n) = 0.7 %, of a mean 0.5 % of the spread.
    assert weight.var().item() == pytest.approx(1 / 200, rel=0.03)
    assert abs(weight.mean().item()) < 0.02 / math.sqrt(200)
    assert (weight.abs() > 2 / math.sqrt(200)).float().mean().item() == pytest.approx(0.0455, abs=0.006)


@pytest.mark.parametrize("init", ["orthogonal", "identity", "normal", "chrono"])
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_weight_ih_stays_pytorchs_own(architecture, init):
    settings = Settings(hidden_size=5, num_layers=2, recurrent_init=init, seed=4)
    network, twin = build_network(architecture, settings), twin_of(architecture, settings)
    assert torch.equal(network.weight_ih_l0, twin.weight_ih_l0)
    assert torch.equal(network.weight_ih_l1, twin.weight_ih_l1)


@pytest.mark.parametrize("gain", [0.0, 0.5, 3.0])
def test_gain_multiplies_weight_hh_of_every_layer_and_nothing_else(gain):
    settings = Settings(hidden_size=4, num_layers=2)
    plain, scaled = build_network("gru", settings), build_network("gru", settings.replace(recurrent_gain=gain))
    for name, value in plain.state_dict().items():
        factor = gain if name.startswith("weight_hh") else 1
        assert torch.equal(scaled.state_dict()[name], value * factor), name


def test_chrono_biases_remember_for_one_to_t_max_steps():
    settings = Settings(
        hidden_size=2000, recurrent_init="chrono", chrono_max=50, forget_bias=9, input_bias=9, output_bias=2
    )
    biases = effective_biases(build_network("lstm", settings))
    times = biases["forget"].exp()
    assert 1 <= times.min() < 1.2
    assert 48.8 < times.max() <= 49
    assert times.mean().item() == pytest.approx(25, abs=1)  # U(1, 49): mean 25, its error 14 / sqrt(2000) = 0.3
    assert torch.equal(biases["input"], -biases["forget"])
    assert biases["output"].unique().tolist() == [2]
    assert biases["candidate"].unique().tolist() == [0]


def test_chrono_keeps_pytorchs_weights_and_differs_by_layer():
    settings = Settings(hidden_size=6, num_layers=2, recurrent_init="chrono", seed=3)
    network, twin = build_network("lstm", settings), twin_of("lstm", settings)
    assert torch.equal(network.weight_hh_l1, twin.weight_hh_l1)
    assert not torch.equal(effective_biases(network, 0)["forget"], effective_biases(network, 1)["forget"])


def test_chrono_gru_keeps_by_its_update_gate_only():
    settings = Settings(hidden_size=300, recurrent_init="chrono", chrono_max=20, update_bias=-9, reset_bias=1)
    biases = effective_biases(build_network("gru", settings))
    assert 0 <= biases["update"].min() < biases["update"].max() <= math.log(19)
    assert biases["reset"].unique().tolist() == [1]
    assert biases["candidate"].unique().tolist() == [0]


def test_chrono_leaves_the_rnn_alone():
    plain, chrono = (build_network("rnn", Settings(recurrent_init=init)) for init in ("pytorch", "chrono"))
    torch.testing.assert_close(chrono.state_dict(), plain.state_dict(), rtol=0, atol=0)
