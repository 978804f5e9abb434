"""Compiled functions: the numbers of the Python they were, kept on disk, and no less right where that fails."""

import errno
import math
import os
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

import numba
import numpy as np
import pytest
from numba.core.caching import IndexDataCacheFile

from lstm_explorer.core.engine import compiled as module
from lstm_explorer.core.engine.compiled import compiled, compiled_entry


def total(values):
    """Return the sum of the values."""
    found = 0.0
    for k in range(len(values)):
        found += values[k]
    return found


def test_a_compiled_function_is_the_function():
    values = np.random.default_rng(0).standard_normal(1000)
    for made in (compiled(total), compiled_entry(total)):
        assert made(values) == pytest.approx(total(values), rel=1e-12)
        assert made.__doc__ == total.__doc__
        for special in (math.nan, math.inf, -math.inf):
            np.testing.assert_equal(made(np.array([1.0, special])), special)


@pytest.fixture
def place(tmp_path, monkeypatch):
    """Let the archive lie in a folder of the test's own, as a user's NUMBA_CACHE_DIR would have it."""
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path / "cache"))
    yield tmp_path / "cache"
    module._folder.cache_clear()


def _in_new_process(function=total, values=(1.0, 1.0, 1.0)):
    """Return what a function of a new process gives, and how often it found itself on disk."""
    module._folder.cache_clear()
    made = compiled_entry(function)
    return made(np.array(values)), sum(made.__wrapped__.stats.cache_hits.values())


def _archive(place):
    (archive,) = place.glob("lstm-explorer-*")
    return archive


def test_the_machine_code_is_kept(place):
    assert _in_new_process() == (3.0, 0)
    assert _in_new_process(values=(1.0,) * 4) == (4.0, 1)


def test_code_for_other_types_joins_what_was_kept(place):
    _in_new_process()
    assert _in_new_process(values=(1, 1)) == (2.0, 0)
    assert _in_new_process() == (3.0, 1)
    assert _in_new_process(values=(1, 1)) == (2.0, 1)


def test_another_source_of_the_core_is_another_archive(place, monkeypatch):
    # A constant or a record of another file is part of the machine code, and Numba looks at the function's own file.
    _in_new_process()
    monkeypatch.setattr(module, "_name", lambda: "lstm-explorer-edited.zip")
    assert _in_new_process() == (3.0, 0)
    assert len(list(place.glob("lstm-explorer-*.zip"))) == 2


def test_the_name_follows_every_source_of_the_core(tmp_path, monkeypatch):
    engine = tmp_path / "core" / "engine"
    engine.mkdir(parents=True)
    monkeypatch.setattr(module, "__file__", str(engine / "compiled.py"))
    names = []
    for text in ("A = 1", "A = 2"):
        (tmp_path / "core" / "constants.py").write_text(text)
        module._name.cache_clear()
        names.append(module._name())
    module._name.cache_clear()
    assert names[0] != names[1]


@pytest.mark.parametrize("clock", [0, time.time() + 3600], ids=["", "clock set back"])
def test_few_archives_of_older_sources_stay(place, clock):
    place.mkdir()
    for age in range(6):
        old = place / f"lstm-explorer-{age}.zip"
        old.touch()
        os.utime(old, (clock + age, clock + age))
    _in_new_process()
    names = {path.name for path in place.iterdir()}
    assert names == {"lstm-explorer-4.zip", "lstm-explorer-5.zip", module._name()}
    assert _in_new_process() == (3.0, 1)


