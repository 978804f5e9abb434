"""Windows of a series: where the samples begin."""

import torch

from lstm_explorer.core.inputs import make_inputs
from lstm_explorer.core.settings import Settings


def test_samples_coincide_where_the_series_is_not_longer():
    inputs = make_inputs(Settings(input_kind="text", text="abc", batch_size=4))
    assert torch.equal(inputs, inputs[:, :1].expand(-1, 4, -1))
