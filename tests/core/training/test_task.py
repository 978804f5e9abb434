"""How answers are scored, and batches that are the same for the same number."""

import math

import pytest
import torch
from torch import nn

from lstm_explorer.core.training.options import Training
from lstm_explorer.core.training.task import HELD_OUT, Batch, Task, drawn, generator_at
from lstm_explorer.core.training.tasks import TASKS


def made(**changes):
    return Task(name="x", title="", about="", lag_about="", pose=None, **{"loss": "cross_entropy", **changes})


def test_the_mean_squared_error():
    task = made(loss="mse")
    answers, targets = torch.tensor([[1.0], [2.0]]), torch.tensor([[0.0], [4.0]])
    assert task.loss_of(answers, targets).item() == task.score_of(answers, targets) == 2.5
    assert task.score_name == "error"


def test_classes_of_every_step_are_scored_where_they_are_asked_for():
    task = made(reads="every", scored_steps=1)
    answers = torch.eye(3)[torch.tensor([[0, 1], [1, 2]])] * 9  # (T, B, classes)
    targets = torch.tensor([[2, 2], [1, 0]])
    assert task.score_of(answers, targets) == 0.5
    assert made(reads="every").score_of(answers, targets) == 0.25
    logs = answers.log_softmax(-1)
    by_hand = -sum(logs[t, b, targets[t, b]] for t in range(2) for b in range(2)) / 4
    assert task.loss_of(answers, targets).item() == pytest.approx(by_hand.item())
    assert task.score_name == "accuracy"


def test_the_first_samples_of_a_batch():
    batch = Batch(torch.zeros(4, 6, 2), torch.arange(6), torch.arange(1, 7))
    first = made().first(batch, 2)
    assert first.inputs.shape == (4, 2, 2)
    assert first.targets.tolist() == [0, 1]
    assert first.lengths.tolist() == [1, 2]
    every = made(reads="every").first(Batch(batch.inputs, torch.zeros(4, 6)), 2)
    assert every.targets.shape == (4, 2)


def test_seeds_and_steps_have_samples_of_their_own():
    draws = {torch.rand(1, generator=generator_at(seed, step)).item() for seed in range(9) for step in range(99)}
    assert len(draws) == 9 * 99
    assert torch.equal(*(torch.rand(3, generator=generator_at(2**31 - 1, HELD_OUT)) for _ in range(2)))


def test_no_weight_is_drawn_with_the_samples_numbers():
    """PyTorch reads the low 32 bits of a seed; weights have seeds below 2^31."""
    for seed, step in ((0, 0), (2**31 - 1, 10_000_000), (5, HELD_OUT)):
        assert generator_at(seed, step).initial_seed() >= 2**31


def test_batches_are_the_same_for_the_same_number():
    training = Training(batch_size=3, sequence_length=10)

    def draw(length, samples, generator):
        return Batch(torch.rand(length, samples, 1, generator=generator), torch.zeros(samples, 1))

    batch, held_out = drawn(training, draw, 10)
    assert torch.equal(batch(4).inputs, batch(4).inputs)
    assert not torch.equal(batch(4).inputs, batch(5).inputs)
    assert batch(4).inputs.shape == (10, 3, 1)
    assert held_out.inputs.shape == (10, 512, 1)


DRAWN = ("adding", "copy", "order")


@pytest.mark.parametrize("name", DRAWN)
def test_no_held_out_sample_is_trained_on(name):
    problem = TASKS[name].posed(Training(task=name, sequence_length=20))
    held_out = {tuple(sample.flatten().tolist()) for sample in problem.held_out.inputs.unbind(1)}
    trained = {tuple(sample.flatten().tolist()) for k in range(20) for sample in problem.batch(k).inputs.unbind(1)}
    assert len(held_out) == 512
    assert not trained & held_out


@pytest.mark.parametrize("name", DRAWN)
def test_what_one_gets_by_knowing_nothing_is_computed(name):
    """The line is the loss of the best constant answer over very many samples."""
    training, task = Training(task=name, sequence_length=20, batch_size=20_000), TASKS[name]
    problem = task.posed(training)
    targets = problem.batch(0).targets
    if task.loss == "mse":
        nothing, chance = float(targets.var()), float(targets.var())
        tolerance = 0.02
    else:
        # The best constant answer of a step gives every class its share.
        steps = targets if task.reads == "every" else targets[None]
        shares = torch.stack([torch.bincount(step, minlength=problem.outputs) for step in steps]) / steps.shape[1]
        nothing = float(torch.distributions.Categorical(probs=shares).entropy().mean())
        chance = float(shares[-task.scored_steps :].amax(1).mean())
        tolerance = 0.05  # the largest of eight shares of 20,000 samples lies above 1/8
    assert problem.know_nothing == pytest.approx(nothing, rel=tolerance)
    assert problem.chance == pytest.approx(chance, rel=tolerance)


@pytest.mark.parametrize("name", TASKS)
def test_records_say_what_they_are(name):
    task = TASKS[name]
    assert task.name == name
    assert min(map(len, (task.title, task.about, task.lag_about))) > 10
    assert task.about.endswith(".")
    assert task.lag_about.endswith(".")


def test_own_losses_are_scores_too():
    task = made(own_loss=nn.functional.l1_loss)
    assert task.score_of(torch.ones(2), torch.zeros(2)) == 1.0
    assert math.isclose(task.loss_of(torch.ones(2), torch.zeros(2)).item(), 1.0)
    batch = Batch(torch.zeros(1, 9, 1), torch.zeros(3))
    assert task.first(batch, 2) is batch
