"""What the exhibits of a reader's own network say and draw is what the core measures on it."""

import numpy as np
import pytest
import torch

import lstm_explorer as lx
from lstm_explorer.core.checkpoints import find_in_checkpoint
from lstm_explorer.core.errors import ExplainedError
from lstm_explorer.exhibits.words import settings_line
from lstm_explorer.exhibits.your_network import (
    diagnosis_of,
    experiment_of,
    layer_index,
    own_biases,
    own_mend,
    own_reach,
    own_units,
    subject_of,
    trained,
)
from lstm_explorer.exhibits.your_network_view import YourNetworkView
from lstm_explorer.runs.direct import DirectRunner
from lstm_explorer.runs.experiment import OwnTable
from lstm_explorer.runs.training import gallery
from tests.own_files import TwoNetworks, checkpoint


class File:
    """A checkpoint as the session keeps it."""

    def __init__(self, data):
        self.checkpoint, self.digest = find_in_checkpoint(data), "0123456789abcdef"
        self.names = tuple(found.name for found in self.checkpoint.found)

    def network(self, name):
        return self.checkpoint.network(name)


VIEW = YourNetworkView(
    origin="file", file="0123456789abcdef", module="encoder", sequence_length=30, samples=2, needs_lag=25, seed=3
)
RUNNER = DirectRunner(own_file=File(checkpoint(TwoNetworks)))


def expected_inputs(features=3, **changes):
    return lx.make_inputs(lx.Settings(sequence_length=30, batch_size=2, seed=3, input_size=features, **changes))


def test_the_diagnosis_is_that_of_the_network_in_the_file():
    network = subject_of(RUNNER, VIEW).network
    torch.manual_seed(0)
    for name, weight in TwoNetworks().encoder.named_parameters():
        assert torch.equal(getattr(network, name), weight)
    expected = lx.diagnose(network, expected_inputs(), needs_lag=25)
    assert diagnosis_of(RUNNER, VIEW).to_dict() == expected.to_dict()
    exhibit = own_reach(RUNNER, lx.Settings(), VIEW)
    assert "**Over 25 steps it vanishes:**" in exhibit.summary
    assert exhibit.numbers()["log10_share"].tolist() == expected.to_frame()["log10_share"].tolist()
    weakest = ["layer 2", "layer 2, backward direction"][expected.weakest - 2]
    assert exhibit.title == f"What arrives how far back: LSTM encoder, {weakest}"
    assert "2 layers" in settings_line(exhibit)
    assert "30 steps" in settings_line(exhibit)
    first = own_reach(RUNNER, lx.Settings(), VIEW.replace(layer=0))
    assert first.title == "What arrives how far back: LSTM encoder, layer 1"
    assert layer_index(VIEW.replace(layer=99), expected.layers) == 3


def test_another_module_and_a_text():
    view = VIEW.replace(module="decoder", data="text", text="memory", needs_lag=4)
    one = experiment_of(RUNNER, view)
    assert one.architecture == "gru"
    assert torch.equal(one.inputs, expected_inputs(12, input_kind="text", text="memory"))
    assert one.moment.labels[:2] == ("m", "e")
    assert diagnosis_of(RUNNER, view).flow.log10_hidden.shape[1] == 7


def test_a_table_is_read_as_it_is_and_has_to_suit_the_network():
    rows = 30 + np.random.default_rng(0).standard_normal((20, 3)).cumsum(axis=0)
    runner = DirectRunner(table=OwnTable.of(rows), own_file=RUNNER.own_file)
    view = VIEW.replace(data="csv", samples=1, needs_lag=15)
    read = experiment_of(runner, view).inputs
    np.testing.assert_allclose(read[:, 0], rows, rtol=1e-6)
    standardised = experiment_of(runner, view.replace(standardised=True)).inputs
    np.testing.assert_allclose(standardised[:, 0], (rows - rows.mean(0)) / rows.std(0), rtol=1e-4, atol=1e-5)
    assert "20 steps" in settings_line(own_reach(runner, lx.Settings(), view))
    with pytest.raises(ExplainedError, match="3 columns and the network reads 12 numbers per step"):
        experiment_of(runner, view.replace(module="decoder"))
    with pytest.raises(ExplainedError, match="No table is loaded"):
        experiment_of(RUNNER, VIEW.replace(data="csv"))


def test_a_file_that_is_not_here_is_asked_for():
    for runner, view in ((DirectRunner(), VIEW), (RUNNER, VIEW.replace(file="f" * 16))):
        with pytest.raises(ExplainedError, match="an address cannot carry it"):
            own_biases(runner, lx.Settings(), view)


def test_biases_units_and_the_map_are_of_this_network():
    network = subject_of(RUNNER, VIEW).network
    numbers = own_biases(RUNNER, lx.Settings(), VIEW).numbers()
    forget = numbers[numbers["gate"] == "forget"]["effective_bias"]
    bias = (network.bias_ih_l1_reverse + network.bias_hh_l1_reverse)[6:12].detach().double()
    np.testing.assert_allclose(forget, bias, rtol=1e-6)
    units = own_units(RUNNER, lx.Settings(), VIEW.replace(layer=3)).numbers()
    flow = lx.gradient_flow(network, expected_inputs(), units=True)
    at = units[(units["step"] == 4) & (units["unit"] == 2)]
    assert at["log10_size"].item() == pytest.approx(float(flow.log10_cell_units[3, 4, 0, 2]))
    assert at["lag"].item() == 26
    mapped = own_mend(RUNNER, lx.Settings(), VIEW)
    frame = mapped.numbers()
    rows = frame[(frame["bias"] == 0) & (frame["quantity"] == "cell") & (frame["step"] == 0)]
    np.testing.assert_allclose(rows["log10_norm"], flow.log10_cell[-2:, 0].flatten(), rtol=1e-4)


def test_one_of_the_app_s_networks_on_its_own_task_and_on_noise():
    view = YourNetworkView(preset="digits", inside="gru", data="task", needs_lag=50)
    assert gallery.weights(trained(view)) is not None
    assert trained(view.replace(inside="mingru")).architecture == "rnn"
    on_task = diagnosis_of(DirectRunner(), view)
    assert on_task.flow.log10_hidden.shape == (1, 65, 4)
    assert "Nothing to mend" not in own_reach(DirectRunner(), lx.Settings(), view).summary
    on_noise = diagnosis_of(DirectRunner(), view.replace(data="noise", sequence_length=60))
    assert on_noise.flow.log10_hidden.shape == (1, 61, 4)


def test_without_a_gate_there_is_no_map():
    assert own_mend(DirectRunner(), lx.Settings(), YourNetworkView(inside="rnn", sequence_length=20)) is None
