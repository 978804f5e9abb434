"""Recurrent networks of PyTorch among named arrays, by their names and shapes."""

from __future__ import annotations

import dataclasses
import re
import types
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from typing import NamedTuple

import torch
from torch import Tensor

from lstm_explorer.core.architectures import ARCHITECTURES, Architecture
from lstm_explorer.core.checkpoints.messages import CheckpointError, error, listed, note
from lstm_explorer.core.checkpoints.record import READ_AS, Candidate, FoundNetwork, Source, Stored, as_it_is
from lstm_explorer.core.tables.messages import Note

#: Blocks of rows -> the network of PyTorch that has so many.
BY_BLOCKS: Mapping[int, Architecture] = types.MappingProxyType(
    {len(record.blocks): record for record in ARCHITECTURES.values() if record.fused}
)

_PARAMETER = re.compile(
    r"(?P<kind>weight_ih|weight_hh|weight_hr|bias_ih|bias_hh)(?P<place>_l(?P<layer>\d{1,4})(_reverse)?)?"
)
#: What nn.utils of old append to the name of a weight that they compute.
_OLD_VARIANT = re.compile(rf"({_PARAMETER.pattern})_(?P<variant>g|v|u|orig|mask|raw)")
#: Layers of one network; PyTorch needs the square of their number to build it.
_MOST_LAYERS = 100
#: What a wrapper of a whole model puts into names.
WRAPPERS = ("module", "_orig_mod")


class Sizes(NamedTuple):
    """What the shapes of a network's weights say."""

    record: Architecture
    input_size: int
    hidden_size: int
    layers: int
    proj_size: int
    directions: Sequence[str]
    bias: bool


def without_wrappers(name: str) -> str:
    """Return a name as it was before DataParallel, ``torch.compile`` or an average of weights wrapped the model.

    Example:
        >>> without_wrappers("module.encoder._orig_mod.lstm.weight_ih_l0")
        'encoder.lstm.weight_ih_l0'
    """
    parts = [part for part in name.split(".") if part != "_orig_mod"]
    return ".".join(parts[1:] if parts[:1] == ["module"] and len(parts) > 1 else parts)


def find_candidates(arrays: Mapping[str, Stored]) -> list[Candidate]:
    """Return what looks like a recurrent network of PyTorch, readable or not.

    Args:
        arrays: Name in the model -> array.
    """
    groups: dict[tuple[str, bool], dict[str, dict[str, Stored]]] = defaultdict(lambda: defaultdict(dict))
    for name, stored in arrays.items():
        prefix, parameter, variant = _split(name)
        if parameter:
            cell = _PARAMETER.fullmatch(parameter)["place"] is None  # type: ignore[index]
            groups[prefix, cell][f"{parameter}_l0" if cell else parameter][variant] = stored
    dropped = {prefix for (prefix, _cell), group in groups.items() if any("raw" in one for one in group.values())}
    beside = _beside(arrays, {prefix for prefix, _cell in groups})
    candidates = []
    for (prefix, cell), group in groups.items():
        # WeightDrop keeps the weight beside the module, and a copy with holes inside.
        if prefix.removesuffix(".module") in dropped and prefix not in dropped:
            group = group | groups[prefix.removesuffix(".module"), cell]
        elif prefix in dropped and (f"{prefix}.module", cell) in groups:
            continue
        candidates.append(_candidate(prefix, cell, group, beside[prefix]))
    return candidates


def _split(name: str) -> tuple[str, str, str]:
    """Return the prefix, the parameter, and which part of a computed parameter it is; no parameter: empty."""
    *before, last = name.split(".")
    if "parametrizations" in before:
        at = before.index("parametrizations")
        parameter, *inside = [*before, last][at + 1 :]
        known = _PARAMETER.fullmatch(parameter) and inside
        return (".".join(before[:at]), parameter, ".".join(inside)) if known else ("", "", "")
    if _PARAMETER.fullmatch(last):
        return ".".join(before), last, ""
    old = _OLD_VARIANT.fullmatch(last)
    return (".".join(before), old[1], old["variant"]) if old else ("", "", "")


def _beside(arrays: Mapping[str, Stored], prefixes: Set[str]) -> Mapping[str, Mapping[str, Stored]]:
    """Return for each prefix the arrays whose names begin with it."""
    beside: dict[str, dict[str, Stored]] = {prefix: {} for prefix in prefixes}
    for name, stored in arrays.items():
        parts = name.split(".")
        for end in range(1, len(parts)):
            above = ".".join(parts[:end])
            if above in beside:
                beside[above][name] = stored
    return beside


