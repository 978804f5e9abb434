"""Checkpoints of Keras: ``.keras``, ``.weights.h5``, and the ``.h5`` of Keras 2.

Keras' kernels are PyTorch's weights transposed. Its LSTM has the gates in PyTorch's order; its GRU has update, reset,
candidate. With ``reset_after`` its GRU has the equations of PyTorch's, both biases included, and without it others.
"""

from __future__ import annotations

import functools
import itertools
import types
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from lstm_explorer.core.architectures import Architecture
from lstm_explorer.core.checkpoints.finding import BY_BLOCKS, common_dtype
from lstm_explorer.core.checkpoints.hdf5 import Tree, look_through, rewritten
from lstm_explorer.core.checkpoints.keras_layers import BLOCKS, Layer, check_layer, configured_layers, layer_of
from lstm_explorer.core.checkpoints.messages import CheckpointError, error, no_other_errors, note
from lstm_explorer.core.checkpoints.reading import open_zip, read_json, read_part, rewritten_zip
from lstm_explorer.core.checkpoints.record import Candidate, Contents, FoundNetwork, Left, Source, Stored
from lstm_explorer.core.escape import one_line
from lstm_explorer.core.tables.messages import Note

#: The parts of a ``.keras`` file.
CONFIGURATION, WEIGHTS = "config.json", "model.weights.h5"
_ARRAYS = ("kernel", "recurrent_kernel", "bias")


class Cell(NamedTuple):
    """The arrays of one direction of a layer, where the layer stands, and its direction."""

    place: str
    way: str
    arrays: Sequence[Stored]


def open_keras_zip(data: bytes) -> Contents:
    """Look through a ``.keras`` file: its weights, and the configuration that says what they are the weights of.

    Args:
        data: The file.

    Raises:
        CheckpointError: It is damaged.
        MissingExtraError: h5py is not installed.
    """
    with open_zip(data) as archive, no_other_errors("Keras"):
        configuration = read_json(read_part(archive, CONFIGURATION))
        inside = open_hdf5(archive.read(WEIGHTS), configuration)
    return inside._replace(rewrite=lambda changes: rewritten_zip(data, {WEIGHTS: inside.rewrite(changes)}))


def open_hdf5(data: bytes, configuration: Any = None) -> Contents:
    """Look through a file of HDF5 that Keras wrote.

    Args:
        data: The file.
        configuration: That of the model, where the file does not have it.

    Raises:
        CheckpointError: It is damaged.
        MissingExtraError: h5py is not installed.
    """
    tree = look_through(data)
    if configuration is None and tree.configuration is not None:
        configuration = read_json(tree.configuration)
    with no_other_errors("Keras"):
        layers = configured_layers(configuration)
    candidates = _candidates(tree, layers)
    used = frozenset[str]().union(*(candidate.keys for candidate in candidates))
    left = tuple(Left(one_line(path, 200)) for path in tree.arrays if path not in used)
    return Contents("Keras", tuple(candidates), left, functools.partial(rewritten, data, tree.places))


def _candidates(tree: Tree, layers: Sequence[tuple[str, Layer]]) -> list[Candidate]:
    """Return what has the arrays of a recurrent cell, the two directions of a layer together."""
    groups: dict[str, dict[str, Stored]] = defaultdict(dict)
    for path, stored in tree.arrays.items():
        group, _, name = path.rpartition("/")
        groups[group][name.removesuffix(":0")] = stored
    cells: dict[str, dict[str, Cell]] = defaultdict(dict)
    for group, inside in groups.items():
        cell = _cell(group, inside, groups)
        if cell:
            cells[cell.place][cell.way] = cell
    return [_candidate(_name(place, tree.names), ways, layers) for place, ways in cells.items()]


def _cell(group: str, inside: Mapping[str, Stored], groups: Mapping[str, Any]) -> Cell | None:
    """Return the recurrent cell whose arrays a group holds; None of another group."""
    parts = group.split("/")
    if parts[-2:] == ["cell", "vars"] and {"0", "1"} <= set(inside) <= {"0", "1", "2"}:
        way = parts[-3] if len(parts) > 2 and parts[-3] in ("forward_layer", "backward_layer") else ""
        place = parts[:-3] if way else parts[:-2]
        return Cell("/".join(place), way.partition("_")[0], [inside[name] for name in sorted(inside)])
    if "optimizer_weights" in parts or not set(_ARRAYS[:2]) <= set(inside) <= set(_ARRAYS):
        return None
    parts = parts[1:] if parts[0] == "model_weights" and len(parts) > 1 else parts
    parts = parts[:-1] if "cell" in parts[-1] and len(parts) > 1 else parts
    way = parts[-1].partition("_")[0]
    other = {"forward": "/backward_", "backward": "/forward_"}.get(way)
    both = len(parts) > 1 and other and any(f"{'/'.join(parts[:-1])}{other}" in one for one in groups)
    parts = [part for part, _ in itertools.groupby(parts[:-1] if both else parts)]
    place = parts[:1] if parts[0] == parts[-1] else parts
    return Cell("/".join(place), way if both else "", [inside[name] for name in _ARRAYS if name in inside])


def _name(place: str, names: Mapping[str, str]) -> str:
    """Return the name of a layer: in a list of layers the one that it says, else that of the attribute it is."""
    parts = place.split("/")
    shown = []
    for at, part in enumerate(parts):
        if at and parts[at - 1] == "layers":
            part = names.get(f"{'/'.join(parts[: at + 1])}/vars", part)
        if part != "layers" or at == len(parts) - 1:
            shown.append(part)
    return one_line(".".join(shown), 200)


