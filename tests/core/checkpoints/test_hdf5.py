"""Files of HDF5: found in a process that may crash, read and written where the numbers lie."""

import io
import json
import os
import subprocess
import sys
import time

import h5py
import numpy as np
import pytest
import torch
from hostile_checkpoints import arrays_elsewhere, circle, empty_arrays, hdf5, links_elsewhere, packed_arrays

from lstm_explorer.core.checkpoints import hdf5 as parent
from lstm_explorer.core.checkpoints import hdf5_child
from lstm_explorer.core.checkpoints.hdf5 import Place, look_through, rewritten
from lstm_explorer.core.checkpoints.hdf5_child import MAX_THINGS, describe
from lstm_explorer.core.checkpoints.messages import CheckpointError


def three(file, _place):
    file["a/little"] = np.arange(6, dtype="<f4").reshape(2, 3)
    file["a/big"] = np.arange(6, dtype=">f8")
    file["a/words"] = "text"
    file.create_group("vars").attrs["name"] = "한"
    file.attrs["model_config"] = json.dumps({"a": 1}).encode()


FILE = hdf5(three)


def test_what_stands_in_a_file():
    tree = look_through(FILE)
    assert (tree.names, tree.configuration) == ({"vars": "한"}, '{"a": 1}')
    assert {path: (one.shape, one.dtype) for path, one in tree.arrays.items()} == {
        "a/big": ((6,), torch.float64), "a/little": ((2, 3), torch.float32), "a/words": ((), None),
    }  # fmt: skip
    assert torch.equal(tree.arrays["a/big"].read(), torch.arange(6.0, dtype=torch.float64))
    assert torch.equal(tree.arrays["a/little"].read(), torch.arange(6.0).view(2, 3))


def test_only_the_bytes_of_what_changed_change():
    tree = look_through(FILE)
    new = rewritten(FILE, tree.places, {"a/big": torch.full((6,), 7.0, dtype=torch.float64)})
    assert sum(one != other for one, other in zip(FILE, new, strict=True)) <= 6 * 8
    with h5py.File(io.BytesIO(new)) as file:
        assert file["a/big"][()].tolist() == [7.0] * 6
        assert file["a/little"][()].tolist() == [[0, 1, 2], [3, 4, 5]]


@pytest.mark.parametrize("fill", [empty_arrays, packed_arrays, arrays_elsewhere])
def test_numbers_that_are_not_in_the_file_are_not_read(fill):
    described = describe(hdf5(fill))
    assert described["arrays"]["layers/lstm/cell/vars/0"][2] is None


@pytest.mark.parametrize("start", [None, 100, 7, 2**62])
def test_numbers_behind_the_end_are_not_read(start):
    with pytest.raises(CheckpointError, match="a claims more numbers"):
        Place(np.dtype("f4"), (4,), start).numbers("a", bytes(20))
    assert Place(np.dtype("u1"), (2, 2), 1).numbers("a", b"abcde").tolist() == [[98, 99], [100, 101]]


def test_links_are_not_followed_and_circles_end():
    assert describe(hdf5(links_elsewhere))["arrays"] == {}
    assert describe(hdf5(circle))["arrays"] == {}


def test_things_are_counted(monkeypatch):
    monkeypatch.setattr(hdf5_child, "MAX_THINGS", 3)
    with pytest.raises(OverflowError, match="too much"):
        describe(FILE)
    assert MAX_THINGS == 4000


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("import os; os.abort()", "its library ended with -6"),
        ("while True: pass", "its library ended with -27"),
        ("bytearray(300_000_000)", "MemoryError"),
        ("raise SystemExit('a reason')", "a reason"),
    ],
    ids=["crash", "loop", "memory", "error"],
)
def test_whatever_the_other_process_does_is_a_sentence(code, said, tmp_path, monkeypatch):
    """The limits hold for what the library does in C too; here they are met in Python, which is the same process."""
    script = tmp_path / "child.py"
    folder = os.path.dirname(hdf5_child.__file__)
    script.write_text(
        f"import sys\nsys.path.insert(0, {folder!r})\nimport hdf5_child as c\nc.limit(0.2, c._BYTES)\n{code}\n"
    )
    monkeypatch.setattr(hdf5_child, "__file__", str(script))
    began = time.monotonic()
    with pytest.raises(CheckpointError, match=rf"cannot be read as HDF5 \({said}"):
        look_through(FILE)
    assert time.monotonic() - began < 10


def test_a_process_that_does_not_come_back_is_given_up(monkeypatch):
    def late(*args, **kwargs):
        raise subprocess.TimeoutExpired("python", 30)

    monkeypatch.setattr(parent.subprocess, "run", late)
    with pytest.raises(CheckpointError, match="TimeoutExpired"):
        look_through(FILE)


def test_the_child_needs_nothing_of_the_package():
    code = f"import sys; sys.path.insert(0, {os.path.dirname(hdf5_child.__file__)!r}); import hdf5_child; "
    code += "print(sorted({'torch', 'pandas', 'lstm_explorer'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
