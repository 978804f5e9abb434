"""Exhibits to export: measured as the command line measures them."""

import pytest

import lstm_explorer as lx
from lstm_explorer.exhibits.registry import EXHIBITS
from lstm_explorer.runs.direct import DirectRunner


@pytest.fixture(scope="session")
def exhibit_of():
    """Build an exhibit by its name, with settings and fields of its view."""

    def build(name, settings=None, **view):
        entry = EXHIBITS[name]
        if entry.page == "your_network":  # its own length, far from the settings'
            view = {"sequence_length": 20, **view}
        settings = settings or lx.Settings(sequence_length=30, hidden_size=8, num_seeds=3)
        return entry.build(DirectRunner(), settings, entry.view(**view))

    return build
