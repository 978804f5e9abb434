"""Time series: split by time, standardised by the past, and against what repeats a value that was read."""

import numpy as np
import pandas as pd
import pytest
import torch

import lstm_explorer as lx
from lstm_explorer.core.datasets import load_co2, load_sunspots
from lstm_explorer.core.training.tasks import TASKS
from lstm_explorer.core.training.tasks.series import window_batch

#: Row i of the first column is i, so that a value tells its row.
TABLE = np.stack([np.arange(100.0), np.sin(np.arange(100.0))], axis=1)
CSV = lx.Training(task="csv", sequence_length=7, horizon=3, batch_size=500)


def rows_of(numbers):
    """Return the rows that standardised numbers of the first column were."""
    return np.round(np.asarray(numbers, dtype=float) * TABLE[:80, 0].std() + TABLE[:80, 0].mean()).astype(int)


def test_the_target_is_the_value_so_many_rows_after_the_window():
    series = torch.arange(40.0).reshape(20, 2)
    inputs, targets, lengths = window_batch(series, 1, 5, 3, 300, 0, 0)
    assert lengths is None
    assert (inputs[1:] - inputs[:-1] == 2).all()
    assert (targets[:, 0] == inputs[-1, :, 1] + 3 * 2).all()
    assert inputs[0, :, 0].min() == 0
    assert targets.max() == 39  # the last row is asked for, and none beyond


def test_training_ends_where_held_out_begins():
    problem = TASKS["csv"].posed(CSV, TABLE)
    inputs, targets, _ = problem.batch(0)
    assert rows_of(inputs[..., 0]).max() == 76
    assert sorted(set(rows_of(targets[:, 0]))) == list(range(9, 80))
    held_out = problem.held_out
    assert rows_of(held_out.targets[:, 0]).tolist() == list(range(80, 100))
    assert (rows_of(held_out.inputs[-1, :, 0]) == np.arange(80, 100) - 3).all()
    assert (np.diff(rows_of(held_out.inputs[..., 0]), axis=0) == 1).all()
    assert problem.features == 2


def test_the_future_changes_nothing_that_is_trained_on():
    other = TABLE.copy()
    other[80:] = 1e6
    one, same = (TASKS["csv"].posed(CSV, table) for table in (TABLE, pd.DataFrame(other)))
    assert torch.equal(one.batch(3).inputs, same.batch(3).inputs)
    assert torch.equal(one.batch(3).targets, same.batch(3).targets)
    assert one.know_nothing == same.know_nothing
    assert not torch.equal(one.held_out.targets, same.held_out.targets)


def test_columns_are_standardised_by_the_training_part():
    problem = TASKS["csv"].posed(CSV.replace(column=2), TABLE)
    mean, deviation = TABLE[:80, 1].mean(), TABLE[:80, 1].std()
    expected = (TABLE[80:, 1] - mean) / deviation
    np.testing.assert_allclose(problem.held_out.targets[:, 0], expected, atol=1e-6)
    huge = TASKS["csv"].posed(CSV.replace(column=2), TABLE * 2.0**1000).held_out
    assert torch.equal(huge.targets, problem.held_out.targets)
    constant = np.column_stack([TABLE[:, 0], np.full(100, 3.3)])
    assert (TASKS["csv"].posed(CSV, constant).held_out.inputs[..., 1] == 0).all()


@pytest.mark.parametrize("name", ["sunspots", "co2", "csv"])
def test_what_one_gets_by_knowing_nothing_is_computed(name):
    training = lx.Training(task=name, sequence_length=7, batch_size=20_000)
    problem = TASKS[name].posed(training, TABLE if name == "csv" else None)
    targets = problem.batch(0).targets.double()
    assert problem.know_nothing == pytest.approx(float(targets.var()), rel=0.03)
    held_out = problem.held_out.targets.double()
    assert problem.chance == pytest.approx(float(((held_out - targets.mean()) ** 2).mean()), rel=0.03)


