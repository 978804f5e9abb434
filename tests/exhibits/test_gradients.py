"""The exhibits of Start here and Gradient flow: their curves and tables are what the core measures."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

import lstm_explorer as lx
from lstm_explorer.core.gradients.summaries import summarise
from lstm_explorer.exhibits.gradients import GradientsView, gradients, layer_of, unit_numbers, units
from lstm_explorer.exhibits.journey import journey
from lstm_explorer.exhibits.view import View
from lstm_explorer.runs.direct import DirectRunner
from lstm_explorer.runs.experiment import Experiment

RUNNER = DirectRunner()
SETTINGS = lx.Settings(sequence_length=12, hidden_size=4, num_seeds=3)


def test_the_gain_of_the_first_page_is_the_rnn_s_alone():
    exhibit = journey(RUNNER, SETTINGS.replace(recurrent_gain=2.0), View())
    assert [(one.architecture, one.settings.recurrent_gain) for one in exhibit.experiments] == [
        ("rnn", 2.0), ("lstm", 1.0),
    ]  # fmt: skip
    lstm = lx.seed_flows(SETTINGS, architecture="lstm")
    for series, quantity in zip(exhibit.series[1:], ("cell", "cell_path"), strict=True):
        np.testing.assert_array_equal(series.curve.median, summarise(lstm, quantity).median)


def test_every_chosen_network_and_every_pin_is_a_curve():
    pin = Experiment(architecture="gru", settings=SETTINGS.replace(update_bias=2.0), name="kept")
    exhibit = gradients(RUNNER, SETTINGS, GradientsView(networks=("rnn", "lstm")), [pin])
    assert [(one.name, one.style) for one in exhibit.series] == [("RNN", "solid"), ("LSTM", "solid"), ("kept", "ghost")]
    expected = summarise(lx.seed_flows(pin.settings, architecture="gru")).median
    np.testing.assert_array_equal(exhibit.series[2].curve.median, expected)
    assert "**kept, gradient of h: " in exhibit.summary
    beside = gradients(RUNNER, SETTINGS, GradientsView(networks=("gru", "lstm")), [pin])
    assert [one.name for one in beside.series] == ["GRU, update bias 0", "LSTM", "kept"]
    assert "kept" in exhibit.alt
    hostile = gradients(RUNNER, SETTINGS, GradientsView(networks=("rnn",)), [replace(pin, name="![x](y)")])
    assert r"**\!\[x\]\(y\), gradient" in hostile.summary
    assert "**![x](y), gradient" in hostile.alt  # is no Markdown


def test_a_network_without_a_cell_shows_its_hidden_state():
    exhibit = gradients(RUNNER, SETTINGS, GradientsView(networks=("gru", "lstm"), quantity="cell_path"))
    assert [one.curve.quantity for one in exhibit.series] == ["hidden", "cell_path"]


@pytest.mark.parametrize(
    ("view", "settings"),
    [({"theory": False}, {}), ({"measure": "absolute"}, {}), ({}, {"num_layers": 2}), ({}, {"loss": "every"})],
)
def test_theory_is_left_out_where_it_does_not_hold(view, settings):
    assert gradients(RUNNER, SETTINGS, GradientsView()).theory
    assert not gradients(RUNNER, SETTINGS.replace(**settings), GradientsView(**view)).theory


def test_where_nothing_could_be_measured_there_is_nothing():
    nothing = SimpleNamespace(table=None, moment=None, run=lambda job: None)
    assert gradients(nothing, SETTINGS, GradientsView()) is None


def test_the_last_layer_stands_for_those_that_are_not_there():
    assert [layer_of(lx.Settings(num_layers=n), GradientsView(layer=3)) for n in (1, 2, 3, 4)] == [0, 1, 2, 2]


@pytest.mark.parametrize("layer", [1, 2])
def test_the_heat_map_s_table_is_every_unit_of_the_first_seed(layer):
    settings = SETTINGS.replace(num_layers=2)
    exhibit = units(RUNNER, settings, GradientsView(layer=layer), network="lstm")
    network = lx.build_network("lstm", settings)
    flow = lx.gradient_flow(network, lx.make_inputs(settings), units=True)
    table = exhibit.numbers().pivot_table(index="step", columns="unit", values="log10_size")
    np.testing.assert_allclose(table.to_numpy(), flow.log10_hidden_units[layer - 1, :, 0].double().numpy(), rtol=1e-6)
    with pytest.raises(ValueError, match="measured with units=True"):
        unit_numbers(lx.gradient_flow(network, lx.make_inputs(settings)), 0)
