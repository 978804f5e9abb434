"""What training costs, and what the server refuses."""

from __future__ import annotations

import re
import shlex

import pytest
import torch

import lstm_explorer as lx
from lstm_explorer.runs.training.cost import MOST_MEGABYTES, command_line, megabytes, refusal, seconds


def test_the_default_run_is_done_in_a_minute():
    assert 5 < sum(seconds(lx.Training(architecture=name)) for name in ("rnn", "lstm", "gru")) < 60


@pytest.mark.parametrize(
    "more", [{"steps": 2400}, {"sequence_length": 160}, {"hidden_size": 128}, {"batch_size": 128}, {"num_layers": 2}]
)
def test_more_costs_more(more):
    assert seconds(lx.Training(**more)) > 1.5 * seconds(lx.Training())


@pytest.mark.parametrize(
    ("training", "reason"),
    [
        (lx.Training(steps=1_000_000), r"about \d+ minutes here, where at most 10"),
        (lx.Training(sequence_length=100_000, steps=1), r"about \d+ MB"),
        (lx.Training(sequence_length=500, hidden_size=2048, steps=1), r"about \d+ MB"),
    ],
)
def test_what_is_too_much_is_refused_with_the_command_that_does_it(training, reason):
    text = refusal([training])
    assert re.search(reason, text)
    assert text.splitlines()[-1] == command_line([training])
    assert refusal([lx.Training()]) == ""
    assert megabytes(lx.Training()) < 50


def test_networks_and_seeds_are_one_command_and_other_settings_another():
    several = [lx.Training(architecture=name, seed=seed) for name in ("rnn", "gru") for seed in (2, 3)]
    assert command_line(several) == ("lstm-explorer train --architecture rnn gru --seed 2 --num-seeds 2 --out run")
    two = command_line([lx.Training(forget_bias=1, split_biases=True), lx.Training(forget_bias=3)]).splitlines()
    assert two[0] == "lstm-explorer train --architecture lstm --forget-bias 1.0 --split-biases --out run1"
    assert two[1] == "lstm-explorer train --architecture lstm --forget-bias 3.0 --out run2"


def test_a_text_of_the_reader_s_stays_one_word():
    words = shlex.split(command_line([lx.Training(text="it's; rm -rf $HOME\nnext")]))
    assert "it's; rm -rf $HOME\nnext" in words


def test_a_gradient_that_dies_costs_no_more():
    """What is below 1e-38 is zero while it travels back, and a number of its own again afterwards."""
    seen = []

    def loss(answers, targets):
        if answers.requires_grad:
            answers.register_hook(lambda gradient: seen.append(float(torch.tensor(1e-40) * 1.0)))
        return answers.square().mean()

    def batches(step):
        return torch.ones(4, 2, 1), torch.zeros(4, 2, 1)

    lx.train(lx.Training(hidden_size=3, steps=2, measurements=1), batches=batches, loss=loss)
    assert seen == [0.0] * 3
    assert float(torch.tensor(1e-40) * 1.0) > 0


def test_symbols_count():
    many = lx.Training(task="text", text="".join(map(chr, range(0x4E00, 0x4E00 + 500))), sequence_length=400)
    assert megabytes(many.replace(batch_size=128)) > MOST_MEGABYTES
    assert megabytes(lx.Training(task="text", sequence_length=100)) < MOST_MEGABYTES
    assert seconds(lx.Training(task="copy", sequence_length=100)) > seconds(lx.Training(sequence_length=100))
