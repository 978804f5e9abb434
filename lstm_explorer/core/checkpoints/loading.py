"""Recurrent networks out of checkpoints: of PyTorch, Lightning, safetensors and Keras; nothing in a file is run."""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from lstm_explorer.core.checkpoints.keras import open_hdf5, open_keras_zip
from lstm_explorer.core.checkpoints.messages import error, listed, note
from lstm_explorer.core.checkpoints.pytorch import open_archive, open_legacy
from lstm_explorer.core.checkpoints.reading import file_bytes, format_of, open_zip
from lstm_explorer.core.checkpoints.record import READ_AS, Candidate, Contents, FoundNetwork, Left, Source
from lstm_explorer.core.checkpoints.safetensors import open_safetensors
from lstm_explorer.core.escape import one_line, short
from lstm_explorer.core.kinds import checks_kinds
from lstm_explorer.core.tables.messages import Note

_EXPECTED = "lstm.weight_ih_l0, lstm.weight_hh_l0"


@dataclass(frozen=True, kw_only=True, eq=False)
class LoadedNetwork:
    """A network out of a checkpoint, and what was understood.

    Attributes:
        network: The ``nn.RNN``, ``nn.LSTM`` or ``nn.GRU`` with the weights of the file, in eval mode on the CPU.
        name: Where it stands in the model, ``"encoder.lstm"``; empty where it is all of the file.
        format: Who wrote the file: ``"PyTorch"``, ``"Lightning"``, ``"safetensors"`` or ``"Keras"``.
        found: Every recurrent network in the file.
        left: What is not part of this one, with the reason where it matters.
        notes: What was converted or assumed; ``str()`` of each is a sentence.
    """

    network: nn.Module
    name: str
    format: str
    found: tuple[FoundNetwork, ...]
    left: tuple[Left, ...]
    notes: tuple[Note, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class LoadedCheckpoint:
    """A checkpoint that was looked through; its numbers are read when a network is built.

    Attributes:
        format: Who wrote the file: ``"PyTorch"``, ``"Lightning"``, ``"safetensors"`` or ``"Keras"``.
        found: Every recurrent network in it, at least one.
        left: What is part of none, with the reason where it matters.
        notes: What holds for all of it; what was converted or assumed of one network is in its own notes.
    """

    format: str
    found: tuple[FoundNetwork, ...]
    left: tuple[Left, ...]
    notes: tuple[Note, ...]
    _contents: Contents = field(repr=False)

    def network(self, name: str) -> nn.Module:
        """Return the network of a name in eval mode.

        Args:
            name: Of one of ``found``.

        Raises:
            ValueError: There is none of that name, or its weights are not finite.
        """
        candidate = self._candidate(name)
        assert candidate.found is not None
        weights = {name: _weight(name, source, candidate.found) for name, source in candidate.sources.items()}
        network = _empty(candidate.found)
        network.load_state_dict(weights, strict=True, assign=True)
        return network.eval()

    def mended(self, name: str, changes: Mapping[str, Tensor]) -> bytes:
        """Return the file with some parameters of one network changed, and nothing else.

        Args:
            name: Of one of ``found``.
            changes: Name of a parameter of :meth:`network`, ``"bias_ih_l0"``, to its new numbers.

        Returns:
            A file of the same format; numbers keep the dtype that they have in it.

        Raises:
            ValueError: There is no such network or parameter, a shape is another one, numbers are not finite, or the
                parameter is computed from others in the file.
        """
        candidate = self._candidate(name)
        new: dict[str, Tensor] = {}
        unknown = [one for one in changes if one not in candidate.sources]
        if unknown:
            raise error("no_parameter", name=one_line(unknown[0]), parameters=", ".join(candidate.sources))
        # In the file's order: Keras' one bias is bias_ih, and then what bias_hh adds to it.
        for parameter, source in candidate.sources.items():
            if parameter in changes:
                stored = source.arrays[0]
                old = new[stored.key] if stored.key in new else stored.read()
                new[stored.key] = _put_back(parameter, source, old, changes[parameter])
        return self._contents.rewrite(new)

    def _candidate(self, name: str) -> Candidate:
        for candidate in self._contents.candidates:
            if candidate.name == name:
                if candidate.refusal:
                    raise candidate.refusal
                return candidate
        names = [found.name for found in self.found]
        near = difflib.get_close_matches(name, names, 1, 0.0)[0]
        raise error(
            "no_such_module", came=one_line(name, 120), networks=listed([repr(one) for one in names]), near=near
        )


def _put_back(parameter: str, source: Source, old: Tensor, new: Tensor) -> Tensor:
    """Return new numbers of the array of the file that holds a parameter."""
    stored = source.arrays[0]
    if source.back is None:
        raise error("computed", name=parameter)
    if tuple(new.shape) != source.shape:
        raise error("new_shape", name=parameter, came=tuple(new.shape), expected=source.shape)
    kept = source.back(old, new.detach().to("cpu", old.dtype))
    if not torch.isfinite(kept).all():
        raise error("new_not_finite", name=parameter, dtype=str(stored.dtype).removeprefix("torch."))
    return kept


def _weight(parameter: str, source: Source, found: FoundNetwork) -> Tensor:
    """Return a parameter's numbers, in float32 where they are stored in less."""
    weight: Tensor = source.make(*(array.read().to(READ_AS[found.dtype]) for array in source.arrays))
    wrong = int((~torch.isfinite(weight)).sum())
    if wrong:
        raise error("not_finite", name=".".join(filter(None, (found.name, parameter))), count=wrong)
    return weight


def _empty(found: FoundNetwork) -> nn.Module:
    """Return a module without numbers."""
    options: dict[str, Any] = {"proj_size": found.proj_size} if found.proj_size else {}
    options |= {name: getattr(found, name) for name in found.record.options}
    return found.record.module(
        found.input_size, found.hidden_size, found.num_layers, bias=found.bias, bidirectional=found.bidirectional,
        dtype=READ_AS[found.dtype], device="meta", **options,
    )  # fmt: skip


def _open_zip(data: bytes) -> Contents:
    with open_zip(data) as archive:
        members = [member.filename for member in archive.infolist()]
    if any(name.split("/")[-1] == "data.pkl" for name in members):
        return open_archive(data)
    if "model.weights.h5" in members and "config.json" in members:
        return open_keras_zip(data)
    raise error("foreign_zip", members=listed(members))


_OPENERS: Mapping[str, Callable[[bytes], Contents]] = {
    "zip": _open_zip, "legacy": open_legacy, "hdf5": open_hdf5, "safetensors": open_safetensors,
}  # fmt: skip


@checks_kinds
def find_in_checkpoint(path_or_bytes: str | os.PathLike[str] | bytes) -> LoadedCheckpoint:
    """Look through a checkpoint, and say which recurrent networks are in it.

    Args:
        path_or_bytes: As :func:`load_network` takes it.

    Returns:
        What was found; it builds each network, and writes the file back with some of its numbers changed.

    Raises:
        TypeError: It is neither a path nor bytes.
        MissingExtraError: The file is one of Keras, and h5py is not installed.
        ValueError: The file cannot be read, or holds no recurrent network.
    """
    contents = _OPENERS[format_of(data := file_bytes(path_or_bytes))](data)
    found = tuple(candidate.found for candidate in contents.candidates if candidate.found)
    refused = [candidate for candidate in contents.candidates if candidate.refusal]
    if not found:
        if refused and refused[0].refusal:
            raise refused[0].refusal
        names = listed([left.name for left in contents.left]) or short({})
        raise error("no_networks", expected=_EXPECTED, names=names)
    left = (*(Left(one.name or "network", one.refusal) for one in refused), *contents.left)
    return LoadedCheckpoint(format=contents.format, found=found, left=left, notes=contents.notes, _contents=contents)


@checks_kinds
def load_network(path_or_bytes: str | os.PathLike[str] | bytes, *, module: str | None = None) -> LoadedNetwork:
    """Load a recurrent network out of a checkpoint, found by the names and shapes of its weights.

    A ``state_dict`` or checkpoint that ``torch.save`` or Lightning wrote, safetensors, and Keras' ``.keras``,
    ``.weights.h5`` and ``.h5``, which need ``pip install "lstm-explorer[checkpoints]"``. Nothing in the file is run.

    Args:
        path_or_bytes: The file's path, or its bytes; 200 MB at most.
        module: Name of the network, where there are several, such as ``"encoder.lstm"``.

    Returns:
        The network, and what was found, left out, converted and assumed.

    Raises:
        TypeError: An argument is of another kind.
        MissingExtraError: The file is one of Keras, and h5py is not installed.
        ValueError: The file cannot be read; it holds no recurrent network, several, or none of that name; or its
            weights are not finite. The message says what there is.

    Example:
        >>> import io
        >>> file, model = io.BytesIO(), nn.ModuleDict({"encoder": nn.LSTM(3, 8), "head": nn.Linear(8, 1)})
        >>> torch.save(model.state_dict(), file)
        >>> loaded = load_network(file.getvalue())
        >>> loaded.network, loaded.name, [str(left) for left in loaded.left]
        (LSTM(3, 8), 'encoder', ['head.weight', 'head.bias'])
        >>> print(*loaded.notes)
        A file of weights does not say batch_first: the network reads time first, (T, B, 3).
    """
    checkpoint = find_in_checkpoint(path_or_bytes)
    names = [found.name for found in checkpoint.found]
    if module is None and len(names) > 1:
        raise error("several", networks="; ".join(map(str, checkpoint.found)), example=names[0])
    name = names[0] if module is None else module
    network = checkpoint.network(name)
    chosen = next(found for found in checkpoint.found if found.name == name)
    others = tuple(Left(one, note("another", module=one)) for one in names if one != name)
    return LoadedNetwork(
        network=network, name=name, format=checkpoint.format, found=checkpoint.found, left=(*others, *checkpoint.left),
        notes=(*checkpoint.notes, *chosen.notes),
    )  # fmt: skip
