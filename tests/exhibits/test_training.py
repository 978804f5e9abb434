"""What is said of networks that learn is what their runs show."""

import dataclasses

import numpy as np
from made_runs import made_run

from lstm_explorer.exhibits.training import training_exhibit, training_summary
from lstm_explorer.exhibits.training_view import TrainingView
from lstm_explorer.figures.learners import learners


def says(*runs):
    return training_summary(learners(runs))


def test_who_learnt_is_said_with_what_arrived_before_and_after():
    text = says(made_run("gru", steps=200, learns_at=100))
    assert "**GRU** has learnt by step 1" in text
    assert "1.0×10⁻¹⁰ of the gradient reached lag 20 at step 90" in text
    assert "63% at step 130" in text


def test_who_never_learnt_is_said_with_what_arrives_at_the_end():
    text = says(made_run("rnn", learns_at=None))
    assert "**RNN** has not learnt in 100 steps" in text
    assert "1.0×10⁻¹⁰ of the gradient reaches lag 20" in text


def test_of_several_seeds_it_is_said_how_many_learn():
    text = says(made_run("gru"), made_run("gru", seed=1, learns_at=None), made_run("gru", seed=2))
    assert "2 of 3 seeds do" in text


def test_a_loss_that_left_the_range_of_floats_exploded():
    run = made_run("rnn")
    lost = dataclasses.replace(run, loss=np.where(np.arange(100) < 40, run.loss, np.nan))
    assert "left the range of floats at step 40" in says(lost)


def test_a_run_without_a_step_says_nothing():
    assert says(made_run(done=0)) == ""


def test_a_run_in_its_first_steps_says_only_what_it_has_done():
    assert "in 30 steps" in says(made_run(done=30, learns_at=None))


def test_the_exhibit_has_the_numbers_of_all_runs_and_the_settings_of_the_network():
    runs = [made_run("rnn"), made_run("lstm")]
    view = TrainingView(networks=("rnn", "lstm"), sequence_length=20, steps=100, hidden_size=16)
    exhibit = training_exhibit(runs, view)
    numbers = exhibit.numbers()
    assert set(numbers["architecture"]) == {"rnn", "lstm"}
    loss = numbers[(numbers["architecture"] == "lstm") & (numbers["quantity"] == "loss")]["value"]
    np.testing.assert_array_equal(loss, runs[1].loss)
    assert (exhibit.settings.hidden_size, exhibit.settings.sequence_length) == (16, 20)
    assert len(exhibit.draw("dark").frames) == 21


def test_an_infinite_gradient_exploded_before_the_loss_did():
    run = made_run("rnn")
    run.gradient_norm[30:] = np.nan
    run.gradient_norm[30, 0] = np.inf
    assert "gradient of the **RNN** left the range of floats at step 30: it exploded" in says(run)
