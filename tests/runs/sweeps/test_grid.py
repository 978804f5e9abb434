"""A grid says what is measured where; whatever is wrong in one is named, with what was near."""

from __future__ import annotations

import pytest

import lstm_explorer as lx
from lstm_explorer.runs.experiment import Experiment
from lstm_explorer.runs.jacobians import Phases
from lstm_explorer.runs.measurements import Flow, Map
from lstm_explorer.runs.sweeps import grid as grid_module
from lstm_explorer.runs.sweeps.grid import Grid
from lstm_explorer.runs.training.job import TrainingJob

WHOLE = """
measure = "training"
[settings]
task = "adding"
steps = 20
[grid]
architecture = ["rnn", "lstm"]
forget_bias = {from = 0, to = 3, count = 4}
seed = {from = 5, count = 2}
"""


def test_every_combination_is_a_cell_the_last_name_turning_fastest():
    grid = Grid.from_toml(WHOLE)
    cells = list(grid.cells())
    assert len(grid) == len(cells) == 16
    assert [tuple(cell.varies.values()) for cell in cells[:3]] == [("rnn", 0.0, 5), ("rnn", 0.0, 6), ("rnn", 1.0, 5)]
    assert cells[-1].job == TrainingJob(training=lx.Training(architecture="lstm", forget_bias=3.0, seed=6, steps=20))


def test_a_setting_that_a_network_does_not_read_makes_no_other_cell():
    cells = list(Grid.from_toml(WHOLE).cells())
    assert len({cell.key for cell in cells if cell.varies["architecture"] == "rnn"}) == 2
    assert len({cell.key for cell in cells if cell.varies["architecture"] == "lstm"}) == 8


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"from": 0, "to": 1, "count": 11}, [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1]),
        ({"from": 0.001, "to": 0.1, "count": 3, "spacing": "log"}, [0.001, 0.01, 0.1]),
        ({"from": 2, "count": 3}, [2, 3, 4]),
        ({"from": 2, "to": 9, "count": 1}, [2]),
        ([3, 1.5], [3, 1.5]),
    ],
)
def test_ranges(given, expected):
    assert list(Grid(grid={"forget_bias": given}).grid["forget_bias"]) == expected


def test_maps_go_across_settings():
    settings = {"sequence_length": 20, "architecture": "gru"}
    one = Experiment(architecture="gru", settings=lx.Settings(sequence_length=20, seed=1))
    seeds = {"seed": [1]}
    (cell,) = Grid(measure="survival", settings=settings, grid=seeds).cells()
    assert cell.job == Flow(experiment=one)
    (cell,) = Grid(measure="bias_map", settings=settings, grid=seeds, across={"update_bias": [0, 1]}).cells()
    assert cell.job == Map(experiment=one, gate="update", biases=(0.0, 1.0))
    across = {"recurrent_gain": {"from": 1, "to": 2, "count": 3}, "input_scale": [0, 1]}
    (cell,) = Grid(measure="phase_map", settings=settings, grid=seeds, across=across).cells()
    rows, columns = ("recurrent_gain", (1.0, 1.5, 2.0)), ("input_scale", (0.0, 1.0))
    assert cell.job == Phases(experiment=one, rows=rows, columns=columns)


def test_as_plain_values_it_is_the_same_grid():
    grid = Grid.from_toml(WHOLE)
    assert Grid(**grid.to_dict()) == grid


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('mesure = "training"', r"the grid has no 'mesure': did you mean 'measure'\?"),
        ('measure = "trainings"', r"measure has no 'trainings': did you mean 'training'\?"),
        ("measure = 3", "measure has no 3: expected one of training, survival, bias_map, phase_map"),
        ("[gird]\nseed = [1]", r"the grid has no 'gird': did you mean 'grid'\?"),
        ("[settings]\nforgetbias = 1", r"\[settings\] has no 'forgetbias': did you mean 'forget_bias'\?"),
        ("[grid]\nlearning-rate = [1]", r"\[grid\] has no 'learning-rate': did you mean 'learning_rate'\?"),
        ("[grid]\nzzz = [1]", r"\[grid\] has no 'zzz': expected one of architecture, "),
        ('[settings]\ntask = "ading"', r"\[settings\] task is 'ading': expected one of .* Did you mean 'adding'\?"),
        ('[grid]\narchitecture = ["lsmt"]', r"architecture is 'lsmt': expected one of .* Did you mean 'lstm'\?"),
        ("[grid]\nsteps = [0]", r"\[grid\] steps is 0: expected a whole number from 1 to"),
        ("[grid]\nsteps = 3", r"\[grid\] steps is 3: expected a list, or \{from = 0"),
        ("[grid]\nsteps = []", r"\[grid\] steps is \[\]: expected a list"),
        ("[grid]\nsteps = [1, 1]", r"\[grid\] steps holds 1 twice"),
        ("[settings]\nsteps = [1, 2]", r"steps is \[1, 2\]: expected one value; several belong under \[grid\]"),
        ("[settings]\nsteps = true", r"steps is True \(bool\): expected a whole number"),
        ("[grid]\nseed = {from = 0, cuont = 3}", r"\[grid\] seed has no 'cuont': did you mean 'count'\?"),
        ("[grid]\nseed = {from = 0, count = 0}", "seed has count 0: expected a whole number from 1"),
        ("[grid]\nseed = {count = 3}", "seed goes from None to None: expected numbers"),
        ("[grid]\nseed = {from = 0, to = 1, count = 3}", r"seed is 0\.5: expected a whole number"),
        ('[grid]\nseed = {from = 0, to = 9, count = 3, spacing = "log"}', "from 0 to 9 by factors: expected numbers"),
        ("[settings]\nseed = 1\n[grid]\nseed = [1]", r"seed is in \[settings\] and in \[grid\]"),
        ("[grid]\nnum_seeds = [1]", r"num_seeds makes no difference: a cell is one run; write seed = "),
        ("[grid]\nseed = {from = 0, count = 2000}\nsteps = {from = 1, count = 501}", "1,002,000 cells: expected"),
        ('[settings]\ntask = "csv"', "task is 'csv', a table of your own"),
        ("settings = 3", "settings is 3: expected names with values"),
        ("[across]\nforget_bias = [1]", r"\[across\] has forget_bias: expected nothing for measure 'tra"),
        ('measure = "bias_map"', r"\[across\] has nothing: expected 1 of input_bias, "),
        ('measure = "bias_map"\n[across]\nforget_bias = [1, 0]', "expected ascending values"),
        ('measure = "phase_map"\n[across]\nseed = [1]\nloss = [1]', r"\[across\] has no 'seed'"),
        ('measure = "phase_map"\n[grid]\nloss = [1]\n[across]\na = 1\nb = 1', "loss makes no difference: a phase"),
        ("measure = ", "this is no TOML: "),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(text, message):
    with pytest.raises((ValueError, TypeError), match=message):
        Grid.from_toml(text)


def test_no_measure_reads_what_it_says_makes_no_difference():
    """A setting that is refused changes no job."""
    for name, what in grid_module.MEASURES.items():
        across = (
            dict(list({"recurrent_gain": (1.0,), "forget_bias": (0.0,)}.items())[-what.axes :]) if what.axes else {}
        )
        others = {"num_seeds": 2, "batch_size": 3, "loss": "every"}
        for unread in what.unread:
            assert what.job({unread: others[unread]}, across) == what.job({}, across), name
