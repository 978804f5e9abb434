"""The exhibits of a sweep hold its numbers, and a file that is not here is told."""

import pytest

import lstm_explorer as lx
from lstm_explorer.core.errors import ExplainedError
from lstm_explorer.exhibits.sweeps import before_and_after, loss_curves, outcome_map, table_of
from lstm_explorer.exhibits.sweeps_view import SweepsView
from lstm_explorer.exhibits.words import caption, settings_line
from lstm_explorer.runs.direct import DirectRunner
from lstm_explorer.runs.sweeps.sweep import Sweep
from lstm_explorer.runs.sweeps.table import from_bytes
from tests.runs.sweeps.here import Here
from tests.sweep_tables import runs, written

SETTINGS = lx.Settings()


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    return from_bytes(written(tmp_path_factory.mktemp("sweep"), runs()))


def view_of(table, **view):
    return SweepsView(origin="file", file=table.digest, **view)


def test_the_map_is_that_of_the_view_and_its_numbers_are_exported(table):
    exhibit = outcome_map(DirectRunner(own_sweep=table), SETTINGS, view_of(table, shown="learnt_at"))
    assert exhibit.title == "A sweep: optimizer steps until it is learnt"
    assert exhibit.numbers().query("architecture == 'lstm' and forget_bias == 2")["learnt_at"].tolist() == [40, 40]
    assert settings_line(exhibit) == (
        "Varies: network (2), sequence length T (steps) (2), bias of the forget gate (2), seed (3). "
        "In all of it: 100 optimizer steps."
    )
    assert "Gradients are those of the training loss" in caption(exhibit)


def test_curves_are_of_the_column_of_the_cell(table):
    view = view_of(table, at_beside=1, at_up=0, at_across=1)
    exhibit = loss_curves(DirectRunner(own_sweep=table), SETTINGS, view)
    assert exhibit.title == "How the loss falls: LSTM, T = 20 steps"
    numbers = exhibit.numbers()
    assert numbers["forget_bias"].unique().tolist() == [0.0, 2.0]
    assert numbers.query("optimizer_step == 100")["loss_median"].tolist() == [0.1, 0.1]


def test_every_run_is_in_the_outcomes_once(table):
    exhibit = before_and_after(DirectRunner(own_sweep=table), SETTINGS, view_of(table))
    assert len(exhibit.numbers()) == 18
    assert "Among pairs alike" in exhibit.summary


def test_a_sweep_that_trains_nothing_has_a_map_alone(tmp_path):
    grid = lx.Grid(
        measure="survival", settings={"sequence_length": 5, "hidden_size": 2},
        grid={"forget_bias": [0, 3], "seed": [0, 1]},
    )  # fmt: skip
    sweep = Sweep(grid, tmp_path)
    list(sweep.run(Here()))
    frame = sweep.to_frame()
    table = lx.load_sweep(tmp_path)
    runner, view = DirectRunner(own_sweep=table), view_of(table)
    assert before_and_after(runner, SETTINGS, view) is None
    assert loss_curves(runner, SETTINGS, view) is None
    numbers = outcome_map(runner, SETTINGS, view).numbers()
    cell = frame.query("quantity == 'cell'").groupby("forget_bias")["log10_share"].median()
    assert numbers["log10_share"].tolist() == pytest.approx(cell.tolist())


def test_a_file_that_is_not_here_is_told(table):
    for runner, view in [(DirectRunner(), view_of(table)), (DirectRunner(own_sweep=table), SweepsView(origin="file"))]:
        with pytest.raises(ExplainedError, match="an address cannot carry it"):
            table_of(runner, view)