@pytest.mark.parametrize("damage", ["empty", "garbage", "cut off", "first bit", "a bit in the middle", "last bit"])
def test_a_damaged_archive_is_not_read_and_made_anew(place, damage):
    _in_new_process()
    content = bytearray(_archive(place).read_bytes())
    where = {"first bit": 0, "a bit in the middle": len(content) // 2, "last bit": -1}.get(damage)
    if where is not None:
        content[where] ^= 1
    _archive(place).write_bytes(
        {"empty": b"", "garbage": b"garbage" * 99, "cut off": content[:-9]}.get(damage, content)
    )
    assert _in_new_process() == (3.0, 0)
    assert _in_new_process() == (3.0, 1)


def test_a_bit_that_flips_in_the_archive_ends_no_process(place):
    _in_new_process()
    archive, path = _archive(place).read_bytes(), _archive(place)
    for where in range(0, len(archive), len(archive) // 25):
        flipped = bytearray(archive)
        flipped[where] ^= 16
        path.write_bytes(flipped)
        assert _in_new_process()[0] == 3.0


# --- where nothing can be kept --------------------------------------------------------------------------------------


def test_where_no_folder_can_be_made_it_is_compiled_all_the_same(place, monkeypatch):
    def refused(*_, **__):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(tempfile, "mkdtemp", refused)
    assert _in_new_process() == (3.0, 0)
    assert not place.exists()


def test_where_no_archive_can_be_written_it_is_compiled_all_the_same(place):
    place.write_text("a file where the folder should be")
    assert _in_new_process() == (3.0, 0)
    assert _in_new_process() == (3.0, 0)


def test_the_second_place_serves_where_the_first_cannot_be_written(tmp_path, monkeypatch):
    (tmp_path / "first").write_text("a file where the folder should be")
    monkeypatch.setattr(module, "_places", lambda: [tmp_path / "first", tmp_path / "second"])
    assert _in_new_process() == (3.0, 0)
    assert _in_new_process() == (3.0, 1)
    module._folder.cache_clear()


@compiled
def doubled(value):
    return 2 * value


def total_of_doubled(values):
    found = 0.0
    for k in range(len(values)):
        found += doubled(values[k])
    return found


def test_a_full_disk_keeps_nothing_and_breaks_nothing(place, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(IndexDataCacheFile, "save", full)
    assert _in_new_process() == (3.0, 0)
    assert _in_new_process(total_of_doubled, np.ones(3, np.float32)) == (6.0, 0)


def test_a_folder_that_is_taken_away_breaks_nothing(place):
    module._folder.cache_clear()
    made = compiled_entry(total)
    assert made(np.ones(3)) == 3.0
    for path in module._folder().rglob("*.nb?"):
        path.unlink()
    assert made(np.ones(3, np.float32)) == 3.0


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    """A folder for temporary files of the test's own."""
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    return tmp_path / "temporary"


def test_a_disk_that_is_full_on_the_way_is_not_kept_full(place, temporary, monkeypatch):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(zipfile.ZipFile, "extractall", full)
        assert _in_new_process() == (3.0, 0)
        assert not list(temporary.iterdir())
    monkeypatch.setattr(os, "replace", full)
    assert _in_new_process() == (3.0, 0)
    assert not list(place.iterdir())


def test_what_a_killed_process_left_goes_and_nothing_else(place, temporary):
    _in_new_process()
    first = module._folder()
    for name in ("lstm-explorer-killed", "lstm-explorer-runs-0", "another"):
        (temporary / name).mkdir()
        (temporary / name / ("work.lock" if "runs" in name else "machine-code.lock")).touch()
    _in_new_process()
    left = {path.name for path in temporary.iterdir()}
    assert left == {first.name, module._folder().name, "lstm-explorer-runs-0", "another"}


def test_without_compilation_it_is_the_python_function(monkeypatch):
    monkeypatch.setattr(numba.config, "DISABLE_JIT", 1)
    assert compiled_entry(total)([1.0, 2.0]) == 3.0


# --- side by side ---------------------------------------------------------------------------------------------------


def test_others_functions_go_to_others_caches(place):
    before = numba.config.CACHE_DIR
    _in_new_process()
    assert before == numba.config.CACHE_DIR
    theirs = numba.njit(cache=True)(total)
    assert theirs(np.ones(3)) == 3.0
    assert Path(theirs.stats.cache_path).parent == place


SCRIPT = f"""
import importlib.util, sys
import numpy as np
spec = importlib.util.spec_from_file_location("compiled", {module.__file__!r})
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)

@module.compiled_entry
def total(values):
    found = 0.0
    for k in range(len(values)):
        found += values[k]
    return found

print(total(np.ones(3, sys.argv[1])), sum(total.__wrapped__.stats.cache_hits.values()))
"""


def test_processes_at_once_get_their_own_numbers(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path / "cache")}

    def start(dtype):
        command = [sys.executable, str(script), dtype]
        return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)

    together = [start(dtype) for dtype in ("float32", "float64", "int32", "float32")]
    assert [process.communicate()[0].split() for process in together] == [["3.0", "0"]] * 4
    # whichever came last is what was kept
    later = [start(dtype).communicate()[0].split() for dtype in ("float32", "float64", "int32")]
    assert [number for number, _ in later] == ["3.0"] * 3
    assert sum(int(hits) for _, hits in later) >= 1
    assert [start(dtype).communicate()[0].split() for dtype in ("float32", "float64")] == [["3.0", "1"]] * 2
