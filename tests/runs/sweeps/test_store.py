"""A cell is read back bit for bit, whatever its numbers; what was half written is gone."""

from __future__ import annotations

import math

import pytest

import lstm_explorer as lx
from lstm_explorer.runs.sweeps.cell import cells_of
from lstm_explorer.runs.sweeps.measured import Measured
from lstm_explorer.runs.sweeps.store import Folder, read_table

(CELL,) = cells_of([lx.Training()])
ROWS = [
    {"quantity": "hidden", "learnt_at": None, "share": -math.inf},
    {"quantity": "cell", "learnt_at": 3, "share": 0.1},
]


@pytest.mark.parametrize("found", [Measured(ROWS, 0.25, None), Measured([], 1.5, "it failed")])
def test_a_cell_is_read_back(tmp_path, found):
    folder = Folder(tmp_path)
    with folder.held():
        folder.write(CELL, found)
    assert folder.read({CELL.key}) == ({CELL.key: found}, [])
    assert folder.read({"another"}) == ({}, [])


def test_what_a_killed_one_left_half_written_goes(tmp_path):
    folder = Folder(tmp_path)
    with folder.held():
        pass
    left_over = folder.parts / f".{CELL.key}.parquet.0123"
    left_over.write_bytes(b"PAR1")
    assert folder.read({CELL.key}) == ({}, [])
    with folder.held():
        assert not left_over.exists()


def test_another_file_is_no_table_of_a_sweep(tmp_path):
    for content in (b"", b"PAR1"):
        with pytest.raises(ValueError, match="expected the table of a sweep, but this is none"):
            read_table(content)
