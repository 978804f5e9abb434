"""A sweep measures what is not there yet, keeps it at once, and one cell's trouble is no other's."""

from __future__ import annotations

import logging
import math

import pandas as pd
import pytest

import lstm_explorer as lx
from lstm_explorer.runs.sweeps import sweep as sweep_module
from lstm_explorer.runs.sweeps.store import read_table
from lstm_explorer.runs.sweeps.sweep import Sweep
from tests.runs.sweeps.here import Here

SETTINGS = {"sequence_length": 6, "hidden_size": 3, "input_size": 2}
GRID = lx.Grid(measure="survival", settings=SETTINGS, grid={"architecture": ["rnn", "lstm"], "forget_bias": [0, 1, 2]})
#: The RNN has no gate whose bias a map could go across.
FAILING = lx.Grid(
    measure="bias_map", settings=SETTINGS, grid={"architecture": ["rnn", "lstm"]}, across={"forget_bias": [0, 1]}
)


@pytest.fixture
def here(monkeypatch):
    """What lx.sweep measures with."""
    workers = Here()
    monkeypatch.setattr(sweep_module, "workers_of", lambda executor, processes: workers)
    return workers


def test_it_ends_as_a_tidy_table(here, tmp_path):
    seen = []
    frame = lx.sweep(GRID, out=tmp_path / "sweep", progress=seen.append)
    ends = ["seconds", "error", "cell"]
    numbers = ["log10_share", "log10_share_lower", "log10_share_upper"]
    assert list(frame) == ["architecture", "forget_bias", "quantity", "lag", *numbers, *ends]
    assert frame.groupby("architecture").size().to_dict() == {"rnn": 3, "lstm": 9}
    one = frame.query("architecture == 'lstm' and forget_bias == 2 and quantity == 'cell'")
    flow = lx.seed_flows(lx.Settings(forget_bias=2, **SETTINGS), architecture="lstm")
    assert one["log10_share"].item() == lx.summarise(flow, "cell").log10_ratio
    assert frame["error"].isna().all()
    assert [(one.done, one.total) for one in seen] == [(done, 4) for done in range(1, 5)]
    assert seen[0].seconds_left > seen[-1].seconds_left == 0
    kept, about = read_table((tmp_path / "sweep" / "sweep.parquet").read_bytes())
    pd.testing.assert_frame_equal(kept.astype(frame.dtypes), frame)
    assert lx.Grid(**about["grid"]) == GRID


def test_cells_that_are_equal_are_measured_once_and_no_more_than_fit_are_under_way(here):
    lx.sweep(GRID)
    assert len(here.jobs) == 4  # the RNN reads no forget bias
    assert here.most == here.room
    assert here.closed == [False]


def test_it_goes_on_where_it_stopped(here, tmp_path, caplog):
    def stop(progress):
        if progress.done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        lx.sweep(GRID, out=tmp_path, progress=stop)
    assert here.closed == [True]
    assert len(read_table((tmp_path / "sweep.parquet").read_bytes())[0]["cell"].unique()) == 2
    here.jobs.clear()
    with caplog.at_level(logging.INFO):
        frame = lx.sweep(GRID, out=tmp_path)
    assert "2 of 4 cells are there already" in caplog.text
    assert len(here.jobs) == 2
    pd.testing.assert_frame_equal(frame.drop(columns="seconds"), lx.sweep(GRID).drop(columns="seconds"))
    wider = lx.Grid(measure="survival", settings=SETTINGS, grid={"architecture": ["lstm"], "forget_bias": [2, 3]})
    here.jobs.clear()
    assert len(lx.sweep(wider, out=tmp_path)) == 6
    assert len(here.jobs) == 1


def test_a_cell_that_fails_is_a_row_and_is_tried_again(here, tmp_path):
    frame = lx.sweep(FAILING, out=tmp_path)
    failed = frame[frame["error"].notna()]
    assert failed["architecture"].tolist() == ["rnn"]
    assert "nothing else has gates" in failed["error"].item()
    assert frame["architecture"].tolist() == ["rnn"] + 6 * ["lstm"]
    whole = Sweep(FAILING, tmp_path)
    assert [cell.varies["architecture"] for cell in whole.left] == ["rnn"]
    (progress,) = whole.run(Here())
    assert (progress.done, progress.failed) == (2, 1)
    assert [(cell.varies["architecture"], "gates" in error) for cell, error in whole.failures] == [("rnn", True)]


@pytest.mark.parametrize("damage", [b"", b"PAR1", "half", "other"])
def test_a_damaged_file_is_measured_again_with_a_word(here, tmp_path, caplog, damage):
    lx.sweep(GRID, out=tmp_path)
    path, other = sorted((tmp_path / "cells").iterdir())[:2]
    whole = path.read_bytes()
    path.write_bytes({"half": whole[: len(whole) // 2], "other": other.read_bytes()}.get(damage, damage))
    here.jobs.clear()
    lx.sweep(GRID, out=tmp_path)
    assert f"{path} is damaged: its cell is measured again" in caplog.text
    assert len(here.jobs) == 1
    assert not Sweep(GRID, tmp_path).left


def test_a_lost_worker_s_cell_is_tried_again_but_not_for_ever():
    assert [one.found.error for one in Sweep(GRID).run(Here(lost=2))] == [None] * 4
    found = [one.found.error for one in Sweep(GRID).run(Here(lost=3, room=1))]
    assert found[1:] == [None] * 3
    assert "its worker ended 3 times" in found[0]


def test_two_sweeps_do_not_share_a_folder(tmp_path):
    first = Sweep(GRID, tmp_path).run(Here())
    next(first)
    with pytest.raises(ValueError, match=r"another sweep is at .*: expected another folder, or to wait for it"):
        next(Sweep(GRID, tmp_path).run(Here()))
    first.close()
    assert len(list(Sweep(GRID, tmp_path).run(Here()))) == 3


def test_jobs_and_trainings_vary_in_what_differs(here):
    training = dict(sequence_length=4, hidden_size=2, batch_size=2, steps=2, samples=1, architecture="gru")
    frame = lx.sweep([lx.Training(seed=seed, **training) for seed in (0, 1)])
    assert list(frame["seed"]) == [0, 1]
    assert frame["learnt_at"].isna().all()
    assert not frame["log10_share_before"].map(math.isnan).any()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"jobs": "grid.toml"}, r"jobs is 'grid\.toml': expected a Grid, or a list"),
        ({"executor": 4}, r"executor is 4: expected None, or a dask\.distributed\.Client"),
        ({"processes": 0}, "processes is 0: expected a whole number from 1"),
        ({"out": 3}, "out is 3: expected the path of a folder"),
    ],
)
def test_arguments_of_another_kind(arguments, message):
    with pytest.raises((TypeError, ValueError), match=message):
        lx.sweep(**{"jobs": GRID} | arguments)
