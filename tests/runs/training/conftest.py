"""A folder of runs of its own for every test."""

import pytest

from lstm_explorer.runs.training import background, worker
from lstm_explorer.runs.training.store import Store


@pytest.fixture
def store(tmp_path, monkeypatch):
    """The folder, and no process that trains in it."""
    monkeypatch.setenv("LSTM_EXPLORER_RUNS", str(tmp_path / "runs"))
    monkeypatch.setattr(background, "_have_a_worker", lambda store: None)
    monkeypatch.setattr(worker, "warm_up", lambda: None)
    return Store()
