"""What Keras computed, the networks out of its files compute; what PyTorch does not compute is refused by name."""

import io
import itertools
import json
import sys
import zipfile

import h5py
import numpy as np
import pytest
import torch
from hostile_checkpoints import DATA, hdf5, zipped

from lstm_explorer.core.checkpoints import CheckpointError, find_in_checkpoint, load_network
from lstm_explorer.core.checkpoints.hdf5_child import describe
from lstm_explorer.extras import MissingExtraError

COMPUTED = np.load(DATA / "computed.npz")
WHOLE = (DATA / "model.keras").read_bytes()
with zipfile.ZipFile(io.BytesIO(WHOLE)) as _archive:
    CONFIGURATION, WEIGHTS = _archive.read("config.json"), _archive.read("model.weights.h5")
FILES = {"keras": WHOLE, "h5": (DATA / "model.h5").read_bytes(), "weights.h5": WEIGHTS}
LAYERS = ["memory", "without_bias", "gated", "plain", "rectified", "both_ways", "both_summed", "of_a_cell", "backwards"]


@pytest.fixture(autouse=True)
def _here(monkeypatch):
    """Look through the files in this process: these are whole."""
    monkeypatch.setattr("lstm_explorer.core.checkpoints.hdf5._described", describe)


def outputs(network, name):
    """Return what a network computes on the inputs that Keras read, laid out as its layer does."""
    inputs = torch.from_numpy(COMPUTED["inputs"]).transpose(0, 1)
    came = network(inputs.flip(0) if name == "backwards" else inputs)[0].transpose(0, 1)
    return came.unflatten(-1, (2, -1)).sum(-2) if name == "both_summed" else came


