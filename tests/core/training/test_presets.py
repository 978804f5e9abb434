"""The story in presets: legal records, several to be compared, each with a title."""

from __future__ import annotations

import pytest

import lstm_explorer as lx
from lstm_explorer.core.training.options import TrainingOptions
from lstm_explorer.core.training.presets import PRESETS, trainings_of


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_several_trainings_to_be_compared(name):
    preset = PRESETS[name]
    trainings = preset.trainings()
    assert len(set(trainings)) == len(trainings) == len(preset.networks) * len(preset.variants) > 1
    assert preset.title


def test_the_story_is_told_from_left_to_right():
    lengths = [PRESETS[name].trainings()[0].sequence_length for name in ("both_learn", "gated_learn", "nobody")]
    assert lengths == [10, 80, 400]
    assert PRESETS["gated_learn"].trainings()[1] == lx.Training(architecture="lstm")
    assert [one.clipping for one in PRESETS["explodes"].trainings()] == ["none", "norm"]
    assert len({preset.title for preset in PRESETS.values()}) == len(PRESETS)


def test_every_replica_is_a_run_of_its_own():
    runs = trainings_of(TrainingOptions(seed=3, num_seeds=2, forget_bias=1), ("rnn", "lstm"))
    assert runs[3] == lx.Training(architecture="lstm", seed=4, forget_bias=1)
    assert [one.num_seeds for one in runs] == [1] * 4
