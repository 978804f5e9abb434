"""Checkpoints of PyTorch and Lightning: the archives that ``torch.save`` writes, and the files of before 1.6."""

from __future__ import annotations

import functools
import io
import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor

from lstm_explorer.core.checkpoints.finding import WRAPPERS, find_candidates, named_apart, without_wrappers
from lstm_explorer.core.checkpoints.messages import error, listed, no_other_errors, note
from lstm_explorer.core.checkpoints.reading import (
    MAX_TEXT,
    check_once,
    open_zip,
    patched,
    read_part,
    rewritten_zip,
)
from lstm_explorer.core.checkpoints.record import Contents, Left, Stored
from lstm_explorer.core.checkpoints.unpickling import Foreign, View, read_pickle
from lstm_explorer.core.escape import one_line

#: How deep a state_dict may stand in the dicts of a checkpoint.
_DEPTH = 3
_LONGEST = 200
#: What quantised modules have in place of weights.
_QUANTISED = ("_packed_params", "_all_weight_values")


class Saved(NamedTuple):
    """What ``torch.save`` wrote.

    Attributes:
        root: What the pickle describes.
        storage: Key -> the bytes of a storage.
        rewrite: ``{key: new bytes}`` -> the file with these storages changed.
    """

    root: Any
    storage: Callable[[str], bytes]
    rewrite: Callable[[Mapping[str, bytes]], bytes]


class Part(NamedTuple):
    """One state_dict of a checkpoint: arrays and objects by their names in the model, tensors by key, and wrappers."""

    arrays: dict[str, Stored]
    foreign: dict[str, Foreign]
    views: dict[str, View]
    wrappers: tuple[str, ...]


def open_archive(data: bytes) -> Contents:
    """Look through a file that ``torch.save`` or Lightning wrote since PyTorch 1.6.

    Args:
        data: The file: a zip archive with a member ``data.pkl``.

    Raises:
        CheckpointError: It is damaged, or a pickled model.
    """
    with open_zip(data) as archive, no_other_errors("PyTorch"):
        members = [member.filename for member in archive.infolist()]
        pickled = next(name for name in members if name.split("/")[-1] == "data.pkl")
        folder = pickled.removesuffix("data.pkl")
        if f"{folder}byteorder" in members and archive.read(f"{folder}byteorder") == b"big":
            raise error("big_endian")
        root, _storages = read_pickle(io.BytesIO(read_part(archive, pickled)))
        place = f"{folder}data/"

    @functools.lru_cache(maxsize=1)  # many weights may be views of one storage
    def storage(key: str) -> bytes:
        with open_zip(data) as archive:
            return archive.read(place + key)

    return _contents(
        Saved(root, storage, lambda new: rewritten_zip(data, {place + key: part for key, part in new.items()}))
    )


def open_legacy(data: bytes) -> Contents:
    """Look through a file that ``torch.save`` wrote before PyTorch 1.6: pickles, then storages in a row.

    Args:
        data: The file.

    Raises:
        CheckpointError: It is damaged, or a pickled model.
    """
    with no_other_errors("PyTorch"):
        file = io.BytesIO(data[:MAX_TEXT])
        (_magic, _), (_version, _), (system, _), (root, storages), (keys, _) = (read_pickle(file) for _ in range(5))
        if not system["little_endian"]:
            raise error("big_endian")
        check_once(keys)
        places, at = {}, file.tell()
        for key in keys:
            count = int.from_bytes(data[at : at + 8], "little")
            end = at + 8 + count * storages[key].dtype.itemsize
            if end > len(data):
                raise ValueError("it ends early")
            places[key] = slice(at + 8, end)
            at = end

    return _contents(
        Saved(
            root,
            lambda key: data[places[key]],
            lambda new: patched(data, {places[key].start: part for key, part in new.items()}),
        )
    )


