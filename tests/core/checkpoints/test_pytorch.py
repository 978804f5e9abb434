"""Files of PyTorch and Lightning are read as torch.load reads them, and written back with nothing else changed."""

import io
import itertools
import re
import warnings
import zipfile

import numpy as np
import pytest
import torch
from hostile_checkpoints import DATA, torch_file
from torch import nn

from lstm_explorer.core.checkpoints import CheckpointError, find_in_checkpoint, load_network
from lstm_explorer.core.checkpoints.pytorch import open_archive, open_legacy

KINDS = [("LSTM", {}), ("LSTM", {"proj_size": 2}), ("GRU", {}), ("RNN", {})]
CASES = [
    (kind, own | {"num_layers": layers, "bidirectional": both, "bias": bias, "dtype": dtype})
    for (kind, own), layers, both, bias, dtype in itertools.product(
        KINDS, (1, 3), (False, True), (False, True), (torch.float32, torch.float64)
    )
]


def network(kind="LSTM", inputs=3, hidden=4, **options):
    return getattr(nn, kind)(inputs, hidden, **options)


def parts(file: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(file)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.mark.filterwarnings("ignore:LSTM with projections")
@pytest.mark.parametrize(("kind", "options"), CASES)
def test_every_configuration_is_found_by_its_weights(kind, options):
    written = network(kind, **options)
    loaded = load_network(torch_file(written.state_dict()))
    assert type(loaded.network) is type(written)
    assert not loaded.network.training
    assert {name: getattr(loaded.network, name) for name in options if name != "dtype"} == {
        name: value for name, value in options.items() if name != "dtype"
    }
    inputs = torch.randn(5, 2, 3, dtype=options["dtype"])
    torch.testing.assert_close(loaded.network(inputs)[0], written(inputs)[0], rtol=0, atol=0)


@pytest.mark.parametrize("options", [{"pickle_protocol": 4}, {"_use_new_zipfile_serialization": False}])
def test_other_ways_to_save(options):
    model = nn.ModuleDict({"lstm": network(num_layers=2), "steps": nn.BatchNorm1d(2)})
    file = torch_file(
        {"model": model.state_dict(), "optimizer": torch.optim.Adam(model.parameters()).state_dict()}, **options
    )
    found = find_in_checkpoint(file)
    torch.testing.assert_close(found.network("lstm").state_dict(), model["lstm"].state_dict(), rtol=0, atol=0)
    mended = found.mended("lstm", {"bias_ih_l0": torch.ones(16)})
    again = torch.load(io.BytesIO(mended), weights_only=False)  # with True it reads protocol 2 alone
    assert again["model"]["lstm.bias_ih_l0"].eq(1).all()
    model["lstm"].bias_ih_l0.data.fill_(1)
    torch.testing.assert_close(again["model"], model.state_dict(), rtol=0, atol=0)
    assert again["optimizer"]["param_groups"][0]["lr"] == 1e-3


@pytest.mark.parametrize(
    ("wrapped", "name"),
    [
        (lambda weights: {"state_dict": weights}, "lstm"),
        (lambda weights: {"model": weights, "epoch": 3}, "lstm"),
        (lambda weights: {"checkpoint": {"model_state_dict": weights}}, "lstm"),
        (lambda weights: {f"module.{name}": one for name, one in weights.items()}, "lstm"),
        (lambda weights: {f"_orig_mod.{name}": one for name, one in weights.items()}, "lstm"),
        (lambda weights: {f"module._orig_mod.{name}": one for name, one in weights.items()}, "lstm"),
        (lambda weights: {f"encoder._orig_mod.{name}": one for name, one in weights.items()}, "encoder.lstm"),
        (lambda weights: {name.removeprefix("lstm."): one for name, one in weights.items()}, ""),
    ],
)
def test_a_state_dict_is_found_where_people_put_it(wrapped, name):
    weights = nn.ModuleDict({"lstm": network()}).state_dict()
    loaded = load_network(torch_file(wrapped(weights)))
    assert loaded.name == name
    assert torch.equal(loaded.network.weight_ih_l0, weights["lstm.weight_ih_l0"])
    prefixed = any("module" in one or "_orig_mod" in one for one in wrapped(weights))
    assert any("a wrapper of the model put there" in str(one) for one in loaded.notes) == prefixed


def test_networks_of_several_state_dicts_are_told_apart():
    weights = [network().state_dict() for _ in range(3)]
    other = {f"rnn.{name}": one for name, one in weights[1].items()} | {"head": torch.zeros(1)}
    file = torch_file({"generator": weights[0], "critic": other, "average": {"head": torch.zeros(1)}, "steps": 3})
    found = find_in_checkpoint(file)
    assert [one.name for one in found.found] == ["generator", "critic.rnn"]
    assert [str(left) for left in found.left] == ["critic.head", "average.head", "steps"]
    assert torch.equal(found.network("critic.rnn").weight_hh_l0, weights[1]["weight_hh_l0"])
    both = torch_file({"lstm.weight_ih_l0": weights[0]["weight_ih_l0"]} | {
        f"{place}.{name}": one for place, some in zip(("lstm", "module.lstm"), weights[1:], strict=True)
        for name, one in some.items()
    })  # fmt: skip
    assert [one.name for one in find_in_checkpoint(both).found] == ["lstm", "module.lstm"]


def test_a_checkpoint_of_lightning_with_a_class_of_its_own():
    computed = np.load(DATA / "computed.npz")
    with pytest.raises(Exception, match="Weights only load failed"):
        torch.load(DATA / "lightning.ckpt", weights_only=True)
    encoder = load_network(DATA / "lightning.ckpt", module="encoder")
    decoder = load_network(DATA / "lightning.ckpt", module="decoder")
    assert encoder.format == "Lightning"
    encoded = encoder.network(torch.from_numpy(computed["inputs"]).transpose(0, 1))[0]
    decoded = decoder.network(encoded)[0]
    for came, name in ((encoded, "lightning_encoder"), (decoded, "lightning_decoder")):
        torch.testing.assert_close(came.transpose(0, 1), torch.from_numpy(computed[name]))
    left = [str(one) for one in encoder.left]
    assert "decoder (another recurrent network: module='decoder' loads it)" in left
    assert "hyper_parameters.choice (an object of the class __main__.Choice, which is not run)" in left
    assert {"head.weight", "head.bias", "epoch", "optimizer_states"} <= set(left)


def test_what_is_mended_is_one_part_of_the_archive():
    whole = (DATA / "lightning.ckpt").read_bytes()
    found = find_in_checkpoint(whole)
    new = torch.arange(16.0)
    before, after = parts(whole), parts(mended := found.mended("encoder", {"bias_hh_l1": new}))
    assert list(before) == list(after)
    (changed,) = (name for name in before if before[name] != after[name])
    assert np.array_equal(np.frombuffer(after[changed], "f4"), new)
    with zipfile.ZipFile(io.BytesIO(mended)) as archive:
        places = [(info.header_offset, mended[info.header_offset + 26 :][:4]) for info in archive.infolist()]
    assert {
        (at + 30 + int.from_bytes(two[:2], "little") + int.from_bytes(two[2:], "little")) % 64 for at, two in places
    } == {0}
    again = find_in_checkpoint(mended)
    assert torch.equal(again.network("encoder").bias_hh_l1, new)
    assert torch.equal(again.network("decoder").bias_hh_l0, found.network("decoder").bias_hh_l0)


def test_views_of_one_storage_are_mended_one_by_one():
    flat = torch.arange(16.0 * 3 + 16 * 4 + 5)
    file = torch_file({"weight_ih_l0": flat[5:53].view(16, 3), "weight_hh_l0": flat[53:].view(4, 16).T})
    found = find_in_checkpoint(file)
    assert torch.equal(found.network("").weight_hh_l0, flat[53:].view(4, 16).T)
    again = torch.load(io.BytesIO(found.mended("", {"weight_hh_l0": torch.zeros(16, 4)})), weights_only=True)
    assert not again["weight_hh_l0"].any()
    assert torch.equal(again["weight_ih_l0"], flat[5:53].view(16, 3))


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = network()


def scripted():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        buffer = io.BytesIO()
        torch.jit.save(torch.jit.script(network()), buffer)
        return buffer.getvalue()


def quantised():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = nn.Sequential(network())
        return torch_file(torch.ao.quantization.quantize_dynamic(model, {nn.LSTM}).state_dict())


@pytest.mark.parametrize(
    ("file", "said"),
    [
        (torch_file(Model()), r"a pickled object of the class \S*Model, .* torch.save\(model.state_dict\(\), path\)"),
        (torch_file({"model": Model(), "epoch": 1}), r"a pickled object of the class \S*Model, "),
        (scripted(), r"torch.jit.load\(path\).state_dict\(\)"),
        (quantised(), r"weights are quantised \(0._all_weight_values.0.param\): expected .* float32"),
        (torch_file(torch.zeros(3)), "The file holds a tensor: expected a state_dict"),
        (torch_file([1]), "The file holds a list: expected a state_dict"),
        (torch_file({"a": nn.Linear(1, 1).state_dict()}), "such as lstm.weight_ih_l0.* It holds a.weight, a.bias"),
    ],
    ids=["model", "model in a dict", "scripted", "quantised", "tensor", "list", "no network"],
)  # fmt: skip
def test_what_holds_no_weights_is_refused_with_the_way(file, said):
    with pytest.raises(CheckpointError, match=said):
        load_network(file)


def test_big_endian_is_refused():
    turned = {name: b"big" if name.endswith("byteorder") else part for name, part in parts(torch_file({})).items()}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, part in turned.items():
            archive.writestr(name, part)
    with pytest.raises(CheckpointError, match="big-endian"):
        open_archive(buffer.getvalue())
    legacy = torch_file({}, _use_new_zipfile_serialization=False)
    at = re.search(rb"little_endianq.", legacy).end()
    with pytest.raises(CheckpointError, match="big-endian"):
        open_legacy(legacy[:at] + b"\x89" + legacy[at + 1 :])
