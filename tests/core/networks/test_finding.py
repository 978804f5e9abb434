"""Recurrent networks in a model, and what is said where something else came."""

import warnings

import pytest
import torch
from torch import nn

import lstm_explorer as lx
from lstm_explorer.core.architectures.mingru import MinGRU
from lstm_explorer.core.networks.finding import find_networks, is_network


class Classifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.ModuleDict({"lstm": nn.LSTM(2, 3, 2)})
        self.stack = nn.ModuleList([nn.GRU(3, 3), nn.Linear(3, 1)])
        self.same = self.encoder["lstm"]

    def forward(self, x):
        return self.stack[1](self.stack[0](self.encoder["lstm"](x)[0])[0])


def test_every_network_is_found_once_by_its_name():
    model = Classifier()
    assert find_networks(model) == {"encoder.lstm": model.same, "stack.0": model.stack[0]}
    assert find_networks(model.same) == {"": model.same}
    assert find_networks(nn.Linear(1, 1)) == {}
    assert is_network(MinGRU(1, 2))


X = torch.zeros(4, 1, 2)
MODELS = {
    "whole": (Classifier(), 'network.encoder.lstm (LSTM, 2 to 3, 2 layers), network.get_submodule("stack.0") (GRU, 3'),
    "parallel": (nn.DataParallel(nn.LSTM(2, 3)), "network.module (LSTM"),
    "compiled": (torch.compile(nn.LSTM(2, 3), backend="eager"), "network._orig_mod (LSTM"),
    "sequential": (nn.Sequential(nn.LSTM(2, 3)), 'network.get_submodule("0") (LSTM'),
    "keyword": (nn.ModuleDict({"class": nn.LSTM(2, 3)}), 'network.get_submodule("class") (LSTM'),
    "number as a key": (nn.ModuleDict({"0": nn.LSTM(2, 3)}), 'network.get_submodule("0") (LSTM'),
    "dashed": (nn.ModuleDict({"a-b": nn.LSTM(2, 3)}), 'network.get_submodule("a-b") (LSTM'),
}


@pytest.mark.parametrize("name", MODELS)
def test_a_model_is_refused_with_what_is_in_it(name):
    network, way = MODELS[name]
    with pytest.raises(TypeError) as refused:
        lx.gradient_flow(network, X)
    assert way in str(refused.value)
    written = str(refused.value).split("those in it: ")[1].split(" (")[0]
    assert lx.gradient_flow(eval(written, {"network": network}), X).architecture == "lstm"


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_scripted_and_quantised_networks_name_their_origin():
    with pytest.raises(TypeError, match=r"network is a LSTM: .* from before it was compiled, or load its weights"):
        lx.gradient_flow(torch.jit.script(nn.LSTM(2, 3)), X)
    with pytest.raises(TypeError, match=r"network is a Sequential: .* Measure the GRU from before"):
        lx.gradient_flow(torch.jit.script(nn.Sequential(nn.GRU(2, 3))), X)
    with warnings.catch_warnings(action="ignore"):  # PyTorch's own, which stays until quantisation leaves it
        quantised = torch.ao.quantization.quantize_dynamic(nn.Sequential(nn.LSTM(2, 3)), {nn.LSTM})
    for network in (quantised, quantised[0]):
        with pytest.raises(TypeError, match="Measure the float LSTM from which this quantised one was made"):
            lx.gradient_flow(network, X)


def test_the_way_out_for_a_cell_can_be_followed():
    cell = nn.LSTMCell(2, 3)
    with pytest.raises(TypeError) as refused:
        lx.gradient_flow(nn.Sequential(cell), X)
    message = str(refused.value)
    assert "It steps a LSTMCell by hand: put its weights into a torch.nn.LSTM" in message
    lstm = nn.LSTM(2, 3)
    written = message.split("with ")[1].split(", or measure")[0]
    eval(f"lstm.{written}", {"lstm": lstm, "cell": cell})
    assert torch.equal(lstm.weight_hh_l0, cell.weight_hh)
    with pytest.raises(
        TypeError, match=r"network is a Linear: expected torch\.nn\.RNN, torch\.nn\.LSTM or torch\.nn\.GRU\.$"
    ):
        lx.gradient_flow(nn.Linear(1, 1), X)
    with pytest.raises(TypeError, match="network is a str: expected"):
        lx.gradient_flow("lstm", X)
