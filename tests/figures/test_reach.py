"""The curves are the diagnosis, and the lines what is needed."""

import numpy as np
import torch
from torch import nn

import lstm_explorer as lx
from lstm_explorer.figures import plot_reach


def test_the_curves_are_the_shares_by_lag():
    torch.manual_seed(0)
    diagnosis = lx.diagnose(nn.LSTM(2, 6, 2), torch.randn(30, 3, 2), needs_lag=20, share=0.1, mend=False)
    figure = plot_reach(diagnosis, layer=0)
    lines = {trace.name: trace for trace in figure.data if trace.mode and "lines" in trace.mode}
    for name, shares in (
        ("LSTM", diagnosis.log10_shares(layer=0)),
        ("cell path alone", diagnosis.log10_shares("cell_path", 0)),
        ("fresh, as PyTorch initialises it", diagnosis.log10_shares(layer=0, fresh=True)),
    ):
        order = np.argsort(lines[name].x)
        np.testing.assert_allclose(np.asarray(lines[name].y)[order], shares, atol=1e-5)
    across = [shape for shape in figure.layout.shapes if shape.x0 == shape.x1 == 20]
    level = [shape for shape in figure.layout.shapes if shape.y0 == shape.y1 == -1]
    assert len(across) == len(level) == 1
    assert any("needed: 10% at 20 steps" in note.text for note in figure.layout.annotations)


def test_a_network_without_a_cell_has_no_cell_path():
    diagnosis = lx.diagnose(nn.GRU(2, 4), torch.randn(10, 1, 2), needs_lag=5, mend=False)
    assert [trace.name for trace in plot_reach(diagnosis).data if trace.mode] == [
        "GRU", "fresh, as PyTorch initialises it",
    ]  # fmt: skip
