"""Real processes: the numbers are those of lx.train, a worker or the one that started them may be killed."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import lstm_explorer as lx
from lstm_explorer.runs.sweeps.processes import Processes
from lstm_explorer.runs.sweeps.sweep import Sweep
from tests.runs.sweeps.here import Here

ROOT = Path(__file__).resolve().parents[3]
SMALL = {"sequence_length": 6, "hidden_size": 4, "batch_size": 3, "steps": 5, "samples": 2}
GRID = lx.Grid(settings=SMALL, grid={"architecture": ["rnn", "lstm"], "seed": [0, 1]})
#: Cells that take some tenths of a second.
SLOW = lx.Grid(
    measure="survival",
    settings={"sequence_length": 800, "hidden_size": 64, "batch_size": 8},
    grid={"seed": {"from": 0, "count": 8}},
)


def assert_trained_alone(frame):
    """Check a table of GRID against lx.train, bit for bit."""
    for (architecture, seed), rows in frame.groupby(["architecture", "seed"]):
        run = lx.train(lx.Training(architecture=architecture, seed=seed, **SMALL))
        for row in rows.itertuples():
            ratios = run.ratios(row.quantity)
            assert (row.log10_share_before, row.log10_share_after) == (ratios[0, 0], ratios[-1, 0])
            assert (row.loss, row.score) == (np.mean(run.loss), run.final_score)
    assert frame["cell"].nunique() == 4
    assert frame["error"].isna().all()


def test_the_numbers_are_those_of_lx_train_also_where_workers_are_killed():
    others, killed = set(multiprocessing.active_children()), []

    def kill_both(progress):
        if not killed:
            killed.extend(set(multiprocessing.active_children()) - others)
            for worker in killed:  # the one that waits, and the one that measures
                os.kill(worker.pid, signal.SIGKILL)

    assert_trained_alone(lx.sweep(GRID, processes=2, progress=kill_both))
    assert len(killed) == 2


CLIENT = f"""
import sys, lstm_explorer as lx
if __name__ == "__main__":
    lx.sweep(lx.Grid(**{SLOW.to_dict()!r}), out=sys.argv[1], processes=2)
"""


def children_of(pid):
    """Return the processes that a process has started."""
    found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True)
    return [int(word) for word in found.stdout.split()]


def gone(pid):
    """Tell whether a process has ended, reaped or not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except FileNotFoundError:
        return True


def wait_for(true, seconds=60.0):
    """Wait until something is true."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_killed_client_takes_its_workers_along_and_loses_only_what_was_under_way(tmp_path):
    (tmp_path / "client.py").write_text(CLIENT)
    out = tmp_path / "out"
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    client = subprocess.Popen([sys.executable, tmp_path / "client.py", out], env=environment)
    wait_for(lambda: len(list(out.glob("cells/[!.]*.parquet"))) >= 2)
    workers = children_of(client.pid)
    client.kill()
    client.wait()
    assert len(workers) >= 2
    wait_for(lambda: all(map(gone, workers)), seconds=5)
    resumed = Sweep(SLOW, out)
    assert len(resumed.found) >= 2
    assert not resumed.damaged
    assert resumed.left
    list(resumed.run(Here()))
    alone = Sweep(SLOW)
    list(alone.run(Here()))
    pd.testing.assert_frame_equal(resumed.to_frame().drop(columns="seconds"), alone.to_frame().drop(columns="seconds"))


def test_a_script_without_its_guard_is_told_in_one_line(monkeypatch):
    monkeypatch.setattr(multiprocessing.current_process(), "_inheriting", True, raising=False)
    with pytest.raises(SystemExit, match="put the call under if __name__"):
        Processes(1)
