"""Checkpoints that nobody means well with: what is claimed is not there, or far more than is there."""

import gzip
import io
import json
import pickle
import struct
import zipfile
from pathlib import Path

import h5py
import numpy as np
import torch
from torch import nn

DATA = Path(__file__).resolve().parents[1] / "data" / "checkpoints"
#: The smallest weights of a recurrent network, as pickles and headers name them.
NAMES = ("lstm.weight_ih_l0", "lstm.weight_hh_l0")


def torch_file(content, **options) -> bytes:
    buffer = io.BytesIO()
    torch.save(content, buffer, **options)
    return buffer.getvalue()


def zipped(parts, compression=zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, content in parts:
            archive.writestr(name, content)
    return buffer.getvalue()


def pickled(body: bytes) -> bytes:
    """Return a file of PyTorch whose pickle is these instructions."""
    return zipped([("a/data.pkl", b"\x80\x02" + body + b"."), ("a/data/0", bytes(64))])


def text(value: str) -> bytes:
    return b"X" + struct.pack("<I", len(value.encode())) + value.encode()


def number(value: int) -> bytes:
    return pickle.dumps(value, 2)[2:-1]


def tensor(shape, stride, offset=0, count=16) -> bytes:
    """Return the instructions of a tensor of float32 over the storage of 64 bytes."""
    storage = b"(" + text("storage") + b"ctorch\nFloatStorage\n" + text("0") + text("cpu") + number(count) + b"tQ"
    sizes = b"".join(b"(" + b"".join(map(number, one)) + b"t" for one in (shape, stride))
    return b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage + number(offset) + sizes + b"\x89}tR"


def claimed(**changed) -> bytes:
    """Return a state_dict whose weights are views that the storage does not have."""
    views = [tensor(**({"shape": (4, 1), "stride": (1, 1)} | changed)) for _ in NAMES]
    return pickled(b"}(" + b"".join(text(name) + view for name, view in zip(NAMES, views, strict=True)) + b"u")


def safetensors_file(header, body=b"") -> bytes:
    written = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(written)) + written + body


def one_tensor(**changed) -> bytes:
    about = {"dtype": "F32", "shape": [4, 1], "data_offsets": [0, 16]} | changed
    return safetensors_file({NAMES[1]: about}, bytes(16))


def hdf5(fill) -> bytes:
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        fill(file, "layers/lstm/cell/vars/")
    return buffer.getvalue()


