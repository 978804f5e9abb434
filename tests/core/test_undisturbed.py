"""Measurements come out the same whatever mode PyTorch is in."""

import pandas as pd
import pytest
import torch
from torch import nn

import lstm_explorer as lx

KINDS = [(nn.RNN, {}), (nn.LSTM, {}), (nn.LSTM, {"proj_size": 2}), (nn.GRU, {})]
MODES = {
    "autocast": lambda: torch.autocast("cpu", dtype=torch.bfloat16),
    "inference": torch.inference_mode,
    "no_grad": torch.no_grad,
    "device": lambda: torch.device("meta"),
}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("kind", "options"), KINDS)
def test_the_modes_that_pytorch_is_in_change_nothing(kind, options, mode):
    torch.manual_seed(0)
    network = kind(3, 4, 2, **options)
    inputs, weight = torch.randn(9, 2, 3), torch.randn(network.proj_size or 4)
    measures = [
        lambda: lx.gradient_flow(network, inputs, units=True).to_frame(),
        lambda: lx.gradient_flow_of_loss(network, inputs, lambda output: (output * weight).sum()).to_frame(),
        lambda: lx.step_contributions(network, inputs).to_frame(),
        lambda: lx.truncated_flow(network, inputs, truncation=4).to_frame(),
        lambda: lx.plain_backward(network, inputs).to_frame(),
        lambda: lx.clipped_gradient(network, inputs, clip_at=0.1).to_frame(),
        lambda: pd.DataFrame([vars(lx.clipped_gradient(network, inputs, clip_at=0.1).own)]),
        *([lambda: lx.bias_map(network, inputs, gate="forget", biases=(0, 1)).to_frame()] if kind is nn.LSTM else []),
        *([lambda: lx.path_flows(network, inputs).to_frame()] if kind is nn.LSTM else []),
    ]
    for measure in measures:
        expected = measure()
        with MODES[mode]():
            came = measure()
        assert came.equals(expected)


def test_another_default_dtype_changes_nothing():
    settings = lx.Settings(sequence_length=8, hidden_size=3)
    inputs = torch.randn(9, 2, 3)
    networks = [kind(3, 4, 2, **options) for kind, options in KINDS]

    def measured():
        own = [lx.gradient_flow(network, inputs).to_frame() for network in networks]
        seeds = [lx.seed_flows(settings, architecture=name).to_frame() for name in ("rnn", "lstm", "gru", "mingru")]
        return [*own, *seeds, lx.bias_map(settings, biases=(0, 1)).to_frame()]

    expected = measured()
    for dtype in (torch.float64, torch.float16):
        torch.set_default_dtype(dtype)
        try:
            came = measured()
        finally:
            torch.set_default_dtype(torch.float32)
        assert all(one.equals(other) for one, other in zip(came, expected, strict=True))
