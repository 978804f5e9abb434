"""Speech: utterances of their own length, and no held-out one in training."""

import numpy as np
import pytest
import torch

import lstm_explorer as lx
from lstm_explorer.core.datasets import load_vowels
from lstm_explorer.core.training.tasks import TASKS


def test_utterances_are_read_for_as_long_as_they_are():
    problem = TASKS["vowels"].posed(lx.Training(task="vowels"))
    vowels, held_out = load_vowels(), problem.held_out
    assert held_out.inputs.shape == (29, 370, 12)
    assert held_out.lengths.tolist() == vowels.lengths[270:].tolist()
    assert held_out.targets.tolist() == vowels.speakers[270:].tolist()
    for sample in (0, 99, 369):
        np.testing.assert_allclose(held_out.inputs[:, sample], vowels.frames[270 + sample], rtol=1e-6)


def test_no_held_out_utterance_is_trained_on():
    problem = TASKS["vowels"].posed(lx.Training(task="vowels", batch_size=90))
    batches = [problem.batch(step) for step in range(3)]
    rows = [torch.cat([batch.inputs[0], batch.inputs[4], batch.lengths[:, None].float()], dim=1) for batch in batches]
    frames, lengths = (torch.tensor(part[:270]) for part in load_vowels()[:2])
    there = torch.cat([frames[:, 0], frames[:, 4], lengths[:, None]], dim=1).float()
    assert sorted(torch.cat(rows).tolist()) == sorted(there.tolist())


def test_knowing_nothing_and_the_lag():
    problem = TASKS["vowels"].posed(lx.Training(task="vowels"))
    vowels = load_vowels()
    assert problem.know_nothing == pytest.approx(np.log(9))  # thirty utterances of each in the training set
    assert problem.chance == pytest.approx((vowels.speakers[270:] == 0).mean())
    assert problem.lag == np.sort(vowels.lengths[:270])[134]


def test_a_few_epochs_are_better_than_chance():
    run = lx.train(lx.Training(task="vowels", hidden_size=16, learning_rate=0.01, steps=40, measurements=2))
    assert run.final_score > 0.5
    assert run.log10_hidden.shape == (3, 30)
    # The longest utterance is the only one that reaches so far back; all of them end at lag 0.
    assert np.isfinite(run.ratios("hidden")[:, -8:]).all()
