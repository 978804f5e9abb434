"""A sweep is read as it was written, while it goes on, and not at all where somebody wrote something else."""

from __future__ import annotations

import io
import json
import os
import resource
import time

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import lstm_explorer as lx
from lstm_explorer.runs.sweeps.store import Folder
from lstm_explorer.runs.sweeps.sweep import Sweep
from lstm_explorer.runs.sweeps.table import from_bytes
from tests.runs.sweeps.here import Here
from tests.sweep_tables import NAMES, run, runs, written

SMALL = lx.Grid(
    settings={"steps": 3, "hidden_size": 2, "batch_size": 2, "measurements": 1, "samples": 1},
    grid={"architecture": ["rnn", "lstm"], "sequence_length": [3, 4], "seed": [0, 1]},
)  # fmt: skip


def test_a_sweep_that_goes_on_is_read_as_far_as_it_is_and_then_whole(tmp_path):
    sweep = Sweep(SMALL, tmp_path)
    under_way = sweep.run(Here(room=1))
    for _ in range(3):
        next(under_way)
    (tmp_path / "sweep.parquet").unlink(missing_ok=True)
    found = lx.load_sweep(tmp_path)
    assert (found.frame["cell"].nunique(), found.planned) == (3, 8)
    assert list(found.frame["architecture"].unique()) == ["rnn"]
    list(under_way)
    for whole in (lx.load_sweep(tmp_path), lx.load_sweep(str(tmp_path / "sweep.parquet"))):
        assert whole.axes == {"architecture": ("rnn", "lstm"), "sequence_length": (3, 4), "seed": (0, 1)}
        assert (whole.measure, whole.settings["steps"], whole.planned) == ("training", 3, 8)
        expected = sweep.to_frame()
        pd.testing.assert_frame_equal(
            whole.frame[list(NAMES[:2])], expected[list(NAMES[:2])].astype(object), check_dtype=False
        )
        assert whole.frame["log10_share_before"].tolist() == expected["log10_share_before"].tolist()
        assert [list(one) for one in whole.frame["loss_curve"]] == [list(one) for one in expected["loss_curve"]]


def test_a_cell_s_training_gives_its_numbers(tmp_path):
    list(Sweep(SMALL, tmp_path).run(Here()))
    found = lx.load_sweep(tmp_path)
    again = lx.train(found.training(architecture="lstm", sequence_length=4, seed=1).replace(measurements=3))
    row = found.of_gradient("memory").query("architecture == 'lstm' and sequence_length == 4 and seed == 1").iloc[0]
    assert (row["loss"], row["score"]) == (again.smooth_loss[-1], again.final_score)
    assert row["log10_share_before"] == again.ratios("cell")[0, -1 - again.lag]


def test_a_gradient_is_that_of_the_state_that_remembers(tmp_path):
    found = from_bytes(written(tmp_path, runs()))
    of = {name: found.of_gradient(name) for name in ("memory", "hidden", "cell_path")}
    assert {len(one) for one in of.values()} == {24}
    assert set(of["memory"]["quantity"]) == {"hidden", "cell"}
    assert set(of["cell_path"].query("architecture == 'lstm'")["quantity"]) == {"cell_path"}
    assert set(of["hidden"]["quantity"]) == {"hidden"}


def test_jobs_that_were_given_one_by_one_are_read_too(tmp_path):
    trainings = [lx.Training(steps=2, sequence_length=3, hidden_size=size, batch_size=2) for size in (2, 3)]
    list(Sweep(trainings, tmp_path).run(Here()))
    found = lx.load_sweep(tmp_path)
    assert (found.measure, dict(found.axes)) == ("", {"hidden_size": (2, 3)})
    with pytest.raises(ValueError, match="expected one that trains"):
        found.training(hidden_size=2)


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        (run("rnn", 1, 0.0, 0, None, -1.0), "sequence_length is 1: expected"),
        (run("evil", 10, 0.0, 0, None, -1.0), "architecture is 'evil': expected"),
        ([{"cell": "x", "error": None, "learnt_at": None}], "architecture"),
    ],
)
def test_what_no_sweep_writes_is_refused(tmp_path, rows, says):
    content = written(tmp_path, rows)
    with pytest.raises(ValueError, match=f"this is none, or it is damaged: .*{says}"):
        from_bytes(content)


def test_text_in_it_is_one_line_and_short(tmp_path):
    found = from_bytes(written(tmp_path, run("rnn", 10, 0.0, 0, None, -1.0, error="<b>\n" * 1000)))
    (error,) = found.frame["error"]
    assert "\n" not in error
    assert len(error) <= 500


def test_what_is_too_large_is_refused_before_it_is_read(tmp_path):
    content = written(tmp_path, runs())
    with pytest.raises(ValueError, match=r"it has 48 rows .* MB: expected at most"):
        from_bytes(content, most_bytes=10)


@pytest.mark.parametrize("content", [b"", b"PAR1", b"x" * 100, json.dumps({}).encode()])
def test_other_files_are_no_sweeps(content):
    with pytest.raises(ValueError, match="expected the table of a sweep, but this is none"):
        lx.load_sweep(content)


def test_a_folder_without_one_says_what_makes_one(tmp_path):
    with pytest.raises(ValueError, match="expected a folder that lstm-explorer sweep --out made"):
        lx.load_sweep(tmp_path)
    (tmp_path / "grid.json").write_text("[")
    with pytest.raises(ValueError, match=r"grid\.json is damaged"):
        lx.load_sweep(tmp_path)


@pytest.mark.parametrize("ahead", [0, 3600], ids=["", "clock set back"])
def test_a_grid_that_was_made_larger_is_read_with_what_is_new(tmp_path, ahead):
    list(Sweep(SMALL, tmp_path).run(Here()))
    os.utime(tmp_path / "sweep.parquet", (time.time() + ahead,) * 2)
    larger = lx.Grid(settings=SMALL.settings, grid={**SMALL.grid, "seed": [0, 1, 2]})
    under_way = Sweep(larger, tmp_path).run(Here(room=1))
    next(under_way)
    found = lx.load_sweep(tmp_path)
    assert (found.frame["cell"].nunique(), found.planned) == (9, 12)
    assert len(list(under_way)) == 3
    assert Folder(tmp_path).is_whole()


@pytest.mark.parametrize(
    ("column", "says"),
    [
        (pa.array([1.0] * 6_000_000), "6,000,000 rows"),
        (pa.array([[1.0] * 6_000_000]), "MB: expected at most"),
        (pa.array([{"a": 1}]), "a column holds struct"),
        (pa.array([["a" * 100]]), "a column holds list"),
    ],
)
def test_a_bomb_is_refused_by_what_its_file_says(column, says):
    with pytest.raises(ValueError, match=says):
        from_bytes(packed(pa.table({"x": column})), most_bytes=40_000_000)


def test_a_long_text_in_every_row_takes_no_room():
    texts = pa.DictionaryArray.from_arrays(pa.array([0] * 20_000, pa.int32()), ["x" * 20_000])
    content = packed(pa.table({"error": texts}))
    assert len(content) < 1_000_000
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(ValueError, match="expected the table of a sweep"):
        from_bytes(content)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # kB; as plain texts 400 MB


def packed(table):
    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="zstd", store_schema=False)  # texts are read as texts
    return buffer.getvalue()
