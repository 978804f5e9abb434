"""What stands in a file of HDF5, found by a process of its own: the file comes in by standard input, JSON goes out.

HDF5 is read by a library in C that crashes on some damaged files, and never comes back from others. Here it takes
nothing with it. Nothing of this package is imported, so that the process starts in a third of a second.
"""

from __future__ import annotations

import contextlib
import io
import json
import math
import signal
import sys
from typing import Any

import h5py

#: Things in a file, characters of all their paths, and how deep groups stand in one another.
MAX_THINGS, MAX_CHARACTERS, MAX_DEPTH = 4000, 1_500_000, 40
#: Seconds of computing, and bytes beside the file, after which the process is ended.
_SECONDS, _BYTES = 0.7, 100_000_000


def describe(data: bytes) -> dict[str, Any]:
    """Return the arrays by their paths, the names that groups of variables say, and the model's configuration.

    An array is its shape, its dtype as NumPy writes it, and the place of its first byte: None where its numbers are
    not all in the file, one after the other. Links to other files and other names are not followed.

    Args:
        data: The file.

    Raises:
        OverflowError: There is too much in it.
        OSError: It is damaged; so say other errors of h5py.
    """
    with h5py.File(io.BytesIO(data), "r") as file:
        arrays, names = _walk(h5py.h5g.open(file.id, b"/"))
        return {"arrays": arrays, "names": names, "configuration": _text(file, "model_config")}


def _walk(root: Any) -> tuple[dict[str, Any], dict[str, str]]:
    """Return arrays and names; by h5py's low level, which takes a third of the time of its high one."""
    arrays: dict[str, Any] = {}
    names: dict[str, str] = {}
    pending, seen, characters = [("", root, 0)], {h5py.h5o.get_info(root).addr}, 0
    while pending:
        place, group, depth = pending.pop()
        if place.endswith("vars") and (said := _text(h5py.Group(group), "name")) is not None:
            names[place] = said
        for name in group:
            path = f"{place}/{name.decode(errors='replace')}".lstrip("/")
            characters += len(path)
            if len(arrays) + len(seen) > MAX_THINGS or characters > MAX_CHARACTERS:
                raise OverflowError("there is too much in it")
            if group.links.get_info(name).type != h5py.h5l.TYPE_HARD:
                continue
            inner = h5py.h5o.open(group, name)
            if isinstance(inner, h5py.h5d.DatasetID):
                arrays[path] = _array(inner)
            elif isinstance(inner, h5py.h5g.GroupID) and depth < MAX_DEPTH:
                address = h5py.h5o.get_info(inner).addr
                pending += [] if address in seen else [(path, inner, depth + 1)]
                seen.add(address)
    return arrays, names


def _array(array: Any) -> tuple[tuple[int, ...], str, int | None]:
    plain = array.get_create_plist().get_layout() == h5py.h5d.CONTIGUOUS
    whole = plain and array.get_storage_size() == math.prod(array.shape) * array.dtype.itemsize
    return array.shape, array.dtype.str, array.get_offset() if whole else None  # in another file: it has no place


def _text(group: h5py.Group, name: str) -> str | None:
    value = group.attrs.get(name)
    return value.decode() if isinstance(value, bytes) else value if isinstance(value, str) else None


def limit(seconds: float, size: int) -> None:
    """End this process after some seconds of computing, or where it takes so many bytes more; where that can be had."""
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_PROF, seconds)
    with contextlib.suppress(ImportError, OSError, StopIteration):
        import resource

        with open("/proc/self/status", encoding="ascii") as lines:
            taken = next(1024 * int(line.split()[1]) for line in lines if line.startswith("VmData"))
        resource.setrlimit(resource.RLIMIT_DATA, (taken + size, taken + size))


def main() -> int:
    """Describe the file of standard input; return the exit status."""
    data = sys.stdin.buffer.read()
    limit(_SECONDS, _BYTES)
    try:
        said = json.dumps(describe(data))
    except Exception as reason:  # whatever it is, the sentence is all that is asked for
        sys.stderr.write(f"{reason}\n")
        return 1
    sys.stdout.write(said)
    return 0


if __name__ == "__main__":
    sys.exit(main())
