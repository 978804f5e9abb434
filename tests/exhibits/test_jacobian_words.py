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
    largest_exponent,
)


def test_all_directions_have_the_verdict_of_the_best_kept_one():
    assert directions_summary(np.array([-3.0, -30.0]), "RNN") == (
        "**RNN, all directions: vanishes.** The direction that is kept best arrives with 0.1% of its size; 0 of 2 "
        "directions keep at least 1%."
    )
    assert "all directions: survives.** " in directions_summary(np.array([0.5, -1.0, -3.0]), "LSTM")
    exploding = directions_summary(np.array([2.0, 1.5, -1.0, -np.inf]), "LSTM")
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


def test_gates_have_a_size_each():
    settings = lx.Settings(forget_bias=2.0)
    found = lx.jacobian_eigenvalues(lx.build_network("lstm", settings), lx.make_inputs(settings))
    said = eigenvalues_summary(found, nonlinearity="tanh", verdict="survives")
    assert f"forget gate f {float(found.largest_singular_values['forget']):.2f}" in said
    assert "Those near 1 are the cell state's" in said
    minimal = lx.jacobian_eigenvalues(lx.build_network("mingru", lx.Settings()), lx.make_inputs(lx.Settings()))
    assert eigenvalues_summary(minimal, nonlinearity="tanh", verdict=None).startswith(
        "Over the steps, the largest eigenvalue"
    )


def grid(column, edge=None):
    exponents = torch.tensor(column, dtype=torch.float64)[:, None, None, None].expand(-1, 2, 1, 1)
    return PhaseMap(
        architecture="rnn", axes=("recurrent_gain", "input_scale"), positions=((1.0, 2.0, 3.0), (0.0, 1.0)),
        exponents=exponents, edge=edge,
    )  # fmt: skip


def test_the_edge_is_where_the_exponent_rises_through_zero():
    edge = np.array([[1.7, 0.0], [2.3, 1.0]])
    said = edge_summary(grid([-1.0, -0.5, 0.5], edge), (1.1, 0.9))
    assert "(gain on weight_hh 1, input scale 1) the largest exponent is −1.00" in said
    assert "crossed at 2.50 (gain on weight_hh)" in said
    assert said.endswith("Mean-field theory expects it at 2.30.")
    assert "With no value of this map does it reach the edge from there (gain on weight_hh)." in edge_summary(
        grid([-1.0, -0.5, -0.1]), (1, 1)
    )
    assert edge_summary(grid([-1.0, -0.5, 0.5]), (1, 1), added=True).startswith("As the network is, the largest")
    assert "leave the float range" in edge_summary(grid([math.nan, -0.5, 0.5]), (1, 1))
    assert "crossed at 2.00 (gain on weight_hh)" in edge_summary(grid([-math.inf, 0.5, 0.6]), (1, 1))
