"""Compiled functions: the numbers of the Python they were, kept on disk, and no less right where that fails."""

import errno
import math

import numba
import numpy as np
import pytest
from numba.core.caching import CompileResultCacheImpl, IndexDataCacheFile

from lstm_explorer.core.engine.compiled import compiled


def total(values):
    """Return the sum of the values."""
    found = 0.0
    for k in range(len(values)):
        found += values[k]
    return found


def test_a_compiled_function_is_the_function():
    values = np.random.default_rng(0).standard_normal(1000)
    made = compiled(total)
    assert made(values) == pytest.approx(total(values), rel=1e-12)
    assert made.__doc__ == total.__doc__
    for special in (math.nan, math.inf, -math.inf):
        np.testing.assert_equal(made(np.array([1.0, special])), special)


def test_where_nothing_can_be_written_it_is_compiled_all_the_same(monkeypatch):
    monkeypatch.setattr(CompileResultCacheImpl, "_locator_classes", [])
    assert compiled(total)(np.ones(3)) == 3.0


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path))
    return tmp_path


def _hits(function, values):
    """Return what a function of a new process gives, and how often it found itself on disk."""
    made = compiled(function)
    return made(values), sum(made.stats.cache_hits.values())


def test_the_machine_code_is_kept(folder):
    assert _hits(total, np.ones(3)) == (3.0, 0)
    assert _hits(total, np.ones(4)) == (4.0, 1)


def test_another_source_of_the_core_is_another_function(folder, monkeypatch):
    # A constant or a record of another file is part of the machine code, and Numba looks at the function's own file.
    compiled(total)(np.ones(3))
    monkeypatch.setattr("lstm_explorer.core.engine.compiled._sources", lambda: "edited")
    assert _hits(total, np.ones(3)) == (3.0, 0)


@pytest.mark.parametrize("damage", [b"", b"\x80garbage", None])
@pytest.mark.parametrize("which", ["*.nbi", "*.nbc"])
def test_a_damaged_file_is_made_anew(folder, which, damage):
    compiled(total)(np.ones(3))
    (file,) = folder.rglob(which)
    file.write_bytes(file.read_bytes()[:20] if damage is None else damage)
    assert _hits(total, np.ones(3)) == (3.0, 0)
    assert _hits(total, np.ones(3)) == (3.0, 1)


def test_a_full_disk_keeps_nothing_and_breaks_nothing(folder, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(IndexDataCacheFile, "save", full)
    assert compiled(total)(np.ones(3)) == 3.0
