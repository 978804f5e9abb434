"""Runs grouped by network, and axes that stay while the cursor moves."""

import dataclasses

import numpy as np
import pytest
from made_runs import made_run

from lstm_explorer.figures.learners import learners, measured_moments, ranges_of


def test_runs_of_one_network_are_its_seeds():
    runs = [made_run("rnn"), made_run("lstm"), made_run("lstm", seed=1)]
    assert [(one.network, len(one.runs), one.quantity) for one in learners(runs)] == [
        ("rnn", 1, "hidden"), ("lstm", 2, "cell"),
    ]  # fmt: skip


@pytest.mark.parametrize(("gradient", "drawn"), [("memory", "cell"), ("hidden", "hidden"), ("cell_path", "cell_path")])
def test_the_gradient_that_is_asked_for_is_drawn_where_the_network_has_it(gradient, drawn):
    found = {one.network: one.quantity for one in learners([made_run("rnn"), made_run("lstm")], gradient)}
    assert found == {"rnn": "hidden", "lstm": drawn}


def test_the_share_at_a_moment_is_that_of_the_last_measurement_before_it():
    (one,) = learners([made_run(length=20, learns_at=60)])
    assert one.share(59) == pytest.approx(-10.0)
    assert one.share(60) == pytest.approx(-0.2)
    assert one.share(64) == pytest.approx(-0.2)
    assert one.arriving()[0].tolist() == pytest.approx((-0.5 * np.arange(21)).tolist())


def test_the_ranges_hold_all_that_is_drawn_and_the_level_of_knowing_nothing():
    everyone = learners([made_run("rnn", learns_at=None), made_run("gru", learns_at=0)])
    ranges = ranges_of(everyone)
    for name in ("loss", "score"):
        assert ranges[name][0] < np.log10(2e-3)
        assert ranges[name][1] > np.log10(1 / 6)
    assert ranges["lags"][0] < -10
    assert ranges["lags"][1] > 0
    assert ranges["map"] == (0, 20)


def test_a_run_that_left_the_range_of_floats_still_has_axes():
    run = made_run("rnn")
    lost = dataclasses.replace(run, loss=np.full(100, np.nan), score=np.full(len(run.score), np.nan))
    assert all(np.isfinite(ends).all() for ends in ranges_of(learners([lost])).values())


def test_the_moments_are_those_of_all_networks():
    assert measured_moments(learners([made_run("rnn", done=40), made_run("gru")])) == list(range(0, 101, 5))
