"""Checkpoints of safetensors: a header in JSON says where each tensor lies, and nothing else is in the file.

The header has to be checked before anything is read, and where its tensors lie has to be known to write them back, so
it is read here; the package ``safetensors`` would copy every tensor of the file to read one.
"""

from __future__ import annotations

import functools
import math
import types
from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor

from lstm_explorer.core.checkpoints.finding import WRAPPERS, find_candidates, without_wrappers
from lstm_explorer.core.checkpoints.messages import error, listed, no_other_errors, note
from lstm_explorer.core.checkpoints.reading import MAX_PARTS, check_once, patched, read_json
from lstm_explorer.core.checkpoints.record import Contents, Left, Stored
from lstm_explorer.core.escape import one_line

#: Name of a dtype in a header -> PyTorch's; of others, bytes are not looked at.
_DTYPES: Mapping[str, torch.dtype] = types.MappingProxyType(
    {
        "F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16,
        "I64": torch.int64, "I32": torch.int32, "I16": torch.int16, "I8": torch.int8, "U8": torch.uint8,
        "BOOL": torch.bool,
    }
)  # fmt: skip


class Place(NamedTuple):
    """Where a tensor lies in the file, its bytes from ``start`` to ``stop``, and what it is."""

    dtype: torch.dtype | None
    shape: tuple[int, ...]
    start: int
    stop: int


def open_safetensors(data: bytes) -> Contents:
    """Look through a safetensors file.

    Args:
        data: The file.

    Raises:
        CheckpointError: It is damaged, or its header claims what the file does not hold.
    """
    with no_other_errors("safetensors"):
        end = 8 + int.from_bytes(data[:8], "little")
        if end > len(data):
            raise ValueError("its header is longer than the file")
        header = read_json(data[8:end])
        header.pop("__metadata__", None)
        if len(header) > MAX_PARTS:
            raise error("many_parts", limit=MAX_PARTS)
        places = {name: _place(about, end, len(data)) for name, about in header.items()}
        if sum(place.stop - place.start for place in places.values()) != len(data) - end:
            raise ValueError("its tensors are not as long as the file")
    plain = {name: one_line(name, 200) for name in places}
    shown = {name: without_wrappers(one) for name, one in plain.items()}
    if len(set(shown.values())) < len(shown):
        shown = plain
    check_once(list(shown.values()))
    arrays = {
        shown[name]: Stored(name, place.shape, place.dtype, functools.partial(_read, data, place))
        for name, place in places.items()
    }
    candidates = tuple(find_candidates(arrays))
    used = frozenset[str]().union(*(candidate.keys for candidate in candidates))
    left = tuple(Left(name) for name, one in arrays.items() if one.key not in used)
    wrappers = [one for one in WRAPPERS if shown is not plain and any(one in name.split(".") for name in places)]
    notes = (note("wrappers", prefixes=listed(wrappers)),) if wrappers else ()
    return Contents("safetensors", candidates, left, functools.partial(_rewritten, data, places), notes)


def _place(about: Mapping[str, Any], offset: int, end: int) -> Place:
    """Return where a tensor lies; its claims fit each other and the file."""
    shape, (start, stop) = tuple(about["shape"]), about["data_offsets"]
    whole = all(type(one) is int and one >= 0 for one in (*shape, start, stop))
    if not whole or len(shape) > 64 or not start <= stop <= end - offset:
        raise ValueError("a tensor is not within the file")
    dtype = _DTYPES.get(about["dtype"])
    if dtype and math.prod(shape) * dtype.itemsize != stop - start:
        raise ValueError("a tensor is not as long as its shape says")
    return Place(dtype, shape, offset + start, offset + stop)


def _numbers(place: Place, buffer: bytearray) -> Tensor:
    return torch.frombuffer(buffer, dtype=place.dtype or torch.uint8).reshape(place.shape)


def _read(data: bytes, place: Place) -> Tensor:
    with no_other_errors("safetensors"):
        return _numbers(place, bytearray(data[place.start : place.stop]))


def _rewritten(data: bytes, places: Mapping[str, Place], changes: Mapping[str, Tensor]) -> bytes:
    changed = {places[name].start: bytearray(places[name].stop - places[name].start) for name in changes}
    for name, new in changes.items():
        _numbers(places[name], changed[places[name].start]).copy_(new)
    return patched(data, changed)
