"""The exhibits that look inside a trained network show that network, at the moment that was asked for."""

import numpy as np
import pytest

import lstm_explorer as lx
from lstm_explorer.core.errors import ExplainedError
from lstm_explorer.exhibits.trained import (
    kept_moments,
    kept_weights,
    look_at,
    moment_of,
    part_of,
    trained_cell,
    trained_flow,
    trained_gates,
    trained_map,
    trained_traces,
)
from lstm_explorer.exhibits.training_view import TrainingView
from lstm_explorer.runs.direct import DirectRunner
from lstm_explorer.runs.training import background
from lstm_explorer.runs.training.looking import look
from lstm_explorer.runs.training.store import Store
from lstm_explorer.runs.training.worker import Worker

SMALL = {"sequence_length": 6, "hidden_size": 4, "batch_size": 3, "steps": 8, "measurements": 4, "samples": 2}


@pytest.fixture
def view(tmp_path, monkeypatch):
    """A view of two networks that were trained here."""
    monkeypatch.setenv("LSTM_EXPLORER_RUNS", str(tmp_path))
    monkeypatch.setattr(background, "_have_a_worker", lambda store: None)
    untrained = TrainingView(**SMALL, networks=("rnn", "lstm"))
    run = background.start(untrained.trainings)
    Worker(Store()).serve(idle=0.01)
    return untrained.replace(run=run)


@pytest.mark.parametrize("at", [-1, 0, 3, 4, 100])
def test_the_gradient_is_that_of_the_weights_of_the_nearest_moment(view, at):
    exhibit = trained_flow(DirectRunner(), lx.Settings(), view.replace(at=at, sample=1))
    step = {-1: 8, 0: 0, 3: 2, 4: 4, 100: 8}[at]
    run = lx.train(view.trainings[1].replace(steps=max(step, 1)))
    model = run.model if step else None
    weights = model.state_dict() if model else background.weights(view.run, 1, 0)
    moment = look(view.trainings[1], weights, sample=1).moment
    flow = lx.gradient_flow(moment.network, moment.inputs, cotangent=moment.cotangent)
    drawn = exhibit.numbers()
    assert moment_of(view.replace(at=at), kept_moments(view)) == step
    expected = (flow.log10_cell[-1, :, 0] - flow.log10_cell[-1, -1, 0]).double().numpy()
    np.testing.assert_allclose(drawn["log10_median"], expected, atol=1e-5)


def test_traces_and_gates_are_of_the_chosen_network_with_what_it_has(view):
    gates = trained_gates(DirectRunner(), lx.Settings(), view.replace(inside="rnn", part="forget"))
    assert part_of(view.replace(inside="rnn", part="forget")) == "hidden"
    assert "RNN" in gates.title
    traces = trained_traces(DirectRunner(), lx.Settings(), view)
    assert traces.name == "trained_traces"
    assert traces.view == view
    assert not traces.experiments  # a program by hand would draw weights of its own


def test_without_weights_there_is_nothing_to_look_at(view):
    other = view.replace(seed=7)
    assert kept_moments(other) == ()
    assert look_at(other) is None
    assert trained_flow(DirectRunner(), lx.Settings(), other) is None
    with pytest.raises(ExplainedError, match="No weights"):
        kept_weights(other, other.trainings[0], 8)


def test_the_map_of_the_bias_has_the_network_as_it_is_in_its_middle(view):
    exhibit = trained_map(DirectRunner(), lx.Settings(), view)
    flow = trained_flow(DirectRunner(), lx.Settings(), view).numbers()
    rows = exhibit.numbers()
    as_it_is = rows[(rows["bias"] == 0) & (rows["quantity"] == "cell")].sort_values("step")["log10_norm"].to_numpy()
    np.testing.assert_allclose(as_it_is - as_it_is[-1], flow["log10_median"], atol=1e-5)
    assert "added to the bias" in exhibit.draw("light").layout.yaxis.title.text
    assert trained_map(DirectRunner(), lx.Settings(), view.replace(inside="rnn")) is None


def test_the_cell_is_drawn_at_the_marked_step(view):
    exhibit = trained_cell(DirectRunner(), lx.Settings(), view.replace(step=4))
    assert "step 4" in exhibit.title
    assert len(exhibit.neighbours("light")) > 1


@pytest.mark.parametrize("build", [trained_cell, trained_traces, trained_gates])
def test_a_network_without_a_diagram_has_no_inside(build, view):
    minimal = view.replace(networks=("mingru",), inside="mingru")
    assert build(DirectRunner(), lx.Settings(), minimal) is None
