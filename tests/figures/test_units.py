"""The heat map of every unit holds the result's numbers."""

import numpy as np
import pytest

import lstm_explorer as lx
from lstm_explorer.figures.units import plot_unit_heatmap

SETTINGS = lx.Settings(sequence_length=40, num_seeds=4, hidden_size=8)


@pytest.fixture(scope="module")
def flows():
    return {name: lx.seed_flows(SETTINGS, architecture=name, units=True) for name in ("rnn", "lstm", "gru")}


def test_heat_map_holds_every_unit(flows):
    heat = plot_unit_heatmap(flows["lstm"]).data[0]
    expected = flows["lstm"].log10_hidden_units[0, -1, :, 0].numpy().T
    np.testing.assert_array_equal(heat.z, expected)


def test_long_heat_map_skips_steps_and_says_so(flows):
    figure = plot_unit_heatmap(flows["lstm"], most_columns=10)
    assert list(figure.data[0].x) == [0, 5, 10, 15, 20, 25, 30, 35, 40]
    assert "every 5" in figure.layout.xaxis.title.text
