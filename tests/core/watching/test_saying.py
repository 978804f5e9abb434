import math

import numpy as np
import pytest

from lstm_explorer.core.watching.record import curve_of
from lstm_explorer.core.watching.saying import sentence


@pytest.mark.parametrize(("share", "said"), [
    (np.linspace(0, -0.9, 81), "13 % of the gradient reaches 80 steps back; half-life 27 steps"),
    (np.linspace(0, -24, 81), "10^-24 of the gradient reaches 80 steps back; half-life 1.0 steps"),
    (np.array([0.0, -0.001]), "99.8 % of the gradient reaches one step back; half-life 301 steps"),
    (np.array([0.0, 0.0]), "100 % of the gradient reaches one step back"),
    (np.array([0.0, -1.0, -math.inf]), "no gradient reaches 2 steps back"),
    (np.linspace(0, 1.2, 21), "the gradient grows to 15.8 times its size, 20 steps back"),
    (np.linspace(0, 400, 21), "the gradient grows to 10^400 times its size, 20 steps back"),
    (np.array([np.nan, np.nan]), "no gradient came by the states"),
    (np.array([0.0]), "no gradient came by the states"),
])  # fmt: skip
def test_the_sentence_says_what_the_numbers_are(share, said):
    assert sentence(curve_of(share), step=900) == f"step 900: {said}"


def test_it_names_the_network_and_says_what_the_loss_reads():
    said = sentence(curve_of(np.array([0.0, -1.0])), step=0, name="encoder.lstm", reads_earlier=True)
    assert said == (
        "step 0, encoder.lstm: 10 % of the gradient reaches one step back; half-life 0.3 steps; "
        "the loss reads earlier steps too"
    )
