"""The story in presets: legal options, a title and a note each, from left to right."""

import pytest

from lstm_explorer.core.training.options import Training, TrainingOptions, trainings_of
from lstm_explorer.core.training.presets import PRESETS


@pytest.mark.parametrize("code", PRESETS)
def test_a_preset_is_of_legal_options_and_says_what_to_look_at(code):
    preset = PRESETS[code]
    trainings = trainings_of(TrainingOptions(**preset.changes), preset.networks)
    assert len(set(trainings)) == len(preset.networks)
    assert preset.title
    assert preset.note


def test_the_story_is_told_from_left_to_right():
    lengths = [TrainingOptions(**PRESETS[code].changes).sequence_length for code in ("both", "gated", "long")]
    assert lengths == [10, 80, 400]
    assert PRESETS["gated"].changes == {}
    differing = PRESETS["explodes"].changes.items() - PRESETS["clipped"].changes.items()
    assert differing == {("clipping", "none")}
    assert len({preset.title for preset in PRESETS.values()}) == len(PRESETS)


def test_every_replica_is_a_run_of_its_own():
    runs = trainings_of(TrainingOptions(seed=3, num_seeds=2, forget_bias=1), ("rnn", "lstm"))
    assert runs[3] == Training(architecture="lstm", seed=4, forget_bias=1)
    assert runs[1] == Training(architecture="rnn", seed=4)
