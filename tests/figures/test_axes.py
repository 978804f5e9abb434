"""Axes of time and of norms: round ticks, and values in the units of their axis."""

import pytest

from lstm_explorer.figures.axes import log_ticks


@pytest.mark.parametrize(("low", "high"), [(-24.0, 0.0), (-1740.0, 0.0), (-0.5, 400.0), (-3.0, 0.0)])
def test_ticks_are_few_and_inside(low, high):
    ticks = log_ticks(low, high)["tickvals"]
    assert 2 <= len(ticks) <= 9
    assert low <= ticks[0]
    assert ticks[-1] <= high
