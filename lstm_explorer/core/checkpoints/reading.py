"""The bytes of a checkpoint: a plain file within the limit, and what its first bytes say that it is."""

from __future__ import annotations

import io
import json
import os
import stat
import zipfile
from collections.abc import Mapping
from typing import Any

from lstm_explorer.core.checkpoints.messages import error, listed, no_other_errors
from lstm_explorer.core.escape import one_line, short

#: Bytes of a file that is read; a larger one is refused unread.
MAX_BYTES = 200_000_000
#: Parts of an archive, and bytes of JSON or of a pickle in it: each of these may become a hundred in memory.
MAX_PARTS, MAX_TEXT = 20_000, 1_500_000

_PACKERS = {b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ": "xz", b"7z\xbc\xaf": "7-Zip", b"Rar!": "RAR",
            b"\x28\xb5\x2f\xfd": "Zstandard"}  # fmt: skip
_ZIP, _HDF5, _PICKLE = b"PK\x03\x04", b"\x89HDF\r\n\x1a\n", b"\x80"
#: How a file of PyTorch before 1.6 begins: the pickle of its magic number.
LEGACY = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."


def file_bytes(path_or_bytes: str | os.PathLike[str] | bytes) -> bytes:
    """Return the bytes of a checkpoint.

    Args:
        path_or_bytes: Its path, or the bytes themselves.

    Raises:
        TypeError: It is neither.
        CheckpointError: There is no such file, it is a folder or a device, empty, or too large.
    """
    if isinstance(path_or_bytes, bytes | bytearray | memoryview):
        data = bytes(path_or_bytes)
    elif isinstance(path_or_bytes, str | os.PathLike):
        data = _read(os.fspath(path_or_bytes))
    else:
        way = "; pass its bytes, file.read()" if hasattr(path_or_bytes, "read") else ""
        raise TypeError(f"path_or_bytes is a {type(path_or_bytes).__name__}: expected a path or bytes{way}.")
    if len(data) > MAX_BYTES:
        raise error("too_large", came=len(data) / 1e6, limit=MAX_BYTES / 1e6)
    if not data:
        raise error("empty")
    return data


def _read(path: str) -> bytes:
    shown = one_line(str(path), 200)
    try:
        about = os.stat(path)  # before it is opened: to open a device may wait for ever
        if not stat.S_ISREG(about.st_mode):
            raise error("no_plain_file", path=shown)
        if about.st_size > MAX_BYTES:
            raise error("too_large", came=about.st_size / 1e6, limit=MAX_BYTES / 1e6)
        with open(path, "rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as reason:
        raise error("no_file", path=shown, reason=reason.strerror or type(reason).__name__) from reason
    except ValueError as reason:  # a NUL or half a character in the name; our own refusals too
        if hasattr(reason, "template"):
            raise
        raise error("no_file", path=shown, reason=one_line(str(reason))) from reason


def format_of(data: bytes) -> str:
    """Return what a file is by its first bytes: ``"zip"``, ``"hdf5"``, ``"legacy"`` or ``"safetensors"``.

    Raises:
        CheckpointError: It is none of them.

    Example:
        >>> format_of(bytes.fromhex("89 48 44 46 0d 0a 1a 0a 00"))
        'hdf5'
    """
    for start, packer in _PACKERS.items():
        if data.startswith(start):
            raise error("packed", packer=packer)
    if data[257:262] == b"ustar":
        raise error("packed", packer="tar")
    for start, name in ((_ZIP, "zip"), (_HDF5, "hdf5"), (LEGACY, "legacy")):
        if data.startswith(start):
            return name
    if data[8:9] == b"{" and len(data) > 9:
        return "safetensors"
    if data.startswith(_PICKLE) and data[1:2] in b"\x02\x03\x04\x05":
        raise error("plain_pickle")
    raise error("unknown", begins=short(data[:12]))


def open_zip(data: bytes) -> zipfile.ZipFile:
    """Open an archive whose parts are stored as they are, so that none is larger than the archive.

    Raises:
        CheckpointError: It is damaged, a scripted model, has too many parts, two of one name, or compressed ones.
    """
    # Counted before anything lists them: four million empty parts fit into 200 MB.
    if data.count(b"PK\x01\x02") > MAX_PARTS:
        raise error("many_parts", limit=MAX_PARTS)
    with no_other_errors("zip"):
        archive = zipfile.ZipFile(io.BytesIO(data))
        members = archive.infolist()
        if any(member.filename.split("/")[-1] == "constants.pkl" for member in members):
            raise error("scripted")
        for member in members:
            if member.compress_type != zipfile.ZIP_STORED or member.file_size != member.compress_size:
                raise error("compressed", member=one_line(member.filename))
        if sum(member.file_size for member in members) > len(data):
            raise error("swollen")
        check_once([member.filename for member in members])
    return archive


def rewritten_zip(data: bytes, changed: Mapping[str, bytes]) -> bytes:
    """Return an archive with some parts changed; each begins at a multiple of 64 bytes, as in PyTorch."""
    buffer = io.BytesIO()
    with open_zip(data) as old, zipfile.ZipFile(buffer, "w") as new:
        for member in old.infolist():
            member.extra = b""
            start = buffer.tell() + 30 + len(member.filename.encode()) + 4
            padding = -start % 64
            member.extra = b"FB" + padding.to_bytes(2, "little") + b"Z" * padding
            new.writestr(member, changed.get(member.filename) or old.read(member))
    return buffer.getvalue()


def patched(data: bytes, changed: Mapping[int, bytes | bytearray]) -> bytes:
    """Return a file with other bytes at some places, none of which overlap.

    Example:
        >>> patched(b"abcdef", {4: b"E", 1: b"BC"})
        b'aBCdEf'
    """
    whole, at = memoryview(data), 0
    pieces: list[bytes | bytearray | memoryview] = []
    for start, new in sorted(changed.items()):
        pieces += [whole[at:start], new]
        at = start + len(new)
    return b"".join([*pieces, whole[at:]])


def read_part(archive: zipfile.ZipFile, name: str) -> bytes:
    """Return a small part of an archive: text, a pickle.

    Raises:
        CheckpointError: It is larger than that.
    """
    if archive.getinfo(name).file_size > MAX_TEXT:
        raise error("long_text", limit=MAX_TEXT, name=one_line(name))
    return archive.read(name)


def read_json(text: bytes | str) -> Any:
    """Return what a JSON text says.

    Raises:
        CheckpointError: It is too long, no JSON, nested too deep, or says a name twice.
    """
    if len(text) > MAX_TEXT:
        raise error("long_text", limit=MAX_TEXT, name="JSON")
    with no_other_errors("JSON"):
        return json.loads(text, object_pairs_hook=_once)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    check_once([name for name, _value in pairs])
    return dict(pairs)


def check_once(names: list[str]) -> None:
    """Refuse names of which one comes twice.

    Raises:
        CheckpointError: One does.
    """
    if len(set(names)) == len(names):
        return
    seen: set[str] = set()
    twice = [name for name in names if name in seen or seen.add(name)]  # type: ignore[func-returns-value]
    raise error("twice", name=listed(twice[:1]))
