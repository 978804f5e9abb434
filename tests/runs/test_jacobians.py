"""The jobs of Jacobians, whole and in pieces, of drawn networks and of one's own, give what the core gives."""

import numpy as np
import pytest
import torch
from torch import nn

import lstm_explorer as lx
from lstm_explorer.runs import direct
from lstm_explorer.runs.direct import DirectRunner
from lstm_explorer.runs.experiment import Experiment, Moment
from lstm_explorer.runs.jacobians import Exponents, Phases, Products, StepEigenvalues

SETTINGS = lx.Settings(sequence_length=12, hidden_size=4, forget_bias=1.5, seed=7, dtype="float64")
GAINS, BIASES = ("recurrent_gain", (0.5, 1.0, 2.0)), ("forget_bias", (0.0, 2.0))


def drawn():
    one = Experiment(architecture="lstm", settings=SETTINGS)
    return one, one.network, one.inputs, None


def of_ones_own():
    torch.manual_seed(0)
    network, inputs = nn.LSTM(2, 4).double(), torch.randn(12, 3, 2, dtype=torch.float64)
    cotangent = torch.randn(12, 3, 4, dtype=torch.float64)
    moment = Moment(network=network, inputs=inputs, cotangent=cotangent, digest="own")
    one = Experiment(architecture="lstm", settings=SETTINGS.replace(input_size=2, batch_size=3), moment=moment)
    return one, network, inputs[:, :1], cotangent[-1, :1]


@pytest.fixture(params=[drawn, of_ones_own])
def case(request):
    return request.param()


@pytest.fixture(params=[1, 5, 100])
def run(request, monkeypatch):
    monkeypatch.setattr(direct, "units_at_once", lambda job, work: request.param)
    return DirectRunner().run


def test_products(case, run):
    one, network, inputs, cotangent = case
    found = run(Products(experiment=one))
    flow = lx.jacobian_flow(network, inputs, cotangent=cotangent)
    torch.testing.assert_close(found.log10_singular_values, flow.log10_singular_values, rtol=0, atol=1e-9)
    torch.testing.assert_close(found.log10_gradient, flow.log10_gradient, rtol=0, atol=1e-9)


def test_exponents(case, run):
    one, network, inputs, _ = case
    growth = run(Exponents(experiment=one))
    assert growth.steps == 12
    assert np.allclose(growth.exponents, lx.lyapunov_exponents(network, inputs)[0], atol=1e-12)


def test_eigenvalues(case, run):
    one, network, inputs, _ = case
    found, whole = run(StepEigenvalues(experiment=one)), lx.jacobian_eigenvalues(network, inputs)
    assert found.steps == whole.steps
    torch.testing.assert_close(found.jacobians, whole.jacobians)


def test_phases(case, run):
    one, network, inputs, _ = case
    found = run(Phases(experiment=one, rows=GAINS, columns=BIASES))
    across = dict([GAINS, BIASES])
    own = SETTINGS if one.moment is None else network
    whole = lx.phase_map(
        own,
        None if one.moment is None else inputs,
        across=across,
        **({"architecture": "lstm"} if one.moment is None else {}),
    )
    assert found.positions == whole.positions
    torch.testing.assert_close(found.exponents, whole.exponents)


@pytest.mark.parametrize(("kind", "carries"), [(Products, True), (Exponents, True), (StepEigenvalues, False)])
def test_only_what_says_so_passes_something_on(kind, carries):
    job = kind(experiment=drawn()[0])
    assert (job.piece(0, 1)[1] is not None) is job.carries is carries


def test_what_is_swept_or_not_read_makes_no_new_measurement():
    other = Experiment(architecture="lstm", settings=SETTINGS.replace(loss="every", recurrent_gain=2.0, update_bias=1))
    one = Experiment(architecture="lstm", settings=SETTINGS)
    same = [Phases(experiment=each, rows=GAINS, columns=BIASES) for each in (one, other)]
    assert same[0] == same[1]
    assert Products(experiment=one) != Products(experiment=other)
    assert Products(experiment=one) == Products(experiment=one.replace(loss="every"))


def test_large_networks_are_looked_at_at_fewer_steps():
    def seconds(job):
        return job.work * job.total / 3_000_000

    small, large = (
        StepEigenvalues(experiment=Experiment(architecture="lstm", settings=lx.Settings(hidden_size=size)))
        for size in (32, 256)
    )
    assert (len(small.steps), small.steps[0], small.steps[-1]) == (60, 1, 100)
    assert 2 <= len(large.steps) < 20
    assert (large.steps[0], large.steps[-1]) == (1, 100)
    assert seconds(large) < 6
    # As the work grows with the cube of the state, so do the products of the largest network.
    assert seconds(Products(experiment=large.experiment)) > 100 * seconds(Products(experiment=small.experiment))
