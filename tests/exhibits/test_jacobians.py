"""The exhibits of Vanish or explode hold what the core measures, of drawn networks and of one's own."""

import numpy as np
import pytest
import torch
from torch import nn

import lstm_explorer as lx
from lstm_explorer.exhibits.jacobians import eigenvalues, exponents, phase_map, products
from lstm_explorer.exhibits.jacobians_view import JacobiansView
from lstm_explorer.exhibits.of_moment import of_moment
from lstm_explorer.runs.direct import DirectRunner
from lstm_explorer.runs.experiment import Moment

SETTINGS = lx.Settings(sequence_length=20, hidden_size=4, num_seeds=3, loss="every", forget_bias=2.0, dtype="float64")
ALONE = SETTINGS.replace(num_seeds=1, loss="last")


def drawn(name):
    return lx.build_network(name, ALONE), lx.make_inputs(ALONE)


@pytest.mark.parametrize("name", ["rnn", "lstm", "gru", "mingru", "minlstm"])
def test_products_are_those_of_the_first_seed_with_the_loss_at_the_end(name):
    exhibit = products(DirectRunner(), SETTINGS, JacobiansView(network=name))
    flow = lx.jacobian_flow(*drawn(name))
    table = exhibit.numbers()
    values = table[table["quantity"] == "singular_value"].sort_values(["step", "rank"])
    assert np.allclose(values["log10"], flow.to_frame()["log10_singular_value"], atol=1e-9)
    gradient = table[table["quantity"] == "gradient"].sort_values("step")["log10"]
    assert np.allclose(gradient, flow.log10_gradient[:, 0] - flow.log10_gradient[-1, 0], atol=1e-9)
    # The verdict is that of the other pages, on the state that remembers.
    curve = lx.summarise(lx.gradient_flow(*drawn(name)), "cell" if name == "lstm" else "hidden")
    assert f": {curve.verdict}.**" in exhibit.summary
    memory = table[table["quantity"] == curve.quantity].sort_values("step")["log10"]
    assert np.allclose(memory, curve.median)
    assert "all directions" in exhibit.summary
    traces = [trace.name for trace in exhibit.draw("light").data]
    assert ("gradient of c, as on the other pages" in traces) == (name == "lstm")


def test_the_rnn_has_its_theory_beside_it():
    traces = [trace.name for trace in products(DirectRunner(), SETTINGS, JacobiansView()).draw("light").data]
    assert "theory, upper bound (RNN)" in traces
    assert "theory, mean field (RNN)" in traces
    stacked = products(DirectRunner(), SETTINGS.replace(num_layers=2), JacobiansView()).draw("light").data
    assert not any("theory" in trace.name for trace in stacked)


def test_exponents_stand_side_by_side():
    exhibit = exponents(DirectRunner(), SETTINGS, JacobiansView(networks=("rnn", "lstm")))
    table = exhibit.numbers()
    for name in ("rnn", "lstm"):
        own = table[table["architecture"] == name]["exponent"]
        assert np.allclose(own, lx.lyapunov_exponents(*drawn(name))[0], atol=1e-12)


@pytest.mark.parametrize(
    ("name", "axes"),
    [
        ("rnn", ("recurrent_gain", "input_scale")),
        ("lstm", ("forget_bias", "recurrent_gain")),
        ("gru", ("update_bias", "recurrent_gain")),
    ],
)
def test_the_map_is_over_the_settings_that_matter(name, axes):
    exhibit = phase_map(DirectRunner(), SETTINGS, JacobiansView(network=name))
    assert tuple(exhibit.numbers().columns[1:3]) == axes
    own = next(trace for trace in exhibit.draw("light").data if trace.name == "your settings")
    assert (own.y[0], own.x[0]) == tuple(getattr(SETTINGS, axis) for axis in axes)


def test_a_network_without_recurrent_weights_has_no_map():
    assert phase_map(DirectRunner(), SETTINGS, JacobiansView(network="mingru")) is None


def test_a_network_whose_bias_is_drawn_for_every_unit_is_no_point_of_the_map():
    exhibit = phase_map(DirectRunner(), SETTINGS.replace(recurrent_init="chrono"), JacobiansView(network="lstm"))
    assert "your settings" not in {trace.name for trace in exhibit.draw("light").data}
    assert "no point of this map" in exhibit.summary


def test_what_no_input_has_is_said_of_its_scale():
    exhibit = phase_map(DirectRunner(), SETTINGS.replace(input_kind="zeros"), JacobiansView())
    assert exhibit.summary.endswith("Zeros are zeros at every scale.")
    outside = phase_map(DirectRunner(), SETTINGS.replace(input_scale=10.0), JacobiansView())
    assert "lie outside this map" in outside.summary
    assert "your settings" not in {trace.name for trace in outside.draw("light").data}


def of_ones_own(build, network):
    torch.manual_seed(0)
    inputs = torch.randn(12, 2, 2, dtype=torch.float64)
    directions = 2 if network.bidirectional else 1
    cotangent = torch.ones(12, 2, 4 * directions, dtype=torch.float64)
    moment = Moment(network=network, inputs=inputs, cotangent=cotangent, digest=str(id(network)))
    settings = SETTINGS.replace(sequence_length=12, input_size=2)
    return of_moment(build, DirectRunner(), moment, settings, JacobiansView(network="gru")), inputs[:, :1]


def test_a_network_of_ones_own_is_looked_at_like_a_drawn_one():
    torch.manual_seed(1)
    network = nn.GRU(2, 4).double()
    exhibit, inputs = of_ones_own(products, network)
    flow = lx.jacobian_flow(network, inputs)
    table = exhibit.numbers()
    values = table[table["quantity"] == "singular_value"].sort_values(["step", "rank"])["log10"]
    assert np.allclose(values, flow.to_frame()["log10_singular_value"], atol=1e-9)
    exhibit, inputs = of_ones_own(eigenvalues, network)
    found = lx.jacobian_eigenvalues(network, inputs)
    assert np.allclose(exhibit.numbers()["real"], found.to_frame()["real"])
    exhibit, _ = of_ones_own(phase_map, network)
    assert exhibit.experiments == ()
    own = next(trace for trace in exhibit.draw("light").data if trace.name == "your settings")
    assert (own.y[0], own.x[0]) == (0.0, 1.0)
    assert "added to the bias" in exhibit.draw("light").layout.yaxis.title.text
    both = nn.GRU(2, 4, bidirectional=True).double()
    assert of_ones_own(phase_map, both)[0] is None
    assert "GRU, forward direction" in of_ones_own(products, both)[0].title
    assert "GRU, forward direction" in of_ones_own(eigenvalues, both)[0].title
