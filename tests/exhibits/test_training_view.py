"""The view of the page Training: what it means, and how it comes back from runs and presets."""

import pytest

from lstm_explorer.core.training.presets import PRESETS
from lstm_explorer.exhibits.training_view import TrainingView, changes_to, preset_changes


def test_a_view_means_one_run_for_each_network_and_seed():
    view = TrainingView(networks=("rnn", "gru"), seed=3, num_seeds=2)
    assert [(one.architecture, one.seed, one.num_seeds) for one in view.trainings] == [
        ("rnn", 3, 1), ("rnn", 4, 1), ("gru", 3, 1), ("gru", 4, 1),
    ]  # fmt: skip


def test_options_that_a_network_does_not_read_make_no_other_run():
    with_bias, without = TrainingView(forget_bias=3.0), TrainingView()
    rnn, lstm, gru = with_bias.trainings
    assert (rnn, gru) == (without.trainings[0], without.trainings[2])
    assert lstm != without.trainings[1]
    assert TrainingView(gradient="hidden").trainings == without.trainings


@pytest.mark.parametrize("code", list(PRESETS))
def test_a_preset_resets_what_another_set_and_its_runs_lead_back_to_it(code):
    other = TrainingView(task="copy", optimizer="sgd", forget_bias=9.0, num_seeds=4, networks=("mingru",))
    view = other.replace(**preset_changes(PRESETS[code]))
    assert view == TrainingView(**preset_changes(PRESETS[code]))
    again = TrainingView(**changes_to(view.trainings))
    assert again.trainings == view.trainings


@pytest.mark.parametrize("text", ["../../etc", "a" * 21, "a" * 23, "a" * 21 + "/"])
def test_what_is_no_identifier_of_a_run_is_refused(text):
    with pytest.raises(ValueError, match="run is"):
        TrainingView(run=text)