# A file of weights alone does not say relu.
@pytest.mark.parametrize(
    ("file", "name"), [one for one in itertools.product(FILES, LAYERS) if one != ("weights.h5", "rectified")]
)
def test_a_layer_computes_what_keras_computed(file, name):
    network = find_in_checkpoint(FILES[file]).network(name)
    torch.testing.assert_close(outputs(network, name), torch.from_numpy(COMPUTED[name]), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("file", FILES)
def test_every_layer_is_found_and_every_other_is_named(file):
    found = find_in_checkpoint(FILES[file])
    assert found.format == "Keras"
    hard = {"hard"} if file == "weights.h5" else set()
    assert {one.name for one in found.found} == {*LAYERS, *hard}
    said = {left.name: str(left.reason) for left in found.left}
    assert "old_gru is a GRU with reset_after=False" in said["old_gru"]
    assert hard or "recurrent_activation='hard_sigmoid': expected 'sigmoid'" in said["hard"]
    assert sum("dense" in name or "head" in name for name in said) == 2
    with pytest.raises(CheckpointError, match=r"old_gru is a GRU with reset_after=False.*no conversion is exact"):
        load_network(FILES[file], module="old_gru")


@pytest.mark.parametrize(
    ("file", "name", "said"),
    [
        ("keras", "memory", ["bias_ih holds it", "batch first"]),
        ("keras", "without_bias", ["batch first"]),
        ("keras", "gated", ["order, update, reset, candidate, and were put in PyTorch's, reset,", "batch first"]),
        ("keras", "both_summed", ["order", "two directions by 'sum'", "batch first"]),
        ("keras", "backwards", ["from the last to the first", "bias_ih holds it", "batch first"]),
        ("h5", "backwards", ["from the last to the first", "bias_ih holds it", "batch first"]),
        ("weights.h5", "memory", ["tanh, sigmoid, were assumed", "bias_ih holds it", "batch first"]),
        ("weights.h5", "plain", ["tanh, were assumed", "bias_ih holds it", "batch first"]),
    ],
)
def test_what_was_converted_and_assumed_is_said(file, name, said):
    notes = load_network(FILES[file], module=name).notes
    assert len(notes) == len(said)
    assert all(part in str(note) for part, note in zip(said, notes, strict=True))


def test_weights_of_a_model_without_configuration_are_named_by_their_attribute():
    loaded = load_network(DATA / "own.weights.h5")
    assert loaded.name == "encoder"
    torch.testing.assert_close(outputs(loaded.network, ""), torch.from_numpy(COMPUTED["encoder"]), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("file", "name"), list(itertools.product(("keras", "h5"), ("memory", "gated", "both_summed"))))
def test_a_mended_file_has_these_numbers_and_all_others_as_they_were(file, name):
    found = find_in_checkpoint(FILES[file])
    network = found.network(name)
    new = {one: torch.randn_like(old) for one, old in network.state_dict().items()}
    if name == "memory":  # Keras has the sum
        new["bias_hh_l0"].zero_()
    again = find_in_checkpoint(found.mended(name, new))
    torch.testing.assert_close(dict(again.network(name).state_dict()), new)
    others = [one.name for one in found.found if one.name != name]
    for one in others:
        torch.testing.assert_close(again.network(one).state_dict(), found.network(one).state_dict(), rtol=0, atol=0)
    with zipfile.ZipFile(io.BytesIO(found.mended(name, new))) if file == "keras" else io.BytesIO() as archive:
        assert file != "keras" or archive.read("config.json") == CONFIGURATION


@pytest.mark.parametrize("changed", ["bias_ih_l0", "bias_hh_l0"])
def test_of_two_biases_the_other_stays(changed):
    found = find_in_checkpoint(FILES["keras"])
    again = find_in_checkpoint(found.mended("gated", {changed: torch.ones(12)})).network("gated").state_dict()
    expected = found.network("gated").state_dict() | {changed: torch.ones(12)}
    torch.testing.assert_close(dict(again), dict(expected))


@pytest.mark.parametrize("changes", [("bias_hh_l0",), ("bias_ih_l0", "bias_hh_l0")])
def test_the_one_bias_of_keras_becomes_the_sum(changes):
    found = find_in_checkpoint(FILES["keras"])
    old = found.network("memory").state_dict()
    again = find_in_checkpoint(found.mended("memory", {name: torch.ones(16) for name in changes})).network("memory")
    torch.testing.assert_close(
        again.bias_ih_l0.data, torch.full((16,), 2.0) if len(changes) > 1 else old["bias_ih_l0"] + 1
    )
    assert not again.bias_hh_l0.any()


def keras_2(layer="lstm_1", cell="lstm_1/lstm_cell_3", columns=16, bias: tuple | None = (16,), **attributes):
    """Return a file as Keras 2 wrote it, by names alone."""
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        shapes = {"kernel": (3, columns), "recurrent_kernel": (4, columns), "bias": bias}
        for name, shape in shapes.items() if bias else list(shapes.items())[:2]:
            file[f"model_weights/{layer}/{cell}/{name}:0"] = np.random.default_rng(0).normal(size=shape).astype("f4")
        file["optimizer_weights/training/Adam/lstm_1/kernel/m:0"] = np.zeros((3, columns), "f4")
        for name, value in attributes.items():
            file.attrs[name] = value
    return buffer.getvalue()


def configured(kind="LSTM", **settings):
    layer = {"class_name": kind, "config": {"name": "lstm_1", "units": 4} | settings}
    return json.dumps({"class_name": "Sequential", "config": {"layers": [layer]}})


@pytest.mark.parametrize("cell", ["lstm_1/lstm_cell_3", "lstm_1", "sequential/lstm_1/lstm_cell"])
def test_names_of_keras_2(cell):
    assert load_network(keras_2(cell=cell)).name == "lstm_1"


@pytest.mark.parametrize(
    ("kind", "settings", "said"),
    [
        ("LSTM", {"activation": "relu"}, "lstm_1 has activation='relu': expected 'tanh', as in PyTorch's LSTM"),
        ("LSTM", {"recurrent_activation": "hard_sigmoid"}, "lstm_1 has recurrent_activation='hard_sigmoid'"),
        ("LSTM", {"activation": {"class_name": "mine"}}, r"lstm_1 has activation=.*mine"),
        ("CuDNNLSTM", {}, "lstm_1 is a CuDNNLSTM: expected LSTM, GRU or SimpleRNN"),
        ("GRU", {}, "lstm_1 is a GRU: expected LSTM"),
    ],
)
def test_layers_that_pytorch_does_not_have_are_refused(kind, settings, said):
    with pytest.raises(CheckpointError, match=said):
        load_network(keras_2(model_config=configured(kind, **settings)))


def test_a_gru_without_biases_may_be_configured_to_reset_before():
    with pytest.raises(CheckpointError, match="lstm_1 is a GRU with reset_after=False"):
        load_network(keras_2(columns=12, bias=None, model_config=configured("GRU", reset_after=False)))
    assert load_network(keras_2(columns=12, bias=None, model_config=configured("GRU"))).name == "lstm_1"


def test_without_names_the_layers_of_the_same_size_are_asked():
    two = [json.loads(configured(name="a", activation=one))["config"]["layers"][0] for one in ("tanh", "relu")]
    with pytest.raises(CheckpointError, match="lstm_1 can be one of several layers"):
        load_network(keras_2(model_config=json.dumps(two)))
    assert load_network(keras_2(model_config=json.dumps([two[0], {"class_name": "LSTM", "config": {"units": 9}}])))


@pytest.mark.parametrize(
    ("shapes", "said"),
    [
        ({"columns": 15}, r"lstm_1.recurrent_kernel has the shape \(15, 4\): expected H, 3H or 4H rows"),
        ({"bias": (2, 16)}, r"lstm_1.bias has the shape \(2, 16\): expected \(16,\)"),
        ({"columns": 12, "bias": (12,)}, "lstm_1 is a GRU with reset_after=False"),
        ({"columns": 12, "bias": (3, 12)}, r"lstm_1.bias has the shape \(3, 12\): expected \(2, 12\)"),
    ],
)
def test_shapes_that_no_layer_has_are_refused(shapes, said):
    with pytest.raises(CheckpointError, match=said):
        load_network(keras_2(**shapes))


@pytest.mark.parametrize("inside", ["/{name}/simple_rnn_cell", "/{name}", ""])
def test_a_layer_called_forward_is_no_direction(inside):
    def fill(file, _place):
        for name in ("forward_a", "backward_a"):
            for array, shape in (("kernel", (3, 4)), ("recurrent_kernel", (4, 4))):
                file[f"model_weights/{name}{inside.format(name=name)}/{array}"] = np.zeros(shape, "f4")

    assert [str(one) for one in find_in_checkpoint(hdf5(fill)).found] == [
        "backward_a: RNN(3, 4, bias=False)", "forward_a: RNN(3, 4, bias=False)",
    ]  # fmt: skip


def test_a_gru_without_biases_is_assumed_to_reset_after():
    def fill(file, place):
        file[f"{place}0"], file[f"{place}1"] = np.zeros((3, 12), "f8"), np.zeros((4, 12), ">f8")

    loaded = load_network(hdf5(fill))
    assert loaded.network.weight_hh_l0.dtype == torch.float64
    assert any("reset_after=True was assumed" in str(note) for note in loaded.notes)


@pytest.mark.parametrize("configuration", [b"[]", b"7", b'{"config":{}}', b'{"class_name":"RNN","config":{"cell":3}}'])
def test_a_configuration_that_says_nothing_assumes(configuration):
    file = zipped([("config.json", configuration), ("model.weights.h5", (DATA / "own.weights.h5").read_bytes())])
    assert any("were assumed" in str(note) for note in load_network(file).notes)


def test_without_h5py_it_is_said_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "h5py", None)
    monkeypatch.setattr("lstm_explorer.extras.find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r'h5py is not installed: pip install "lstm-explorer\[checkpoints\]"'):
        load_network(WEIGHTS)
