"""What a sweep says: every number of a map, of a curve and of the pairs against counting them one by one."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

import lstm_explorer as lx
from lstm_explorer.runs.sweeps.pooled import usual_axes, values_of
from lstm_explorer.runs.sweeps.table import from_bytes
from tests.sweep_tables import run, runs, written


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    return from_bytes(written(tmp_path_factory.mktemp("sweep"), runs()))


def test_the_map_counts_who_learns(table):
    found = lx.sweep_map(table)
    assert (found.up, found.across, found.beside) == ("forget_bias", "sequence_length", "architecture")
    assert found.places == (("rnn", "lstm"), (0.0, 2.0), (10, 20))
    assert found.learnt.tolist() == [[[1, 0], [1, 0]], [[3, 0], [3, 3]]]
    assert (found.runs == 3).all()
    assert np.allclose(found.numbers, found.learnt / 3)
    assert found.whole == ((1, 6), (9, 12))  # the RNN does not read the forget bias: its runs are half as many
    assert found.networks == ("rnn", "lstm")
    frame = found.to_frame()
    assert frame.query("architecture == 'lstm' and forget_bias == 2 and sequence_length == 20")["learnt"].item() == 3


def test_a_median_counts_who_never_learns_as_infinite(table):
    found = lx.sweep_map(table, "learnt_at")
    assert found.numbers.tolist() == [[[math.inf, math.inf]] * 2, [[40, math.inf], [40, 40]]]
    one = lx.sweep_map(table, "learnt_at", axes=("", "sequence_length", ""), only={"architecture": "rnn", "seed": 0})
    assert one.numbers.tolist() == [[[90, math.inf]]]
    assert one.networks == ("rnn",)


@pytest.mark.parametrize(("gradient", "less"), [("memory", 0), ("hidden", 1), ("cell_path", 2)])
def test_shares_are_of_the_gradient_that_was_asked_for(table, gradient, less):
    found = lx.sweep_map(table, "log10_share_before", gradient=gradient)
    assert found.numbers[1, 1, 0] == pytest.approx(2 - 2 - 1 / 9 - less)
    assert found.numbers[0, 0, 0] == -11


def test_values_and_axes_that_a_sweep_has(table):
    assert values_of(table) == ("learnt", "learnt_at", "score", "loss", "log10_share_before", "log10_share_after")
    assert usual_axes(table) == ("forget_bias", "sequence_length", "architecture")
    other = lx.sweep_map(table, axes=("architecture", "forget_bias", "sequence_length"))
    assert other.numbers.shape == (2, 2, 2)
    assert other.networks == (None, None)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"value": "largest_exponent"}, "value is 'largest_exponent': expected one of learnt"),
        ({"axes": ("hidden_size", "seed", "")}, "'hidden_size' does not vary in this sweep: expected one of"),
        ({"axes": ("seed", "seed", "")}, "expected different settings"),
        ({"axes": ("seed", "", "")}, "of which the second is there"),
        ({"only": {"seed": 9}}, "seed is 9: expected one of 0, 1, 2"),
    ],
)
def test_what_it_has_not_is_told(table, arguments, says):
    with pytest.raises(ValueError, match=says):
        lx.sweep_map(table, **arguments)


def test_failures_are_counted_apart(tmp_path):
    rows = run("rnn", 10, 0.0, 0, 5, -1.0) + run("rnn", 10, 0.0, 1, None, -1.0, error="no memory")
    found = lx.sweep_map(from_bytes(written(tmp_path, rows)))
    assert (found.runs[0, 0, 0], found.learnt[0, 0, 0], found.failed[0, 0, 0]) == (1, 1, 1)
    assert math.isnan(found.numbers[1, 0, 0])
    assert found.runs[1].sum() == 0


def test_curves_are_quartiles_over_the_runs_and_a_lost_loss_is_the_worst(tmp_path):
    curves = [(1.0, 0.8, 0.6), (1.0, 0.4, 0.2), (1.0, math.nan, math.nan)]
    rows = [
        row
        for bias, seed in itertools.product((0.0, 2.0), range(3))
        for row in run("lstm", 10, bias, seed, None if seed else 60, -1.0, curve=curves[seed])
    ]
    found = lx.sweep_curves(from_bytes(written(tmp_path, rows)), "forget_bias", only={"architecture": "lstm"})
    assert [one.at for one in found] == [0.0, 2.0]
    assert found[0].steps.tolist() == [1, 50, 100]
    assert found[0].median.tolist() == [1.0, 0.8, 0.6]
    assert found[0].lower.tolist() == [1.0, 0.4, 0.2]
    assert found[0].upper.tolist() == [1.0, math.inf, math.inf]
    assert (found[0].runs, found[0].learnt, found[0].know_nothing) == (3, 1, pytest.approx(1 / 6))


def test_a_setting_that_is_not_read_gives_one_curve(table):
    (one,) = lx.sweep_curves(table, "forget_bias", only={"architecture": "rnn", "sequence_length": 10})
    assert (one.at, one.runs, one.learnt) == (None, 3, 1)


def test_the_share_of_pairs_is_that_of_counting_them(table):
    found = lx.sweep_outcomes(table)
    frame = found.frame
    assert len(frame) == 18
    assert found.steps == 100
    assert found.alike == ("architecture", "sequence_length")

    def counted(alike):
        won = pairs = 0
        for one, other in itertools.product(frame.to_dict("records"), repeat=2):
            learns = not math.isnan(float(one["learnt_at"])) if one["learnt_at"] == one["learnt_at"] else False
            fails = other["learnt_at"] != other["learnt_at"]
            if learns and fails and all(one[name] == other[name] for name in alike):
                pairs += 1
                first, second = one["log10_share_before"], other["log10_share_before"]
                won += 1.0 if first > second else 0.5 if first == second else 0.0
        return won / pairs

    assert found.better == pytest.approx(counted(()))
    assert found.better_alike == pytest.approx(counted(found.alike))
    assert 0.5 < found.better < 1
    assert lx.sweep_outcomes(table, alike=("seed",)).better_alike == pytest.approx(counted(("seed",)))


def test_where_all_learn_nothing_is_claimed(tmp_path):
    rows = run("lstm", 10, 0.0, 0, 5, -1.0) + run("lstm", 10, 0.0, 1, 7, -2.0)
    assert math.isnan(lx.sweep_outcomes(from_bytes(written(tmp_path, rows))).better)
