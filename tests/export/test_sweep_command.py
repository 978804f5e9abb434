"""The command that sweeps: its table, what it says before and after, and errors of one line."""

from __future__ import annotations

import signal

import pandas as pd
import pytest

import lstm_explorer as lx
from lstm_explorer.export import sweep_command
from lstm_explorer.export.progress_bar import clock
from lstm_explorer.export.sweep_command import main, make_parser
from lstm_explorer.runs.sweeps.grid import Grid
from lstm_explorer.runs.training.cost import seconds
from tests.runs.sweeps.here import Here

GRID = """
measure = "bias_map"
[settings]
sequence_length = 6
hidden_size = 3
[grid]
architecture = ["rnn", "lstm"]
seed = {from = 0, count = 2}
[across]
forget_bias = [0, 1]
"""
#: The RNN has no gate whose bias a map could go across.
WITHOUT_RNN = GRID.replace('"rnn"', '"gru"').replace("forget_bias", "candidate_bias")


@pytest.fixture(autouse=True)
def workers(monkeypatch):
    """Measure in this process."""
    here = Here()
    monkeypatch.setattr(sweep_command, "Processes", lambda many: here)
    return here


@pytest.fixture
def grid(tmp_path):
    """A file with a grid whose cells can all be measured."""
    path = tmp_path / "grid.toml"
    path.write_text(WITHOUT_RNN)
    return path


def run(*arguments):
    try:
        return main([*map(str, arguments)])
    except SystemExit as left:
        return left.code


def test_it_writes_the_table_and_goes_on_where_it_was(grid, tmp_path, workers, capsys):
    out = tmp_path / "sweep"
    assert run(grid, "--out", out) == 0
    said = capsys.readouterr().err
    assert "cells: 4; there already and skipped: 0; to be measured: 4.\n" in said
    assert f"sweep [{'#' * 24}] 4/4, 0 failed, 0:00 left\n" in said
    assert said.endswith(f"{out / 'sweep.parquet'}\n")
    frame = pd.read_parquet(out / "sweep.parquet")
    found = lx.bias_map(
        lx.Settings(sequence_length=6, hidden_size=3, seed=1), gate="candidate", biases=(0, 1), architecture="gru"
    )
    rows = frame.query("architecture == 'gru' and seed == 1")
    assert rows["log10_share"].tolist() == found.ratios("hidden")[:, 0].tolist()
    workers.jobs.clear()
    assert run(grid, "--out", out) == 0
    assert "skipped: 4; to be measured: 0." in capsys.readouterr().err
    assert not workers.jobs


def test_cells_that_fail_are_listed_and_tried_again(grid, tmp_path, workers, capsys):
    grid.write_text(GRID)
    assert run(grid, "--out", tmp_path / "sweep") == 1
    said = capsys.readouterr().err
    assert "failed: architecture rnn, seed 0: architecture is 'rnn': expected one of 'lstm'" in said
    assert "4/4, 2 failed" in said
    assert run(grid, "--out", tmp_path / "sweep") == 1
    assert "skipped: 2; to be measured: 2." in capsys.readouterr().err


def test_of_many_failures_a_few_are_listed(grid, tmp_path, capsys):
    grid.write_text(GRID.replace("count = 2", "count = 8"))
    assert run(grid, "--out", tmp_path / "sweep") == 1
    said = capsys.readouterr().err
    assert said.count("failed: ") == 5
    assert "and 3 more.\n" in said


def test_a_dry_run_measures_nothing(grid, tmp_path, workers, capsys):
    assert run(grid, "--dry-run", "--workers", 2) == 0
    printed = capsys.readouterr()
    assert printed.out == "about 0:00; workers: 2\n"
    assert "to be measured: 4." in printed.err
    assert run(grid, "--dry-run", "--out", tmp_path / "sweep") == 0
    assert [path.name for path in tmp_path.iterdir()] == ["grid.toml"]
    assert not workers.jobs


