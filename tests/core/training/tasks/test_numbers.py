"""A small translation: the answers recomputed, no held-out number in training, and answers said one by one."""

import collections
import math

import pytest
import torch
from torch import nn

import lstm_explorer as lx
from lstm_explorer.core.training.model import Model
from lstm_explorer.core.training.task import Batch
from lstm_explorer.core.training.tasks import TASKS
from lstm_explorer.core.training.tasks.numbers import END, IGNORED, whole_answers_right, written_out

SMALL = lx.Training(task="numbers", hidden_size=6, batch_size=300, steps=3, measurements=1)
ONES = ("", *"일이삼사오육칠팔구")
UNITS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen"
)
ENGLISH = [*UNITS.split(), "eighteen", "nineteen"]
TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]


def in_korean(number):
    """Write a number below 1,000 as it is said: no one before hundred and ten."""
    hundreds, tens, ones = number // 100, number // 10 % 10, number % 10
    parts = [ONES[many] * (many > 1) + unit for many, unit in ((hundreds, "백"), (tens, "십")) if many]
    return "".join(parts) + ONES[ones] or "영"


def in_english(number):
    if number < 20:
        return ENGLISH[number]
    if number < 100:
        return TENS[number // 10 - 2] + (f"-{ENGLISH[number % 10]}" if number % 10 else "")
    rest = f" and {in_english(number % 100)}" if number % 100 else ""
    return f"{ENGLISH[number // 100]} hundred{rest}"


def texts(problem, batch):
    """Return what each number reads and what it is to say."""
    steps, symbols = problem.source_steps, problem.symbols
    read = batch.inputs[:steps].argmax(-1)
    said = [[code for code in column if code not in (END, IGNORED)] for column in batch.targets.T.tolist()]
    return [
        ("".join(symbols[code] for code in column if code), "".join(symbols[code] for code in answer))
        for column, answer in zip(read.T.tolist(), said, strict=True)
    ]


@pytest.mark.parametrize("target", ["korean", "digits"])
def test_numbers_are_written_as_they_are_said(target):
    say = in_korean if target == "korean" else str
    assert list(written_out(target)) == [(in_english(number), say(number)) for number in range(1000)]


@pytest.mark.parametrize("target", ["korean", "digits"])
def test_what_is_read_is_translated(target):
    problem = TASKS["numbers"].posed(SMALL.replace(target=target))
    batch = problem.batch(0)
    pairs = texts(problem, batch)
    assert set(pairs) <= set(written_out(target))
    assert batch.inputs.shape[0] == problem.length == problem.source_steps + len(batch.targets)
    assert (batch.inputs.sum(-1) == 1).all()
    # The decoder reads the signal, and then what it should have said.
    decoded = batch.inputs[problem.source_steps :].argmax(-1)
    assert (decoded[0] == 1).all()
    there = batch.targets[:-1] != IGNORED
    assert torch.equal(decoded[1:][there], batch.targets[:-1][there])
    assert (batch.targets == END).sum(0).tolist() == [1] * 300
    # All numbers end at the same step, right before the signal.
    assert (batch.inputs[problem.source_steps - 1].argmax(-1) != 0).all()


def test_no_held_out_number_is_trained_on():
    problem = TASKS["numbers"].posed(SMALL)
    trained = {pair for step in range(60) for pair in texts(problem, problem.batch(step))}
    held_out = set(texts(problem, problem.held_out))
    assert len(held_out) == 200
    assert trained | held_out == set(written_out("korean"))
    assert not trained & held_out


@pytest.mark.parametrize("target", ["korean", "digits"])
def test_knowing_nothing_is_the_loss_of_who_knows_all_answers(target):
    """The entropy of every symbol given those before it, from the counts of the beginnings of the trained answers."""
    problem = TASKS["numbers"].posed(SMALL.replace(target=target))
    held_out = {pair[1] for pair in texts(problem, problem.held_out)}
    answers = [(*said, "■") for _, said in written_out(target) if said not in held_out]
    counts = collections.Counter(answer[:place] for answer in answers for place in range(len(answer) + 1))
    losses = [
        -math.log(counts[answer[: place + 1]] / counts[answer[:place]])
        for answer in answers
        for place in range(len(answer))
    ]
    assert problem.know_nothing == pytest.approx(sum(losses) / len(losses))
    assert problem.chance == 0.0


class Said:
    """A model whose decoder says what it is told to, whatever it reads."""

    source_steps = 2

    def __init__(self, codes):
        self.codes = codes
        self.read = []

    def network(self, inputs):
        return inputs, 0

    def decoder(self, inputs, place):
        self.read.append(inputs[0].argmax(-1).tolist())
        return nn.functional.one_hot(self.codes[place], 6)[None].float(), place + 1

    def head(self, output):
        return output


def test_an_answer_is_right_as_a_whole_or_not_at_all():
    targets = torch.tensor([[3, 3, 3], [4, 2, 4], [2, -100, 2]])
    said = torch.tensor([[3, 3, 3], [4, 2, 5], [2, 5, 2]])  # right, right and then whatever, wrong in the middle
    inputs = nn.functional.one_hot(torch.ones(5, 3, dtype=torch.long), 6).float()
    model = Said(said)
    assert whole_answers_right(model, Batch(inputs, targets)) == pytest.approx(2 / 3)
    assert model.read == [[1, 1, 1], [3, 3, 3], [4, 2, 5]]  # the signal, then what it said itself


def test_the_decoder_goes_on_from_the_encoder_s_last_states():
    problem = TASKS["numbers"].posed(SMALL)
    model = Model(SMALL, problem.features, problem.outputs, "every", problem.source_steps)
    inputs = problem.batch(0).inputs
    _, state = model.network(inputs[: problem.source_steps])
    expected = model.head(model.decoder(inputs[problem.source_steps :], state)[0])
    torch.testing.assert_close(model(inputs).answers, expected)
    assert not torch.equal(model.network.weight_hh_l0, model.decoder.weight_hh_l0)


def test_the_loss_leaves_out_what_comes_after_the_end():
    run, task = lx.train(SMALL), TASKS["numbers"]
    batch = task.posed(SMALL).batch(0)
    model = Model(
        SMALL, batch.inputs.shape[-1], batch.inputs.shape[-1], "every", len(batch.inputs) - len(batch.targets)
    )
    logs = model(batch.inputs).answers.log_softmax(-1)
    there = batch.targets != IGNORED
    by_hand = -logs[there].gather(1, batch.targets[there][:, None]).mean()
    assert run.loss[0] == pytest.approx(by_hand.item(), rel=1e-5)
