"""Each sentence says what its numbers say, and one-sided conditions stay one-sided."""

import math

import numpy as np
import pytest
import torch

import lstm_explorer as lx
from lstm_explorer.core.jacobians.phase_maps import PhaseMap
from lstm_explorer.exhibits.jacobian_words import (
    directions_summary,
    edge_summary,
    eigenvalues_summary,
    exponents_summary,
    how_to_read_eigenvalues,
    largest_exponent,
)


def test_all_directions_have_the_verdict_of_the_best_kept_one():
    assert directions_summary(np.array([-3.0, -30.0]), "RNN") == (
        "**RNN, all directions: vanishes.** The direction that is kept best arrives with 0.1% of its size; 0 of 2 "
        "directions keep at least 1%."
    )
    assert "all directions: survives.** " in directions_summary(np.array([0.5, -1.0, -3.0]), "LSTM")
    exploding = directions_summary(np.array([2.0, 1.5, -1.0, -np.inf]), "LSTM")
    assert "arrives 100 times as large as it was" in exploding
    assert "all directions: explodes.**" in exploding
    assert exploding.endswith("3 of 4 directions keep at least 1%, 2 of them grow more than 10 times.")


def test_exponents_are_told_in_steps():
    assert largest_exponent(-math.log(10) / 5).endswith("is −0.46: a tenth is left after 5.0 steps.")
    said = exponents_summary({"rnn": np.array([0.023, -1.0]), "gru": np.array([-0.5])})
    assert "**RNN**: the largest exponent is 0.023: ten times as much after 100 steps." in said
    assert "**GRU**" in said


@pytest.mark.parametrize(
    ("gain", "verdict", "says"),
    [
        (0.5, "vanishes", "below 1 **suffices** for the gradient to vanish"),
        (1.0, "vanishes", "is **needed** to explode, but does not suffice: the gradient of this network vanishes"),
        (3.0, "explodes", "does not suffice: the gradient of this network explodes"),
        (1.0, None, "is **needed** to explode, but does not suffice."),
    ],
)
def test_both_conditions_are_one_sided(gain, verdict, says):
    settings = lx.Settings(recurrent_gain=gain)
    found = lx.jacobian_eigenvalues(lx.build_network("rnn", settings), lx.make_inputs(settings))
    said = eigenvalues_summary(found, nonlinearity="tanh", verdict=verdict)
    assert says in said
    statistics = lx.theory.recurrent_statistics(lx.build_network("rnn", settings))
    assert f"spectral radius {statistics.spectral_radius:.2f}" in said
    assert f"largest singular value {statistics.largest_singular_value:.2f}" in said


def eigenvalues_of(name, **changes):
    settings = lx.Settings(**changes)
    return lx.jacobian_eigenvalues(lx.build_network(name, settings), lx.make_inputs(settings))


def test_gates_have_a_size_each():
    found = eigenvalues_of("lstm", forget_bias=3.0)
    said = eigenvalues_summary(found, nonlinearity="tanh", verdict="survives")
    assert f"singular values of weight_hh: input gate i {float(found.largest_singular_values['input']):.2f}" in said
    assert f"forget gate f {float(found.largest_singular_values['forget']):.2f}" in said
    assert "of weight_hh · weight_hr: " in eigenvalues_summary(found, nonlinearity="tanh", verdict=None, projected=True)
    minimal = eigenvalues_of("mingru")
    assert eigenvalues_summary(minimal, nonlinearity="tanh", verdict=None).startswith("Over the steps, the largest")


@pytest.mark.parametrize(
    ("name", "changes", "says"),
    [
        ("lstm", {"forget_bias": 4.0}, "Those near 1 are the cell state's"),
        ("lstm", {"forget_bias": -10.0, "recurrent_gain": 0.1}, ""),
        ("lstm", {}, ""),
        ("gru", {"update_bias": 4.0}, "a direction that the gate keeps, whatever the recurrent weights are"),
        ("minlstm", {"forget_bias": 5.0, "input_bias": -5.0}, "An eigenvalue near 1 is a unit that its gate keeps."),
        ("minlstm", {}, ""),
    ],
)
def test_only_what_is_near_one_is_said_to_be(name, changes, says):
    said = eigenvalues_summary(eigenvalues_of(name, **changes), nonlinearity="tanh", verdict=None)
    assert says in said if says else "near 1" not in said


def test_every_kind_of_network_is_read_in_its_own_way():
    assert "never let one beyond the largest singular value" in how_to_read_eigenvalues("rnn")
    assert "is more than its weights" in how_to_read_eigenvalues("lstm")
    assert "Rings" not in how_to_read_eigenvalues("minlstm")


def grid(column, edge=None, architecture="rnn", axes=("recurrent_gain", "input_scale")):
    exponents = torch.tensor(column, dtype=torch.float64)[:, None, None, None].expand(-1, 2, 1, 1)
    return PhaseMap(
        architecture=architecture, axes=axes, positions=((1.0, 2.0, 3.0)[: len(column)], (0.0, 1.0)),
        exponents=exponents, edge=edge,
    )  # fmt: skip


def said_of(column, at, edge=None, **options):
    return edge_summary(grid(column, edge), at, rows=3, **options)


def test_the_edge_is_where_the_sign_changes_nearest_to_the_reader():
    edge = np.array([[1.7, 0.0], [2.3, 1.0]])
    said = said_of([-1.0, -0.5, 0.5], (1.1, 0.9), edge)
    assert "(gain on weight_hh 1, input scale 1) the largest exponent is −1.00" in said
    assert "Along gain on weight_hh the edge is crossed at 2.50." in said
    assert said.endswith("Mean-field theory expects it at 2.30.")
    assert "the edge is not crossed from there" in said_of([-1.0, -0.5, -0.1], (1, 1))
    assert "crossed at 2.50" in said_of([-math.inf, -0.5, 0.5], (1, 1))
    assert "crossed at 1.50" in said_of([-math.inf, 0.5, 0.6], (1, 1))
    assert "crossed at 2.50" in said_of([0.9, 0.5, -0.5], (1, 1))  # a GRU's grows the other way
    assert "crossed at 1.50" in said_of([-0.5, math.nan, math.nan], (3, 1))  # states that leave the range explode
    assert "crossed at 2.50" in said_of([-0.5, 0.5, -0.5], (3, 1))
    assert "crossed at 1.50" in said_of([-0.5, 0.5, -0.5], (1, 1))
    assert "leave the float range" in said_of([math.nan, -0.5, 0.5], (1, 1))
    assert said_of([-1.0, -0.5, 0.5], (1, 1), added=True).startswith("As the network is, the largest")


def test_nothing_is_said_of_a_place_that_is_not_on_the_map():
    assert said_of([-1.0, -0.5], (1, 1)) == "Measured so far: 2 of 3 rows of the map."
    outside = said_of([-1.0, -0.5, 0.5], (1, 10))
    assert outside == "Your settings (gain on weight_hh 1, input scale 10) lie outside this map."
    assert "your network is no point of this map" in said_of([-1.0, -0.5, 0.5], None)
