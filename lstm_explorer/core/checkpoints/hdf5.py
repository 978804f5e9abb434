"""Arrays of a file of HDF5: where they lie is found out by another process, their bytes are read and written here."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import types
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from lstm_explorer.core.checkpoints import hdf5_child
from lstm_explorer.core.checkpoints.messages import error, no_other_errors
from lstm_explorer.core.checkpoints.reading import patched
from lstm_explorer.core.checkpoints.record import Stored
from lstm_explorer.core.escape import one_line
from lstm_explorer.extras import require

_FLOATS: Mapping[str, torch.dtype] = types.MappingProxyType(
    {"f2": torch.float16, "f4": torch.float32, "f8": torch.float64}
)
#: Seconds after which the other process is given up, on a machine however busy.
_PATIENCE = 30.0


class Tree(NamedTuple):
    """What stands in a file: arrays by their paths, the names that groups say, the configuration, and the places."""

    arrays: Mapping[str, Stored]
    names: Mapping[str, str]
    configuration: str | None
    places: Mapping[str, Place]


class Place(NamedTuple):
    """Where the numbers of an array lie; ``start`` is None where they are not in the file as they are."""

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    start: int | None

    def numbers(self, name: str, data: bytes) -> np.ndarray[Any, Any]:
        """Return the array as a view of the file.

        Raises:
            CheckpointError: Its numbers are not in the file.
        """
        count = math.prod(self.shape)
        if self.start is None or self.start + count * self.dtype.itemsize > len(data):
            raise error("claims", name=one_line(name, 200))
        return np.frombuffer(data, self.dtype, count, self.start).reshape(self.shape)


def look_through(data: bytes) -> Tree:
    """Return what stands in a file of HDF5.

    Args:
        data: The file.

    Raises:
        CheckpointError: It is damaged.
        MissingExtraError: h5py is not installed.
    """
    require("checkpoints")
    told = _described(data)
    with no_other_errors("HDF5"):
        places = {path: Place(np.dtype(kind), tuple(shape), at) for path, (shape, kind, at) in told["arrays"].items()}
    arrays = {path: _stored(data, path, places[path]) for path in sorted(places)}
    return Tree(arrays, told["names"], told["configuration"], places)


def _described(data: bytes) -> dict[str, Any]:
    """Return what :func:`hdf5_child.describe` finds, in a process that may crash."""
    command = [sys.executable, "-I", str(Path(hdf5_child.__file__))]
    try:
        done = subprocess.run(
            command, input=data, capture_output=True, timeout=_PATIENCE, check=False,
            env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as reason:
        raise error("damaged", format="HDF5", reason=type(reason).__name__) from reason
    if done.returncode:
        lines = done.stderr.decode(errors="replace").strip().splitlines()
        ended = f"its library ended with {done.returncode}"
        raise error("damaged", format="HDF5", reason=one_line(lines[-1], 80) if lines else ended)
    described: dict[str, Any] = json.loads(done.stdout)
    return described


def _stored(data: bytes, path: str, place: Place) -> Stored:
    def read() -> Tensor:
        numbers = place.numbers(path, data)
        return torch.from_numpy(numbers.astype(place.dtype.newbyteorder("="), order="C"))

    return Stored(path, place.shape, _FLOATS.get(place.dtype.str[1:]), read)


def rewritten(data: bytes, places: Mapping[str, Place], changes: Mapping[str, Tensor]) -> bytes:
    """Return a file with the numbers of some arrays changed, and no other byte.

    Args:
        data: The file.
        places: Of its arrays.
        changes: Path of an array -> new numbers.

    Raises:
        CheckpointError: The numbers of an array are not in the file.
    """
    changed = {}
    for path, new in changes.items():
        place = places[path]
        place.numbers(path, data)  # it is there
        changed[place.start or 0] = new.numpy().astype(place.dtype).tobytes()
    return patched(data, changed)
