"""Every job, whole and in pieces of any size, gives what the core gives."""

import dataclasses
from functools import partial

import pytest
import torch

import lstm_explorer as lx
from lstm_explorer.core.biases.required import BiasSearch
from lstm_explorer.runs import direct
from lstm_explorer.runs.direct import DirectRunner
from lstm_explorer.runs.experiment import Experiment
from lstm_explorer.runs.measurements import (
    Contributions,
    Flow,
    Lengths,
    Map,
    Paths,
    Required,
    Theory,
    TwoGates,
    Unrolled,
    Weights,
)

SETTINGS = lx.Settings(sequence_length=12, hidden_size=4, num_seeds=3, batch_size=2, forget_bias=1.5, seed=7)
ONE = Experiment(architecture="lstm", settings=SETTINGS)
BIASES = (-1.0, 0.0, 2.0)

JOBS = {
    "flow": (Flow(experiment=ONE), partial(lx.seed_flows, SETTINGS, architecture="lstm")),
    "units": (Flow(experiment=ONE, units=True), partial(lx.seed_flows, SETTINGS, architecture="lstm", units=True)),
    "unrolled": (
        Unrolled(experiment=ONE),
        lambda: lx.unroll(lx.build_network("lstm", SETTINGS), lx.make_inputs(SETTINGS)),
    ),
    "paths": (Paths(experiment=ONE), partial(lx.path_flows, SETTINGS)),
    "weights": (
        Weights(experiment=ONE, lengths=(5, 10)),
        partial(lx.weight_gradients, SETTINGS, architecture="lstm", lengths=(5, 10)),
    ),
    "map": (
        Map(experiment=ONE, gate="forget", biases=BIASES), partial(lx.bias_map, SETTINGS, gate="forget", biases=BIASES),
    ),
    "two gates": (
        TwoGates(experiment=ONE, gate="forget", biases=BIASES, other="input", others=(0.0, 1.0), lag=10),
        partial(lx.two_gate_map, SETTINGS, gates=("forget", "input"), biases=(BIASES, (0.0, 1.0)), lag=10),
    ),
    "lengths": (
        Lengths(experiment=ONE, gate="output", biases=BIASES, lengths=(5, 10)),
        partial(lx.length_map, SETTINGS, gate="output", biases=BIASES, lengths=(5, 10)),
    ),
    "required": (
        Required(experiment=ONE, lag=10, share=0.1), partial(lx.required_bias, SETTINGS, lag=10, share=0.1),
    ),
}  # fmt: skip


def same(one, other):
    """Tell whether two results hold the same numbers."""
    if isinstance(one, torch.Tensor):
        return torch.allclose(one, other, rtol=1e-5, atol=1e-5, equal_nan=True)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if dataclasses.is_dataclass(one):
        return all(same(getattr(one, field.name), getattr(other, field.name)) for field in dataclasses.fields(one))
    if isinstance(one, tuple) and not all(isinstance(part, float | int | str) for part in one):
        return all(same(*pair) for pair in zip(one, other, strict=True))
    return one == other or one != one


@pytest.mark.parametrize("name", JOBS)
def test_a_job_at_once_and_in_pieces_is_what_the_core_measures(name, monkeypatch):
    job, expected = JOBS[name]
    whole = expected()
    assert same(DirectRunner().run(job), whole)
    monkeypatch.setattr(direct, "_WORK_BETWEEN_REPORTS", 1)
    seen = []
    pieces = DirectRunner(on_progress=lambda job, done, total: seen.append((done, total))).run(job)
    assert seen == [(done, job.total) for done in range(job.total)]
    assert same(pieces, whole)


@pytest.mark.parametrize("name", JOBS)
def test_only_a_job_that_says_so_passes_something_on(name):
    job, _expected = JOBS[name]
    assert (job.piece(0, 1)[1] is not None) is job.carries


def test_contributions_leave_the_matrices_out():
    found = DirectRunner().run(Contributions(experiment=ONE))
    whole = lx.step_contributions(SETTINGS)
    assert same(found.log10_norm, whole.log10_norm)
    assert found.total.numel() == 0


@pytest.mark.parametrize("name", JOBS)
def test_a_job_is_its_own_key(name):
    job, _expected = JOBS[name]
    again = dataclasses.replace(job)
    assert job == again
    assert hash(job) == hash(again)
    assert job != dataclasses.replace(job, experiment=ONE.replace(seed=8))


def test_what_a_measurement_does_not_read_makes_no_other_job():
    assert Flow(experiment=ONE) == Flow(experiment=ONE.replace(update_bias=3.0))
    assert Map(experiment=ONE, gate="forget", biases=BIASES) == Map(
        experiment=ONE.replace(forget_bias=4.0), gate="forget", biases=BIASES
    )
    assert Flow(experiment=ONE) != Flow(experiment=ONE.replace(forget_bias=4.0))


def test_theory_is_the_closed_forms():
    forms = DirectRunner().run(Theory(experiment=ONE))
    assert [form.log10_rate for form in forms] == [pytest.approx(float(lx.theory.log10_cell_path(1.5, 1)))]
    rnn = Experiment(architecture="rnn", settings=SETTINGS)
    prediction, bound = DirectRunner().run(Theory(experiment=rnn))
    network = lx.build_network("rnn", SETTINGS)
    rate = lx.theory.mean_field_of(network, lx.make_inputs(SETTINGS)).rate
    assert 10**prediction.log10_rate == pytest.approx(rate)
    assert 10**bound.log10_rate == pytest.approx(lx.theory.recurrent_statistics(network).largest_singular_value)
    assert (prediction.bound, bound.bound) == (False, True)


def test_a_longer_run_costs_more():
    longer = ONE.replace(sequence_length=24)
    for name, (job, _expected) in JOBS.items():
        if name not in ("weights", "lengths"):
            assert dataclasses.replace(job, experiment=longer).work == pytest.approx(2 * job.work)


@pytest.mark.parametrize("init", ["normal", "orthogonal", "keras"])
def test_the_bound_is_of_the_network_that_is_measured_stacked_or_not(init):
    settings = lx.Settings(num_layers=2, hidden_size=6, recurrent_init=init, nonlinearity="relu", dtype="float64")
    forms = DirectRunner().run(Theory(experiment=Experiment(architecture="rnn", settings=settings)))
    (bound,) = [form.log10_rate for form in forms if form.bound]
    weight = lx.build_network("rnn", settings).weight_hh_l0
    assert bound == pytest.approx(torch.linalg.matrix_norm(weight, 2).log10().item(), abs=1e-12)


def test_more_units_cost_more_for_each_number():
    few, many = (Flow(experiment=ONE.replace(hidden_size=size)).work for size in (64, 256))
    assert few == 64 * SETTINGS.sequence_length * SETTINGS.batch_size * SETTINGS.num_layers
    assert many == pytest.approx(4 * 2.5 * few)


def test_a_search_in_pieces_tries_no_bias_twice(monkeypatch):
    tried, measure = [], BiasSearch.measure
    monkeypatch.setattr(BiasSearch, "measure", lambda search, biases: tried.extend(biases) or measure(search, biases))
    monkeypatch.setattr(direct, "_WORK_BETWEEN_REPORTS", 1)
    job = Required(experiment=ONE, lag=10, share=0.1)
    assert DirectRunner().run(job) is not None
    whole = len(tried)
    assert job.piece(0, job.total)[0] is not None
    assert len(tried) == 2 * whole
    assert job.piece(0, 5)[0] is None
