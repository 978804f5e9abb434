"""The direct runner: pieces of about the same work, in their order, each given what the last one passed on."""

from dataclasses import dataclass

import pytest

from lstm_explorer.runs.direct import DirectRunner, units_at_once


@dataclass(frozen=True)
class Chain:
    """A job whose pieces pass on how many units are done."""

    total: int
    work: float

    def piece(self, first, last, carried=None):
        assert (carried or 0) == first
        return list(range(first, last)), last

    def join(self, pieces):
        return [unit for piece in pieces for unit in piece]


@pytest.mark.parametrize(("work", "units"), [(1, 1_500_000), (1_000_000, 1), (400_000, 3), (9e9, 1)])
def test_units_at_once_are_about_half_a_second_and_never_none(work, units):
    assert units_at_once(Chain(5, work), 1_500_000) == units


@pytest.mark.parametrize("work", [1, 400_000, 9e9])
def test_pieces_follow_one_another_and_are_joined_in_order(work):
    calls = []
    runner = DirectRunner(on_progress=lambda job, done, total: calls.append((done, total)))
    assert runner.run(Chain(7, work)) == list(range(7))
    size = min(units_at_once(Chain(7, work), 1_500_000), 7)
    assert calls == [(done, 7) for done in range(0, 7, size)]
