import pytest

from lstm_explorer.core.settings import Settings
from lstm_explorer.exhibits.jacobians_view import JacobiansView, experiment, lag_of
from lstm_explorer.runs.direct import DirectRunner


def test_jacobians_are_those_of_one_sample_of_one_seed_with_the_loss_at_the_end():
    one = experiment(DirectRunner(), "gru", Settings(num_seeds=5, batch_size=4, loss="every", seed=7))
    assert one.architecture == "gru"
    assert one.settings == Settings(seed=7)


@pytest.mark.parametrize(("asked", "lag"), [(0, 30), (12, 12), (30, 30), (31, 30), (2000, 30)])
def test_never_more_steps_back_than_there_are(asked, lag):
    one = experiment(DirectRunner(), "rnn", Settings(sequence_length=30))
    assert lag_of(one, JacobiansView(memory=asked)) == lag