@pytest.mark.parametrize(("name", "season"), [("sunspots", 11), ("co2", 52)])
@pytest.mark.parametrize("horizon", [1, 11, 30])
def test_references_are_computed_by_hand(name, season, horizon):
    frame = load_sunspots()["sunspots"] if name == "sunspots" else load_co2()["co2"].ffill()
    many = int(0.8 * len(frame))
    scaled = (frame - frame[:many].mean()) / frame[:many].std(ddof=0)
    problem = TASKS[name].posed(lx.Training(task=name, sequence_length=60, horizon=horizon))
    last, before = problem.references.values()
    assert last == pytest.approx(((scaled - scaled.shift(horizon))[many:] ** 2).mean())
    back = season if horizon <= season else (33 if name == "sunspots" else 52)
    assert before == pytest.approx(((scaled - scaled.shift(back))[many:] ** 2).mean())
    # The value a season before the one asked for lies `lag` steps before the last one read.
    assert problem.lag == (back - horizon or season)


def test_gaps_of_the_air_are_filled_from_their_past():
    series, gaps = load_co2()["co2"], load_co2()["co2"].isna().to_numpy()
    problem = TASKS["co2"].posed(lx.Training(task="co2", sequence_length=2))
    many = int(0.8 * len(series))
    filled = problem.held_out.targets[:, 0].numpy()
    at = np.flatnonzero(gaps[many + 1 :]) + 1
    np.testing.assert_array_equal(filled[at], filled[at - 1])
    assert np.isfinite(filled).all()


def test_your_own_table_has_the_last_value_to_compare_with():
    problem = TASKS["csv"].posed(CSV, TABLE)
    (reference,) = problem.references.values()
    assert reference == pytest.approx((3 / TABLE[:80, 0].std()) ** 2)
    assert problem.lag == 7


@pytest.mark.parametrize(
    ("changes", "table", "message"),
    [
        ({}, None, 'table is None with task="csv": expected rows of numbers; pass table='),
        ({"column": 3}, TABLE, "Column 3 is to be predicted: expected a column from 1 to 2, those of the table"),
        ({}, TABLE[:13], "13 rows, and the first 10 are trained on: expected a sequence length of at most 6 with"),
        ({"sequence_length": 77}, TABLE, "at most 76 with a horizon of 3, not 77. Shorten the sequence"),
        ({}, TABLE[:2], "sequence length of at most 0"),
        ({}, TABLE[0], r"table has shape \(2,\): expected \(rows, columns\)"),
        ({}, np.where(TABLE == 5, np.nan, TABLE), "table is not finite in row 6, column 1"),
        ({}, [["a"]], "table is not numbers"),
    ],
)
def test_tables_that_do_not_suit(changes, table, message):
    with pytest.raises(ValueError, match=message):
        TASKS["csv"].posed(CSV.replace(**changes), table)


def test_the_longest_window_that_fits():
    problem = TASKS["csv"].posed(CSV.replace(sequence_length=76), TABLE)
    assert set(rows_of(problem.batch(0).targets[:, 0])) == {78, 79}
    assert rows_of(problem.held_out.inputs[0, :, 0]).min() == 2


def test_a_shipped_series_that_is_too_short_is_said_before_training():
    with pytest.raises(ValueError, match="The series has 309 rows, and the first 247 are trained on"):
        lx.train(lx.Training(task="sunspots", sequence_length=300, steps=1))


def test_held_out_windows_are_no_batch():
    problem = TASKS["sunspots"].posed(lx.Training(task="sunspots", sequence_length=20, batch_size=300))
    trained, asked = set(problem.batch(0).targets.flatten().tolist()), problem.held_out.targets.flatten().tolist()
    frame = load_sunspots()["sunspots"]
    again = set(frame[:247]) & set(frame[247:])  # some numbers of sunspots come twice in three hundred years
    assert len(trained & set(asked)) <= len(again)


def test_of_a_long_table_some_windows_are_held_out_evenly_spaced():
    rows = np.arange(20_000.0)[:, None] * [1.0, -1.0]
    problem = TASKS["csv"].posed(lx.Training(task="csv", sequence_length=4, horizon=2), rows)
    assert problem.held_out.inputs.shape == (4, 1024, 2)
    # Each is asked for what lies two rows after the last that it reads.
    step = rows[1, 0] / rows[:16_000, 0].std()
    torch.testing.assert_close(
        problem.held_out.targets[:, 0] - problem.held_out.inputs[-1, :, 0], torch.full((1024,), 2 * step).float(),
        atol=1e-3, rtol=0,
    )  # fmt: skip