def _candidate(name: str, ways: Mapping[str, Cell], layers: Sequence[tuple[str, Layer]]) -> Candidate:
    keys = frozenset(stored.key for cell in ways.values() for stored in cell.arrays)
    try:
        first = ways.get("forward") or next(iter(ways.values()))
        record, units = _record(name, first.arrays)
        layer = layer_of(name.rpartition(".")[2], len(record.blocks), units, layers)
        nonlinearity, notes = check_layer(name, layer, len(record.blocks))
        sources: dict[str, Source] = {}
        for way, suffix in (("forward", ""), ("backward", "_reverse")) if len(ways) > 1 else ((first.way, ""),):
            sources |= _sources(name, suffix, ways[way].arrays, first.arrays, record)
        dtype, converted = common_dtype(name, sources.values())
    except CheckpointError as refusal:
        return Candidate(name, keys, refusal=refusal)
    notes += [*_on_biases(first.arrays, record, layer), *converted]
    columns = first.arrays[0].shape[0]
    notes.append(note("batch_first", input_size=columns))
    found = FoundNetwork(
        name=name, architecture=record.name, input_size=columns, hidden_size=units, bidirectional=len(ways) > 1,
        bias=len(first.arrays) > 2, nonlinearity=nonlinearity, dtype=dtype, notes=tuple(notes),
    )  # fmt: skip
    return Candidate(name, keys, found, types.MappingProxyType(sources))


def _record(name: str, arrays: Sequence[Stored]) -> tuple[Architecture, int]:
    """Return the architecture and the units, by the columns of the recurrent kernel for each of its rows."""
    shape = arrays[1].shape
    units, columns = shape if len(shape) == 2 else (0, 0)
    blocks = columns // units if units and columns % units == 0 else 0
    if blocks not in BY_BLOCKS:
        raise error("rows", name=name, parameter="recurrent_kernel", came=shape[::-1], columns=units)
    return BY_BLOCKS[blocks], units


def _on_biases(arrays: Sequence[Stored], record: Architecture, layer: Layer | None) -> list[Note]:
    if len(arrays) > 2:
        return [note("one_bias")] if len(arrays[2].shape) == 1 else []
    return [note("reset_after")] if layer is None and _two_biases(record) else []


def _two_biases(record: Architecture) -> bool:
    """Tell whether Keras has two biases as well: where a gate multiplies one of them."""
    return any(not gate.split for gate in record.gates)


def _sources(
    name: str, suffix: str, arrays: Sequence[Stored], first: Sequence[Stored], record: Architecture
) -> dict[str, Source]:
    """Return where the parameters of one direction come from."""
    blocks, columns, units = len(record.blocks), first[0].shape[0] if first[0].shape else 0, first[1].shape[0]
    rows = blocks * units
    shapes = [(columns, rows), (units, rows), (2, rows) if _two_biases(record) else (rows,)]
    if len(arrays) > 2 and _two_biases(record) and arrays[2].shape == (rows,):
        raise error("reset_before", name=name)
    for array, expected, what in zip(arrays, shapes, _ARRAYS, strict=False):
        if array.shape != expected or 0 in expected or len(arrays) != len(first):
            raise error("shape", name=name, parameter=what, came=array.shape, expected=expected)
    order = _order(record, units)
    sources = {
        f"{kind}_l0{suffix}": Source((array,), array.shape[::-1], order.rows, order.columns_back)
        for kind, array in zip(("weight_ih", "weight_hh"), arrays, strict=False)
    }
    if len(arrays) > 2:
        ways: list[tuple[Callable[..., Tensor], Callable[[Tensor, Tensor], Tensor]]]
        ways = [(order.first, order.first_back), (order.second, order.second_back)]
        if not _two_biases(record):
            ways = [(order.bias, order.bias_back), (torch.zeros_like, order.bias_added)]
        for kind, (make, back) in zip(("bias_ih", "bias_hh"), ways, strict=True):
            sources[f"{kind}_l0{suffix}"] = Source((arrays[2],), (rows,), make, back)
    return sources


class _Order(NamedTuple):
    """The ways from Keras' order of gates to PyTorch's, and back."""

    there: Tensor
    back: Tensor

    def rows(self, kernel: Tensor) -> Tensor:
        return kernel.T[self.there].contiguous()

    def columns_back(self, _old: Tensor, new: Tensor) -> Tensor:
        return new[self.back].T.contiguous()

    def bias(self, bias: Tensor) -> Tensor:
        return bias[self.there]

    def bias_back(self, _old: Tensor, new: Tensor) -> Tensor:
        return new[self.back]

    def bias_added(self, old: Tensor, new: Tensor) -> Tensor:
        return old + new[self.back]

    def first(self, biases: Tensor) -> Tensor:
        return biases[0, self.there]

    def first_back(self, old: Tensor, new: Tensor) -> Tensor:
        return torch.stack([new[self.back], old[1]])

    def second(self, biases: Tensor) -> Tensor:
        return biases[1, self.there]

    def second_back(self, old: Tensor, new: Tensor) -> Tensor:
        return torch.stack([old[0], new[self.back]])


def _order(record: Architecture, units: int) -> _Order:
    theirs = next(blocks for blocks in BLOCKS.values() if len(blocks) == len(record.blocks))
    blocks = torch.arange(len(theirs) * units).view(len(theirs), units)
    there = blocks[[theirs.index(gate) for gate in record.blocks]].flatten()
    return _Order(there, there.argsort())
