"""Traces and heat maps of the cell against the core, and the walk's numbers."""

import numpy as np
import pytest
import torch

import lstm_explorer as lx
from lstm_explorer.figures import inside

SETTINGS = lx.Settings(sequence_length=25, hidden_size=6, forget_bias=1.0, num_layers=2, dtype="float64")


@pytest.fixture(scope="module", params=["rnn", "lstm", "gru"])
def run(request):
    network, inputs = lx.build_network(request.param, SETTINGS), lx.make_inputs(SETTINGS)
    return lx.unroll(network, inputs), lx.gradient_flow(network, inputs, units=True)


@pytest.mark.parametrize("unit", [None, 0, 5])
@pytest.mark.parametrize("layer", [0, 1])
def test_traces_hold_the_trajectory_and_the_gradient(run, unit, layer):
    trajectory, flow = run
    figure = inside.plot_inside(trajectory, flow, step=7, layer=layer, unit=unit)
    drawn = {trace.name: np.asarray(trace.y) for trace in figure.data}
    hidden = trajectory.hidden[layer, :, 0]
    expected = hidden.mean(dim=1) if unit is None else hidden[:, unit]
    np.testing.assert_allclose(drawn["hidden state h"], expected)
    if trajectory.architecture == "lstm":
        norms = flow.log10_cell[layer, :, 0] if unit is None else flow.log10_cell_units[layer, :, 0, unit]
        np.testing.assert_allclose(drawn["gradient dL/dc"], norms)
    else:
        norms = flow.log10_hidden[layer, :, 0] if unit is None else flow.log10_hidden_units[layer, :, 0, unit]
        np.testing.assert_allclose(drawn["gradient dL/dh"], norms)
    assert figure.layout.shapes[0].x0 == 7


def test_one_unit_s_road_is_the_product_of_its_forget_gates():
    # closed form: with weights and inputs of zero the cell path is all there is
    settings = SETTINGS.replace(recurrent_gain=0.0, num_layers=1)
    network, inputs = lx.build_network("lstm", settings), torch.zeros(25, 1, 8, dtype=torch.float64)
    with torch.no_grad():
        network.weight_ih_l0.zero_()
    trajectory, flow = lx.unroll(network, inputs), lx.gradient_flow(network, inputs, units=True)
    drawn = {trace.name: np.asarray(trace.y) for trace in inside.plot_inside(trajectory, flow, step=1, unit=2).data}
    lag = np.arange(25, -1, -1)
    expected = drawn["gradient dL/dc"][-1] + lag * np.log10(1 / (1 + np.exp(-1.0)))
    np.testing.assert_allclose(drawn["by the cell state alone"], expected, atol=1e-9)
    np.testing.assert_allclose(drawn["gradient dL/dc"], expected, atol=1e-9)


def test_the_heat_map_is_every_unit(run):
    trajectory, _flow = run
    figure = inside.plot_gate_heatmap(trajectory, "hidden", step=3)
    np.testing.assert_allclose(figure.data[0].z, trajectory.hidden[-1, :, 0].T.numpy(), rtol=1e-6)
    assert list(figure.data[0].x) == list(range(26))


def test_a_gate_that_the_cell_lacks_is_refused_by_name(run):
    with pytest.raises(ValueError, match="name is 'peephole': expected one of"):
        inside.plot_gate_heatmap(run[0], "peephole", step=1)


def test_a_flow_without_units_is_refused(run):
    trajectory, _flow = run
    network, inputs = lx.build_network(trajectory.architecture, SETTINGS), lx.make_inputs(SETTINGS)
    with pytest.raises(ValueError, match="measured with units=True"):
        inside.plot_inside(trajectory, lx.gradient_flow(network, inputs), step=1, unit=0)
