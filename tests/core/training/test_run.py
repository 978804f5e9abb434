"""lx.train: a task of one's own, its loss, and the story of the first tasks in small."""

import math

import numpy as np
import pytest
import torch
from torch import nn

import lstm_explorer as lx

SMALL = lx.Training(hidden_size=5, batch_size=3, steps=25, measurements=2, sequence_length=6)


def own_batches(step):
    generator = torch.Generator().manual_seed(step)
    inputs = torch.randn(7, 4, 2, generator=generator)
    return inputs, inputs.cumsum(0)[..., :1]


def test_a_task_of_one_s_own():
    run = lx.train(SMALL.replace(architecture="gru", steps=150, learning_rate=0.02), batches=own_batches)
    assert run.loss[-20:].mean() < run.loss[:20].mean() / 2
    assert math.isnan(run.know_nothing)
    assert run.learnt_at is None
    assert run.log10_hidden.shape == (3, 8)
    inputs, targets = own_batches(2**30)
    with torch.no_grad():
        expected = nn.functional.mse_loss(run.model(inputs).answers, targets)
    assert run.final_score == pytest.approx(float(expected))
    frame = run.to_frame()
    assert set(frame.query("quantity == 'held_out_error'")["optimizer_step"]) == {0, 75, 150}


def test_a_loss_of_one_s_own():
    def loss(answers, targets):
        return (answers - targets).abs().mean()

    run = lx.train(SMALL, batches=own_batches, loss=loss)
    first = lx.train(SMALL.replace(steps=1), batches=own_batches, loss=loss)
    assert run.loss[0] == first.loss[0]
    model = lx.train(SMALL.replace(steps=1, learning_rate=1e-8), batches=own_batches).model
    inputs, targets = own_batches(0)
    assert run.loss[0] == pytest.approx(loss(model(inputs).answers, targets).item(), rel=1e-5)


def test_classes_need_as_many_outputs():
    def batches(step):
        inputs, targets = own_batches(step)
        return inputs, (targets[-1, :, 0] > 0).long()

    def loss(answers, targets):
        return nn.functional.cross_entropy(answers[-1], targets)

    run = lx.train(SMALL, batches=batches, loss=loss, outputs=2)
    assert run.model.head.out_features == 2
    assert abs(run.loss[0] - math.log(2)) < 0.5


@pytest.mark.parametrize(
    ("came", "error", "message"),
    [
        ([1, 2], TypeError, r"batches\(1073741824\) returned a list: expected \(inputs, targets\), two tensors"),
        ((torch.zeros(3, 2), torch.zeros(1)), ValueError, r"gave inputs \(3, 2\): expected \(T, B, features\)"),
    ],
)
def test_batches_that_are_none(came, error, message):
    with pytest.raises(error, match=message):
        lx.train(SMALL, batches=lambda step: came)


def test_a_table_that_the_task_does_not_read():
    with pytest.raises(ValueError, match='table came with task="adding": expected "csv", or leave table out'):
        lx.train(SMALL, table=np.zeros((9, 2)))


def test_progress_is_told_every_twenty_steps():
    told = []
    run = lx.train(SMALL, progress=lambda *args: told.append(args))
    assert [(done, total) for done, total, _ in told] == [(20, 25), (25, 25)]
    assert told[-1][2] == run.loss[-1]


def test_the_gru_learns_what_lies_a_few_steps_back():
    run = lx.train(
        lx.Training(architecture="gru", sequence_length=8, hidden_size=24, batch_size=32, steps=200, learning_rate=0.01)
    )
    assert run.learnt_at is not None
    assert run.final_score < 1 / 12
    assert np.isfinite(run.ratios("hidden")).all()