def _contents(saved: Saved) -> Contents:
    if isinstance(saved.root, Foreign):
        raise error("whole_model", kind=saved.root.kind)
    if not isinstance(saved.root, dict):
        came = "a tensor" if isinstance(saved.root, View) else f"a {type(saved.root).__name__}"
        raise error("no_state_dict", came=came)
    parts = {place: _part(place, names, saved) for place, names in _state_dicts(saved.root)}
    found = {place: find_candidates(part.arrays) for place, part in parts.items()}
    candidates = named_apart(found)
    alone = sum(map(bool, found.values())) < 2
    within = {place: f"{place}." if place and not (alone and found[place]) else "" for place in parts}
    foreign = {within[place] + name: one.kind for place, part in parts.items() for name, one in part.foreign.items()}
    if not candidates:
        _refuse_foreign(foreign)
    used = frozenset[str]().union(*(candidate.keys for candidate in candidates))
    arrays = {within[place] + name: one for place, part in parts.items() for name, one in part.arrays.items()}
    left = [Left(name) for name, one in arrays.items() if one.key not in used]
    left += [Left(name, note("not_read", kind=kind)) for name, kind in foreign.items()]
    looked_at = {place.split(".")[0] for place in parts}
    left += [Left(shown) for name, value in saved.root.items() if (shown := one_line(name, _LONGEST)) not in looked_at
             and not isinstance(value, View | Foreign)]  # fmt: skip
    views = {key: view for part in parts.values() for key, view in part.views.items()}
    wrappers = list(dict.fromkeys(one for part in parts.values() for one in part.wrappers))
    return Contents(
        "Lightning" if "pytorch-lightning_version" in saved.root else "PyTorch", tuple(candidates), tuple(left),
        functools.partial(_rewritten, saved, views),
        (note("wrappers", prefixes=listed(wrappers)),) if wrappers else (),
    )  # fmt: skip


def _refuse_foreign(foreign: Mapping[str, str]) -> None:
    """Say of a file without networks what it has instead: quantised weights, or a model that would have to run."""
    for name, kind in foreign.items():
        if "qtensor" in kind or any(mark in name for mark in _QUANTISED):
            raise error("quantised", name=name)
    models = [kind for kind in foreign.values() if kind != "object" and not kind.startswith("torch._utils.")]
    if models:
        raise error("whole_model", kind=models[0])


def _state_dicts(root: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the dicts of a checkpoint that hold tensors or objects, each once, with where they stand."""
    seen, pending = {id(root)}, [("", root, 1)]
    while pending:
        place, names, depth = pending.pop(0)
        if any(isinstance(value, View | Foreign) for value in names.values()):
            yield place, names
        for name, value in names.items():
            if isinstance(value, dict) and id(value) not in seen and depth < _DEPTH:
                seen.add(id(value))
                pending.append((".".join(filter(None, (place, one_line(name, _LONGEST)))), value, depth + 1))


def _part(place: str, names: dict[str, Any], saved: Saved) -> Part:
    plain = {name: one_line(name, _LONGEST) for name, value in names.items() if isinstance(value, View | Foreign)}
    shown = {name: without_wrappers(one) for name, one in plain.items()}
    if len(set(shown.values())) < len(shown):  # a model beside its wrapped copy: the wrapper tells them apart
        shown = plain
    check_once(list(shown.values()))
    views = {name: value for name, value in names.items() if isinstance(value, View)}
    arrays = {
        shown[name]: Stored(f"{place}/{name}", view.shape, view.storage.dtype, functools.partial(_read, saved, view))
        for name, view in views.items()
    }
    wrappers = [part for name in names for part in WRAPPERS if shown is not plain and part in name.split(".")]
    return Part(
        arrays,
        {shown[name]: value for name, value in names.items() if isinstance(value, Foreign)},
        {f"{place}/{name}": view for name, view in views.items()},
        tuple(dict.fromkeys(wrappers)),
    )


def _numbers(view: View, buffer: bytearray) -> Tensor:
    """Return a tensor as a view of the bytes of its storage."""
    if math.prod(view.shape) * view.storage.dtype.itemsize > len(buffer):
        raise ValueError("a tensor is larger than its storage")
    return torch.frombuffer(buffer, dtype=view.storage.dtype).as_strided(view.shape, view.stride, view.offset)


def _read(saved: Saved, view: View) -> Tensor:
    with no_other_errors("PyTorch"):
        return _numbers(view, bytearray(saved.storage(view.storage.key))).clone(memory_format=torch.contiguous_format)


def _rewritten(saved: Saved, views: Mapping[str, View], changes: Mapping[str, Tensor]) -> bytes:
    buffers: dict[str, bytearray] = {}
    with no_other_errors("PyTorch"):
        for key, new in changes.items():
            view = views[key]
            buffer = buffers.setdefault(view.storage.key, bytearray(saved.storage(view.storage.key)))
            _numbers(view, buffer).copy_(new)
        return saved.rewrite({key: bytes(buffer) for key, buffer in buffers.items()})
