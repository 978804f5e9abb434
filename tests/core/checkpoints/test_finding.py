"""Recurrent networks among names and shapes: those that PyTorch's modules compute, and refusals of all others."""

import warnings

import pytest
import torch
from hostile_checkpoints import torch_file
from torch import nn
from torch.nn.utils import parametrizations, prune

from lstm_explorer.core.checkpoints import CheckpointError, find_in_checkpoint, load_network
from lstm_explorer.core.checkpoints.finding import find_candidates, without_wrappers
from lstm_explorer.core.checkpoints.record import Stored


def weights(network=None, **changed):
    """Return a state_dict of an LSTM(3, 4) of two layers, with tensors changed, and those left out that are None."""
    some = dict((network or nn.LSTM(3, 4, num_layers=2)).state_dict()) | changed
    return {f"enc.{name}": one for name, one in some.items() if one is not None}


def shaken(module):
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(torch.rand_like(parameter))
    return module


def effective(module):
    return {name: getattr(module, name).detach() for name in nn.LSTM(3, 4).state_dict()}


@pytest.mark.parametrize(
    "wrap",
    [
        lambda lstm: parametrizations.weight_norm(lstm, "weight_hh_l0"),
        lambda lstm: parametrizations.weight_norm(lstm, "weight_ih_l0", dim=1),
        lambda lstm: nn.utils.weight_norm(lstm, "weight_hh_l0"),
        lambda lstm: nn.utils.weight_norm(lstm, "weight_hh_l0", dim=None),
        lambda lstm: prune.l1_unstructured(lstm, "weight_hh_l0", amount=0.5),
    ],
    ids=["weight_norm", "by columns", "old weight_norm", "of the whole", "pruning"],
)
@pytest.mark.filterwarnings("ignore:.*weight_norm.* is deprecated")
def test_what_a_weight_is_computed_from_gives_the_weight(wrap):
    lstm = shaken(wrap(nn.LSTM(3, 4)))
    lstm(torch.zeros(1, 1, 3))  # hooks of old compute the weight when it is used
    found = find_in_checkpoint(torch_file(weights(lstm)))
    torch.testing.assert_close(dict(found.network("enc").state_dict()), effective(lstm))
    assert any("Computed from" in str(note) for note in found.found[0].notes)
    part = next(name for name in ("weight_hh_l0", "weight_ih_l0") if name not in lstm.state_dict())
    with pytest.raises(CheckpointError, match=f"{part} is computed from other numbers"):
        found.mended("enc", {part: getattr(lstm, part)})
    again = find_in_checkpoint(found.mended("enc", {"bias_hh_l0": torch.ones(16)}))
    assert again.network("enc").bias_hh_l0.eq(1).all()


def spectral():
    return parametrizations.spectral_norm(nn.LSTM(3, 4), "weight_hh_l0")


def old_spectral():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return nn.utils.spectral_norm(nn.LSTM(3, 4), "weight_hh_l0")


def dropped(inside=""):
    """Return the weights of WeightDrop: the weight stands beside the module, and a copy of it may be inside."""
    lstm = nn.LSTM(3, 4)
    names = {f"{inside}{name}": one for name, one in lstm.state_dict().items()}
    copy = names.pop(f"{inside}weight_hh_l0")
    return names | {"weight_hh_l0_raw": copy, **({f"{inside}weight_hh_l0": copy} if inside else {})}