def test_a_dry_run_says_how_long_it_takes(grid, capsys):
    grid.write_text("[settings]\nsteps = 100000\n[grid]\nseed = {from = 0, count = 100}")
    assert run(grid, "--dry-run") == 0
    alone = seconds(lx.Training(steps=100_000))
    assert capsys.readouterr().out == f"about {clock(100 * alone / 2)}; workers: 2\n"
    assert alone > 100


def test_ctrl_c_keeps_what_is_done_and_says_so(grid, tmp_path, workers, capsys):
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell has its background jobs ignore it
    answer = workers.answer

    def interrupted(future):
        if len(workers.jobs) == 4:
            signal.raise_signal(signal.SIGINT)
        return answer(future)

    workers.answer = interrupted
    try:
        assert run(grid, "--out", tmp_path / "sweep") == 130
    finally:
        signal.signal(signal.SIGINT, before)
    assert "stopped; 2 of 4 cells are kept. The same command goes on from there." in capsys.readouterr().err
    assert workers.closed == [True]
    assert pd.read_parquet(tmp_path / "sweep" / "sweep.parquet")["cell"].nunique() == 2


def test_a_damaged_file_gets_a_word(grid, tmp_path, capsys):
    run(grid, "--out", tmp_path / "sweep")
    path = next((tmp_path / "sweep" / "cells").iterdir())
    path.write_bytes(b"PAR1")
    assert run(grid, "--out", tmp_path / "sweep") == 0
    said = capsys.readouterr().err
    assert f"{path} is damaged: its cell is measured again.\n" in said
    assert "to be measured: 1." in said


@pytest.mark.parametrize(
    ("text", "arguments", "code", "message"),
    [
        ("[gird]", ["--out", "x"], 1, "grid.toml: the grid has no 'gird': did you mean 'grid'?"),
        ("\xff", ["--out", "x"], 1, "grid.toml: "),
        (GRID, [], 1, "there is no --out: expected a folder for what is done, or --dry-run."),
        (GRID, ["--out", "x", "--workers", "0"], 1, "--workers is 0: expected a whole number from 1."),
        (GRID, ["--out", "x", "--workers", "2", "--scheduler", "y"], 2, "not allowed with argument --workers"),
        (GRID, ["--out", "grid.toml"], 1, "Not a directory"),
        (None, ["--out", "x"], 1, "grid.toml: No such file or directory"),
    ],
)
def test_bad_input_is_one_line(tmp_path, monkeypatch, capsys, text, arguments, code, message):
    monkeypatch.chdir(tmp_path)
    if text is not None:
        (tmp_path / "grid.toml").write_text(text, encoding="latin-1")
    assert run("grid.toml", *arguments) == code
    lines = capsys.readouterr().err.splitlines()
    assert message in lines[-1]
    assert len([line for line in lines if "error" in line]) == 1
    assert not (tmp_path / "x").exists()


def test_a_scheduler_that_is_not_there_is_one_line(grid, monkeypatch, capsys):
    pytest.importorskip("distributed", reason="the extra cluster is not installed")
    monkeypatch.setattr("lstm_explorer.runs.cluster.workers.ANSWERS_WITHIN", 0.5)
    assert run(grid, "--dry-run", "--scheduler", "tcp://127.0.0.1:1") == 1
    assert "error: no scheduler answers at tcp://127.0.0.1:1: start one" in capsys.readouterr().err


def test_the_grid_in_the_help_is_one():
    epilog = make_parser().epilog
    text = epilog.partition("training runs:\n")[2].partition("\n\nA bias_map")[0]
    grid = Grid.from_toml("\n".join(line.removeprefix("  ") for line in text.splitlines()))
    assert len(grid) == 48
    assert "48 training runs" in epilog
    across = epilog.partition("two settings:\n")[2].partition("\n\n")[0]
    assert len(Grid.from_toml(f'measure = "bias_map"\n{across}').across["forget_bias"]) == 17
