"""Replicas in one batched pass against single runs."""

import math
from dataclasses import fields

import pytest
import torch

import lstm_explorer as lx
from lstm_explorer.core.gradients import seeds


@pytest.mark.parametrize("loss", ["last", "every"])
@pytest.mark.parametrize("architecture", ["rnn", "lstm", "gru"])
@pytest.mark.parametrize("group", [1, 2 * 20 * 2 * 6, 10**9])
def test_replica_is_a_single_run_with_the_next_seed(monkeypatch, architecture, loss, group):
    monkeypatch.setattr(seeds, "_GROUP_NUMBERS", group)
    settings = lx.Settings(
        sequence_length=20, hidden_size=6, num_layers=2, batch_size=2, seed=11, num_seeds=5, dtype="float64", loss=loss
    )
    together = lx.seed_flows(settings, architecture=architecture, units=True)
    for r in range(5):
        single = settings.replace(seed=11 + r, num_seeds=1)
        alone = lx.gradient_flow(lx.build_network(architecture, single), lx.make_inputs(single), loss=loss, units=True)
        compared = [field.name for field in fields(alone) if isinstance(getattr(alone, field.name), torch.Tensor)]
        assert len(compared) == (6 if architecture == "lstm" else 3)
        for name in compared:
            # the order of additions differs between one matrix product and a stack of them
            torch.testing.assert_close(getattr(together, name)[r], getattr(alone, name), rtol=1e-11, atol=1e-11)


def test_frame_names_the_replica():
    frame = lx.seed_flows(lx.Settings(sequence_length=5, num_seeds=3), architecture="rnn").to_frame()
    assert sorted(frame["replica"].unique()) == [0, 1, 2]


# With plain cells: H = 64, 8 inputs from N(0, 1), default weights, zero biases but for b_f; medians of 5 unnamed seeds.
@pytest.mark.parametrize(
    ("forget_bias", "total", "path"), [(1.0, 6e-8, 2.5e-14), (2.0, 0.28, 3.7e-6), (5.0, 59.0, 0.50)]
)
def test_published_ratios_of_the_lstm(forget_bias, total, path):
    settings = lx.Settings(hidden_size=64, forget_bias=forget_bias, num_seeds=20)
    flow = lx.seed_flows(settings, architecture="lstm")
    for measured, expected in ((flow.log10_cell, total), (flow.log10_cell_path, path)):
        log10_ratio = (measured[:, 0, 0, 0] - measured[:, 0, -1, 0]).median().item()
        # medians of 5 among 40 seeds spread over a factor of 3 about theirs
        assert log10_ratio == pytest.approx(math.log10(expected), abs=math.log10(3))