def _candidate(
    prefix: str, cell: bool, group: Mapping[str, Mapping[str, Stored]], within: Mapping[str, Stored]
) -> Candidate:
    keys = frozenset(stored.key for variants in group.values() for stored in variants.values())
    try:
        sources, notes = _sources(prefix, group)
        sizes = _sizes(prefix, {name: source.shape for name, source in sources.items()})
        dtype, converted = common_dtype(prefix, sources.values())
    except CheckpointError as refusal:
        return Candidate(prefix, keys, refusal=refusal)
    record = sizes.record
    notes = [*([note("cell", title=record.title)] if cell else []), *notes, *converted]
    if "nonlinearity" in record.options:
        notes.append(note("nonlinearity"))
    if not cell:
        notes.append(note("time_first", input_size=sizes.input_size))
    if others := [name for name, stored in within.items() if stored.key not in keys]:
        notes.append(note("siblings", name=prefix, others=listed(others), title=record.title))
    found = FoundNetwork(
        name=prefix, architecture=record.name, input_size=sizes.input_size, hidden_size=sizes.hidden_size,
        num_layers=sizes.layers, bidirectional=len(sizes.directions) > 1, proj_size=sizes.proj_size, bias=sizes.bias,
        dtype=dtype, notes=tuple(notes),
    )  # fmt: skip
    return Candidate(prefix, keys, found, types.MappingProxyType(sources))


def _sources(prefix: str, group: Mapping[str, Mapping[str, Stored]]) -> tuple[dict[str, Source], list[Note]]:
    """Return where each parameter comes from, those that are computed included."""
    sources, computed = {}, defaultdict(list)
    for parameter, variants in group.items():
        source, how = _source(variants)
        if source is None:
            names = listed(sorted(variants.keys() - {""}))
            raise error("parametrised", name=prefix or "network", parameter=parameter, variants=names)
        sources[parameter] = source
        if how:
            computed[how].append(parameter)
    return sources, [note(how, parameters=listed(names)) for how, names in computed.items()]


def _source(variants: Mapping[str, Stored]) -> tuple[Source | None, str]:
    """Return the source of one parameter, and the note on how it is computed; None where a file cannot tell."""
    names = set(variants)
    if names == {""}:
        return as_it_is(variants[""]), ""
    if names in ({"g", "v"}, {"original0", "original1"}):
        lengths, directions = (variants[name] for name in sorted(names))
        ones = tuple(1 if one == 1 else size for one, size in zip(lengths.shape, directions.shape, strict=False))
        if lengths.shape in ((), ones):
            return Source((lengths, directions), directions.shape, _weight_norm, None), "weight_norm"
    if names == {"orig", "mask"} and variants["orig"].shape == variants["mask"].shape:
        whole = variants["orig"], variants["mask"]
        return Source(whole, whole[0].shape, lambda orig, mask: orig * mask.to(orig.dtype), None), "pruned"
    return None, ""


def _weight_norm(lengths: Tensor, directions: Tensor) -> Tensor:
    """Return ``g v / ||v||``, the norm over the axes along which g has one number."""
    axes = [axis for axis in range(directions.ndim) if lengths.ndim == 0 or lengths.shape[axis] == 1]
    return directions * (lengths / torch.linalg.vector_norm(directions, dim=axes, keepdim=True))


