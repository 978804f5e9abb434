"""The shipped sweep is whole and small; those of this machine are found, while they go on, and no others are."""

from __future__ import annotations

import time
from importlib import resources

import pytest

import lstm_explorer as lx
from lstm_explorer.core.errors import ExplainedError
from lstm_explorer.runs.sweeps import library
from lstm_explorer.runs.sweeps.sweep import Sweep
from tests.runs.sweeps.here import Here

FOLDER = resources.files("lstm_explorer").joinpath("data", "sweeps")
SMALL = lx.Grid(measure="survival", settings={"sequence_length": 5, "hidden_size": 2}, grid={"seed": [0, 1, 2]})


def test_the_shipped_one_is_that_of_its_grid_and_small():
    grid = lx.Grid.from_toml(FOLDER.joinpath("adding.toml").read_text(encoding="utf-8"))
    found = library.find("adding")
    assert (dict(found.axes), dict(found.settings)) == (dict(grid.grid), dict(grid.settings))
    keys = {cell.key: cell.varies for cell in grid.cells()}
    assert set(found.frame["cell"]) == set(keys)
    assert found.frame["error"].isna().all()
    assert len(FOLDER.joinpath("adding.parquet").read_bytes()) < 1_000_000


def test_a_run_of_the_shipped_one_comes_to_its_numbers_again():
    found = library.find("adding")
    cheap = {"architecture": "lstm", "sequence_length": 25, "forget_bias": 3.0, "seed": 1}
    row = found.of_gradient("memory")
    for name, value in cheap.items():
        row = row[row[name] == value]
    run = lx.train(found.training(**cheap).replace(steps=100))
    steps, curve = row["loss_steps"].item(), row["loss_curve"].item()
    for at in (0, 1, 2):
        assert curve[at] == pytest.approx(run.smooth_loss[steps[at] - 1], rel=2e-2)
    assert row["log10_share_before"].item() == pytest.approx(run.ratios("cell")[0, -1 - run.lag], abs=1e-3)


def test_sweeps_of_this_machine_are_found_while_they_go_on(tmp_path, monkeypatch):
    (tmp_path / "empty").mkdir()
    monkeypatch.setenv(library.VARIABLE, str(tmp_path))
    assert library.names() == ["adding"]
    under_way = Sweep(SMALL, tmp_path / "mine").run(Here(room=1))
    next(under_way)
    assert library.names() == ["adding", "mine"]
    assert library.find("mine").frame["cell"].nunique() == 1
    time.sleep(0.02)  # a file system tells times apart only so well
    next(under_way)
    assert library.find("mine").frame["cell"].nunique() == 2
    under_way.close()


@pytest.mark.parametrize("name", ["other", "../outside", "/etc", "", "empty"])
def test_nothing_outside_the_folder_is_reached(tmp_path, monkeypatch, name):
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    (inside / "empty").mkdir(parents=True)
    outside.mkdir()
    (outside / "sweep.parquet").write_bytes(b"x")
    monkeypatch.setenv(library.VARIABLE, str(inside))
    with pytest.raises(ExplainedError, match="There is no sweep"):
        library.find(name)


def test_a_damaged_one_says_why(tmp_path, monkeypatch):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "sweep.parquet").write_bytes(b"x" * 99)
    monkeypatch.setenv(library.VARIABLE, str(tmp_path))
    with pytest.raises(ExplainedError, match="The sweep mine cannot be read: expected the table of a sweep"):
        library.find("mine")
