"""What a pickle says is what torch.load reads, and nothing in it runs."""

import collections
import io
import pickle
import shutil
import zipfile

import pytest
import torch
from hostile_checkpoints import number, text, torch_file
from torch import nn

from lstm_explorer.core.checkpoints.messages import CheckpointError
from lstm_explorer.core.checkpoints.unpickling import MAX_INSTRUCTIONS, Foreign, Name, Storage, View, read_pickle

PLAIN = {"epoch": 3, "loss": 0.5, "names": ["a", ("b", None, True)], "large": 10**30, "inner": {"한": "글"}}


def read(data):
    return read_pickle(io.BytesIO(data))[0]


class Trap:
    """Runs when it is unpickled."""

    def __reduce__(self):
        return shutil.rmtree, ("/nowhere",)


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_plain_values_are_read_as_they_are(protocol):
    assert read(pickle.dumps(PLAIN, protocol)) == PLAIN


def test_a_state_dict_is_described():
    file = torch_file(collections.OrderedDict(weight=torch.zeros(6)[2:].view(2, 2), bias=nn.Parameter(torch.zeros(3))))
    with zipfile.ZipFile(io.BytesIO(file)) as archive:
        described, storages = read_pickle(io.BytesIO(archive.read("archive/data.pkl")))
    assert described == {
        "weight": View(Storage("0", torch.float32, 6), 2, (2, 2), (2, 1)),
        "bias": View(Storage("1", torch.float32, 3), 0, (3,), (1,)),
    }
    assert set(storages) == {"0", "1"}


@pytest.mark.parametrize("protocol", [2, 4])
def test_nothing_runs(protocol):
    told = read(pickle.dumps({"trap": Trap(), "kept": 1, "counter": collections.Counter("ab")}, protocol))
    assert told == {"trap": Foreign("shutil.rmtree"), "kept": 1, "counter": Foreign("collections.Counter")}


def test_a_name_is_not_looked_up():
    assert read(b"\x80\x02cno.such.module\nthing\n.") == Name("no.such.module thing")


@pytest.mark.parametrize("body", [b"}I1\nI2\ns", b"N2", b"\x82\x01", b"(}}}o"], ids=["text", "DUP", "EXT1", "OBJ"])
def test_instructions_that_pytorch_never_writes_are_refused(body):
    with pytest.raises(ValueError, match=r"its instruction [A-Z0-9]+ is not of PyTorch"):
        read(b"\x80\x02" + body + b".")


def test_what_is_hashed_is_text_alone():
    laughs = b"".join(b"(" + b"h%c" % (at - 1) * 2 + b"tq%c" % at for at in range(1, 60))
    assert read(b"\x80\x02}q\x00)q\x00" + laughs + b"}h\x3b" + text("a") + b"s" + b".") == {}


def test_instructions_are_counted():
    with pytest.raises(CheckpointError, match=f"more than {MAX_INSTRUCTIONS} parts"):
        read(b"\x80\x02" + b"N0" * (MAX_INSTRUCTIONS // 2) + b"N.")


def test_a_name_stands_once():
    with pytest.raises(CheckpointError, match="a stands in the file twice"):
        read(b"\x80\x02}(" + (text("a") + number(1)) * 2 + b"u.")
