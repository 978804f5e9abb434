"""Every run is a point at its numbers; those that never learn lie in the strip above all steps."""

import pytest

import lstm_explorer as lx
from lstm_explorer.figures import plot_sweep_outcomes
from lstm_explorer.runs.sweeps.table import from_bytes
from tests.sweep_tables import run, runs, written


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    rows = runs() + run("rnn", 20, 0.0, 3, None, -300.0)
    return lx.sweep_outcomes(from_bytes(written(tmp_path_factory.mktemp("sweep"), rows, seed=[0, 1, 2, 3])))


def test_points_are_the_runs(found):
    figure = plot_sweep_outcomes(found)
    drawn = {trace.name: trace for trace in figure.data}
    assert {name: len(trace.x) for name, trace in drawn.items()} == {"RNN": 7, "LSTM": 12}
    lstm = found.frame.query("architecture == 'lstm'")
    assert list(drawn["LSTM"].x) == lstm["log10_share_before"].tolist()
    for y, learnt in zip(drawn["LSTM"].y, lstm["learnt_at"], strict=True):
        assert y == learnt if learnt == learnt else y > figure.layout.shapes[0].y0 > found.steps
    assert min(drawn["RNN"].x) == -40
    assert "1.0×10⁻³⁰⁰" in drawn["RNN"].customdata[-1]
    assert drawn["RNN"].marker.symbol != drawn["LSTM"].marker.symbol
    assert figure.layout.yaxis.ticktext[-1] == "never"