@pytest.mark.parametrize(
    ("some", "said"),
    [
        (weights(spectral()), r"enc.weight_hh_l0 is not in the file, .*\(0._u, 0._v, original\).*remove_param"),
        (weights(old_spectral()), r"enc.weight_hh_l0 is not in the file, .* \(orig, u, v\)"),
        (dropped(), r"network.weight_hh_l0 is not in the file, .* \(raw\)"),
        (dropped("module."), r"weight_hh_l0 is not in the file, .* \(raw\)"),
        ({f"encoder.rnns.0.{name}": one for name, one in dropped("module.").items()}, r"weight_hh_l0 is not in"),
        (weights(weight_hh_l1=None), "enc lacks weight_hh_l1: expected every weight of its layers .2."),
        (weights(bias_hh_l0=None), "enc lacks bias_hh_l0"),
        (weights(weight_ih_l0_reverse=torch.zeros(16, 3)), "enc lacks weight_hh_l0_reverse, bias_ih_l0_reverse"),
        (weights(nn.LSTM(3, 4), weight_hh_l2=torch.zeros(16, 4)), "enc has the layers 0, 2: expected all of 0 to 2"),
        (weights(nn.LSTM(3, 4), weight_hh_l9999=torch.zeros(16, 4)), "enc has the layers 0, 9999"),
        (weights(weight_hh_l0=torch.zeros(8, 4)), r"has the shape \(8, 4\): expected H, 3H or 4H rows for its 4"),
        (weights(weight_hh_l0=torch.zeros(4)), r"enc.weight_hh_l0 has the shape \(4,\)"),
        (weights(weight_hh_l0=torch.zeros(0, 0)), r"enc.weight_hh_l0 has the shape \(0, 0\)"),
        (weights(weight_ih_l0=torch.zeros(16)), r"enc.weight_ih_l0 has the shape \(16,\): expected \(16, 0\)"),
        (weights(weight_ih_l1=torch.zeros(16, 5)), r"enc.weight_ih_l1 has the shape \(16, 5\): expected \(16, 4\); "),
        (weights(weight_hh_l1=torch.zeros(20, 5)), r"enc.weight_hh_l1 has the shape \(20, 5\): expected \(16, 4\)"),
        (weights(bias_ih_l0=torch.zeros(1, 16)), r"enc.bias_ih_l0 has the shape \(1, 16\): expected \(16,\)"),
        (weights(nn.GRU(3, 4), weight_hr_l0=torch.zeros(2, 4)), "enc has projections"),
        (weights(nn.LSTM(3, 4), weight_hr_l0=torch.zeros(2, 4)), r"\(16, 4\): expected \(16, 2\)"),
        (weights(bias_ih_l0=torch.zeros(16, dtype=torch.int8)), "enc has weights that are float32, int8: expected"),
        (weights(bias_ih_l0=torch.zeros(16, dtype=torch.float64)), "enc has weights that are float32, float64"),
        ({f"weight_{kind}_l{at}": torch.zeros(4, 1) for kind in ("ih", "hh") for at in range(101)}, "at most 100"),
        ({"enc.weight_hh_l0": torch.zeros(16, 4)}, "enc has weight_hh_l0 alone"),
    ],
)  # fmt: skip
def test_what_pytorch_does_not_compute_is_refused_by_name(some, said):
    with pytest.raises(CheckpointError, match=said):
        load_network(torch_file(some))


@pytest.mark.parametrize("kind", ["LSTM", "GRU", "RNN"])
def test_a_cell_is_a_network_of_one_layer(kind):
    cell = getattr(nn, f"{kind}Cell")(3, 4)
    loaded = load_network(torch_file({f"cells.0.{name}": one for name, one in cell.state_dict().items()}))
    assert f"those of a single {kind} cell: read as a network of one layer" in str(loaded.notes[0])
    inputs = torch.randn(1, 2, 3)
    stepped = cell(inputs[0])
    torch.testing.assert_close(loaded.network(inputs)[0][0], stepped[0] if kind == "LSTM" else stepped)


def test_a_plain_rnn_is_said_to_be_one_of_tanh():
    notes = [str(note) for note in load_network(torch_file(nn.RNN(3, 4).state_dict())).notes]
    assert notes == [
        "A file of weights does not say whether a plain RNN uses tanh or relu: tanh was assumed.",
        "A file of weights does not say batch_first: the network reads time first, (T, B, 3).",
    ]


def test_half_of_the_numbers_in_half_is_read_in_float32():
    loaded = load_network(torch_file(weights(bias_ih_l0=torch.ones(16, dtype=torch.float16))))
    assert {one.dtype for one in loaded.network.parameters()} == {torch.float32}
    assert "The weights are float32, float16 in the file" in str(loaded.notes[0])


def test_what_stands_beside_the_weights_is_said():
    loaded = load_network(torch_file(weights() | {"enc.norm.weight": torch.zeros(4), "other.weight": torch.zeros(4)}))
    assert "Beside the weights of enc stand enc.norm.weight, which PyTorch's LSTM does not have" in str(
        loaded.notes[-1]
    )
    assert [left.name for left in loaded.left] == ["enc.norm.weight", "other.weight"]


def test_names_that_only_look_like_weights_are_none():
    names = [
        "weight_ih_l0x",
        "weight_ih_l12345",
        "a.parametrizations.weight.original0",
        "parametrizations",
        "weight_xh_l0",
    ]
    stored = {name: Stored(name, (4, 1), torch.float32, lambda: torch.zeros(4, 1)) for name in names}
    assert find_candidates(stored) == []


@pytest.mark.parametrize("name", ["module", "_orig_mod", "", "a.module.b", "module.module.b"])
def test_wrappers_are_taken_off_once(name):
    assert without_wrappers(name) == {"_orig_mod": "", "module.module.b": "module.b"}.get(name, name)
