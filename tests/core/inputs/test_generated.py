"""Generated signals: their distributions, their periods, and random numbers that no network draws."""

import pytest
import torch

from lstm_explorer.core.inputs import make_inputs
from lstm_explorer.core.settings import Settings


def test_noise_is_standard_normal():
    noise = make_inputs(Settings(sequence_length=5000, input_size=8, dtype="float64"))
    assert noise.mean().item() == pytest.approx(0, abs=0.02)  # 40,000 draws: 0.005 each
    assert noise.var().item() == pytest.approx(1, abs=0.03)
    assert (noise.abs() < 1).double().mean().item() == pytest.approx(0.6827, abs=0.01)


@pytest.mark.parametrize("seed", [0, 5, 2**31 - 1])
def test_inputs_do_not_repeat_the_random_numbers_of_any_network(seed):
    # PyTorch's CPU generator reads 32 bits of the seed: 2**32 + seed would be the very stream of the weights.
    settings = Settings(seed=seed, sequence_length=4, input_size=16)
    weights = torch.randn(4, 1, 16, generator=torch.Generator().manual_seed(seed))
    assert not torch.equal(make_inputs(settings), weights)
    others = torch.randn(4, 1, 16, generator=torch.Generator().manual_seed((seed + 2**31) % 2**32))
    assert torch.equal(make_inputs(settings), others)


def test_another_seed_is_another_noise():
    assert not torch.equal(make_inputs(Settings(seed=0)), make_inputs(Settings(seed=1)))


def test_zeros_and_impulse():
    assert make_inputs(Settings(input_kind="zeros")).abs().sum() == 0
    impulse = make_inputs(Settings(input_kind="impulse", sequence_length=4, batch_size=2, input_size=3))
    assert torch.equal(impulse[0], torch.ones(2, 3))
    assert impulse[1:].abs().sum() == 0


def test_sine_has_its_own_period_in_every_feature_and_its_own_phase_in_every_sample():
    sine = make_inputs(Settings(input_kind="sine", sequence_length=240, batch_size=2, input_size=3, dtype="float64"))
    for feature, period in enumerate((10, 20, 30)):
        wave = sine[:, :, feature]
        torch.testing.assert_close(wave[period:], wave[:-period], rtol=0, atol=1e-12)
        torch.testing.assert_close(wave[period // 2 :], -wave[: -period // 2], rtol=0, atol=1e-12)
        assert wave[:, 0].square().mean().item() == pytest.approx(0.5, abs=1e-12)  # whole periods only
    assert (sine[:, 0] - sine[:, 1]).abs().max() > 0.1
