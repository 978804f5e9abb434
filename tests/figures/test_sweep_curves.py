"""The curves are the quartiles that were counted, and the lines of knowing nothing lie where it does."""

import numpy as np
import pytest

import lstm_explorer as lx
from lstm_explorer.figures import plot_sweep_curves
from lstm_explorer.runs.sweeps.table import from_bytes
from tests.sweep_tables import run, written


@pytest.fixture(scope="module")
def curves(tmp_path_factory):
    losses = {0: (1.0, 0.8, 0.6), 1: (1.0, 0.4, 0.2), 2: (1.0, float("nan"), float("nan"))}
    rows = [
        row for bias in (0.0, 2.0) for seed in losses for row in run("lstm", 10, bias, seed, 60, -1, curve=losses[seed])
    ]
    table = from_bytes(written(tmp_path_factory.mktemp("sweep"), rows))
    return lx.sweep_curves(table, "forget_bias", only={"architecture": "lstm"})


def test_median_and_band_are_those_of_the_runs(curves):
    figure = plot_sweep_curves(curves, by="forget_bias", network="lstm")
    lines = [trace for trace in figure.data if trace.line.width]
    assert [line.name for line in lines] == ["0: 3 of 3 runs learn", "2: 3 of 3 runs learn"]
    assert list(lines[0].y) == [1.0, 0.8, 0.6]
    lower, upper = (list(trace.y) for trace in figure.data[:2])
    assert lower == [1.0, 0.4, 0.2]
    assert upper[0] == 1.0
    assert np.isnan(upper[1:]).all()  # out of the range of floats: the band has no upper end to draw
    assert figure.layout.legend.title.text == "bias of the forget gate"
    assert [shape.y0 for shape in figure.layout.shapes] == [pytest.approx(1 / 6), pytest.approx(1 / 12)]


def test_without_a_curve_there_is_no_figure():
    with pytest.raises(ValueError, match="expected at least one"):
        plot_sweep_curves([], by="seed")
