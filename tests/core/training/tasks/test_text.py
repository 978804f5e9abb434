"""Text: the next character, split by time, and the entropy of the characters' shares."""

import collections
import math

import pytest

import lstm_explorer as lx
from lstm_explorer.core.datasets import load_text
from lstm_explorer.core.training.tasks import TASKS

TEXT = "the quick brown fox jumps over the lazy dog " * 5
SMALL = lx.Training(task="text", text=TEXT, sequence_length=9, batch_size=50)


def said(problem, codes):
    return ["".join(problem.symbols[code] for code in sample) for sample in codes.T.tolist()]


def test_every_answer_is_the_next_character():
    problem = TASKS["text"].posed(SMALL)
    inputs, targets, _ = problem.batch(0)
    assert (inputs.sum(-1) == 1).all()
    trained = TEXT[: int(0.8 * len(TEXT))]
    for read, asked in zip(said(problem, inputs.argmax(-1)), said(problem, targets), strict=True):
        assert read[1:] == asked[:-1]
        assert read + asked[-1] in trained


def test_the_end_of_the_text_is_held_out():
    text = "".join(map(chr, range(100, 300)))  # no character comes twice
    problem = TASKS["text"].posed(SMALL.replace(text=text))
    read = {symbol for step in range(9) for asked in said(problem, problem.batch(step).targets) for symbol in asked}
    held_out = said(problem, problem.held_out.targets)
    assert read <= set(text[:160])
    assert len(read) > 140
    assert held_out == [text[161 + 9 * k : 170 + 9 * k] for k in range(4)]


def test_knowing_nothing_is_the_entropy_of_the_shares():
    problem = TASKS["text"].posed(lx.Training(task="text"))
    text = load_text()
    counts = collections.Counter(text[: int(0.8 * len(text))])
    shares = [count / counts.total() for count in counts.values()]
    assert problem.know_nothing == pytest.approx(-sum(share * math.log(share) for share in shares))
    asked = "".join(said(problem, problem.held_out.targets))
    assert problem.chance == pytest.approx(asked.count(" ") / len(asked))
    assert problem.symbols == tuple(sorted(set(text)))


def test_a_text_of_the_reader_s_own_in_any_script():
    run = lx.train(SMALL.replace(text="나 보기가 역겨워 가실 때에는 " * 6, hidden_size=4, steps=2, measurements=1))
    assert run.model.head.out_features == len(set("나 보기가 역겨워 가실 때에는 "))


@pytest.mark.parametrize("length", [44, 500])
def test_a_text_too_short(length):
    with pytest.raises(ValueError, match=f"220 characters, of which the last 44 .* below 44, not {length}"):
        TASKS["text"].posed(SMALL.replace(sequence_length=length))
    assert TASKS["text"].posed(SMALL.replace(sequence_length=43)).held_out.inputs.shape[1] == 1


def test_a_text_of_too_many_symbols_is_refused_before_any_of_it_is_made():
    text = "".join(map(chr, range(0x4E00, 0x4E00 + 501))) * 3
    with pytest.raises(ValueError, match="501 different characters: expected at most 500"):
        TASKS["text"].posed(SMALL.replace(text=text))
