"""The texts of the cell by hand are computed from its run."""

import numpy as np
import pytest

from lstm_explorer.core.by_hand import CHALLENGES, Phase, run_by_hand
from lstm_explorer.exhibits.by_hand import (
    by_hand_numbers,
    by_hand_summary,
    challenge_hint,
    challenge_text,
    challenge_title,
)


def run(*phases):
    return run_by_hand([Phase(until=u, input=i, forget=f, output=o, value=g) for u, i, f, o, g in phases])


WRITE, CLOSED = (1, 1, 0.5, 1, 1), (30, 1, 0, 1, -1)


CUT = run(WRITE, (29, 0, 0.98, 0.6, 0), CLOSED, (60, 0, 0.9, 1, 0))


def test_the_sentence_has_the_numbers():
    assert by_hand_summary(run((1, 1, 1, 1, 1), (100, 0, 0.9, 0.5, 0))) == (
        "At step 100 the cell holds 2.95×10⁻⁵ and puts out 1.48×10⁻⁵; of its gradient, 3.0×10⁻⁵ reaches step 0."
    )
    assert by_hand_summary(run((1, 1, 1, 1, -1), (100, 0, 1, 0, 0))) == (
        "At step 100 the cell holds −1 and puts out 0; of its gradient, 100% reaches step 0."
    )
    assert by_hand_summary(CUT).endswith("none of its gradient reaches step 0: the forget gate of step 30 is 0.")


def test_numbers_are_the_run_a_row_a_step():
    frame = by_hand_numbers(CUT)
    assert list(frame["step"] + frame["lag"]) == [60] * 61
    for name in ("cell", "hidden", "log10_gradient"):
        np.testing.assert_array_equal(frame[name], getattr(CUT, name))
    np.testing.assert_array_equal(frame["log10_gradient_hidden"], CUT.gradient_hidden)
    for name in ("input", "forget", "output", "value"):
        np.testing.assert_array_equal(frame[name], [np.nan, *getattr(CUT, name)])


@pytest.mark.parametrize("words", [challenge_title, challenge_text, challenge_hint])
def test_every_challenge_has_its_words(words):
    said = [words(code) for code in CHALLENGES]
    assert len(set(said)) == len(CHALLENGES)
    assert not any("{" in text for text in said)
    with pytest.raises(ValueError, match="challenge is 'keep': expected one of 'hold'"):
        words("keep")
