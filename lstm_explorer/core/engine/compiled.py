"""Functions that become machine code the first time they are called.

A step of a small network is a few hundred multiplications. One NumPy call costs as much, so loops over steps are
written as loops and compiled by Numba; benchmarks/README.md says what that gained.

The code is kept for the next process in one archive, named for the sources that it was made of, beside the modules or
where ``NUMBA_CACHE_DIR`` says. Every process unpacks it into a folder of its own, where Numba reads and writes, and
replaces the archive as a whole when it has compiled more. So no two processes write to the same file, and an archive
whose checksum does not match is not read: machine code with a wrong bit would end the process. Processors are told
apart by Numba. The folder goes when its process ends; that of one that was killed, some 3 MB, when the next begins.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import hashlib
import io
import os
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import numba

try:
    import fcntl
except ImportError:  # Windows: what a killed process leaves stays there
    fcntl = None  # type: ignore[assignment]

P = ParamSpec("P")
R = TypeVar("R")

_CONFIG: Any = numba.config
#: Sums may be taken in any order, a product and a sum in one rounding; NaN and infinities stay what they are.
_FREEDOMS = {"reassoc", "contract", "nsz"}
#: How many archives may lie in one place: those of older sources are of use to nobody.
_ARCHIVES = 3
#: Beginning of every name; and the file in a process's folder that is locked while the process lives.
_PREFIX, _LOCK = "lstm-explorer-", "machine-code.lock"
#: How often a call may fail because a function that it compiles cannot be saved; more than there are functions.
_ATTEMPTS = 50


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a function for the types of its arguments when it is first called; it runs without the GIL."""
    return _compiled(function, _FREEDOMS)


def compiled_as_written(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a function whose sums must be taken in their order, as they cancel on purpose."""
    return _compiled(function, {"contract"})


def compiled_entry(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a function that Python calls, not another compiled one; what it compiles is kept for the next process."""
    made: Any = compiled(function)
    if _CONFIG.DISABLE_JIT:
        return made
    kept, compiled_here = 0, made.stats.cache_misses

    @functools.wraps(made)
    def call(*arguments: P.args, **keywords: P.kwargs) -> R:
        nonlocal kept
        try:
            found: R = made(*arguments, **keywords)
        except OSError:
            found = _despite_a_full_disk(made, *arguments, **keywords)
        if len(compiled_here) > kept:
            kept = len(compiled_here)
            _keep()
        return found

    return call


def _compiled(function: Callable[P, R], freedoms: set[str]) -> Callable[P, R]:
    folder = _folder()
    # A division that asks first whether it is by zero is not vectorised.
    with _numba_caches_in(folder):
        made: Callable[P, R] = numba.njit(nogil=True, fastmath=freedoms, error_model="numpy", cache=folder is not None)(
            function
        )
    return made


def _despite_a_full_disk(function: Callable[P, R], *arguments: P.args, **keywords: P.kwargs) -> R:
    """Call a compiled function; where Numba cannot save one it fails, but has it, and the next call goes further."""
    for _ in range(_ATTEMPTS):
        with contextlib.suppress(OSError):
            return function(*arguments, **keywords)
    return function(*arguments, **keywords)


@contextlib.contextmanager
def _numba_caches_in(folder: Path | None) -> Iterator[None]:
    """Tell Numba where to cache what is declared here, and nothing else."""
    before = _CONFIG.CACHE_DIR
    _CONFIG.CACHE_DIR = before if folder is None else str(folder)
    try:
        yield
    finally:
        _CONFIG.CACHE_DIR = before


@functools.cache
def _folder() -> Path | None:
    """Return this process's folder, with the code that was kept; None where no folder can be made."""
    folder = None
    try:
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        _hold(folder)
        _remove_left_over(folder.parent)
        with zipfile.ZipFile(io.BytesIO(_kept())) as archive:
            archive.extractall(folder)
    except OSError:
        if folder is not None:  # what fitted of it would keep a full disk full
            shutil.rmtree(folder, ignore_errors=True)
        return None
    return folder


def _hold(folder: Path) -> None:
    """Hold a lock in a folder until this process ends, however it ends."""
    with contextlib.suppress(OSError):  # a file system without locks
        if fcntl:
            lock = os.open(folder / "new", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.rename(folder / "new", folder / _LOCK)  # nobody sees it before it is held


def _remove_left_over(place: Path) -> None:
    """Remove the folders of this user's processes that were killed: nobody holds their locks any more."""
    for path in place.glob(f"{_PREFIX}*/{_LOCK}"):
        with contextlib.suppress(OSError):
            if fcntl and path.parent.lstat().st_uid == os.getuid():
                lock = os.open(path, os.O_RDWR | os.O_CLOEXEC)
                with contextlib.closing(os.fdopen(lock)):
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    shutil.rmtree(path.parent, ignore_errors=True)


def _kept() -> bytes:
    """Return the archive of the first place that has a sound one; an empty one where there is none."""
    for place in _places():
        with contextlib.suppress(OSError):
            content = (place / _name()).read_bytes()
            if hashlib.sha256(content[32:]).digest() == content[:32]:
                return content[32:]
    return _archived({})


def _keep() -> None:
    """Replace the archive by what this process has, in the first place that takes it."""
    folder = _folder()
    if folder is None:
        return
    with contextlib.suppress(OSError):
        files = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*.nb[ci]")}
        content = _archived(files)
        for place in _places():
            with contextlib.suppress(OSError):
                _write(place / _name(), hashlib.sha256(content).digest() + content)
                return


def _archived(files: dict[str, bytes]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return content.getvalue()


def _write(path: Path, content: bytes) -> None:
    """Write a file as a whole or not at all, and remove the oldest of its kind."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=_PREFIX, suffix=".part", delete=False) as part:
        try:
            part.write(content)
            part.flush()
            os.chmod(part.name, 0o644)  # whoever may run the modules may read it
            os.replace(part.name, path)
        except OSError:
            os.unlink(part.name)
            raise
    # Not the one just written, whose time is the oldest where the clock was set back.
    others = [other for other in path.parent.glob(f"{_PREFIX}*.zip") if other != path]
    for old in sorted(others, key=lambda one: one.stat().st_mtime)[: 1 - _ARCHIVES]:
        old.unlink(missing_ok=True)


def _places() -> list[Path]:
    """Return where the archive may lie: where the user says, or else beside the modules or in the user's own cache."""
    if _CONFIG.CACHE_DIR:
        return [Path(_CONFIG.CACHE_DIR)]
    places = [Path(__file__).parent / "__pycache__"]
    with contextlib.suppress(RuntimeError):  # there is no home
        places.append(Path.home() / ".cache" / "lstm-explorer")
    return places


@functools.cache
def _name() -> str:
    """Return the archive's name: a digest of the core, whose constants and records end up in the code, and of Numba."""
    core = Path(__file__).parents[1]
    digest = hashlib.sha256()
    digest.update(f"{core} {numba.__version__}".encode())
    for path in sorted(core.rglob("*.py")):
        digest.update(path.read_bytes())
    return f"{_PREFIX}{digest.hexdigest()[:32]}.zip"
