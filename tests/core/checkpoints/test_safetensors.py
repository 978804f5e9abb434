"""Files that safetensors wrote are read, and written back byte by byte but for what changed."""

import json

import pytest
import torch
from hostile_checkpoints import one_tensor, safetensors_file
from safetensors.torch import load, save
from torch import nn

from lstm_explorer.core.checkpoints import CheckpointError, find_in_checkpoint, load_network
from lstm_explorer.core.checkpoints.safetensors import open_safetensors

MODEL = nn.ModuleDict({"lstm": nn.LSTM(2, 3, num_layers=2, bidirectional=True), "head": nn.Linear(6, 1)})
FILE = save(MODEL.state_dict() | {"steps": torch.tensor(7)}, metadata={"format": "pt"})


def test_what_the_package_wrote_is_read():
    loaded = load_network(FILE)
    assert (loaded.format, loaded.name) == ("safetensors", "lstm")
    assert {str(left) for left in loaded.left} == {"head.weight", "head.bias", "steps"}
    torch.testing.assert_close(loaded.network.state_dict(), MODEL["lstm"].state_dict(), rtol=0, atol=0)


def test_only_the_bytes_of_what_changed_change():
    mended = find_in_checkpoint(FILE).mended("lstm", {"bias_hh_l1_reverse": torch.arange(12.0)})
    changed = [at for at, (old, new) in enumerate(zip(FILE, mended, strict=True)) if old != new]
    assert changed[-1] - changed[0] < 12 * 4
    assert torch.equal(load(mended)["lstm.bias_hh_l1_reverse"], torch.arange(12.0))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_small_numbers_are_converted_and_written_back_small(dtype):
    file = save({name: one.to(dtype) for name, one in nn.GRU(2, 3).state_dict().items()})
    found = find_in_checkpoint(file)
    assert found.network("").weight_hh_l0.dtype == torch.float32
    assert f"The weights are {str(dtype)[6:]} in the file" in str(found.found[0].notes[0])
    assert load(found.mended("", {"bias_ih_l0": torch.full((9,), 1.5)}))["bias_ih_l0"].eq(1.5).all()
    with pytest.raises(CheckpointError, match="too large for"):
        found.mended("", {"bias_ih_l0": torch.full((9,), 1e39, dtype=torch.float64)})


def test_names_of_a_wrapper_are_said():
    weights = {f"module.{name}": one for name, one in MODEL.state_dict().items()}
    loaded = load_network(save(weights))
    assert loaded.name == "lstm"
    assert next(str(one) for one in loaded.notes).startswith("Names are shown without module., which")


def test_dtypes_that_pytorch_may_not_know_are_left():
    body = bytes(16)
    header = {"a": {"dtype": "F8_E9M9", "shape": [16], "data_offsets": [0, 16]}}
    assert [str(left) for left in open_safetensors(safetensors_file(header, body)).left] == ["a"]
    with pytest.raises(CheckpointError, match="weights that are unknown: expected float32"):
        load_network(safetensors_file(json.dumps({
            f"weight_{kind}_l0": {"dtype": "F8_E9M9", "shape": [4, 1], "data_offsets": [at, at + 4]}
            for at, kind in ((0, "ih"), (4, "hh"))
        }).encode(), bytes(8)))  # fmt: skip


@pytest.mark.parametrize("changed", [{"shape": [4, -1]}, {"shape": [4, 1.0]}, {"shape": [True] * 99}, {"dtype": None}])
def test_strange_headers_are_refused_or_left(changed):
    with pytest.raises(CheckpointError, match="expected "):
        load_network(one_tensor(**changed))