def empty_arrays(file, place):
    """Claim 5 GB that were never written."""
    file.create_dataset(f"{place}0", (300_000_000 // 4, 16), "f4", chunks=(1024, 16))
    file.create_dataset(f"{place}1", (4, 16), "f4")


def packed_arrays(file, place):
    file.create_dataset(f"{place}0", data=np.zeros((500_000, 16), "f4"), compression="gzip", chunks=(50_000, 16))
    file.create_dataset(f"{place}1", data=np.zeros((4, 16), "f4"))


def arrays_elsewhere(file, place):
    """Say that the numbers are those of another file."""
    file.create_dataset(f"{place}0", (1, 16), "f4", external=[("/etc/passwd", 0, 64)])
    file.create_dataset(f"{place}1", (4, 16), "f4", external=[("/etc/passwd", 0, 256)])


def links_elsewhere(file, place):
    file[f"{place}0"] = h5py.ExternalLink("/etc/passwd", "/")
    file[f"{place}1"] = h5py.SoftLink("/nowhere")


def circle(file, place):
    """Put a group into itself, eight times."""
    group = file.create_group(place)
    for at in range(8):
        group[f"again {at}"] = file["layers"]


def keras_zip(configuration: bytes) -> bytes:
    return zipped([("config.json", configuration), ("model.weights.h5", (DATA / "own.weights.h5").read_bytes())])


def broken(name: str, end: float) -> bytes:
    whole = (DATA / name).read_bytes()
    return whole[: int(len(whole) * end)]


def overlapping() -> bytes:
    """Return an archive of 400 parts that are all the same million bytes."""
    whole = zipped([("a/data.pkl", b"\x80\x02}."), ("a/data/000", bytes(1_000_000))])
    at = whole.rindex(b"PK\x01\x02")
    end = whole.index(b"PK\x05\x06")
    part = whole[at:end]
    parts = b"".join(part.replace(b"a/data/000", b"a/data/%03d" % one) for one in range(400))
    first = whole.index(b"PK\x01\x02")
    size = at - first + len(parts)
    tail = whole[end : end + 8] + struct.pack("<HHII", 401, 401, size, first) + bytes(2)
    return whole[:at] + parts + tail


LSTM = torch_file(nn.LSTM(2, 3).state_dict())
LEGACY = torch_file(nn.LSTM(2, 3).state_dict(), _use_new_zipfile_serialization=False)
DEEP = b"[" * 100_000 + b"]" * 100_000
LAUGHS = b"".join(b"(" + b"h%c" % (at - 1) * 2 + b"tq%c" % at for at in range(1, 60))

#: What it is -> the file.
HOSTILE = {
    "nothing": b"",
    "text": b"epoch,loss\n1,0.5\n",
    "a picture": b"\x89PNG\r\n\x1a\n" + bytes(100),
    "gzip": gzip.compress(LSTM),
    "tar": bytes(257) + b"ustar" + bytes(300),
    "pickle": pickle.dumps({"a": 1}),
    "pickle of protocol 0": pickle.dumps({"a": 1}, 0),
    "zip of text": zipped([("readme.txt", b"hello")]),
    "zip bomb": zipped([("a/data.pkl", b"\x80\x02}."), ("a/data/0", bytes(30_000_000))], zipfile.ZIP_DEFLATED),
    "zip that overlaps itself": overlapping(),
    "zip of many": zipped([(f"{at}", b"") for at in range(20_001)]),
    "PyTorch, half": LSTM[: len(LSTM) // 2],
    "PyTorch, all but the end": LSTM[:-1],
    "PyTorch, a part of 5 GB": LSTM.replace(struct.pack("<I", 96), struct.pack("<I", 0xFFFFFFF0)),
    "legacy, half": LEGACY[: len(LEGACY) - 100],
    "legacy, 5 GB": LEGACY.replace(struct.pack("<Q", 36), struct.pack("<Q", 5 * 10**9), 1),
    "pickle that runs": pickled(b"cposix\nsystem\n(" + text("touch /tmp/ran") + b"tR"),
    "pickle of 5 GB": pickled(b"c__builtin__\nbytearray\n(" + number(5 * 10**9) + b"tR"),
    "pickle, a tensor of 5 GB": pickled(b"ctorch\nTensor\n(" + number(5 * 10**9) + b"tR"),
    "pickle of laughs": pickled(b"}q\x00)q\x00" + LAUGHS + b"}h\x3b" + text("a") + b"s"),
    "pickle, far memo": pickled(b"}r\xff\xff\xff\x7f"),
    "pickle, deep": pickled(b"]" * 100_000 + b"a" * 99_999),
    "pickle, long": pickled(b"]0" * 400_000 + b"}"),
    "pickle, nothing on the stack": pickled(b"t"),
    "pickle, no end": zipped([("a/data.pkl", b"\x80\x02}")]),
    "pickle, a number without end": pickled(b"L" + b"9" * 1_000_000 + b"L\n"),
    "pickle, a name twice": pickled(b"}(" + (text(NAMES[0]) + tensor((4, 1), (1, 1))) * 2 + b"u"),
    "tensors beyond their storage": claimed(shape=(40, 10), stride=(10, 1)),
    "tensors of one number": claimed(shape=(4 * 40_000, 40_000), stride=(0, 0)),
    "tensors before their storage": claimed(offset=-4),
    "tensors behind their storage": claimed(offset=2**40),
    "tensors of a strange size": claimed(shape=(2**62, 4), stride=(1, 1)),
    "tensors of a storage of 5 GB": claimed(shape=(4 * 10_000, 10_000), stride=(10_000, 1), count=10**10),
    "safetensors, a header of 5 GB": struct.pack("<Q", 5 * 10**9) + b"{}" + bytes(100),
    "safetensors, deep": safetensors_file(b'{"a":' + DEEP + b"}"),
    "safetensors, a number without end": safetensors_file(b'{"a":' + b"9" * 100_000 + b"}"),
    "safetensors, a list": safetensors_file(b"{}"[:1] + b'"a":[]}'),
    "safetensors, no JSON": safetensors_file(b"{a}"),
    "safetensors, a name twice": safetensors_file(b'{"a":1,"a":1}'),
    "safetensors, of many": safetensors_file(
        {f"{at}": {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]} for at in range(20_001)}
    ),
    "safetensors, 5 GB": one_tensor(shape=[10**5, 12_500], data_offsets=[0, 5 * 10**9]),
    "safetensors, a shape of 5 GB": one_tensor(shape=[10**5, 12_500]),
    "safetensors, backwards": one_tensor(data_offsets=[16, 0]),
    "safetensors, before the file": one_tensor(data_offsets=[-16, 0]),
    "safetensors, too short": one_tensor()[:-4],
    "safetensors, too long": one_tensor() + b"more",
    "Keras, half": broken("model.keras", 0.5),
    "Keras, deep": keras_zip(DEEP),
    "Keras, long": keras_zip(b"[" + b"[]," * 1_500_000 + b"[]]"),
    "HDF5, half": broken("model.h5", 0.5),
    "HDF5, its first bytes": broken("model.h5", 0.01),
    "HDF5, 5 GB": hdf5(empty_arrays),
    "HDF5, packed": hdf5(packed_arrays),
    "HDF5, numbers of another file": hdf5(arrays_elsewhere),
    "HDF5, links to another file": hdf5(links_elsewhere),
    "HDF5, a circle": hdf5(circle),
}
#: What it is -> what is said of it.
SAID = {
    "nothing": "is empty",
    "text": "no known format",
    "a picture": "no known format",
    "gzip": "packed by gzip",
    "tar": "packed by tar",
    "pickle": "torch.save did not write",
    "pickle of protocol 0": "no known format",
    "zip of text": "none of PyTorch or Keras .readme.txt",
    "zip bomb": "data.pkl in the file is compressed",
    "zip that overlaps itself": "larger than the file itself",
    "zip of many": "more than 20000 parts",
    "PyTorch, half": "as zip",
    "PyTorch, all but the end": "as zip",
    "PyTorch, a part of 5 GB": "larger than the file itself",
    "legacy, half": "ends early",
    "legacy, 5 GB": "ends early",
    "pickle that runs": "class posix.system",
    "pickle of 5 GB": "class __builtin__.bytearray",
    "pickle, a tensor of 5 GB": "class torch.Tensor",
    "pickle of laughs": "No recurrent",
    "pickle, far memo": "No recurrent",
    "pickle, deep": "holds a list",
    "pickle, long": "more than 400000 parts",
    "pickle, nothing on the stack": "pop from empty",
    "pickle, no end": "before seeing STOP",
    "pickle, a number without end": "4300 digits",
    "pickle, a name twice": "weight_ih_l0 stands in the file twice",
    "tensors beyond their storage": "larger than its storage",
    "tensors of one number": "larger than its storage",
    "tensors before their storage": "No recurrent",
    "tensors behind their storage": "setStorage",
    "tensors of a strange size": "No recurrent",
    "tensors of a storage of 5 GB": "larger than its storage",
    "safetensors, a header of 5 GB": "longer than the file",
    "safetensors, deep": "recursion",
    "safetensors, a number without end": "4300 digits",
    "safetensors, a list": "list indices",
    "safetensors, no JSON": "as JSON",
    "safetensors, a name twice": "a stands in the file twice",
    "safetensors, of many": "more than 20000 parts",
    "safetensors, 5 GB": "not within the file",
    "safetensors, a shape of 5 GB": "not as long as its shape",
    "safetensors, backwards": "not within the file",
    "safetensors, before the file": "not within the file",
    "safetensors, too short": "not within the file",
    "safetensors, too long": "not as long as the file",
    "Keras, half": "as zip",
    "Keras, deep": "recursion",
    "Keras, long": "config.json in the file has more than",
    "HDF5, half": "truncated file",
    "HDF5, its first bytes": "truncated file",
    "HDF5, 5 GB": "claims more numbers",
    "HDF5, packed": "claims more numbers",
    "HDF5, numbers of another file": "claims more numbers",
    "HDF5, links to another file": "No recurrent",
    "HDF5, a circle": "No recurrent",
}
