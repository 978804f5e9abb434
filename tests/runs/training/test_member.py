"""One training of a group: of which moments the weights are kept."""

from __future__ import annotations

import pytest

import lstm_explorer as lx
from lstm_explorer.runs.training.member import Member, kept_moments
from lstm_explorer.runs.training.store import Store


@pytest.mark.parametrize(("most", "kept"), [(11_000, 11), (10_999, 6), (5_000, 5), (1, 2)])
def test_weights_of_as_many_moments_as_fit(most, kept):
    moments = kept_moments(lx.Training(steps=100, measurements=10), 1000, most)
    assert len(moments) == kept
    assert {0, 100} <= moments <= {*range(0, 101, 10)}


def test_pieces_end_where_weights_are_kept_and_the_estimate_falls(tmp_path):
    training = lx.Training(sequence_length=4, hidden_size=3, batch_size=2, steps=30, measurements=3)
    group = Store(tmp_path).add([training], None)
    member, steps, left = Member(group, 0, training, None, 1e6), [], []
    while not member.over:
        member.advance()
        steps.append(member.step)
        left.append(member.seconds_left)
    assert {1, 10, 20, 30} <= set(steps)
    assert left[0] > left[-1] == 0
    assert group.moments(0) == (0, 10, 20, 30)
