"""One network out of a file: which, with what said of it, and nothing worse than a sentence from a hostile one."""

import copy
import io
import pickle
import random
import re
import time
from pathlib import Path

import pytest
import torch
from hostile_checkpoints import DATA, HOSTILE, LEGACY, LSTM, SAID, torch_file
from torch import nn

from lstm_explorer.core.checkpoints import CheckpointError, find_in_checkpoint, load_network, messages

TWO = nn.ModuleDict({"encoder": nn.LSTM(3, 4, num_layers=2), "decoder": nn.GRU(4, 5), "head": nn.Linear(5, 1)})
FILE = torch_file(TWO.state_dict())


def test_of_several_one_is_asked_for_by_name():
    with pytest.raises(CheckpointError) as refused:
        load_network(FILE)
    assert str(refused.value) == (
        "Recurrent networks in the file: encoder: LSTM(3, 4, num_layers=2); decoder: GRU(4, 5). Expected one; choose "
        'it with module="encoder".'
    )
    loaded = load_network(FILE, module="decoder")
    assert [str(one) for one in loaded.left] == [
        "encoder (another recurrent network: module='encoder' loads it)", "head.weight", "head.bias",
    ]  # fmt: skip
    assert [one.name for one in loaded.found] == ["encoder", "decoder"]


@pytest.mark.parametrize(
    ("came", "near"), [("encodr", "encoder"), ("dec", "decoder"), ("", "encoder"), ("x" * 9999, "encoder")]
)
def test_a_misspelt_name_is_answered_with_the_near_one(came, near):
    with pytest.raises(CheckpointError, match=rf"expected one of .* 'encoder', 'decoder'\. Did you mean '{near}'\?"):
        load_network(FILE, module=came)


def test_a_file_without_networks_says_what_would_be_one():
    with pytest.raises(CheckpointError) as refused:
        load_network(torch_file({f"layer{at}.weight": torch.zeros(1) for at in range(20)}))
    assert str(refused.value) == (
        "No recurrent network was found in the file: expected weights such as lstm.weight_ih_l0, lstm.weight_hh_l0. It "
        "holds layer0.weight, layer1.weight, layer2.weight, layer3.weight, layer4.weight, layer5.weight, "
        "layer6.weight, layer7.weight, … (+12)."
    )


def test_one_that_cannot_be_read_leaves_the_others():
    weights = TWO.state_dict()
    del weights["decoder.bias_hh_l0"]
    loaded = load_network(torch_file(weights))
    assert loaded.name == "encoder"
    assert str(loaded.left[0]).startswith("decoder (decoder lacks bias_hh_l0: expected every weight of its layers (1)")
    with pytest.raises(CheckpointError, match="decoder lacks bias_hh_l0"):
        load_network(torch_file(weights), module="decoder")


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
def test_numbers_that_are_none_are_refused_by_name(bad):
    weights = {name: one.clone() for name, one in TWO.state_dict().items()}
    weights["encoder.weight_hh_l1"][3, 2] = bad
    with pytest.raises(CheckpointError, match=r"Values of encoder\.weight_hh_l1 that are NaN or infinite: 1\. "):
        load_network(torch_file(weights), module="encoder")
    assert load_network(torch_file(weights), module="decoder").name == "decoder"


def test_what_is_loaded_is_a_network_as_any_other():
    loaded, inputs = load_network(torch_file(TWO["encoder"].state_dict())), torch.randn(6, 2, 3)
    assert torch.equal(loaded.network(inputs)[0], TWO["encoder"](inputs)[0])
    loaded.network(inputs)[0].sum().backward()
    assert loaded.network.weight_hh_l0.grad.any()
    state = torch.get_rng_state()
    load_network(FILE, module="decoder")
    assert torch.equal(torch.get_rng_state(), state)
    for twin in (copy.deepcopy(loaded), pickle.loads(pickle.dumps(loaded))):
        assert (twin.found, twin.left, twin.notes) == (loaded.found, loaded.left, loaded.notes)
        torch.testing.assert_close(twin.network(inputs), loaded.network(inputs), rtol=0, atol=0)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"bias_l0": torch.zeros(16)}, "bias_l0 is no parameter of this network: expected one of weight_ih_l0, "),
        ({"bias_ih_l0": torch.zeros(15)}, r"new bias_ih_l0 has the shape \(15,\): expected \(16,\)"),
        ({"bias_ih_l0": torch.full((16,), float("nan"))}, "new bias_ih_l0 has values that are NaN or infinite"),
    ],
)
def test_changes_that_do_not_fit_are_refused(changes, said):
    with pytest.raises(CheckpointError, match=said):
        find_in_checkpoint(FILE).mended("encoder", changes)


def test_without_changes_the_numbers_stay():
    again = torch.load(io.BytesIO(find_in_checkpoint(FILE).mended("encoder", {})), weights_only=True)
    torch.testing.assert_close(again, TWO.state_dict(), rtol=0, atol=0)


def memory(name):
    """Return a line of the process's memory, in MB: what it has now, or had at most."""
    with open("/proc/self/status") as lines:
        return next(int(line.split()[1]) / 1000 for line in lines if line.startswith(name))


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_costs_a_second_and_a_sentence(name):
    file = HOSTILE[name]
    with open("/proc/self/clear_refs", "w") as peak:
        peak.write("5")
    before, began = memory("VmRSS"), time.process_time()
    with pytest.raises(CheckpointError, match=SAID[name]) as refused:
        load_network(file)
    assert time.process_time() - began < 1
    assert memory("VmHWM") - before < 100 + len(file) / 1e6
    assert "xpected " in str(refused.value)
    assert len(str(refused.value)) < 600


@pytest.mark.parametrize(
    ("name", "rounds"), [("model.h5", 5), ("model.keras", 20), ("lightning.ckpt", 60), (LSTM, 60), (LEGACY, 60)],
    ids=range(5),
)  # fmt: skip
def test_damage_anywhere_is_read_or_refused(name, rounds):
    whole = name if isinstance(name, bytes) else (DATA / name).read_bytes()
    draw = random.Random(0)
    outcomes = set()
    for _ in range(rounds):
        damaged = bytearray(whole)
        for _ in range(draw.choice([1, 4, 30])):
            damaged[draw.randrange(min(len(whole), draw.choice([3000, len(whole)])))] = draw.choice(
                [0, 255, draw.randrange(256)]
            )
        try:
            find_in_checkpoint(bytes(damaged))
            outcomes.add("read")
        except CheckpointError as refused:
            outcomes.add(bool(str(refused)))
    assert outcomes <= {"read", True}
    assert True in outcomes


def test_every_sentence_is_said_somewhere():
    source = "".join(path.read_text(encoding="utf-8") for path in Path(messages.__file__).parent.glob("*.py"))
    said = {kind: set(re.findall(rf'\b{kind}\(\s*"(\w+)"', source)) for kind in ("error", "note")}
    assert said["error"] == set(messages.ERRORS)
    assert said["note"] | {"weight_norm", "pruned"} == set(messages.NOTES)