def _sizes(prefix: str, shapes: Mapping[str, tuple[int, ...]]) -> Sizes:
    """Return the sizes that the shapes of all weights agree on.

    Raises:
        CheckpointError: They agree on none, or weights are missing.
    """
    name = prefix or "network"
    if not {"weight_ih_l0", "weight_hh_l0"} <= set(shapes) and len(shapes) < 2:
        raise error("no_weights", name=name, names=listed(sorted(shapes)))
    layers = sorted({int(_PARAMETER.fullmatch(parameter)["layer"]) for parameter in shapes})  # type: ignore[index]
    if len(layers) > _MOST_LAYERS:
        raise error("many_layers", name=name, came=len(layers), limit=_MOST_LAYERS)
    if layers != list(range(len(layers))):
        raise error("layers", name=name, layers=listed([str(layer) for layer in layers]), last=layers[-1])
    directions = ("", "_reverse") if any(one.endswith("_reverse") for one in shapes) else ("",)
    bias, projected = (any(one.startswith(kind) for one in shapes) for kind in ("bias", "weight_hr"))
    kinds = ["weight_ih", "weight_hh", *(["bias_ih", "bias_hh"] if bias else []), *(["weight_hr"] if projected else [])]
    whole = [f"{kind}_l{layer}{way}" for layer in range(len(layers)) for way in directions for kind in kinds]
    record, hidden = _read_rows(name, shapes)
    missing = [one for one in whole if one not in shapes]
    if missing:
        raise error("incomplete", name=name, missing=listed(missing), count=len(layers), title=record.title)
    proj = shapes["weight_hr_l0"][0] if projected else 0
    sizes = Sizes(record, _columns(shapes["weight_ih_l0"]), hidden, len(layers), proj, directions, bias)
    for parameter in whole:
        expected = _expected(parameter, sizes)
        if shapes[parameter] != expected:
            raise error("shape", name=name, parameter=parameter, came=shapes[parameter], expected=expected)
    return sizes


def _columns(shape: tuple[int, ...]) -> int:
    return shape[1] if len(shape) == 2 and 0 not in shape else 0


def _read_rows(name: str, shapes: Mapping[str, tuple[int, ...]]) -> tuple[Architecture, int]:
    """Return the architecture and the hidden size, by the rows of ``weight_hh`` for each of its columns."""
    weight = shapes.get("weight_hh_l0", (0, 0))
    rows, columns = weight if len(weight) == 2 else (0, 0)
    projection = shapes.get("weight_hr_l0")
    hidden = _columns(projection) if projection else columns
    blocks = rows // hidden if hidden and rows % hidden == 0 else 0
    if projection and (blocks not in BY_BLOCKS or len(BY_BLOCKS[blocks].states) < 2):
        raise error("projection", name=name, came=f"{weight}, {projection}")
    if blocks not in BY_BLOCKS:
        raise error("rows", name=name, parameter="weight_hh_l0", came=weight, columns=columns)
    return BY_BLOCKS[blocks], hidden


def _expected(parameter: str, sizes: Sizes) -> tuple[int, ...]:
    """Return the shape of a parameter in a network of these sizes."""
    split = _PARAMETER.fullmatch(parameter)
    assert split is not None
    output = sizes.proj_size or sizes.hidden_size
    rows = len(sizes.record.blocks) * sizes.hidden_size
    below = sizes.input_size if split["layer"] == "0" else output * len(sizes.directions)
    shapes: dict[str, tuple[int, ...]] = {"weight_ih": (rows, below), "weight_hh": (rows, output)}
    return {**shapes, "weight_hr": (sizes.proj_size, sizes.hidden_size)}.get(split["kind"], (rows,))


def common_dtype(name: str, sources: Iterable[Source]) -> tuple[torch.dtype, list[Note]]:
    """Return the dtype of a network's numbers in the file, with a note where it is not the one they are read as.

    Raises:
        CheckpointError: They are of dtypes that no network has, or of several.
    """
    kinds = list(dict.fromkeys(source.arrays[0].dtype for source in sources if source.arrays))
    read = {READ_AS.get(kind) for kind in kinds if kind is not None} | ({None} if None in kinds else set())
    names = listed([str(kind or "unknown").removeprefix("torch.") for kind in kinds])
    if len(read) != 1 or None in read:
        raise error("dtypes", name=name or "network", came=names)
    first = kinds[0]
    assert first is not None
    return first, [] if read == set(kinds) else [note("dtype", dtype=names)]


def named_apart(candidates: Mapping[str, Sequence[Candidate]]) -> list[Candidate]:
    """Return the candidates of all the parts of a file; where several parts have some, names begin with the part's.

    Args:
        candidates: Name of the part -> its candidates.
    """
    parts = {part: some for part, some in candidates.items() if some}
    if len(parts) < 2:
        return [one for some in parts.values() for one in some]
    return [_renamed(one, ".".join(filter(None, (part, one.name)))) for part, some in parts.items() for one in some]


def _renamed(candidate: Candidate, name: str) -> Candidate:
    found = candidate.found and dataclasses.replace(candidate.found, name=name)
    return candidate._replace(name=name, found=found)
