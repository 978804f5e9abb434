"""The sentences beside the curves are computed from their numbers."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from lstm_explorer.core.gradients.result import GradientFlow
from lstm_explorer.core.gradients.summaries import Curve
from lstm_explorer.exhibits.curve_summaries import curves_summary, share_sentence, units_summary, verdict_word
from lstm_explorer.figures.curves import Series
from lstm_explorer.locales import use_language


def curve(first, last=0.0, steps=101):
    log10 = np.linspace(first, last, steps) if np.isfinite(first) else np.array([first, *[last] * (steps - 1)])
    return Curve(
        quantity="hidden", steps=np.arange(steps), median=log10, lower=log10, upper=log10, runs=1, relative=True
    )


@pytest.mark.parametrize(
    ("first", "sentence"),
    [
        (-10.0, "1.0×10⁻¹⁰ of the gradient at step 100 reaches step 0; it halves every 3.0 steps."),
        (math.log10(0.25), "25% of the gradient at step 100 reaches step 0; it halves every 50 steps."),
        (math.log10(4), "At step 0 the gradient is 4 times that at step 100; it doubles every 50 steps."),
        (-math.inf, "Nothing at all of the gradient at step 100 reaches step 0."),
        (math.nan, "No gradient leaves step 100."),
    ],
)
def test_the_sentence_has_the_share_and_the_half_life(first, sentence):
    assert share_sentence(curve(first)) == sentence


@pytest.mark.parametrize(
    ("points", "words"),
    [
        ([-0.4, -0.5, -1.2, -0.6, 0.0], "40% of the gradient at step 4 reaches step 0; it is least at step 2: 6.3%."),
        ([0.3, 0.9, 0.2, 0.1, 0.0], "At step 0 the gradient is 2 times that at step 4; it is most at step 1: 7.9×."),
        ([-0.1, -0.1, -0.1, 0.0, 0.0], "79% of the gradient at step 4 reaches step 0."),  # not even one half-life
        ([-2.0, -2.0, -2.0, -2.0, 0.0], "1% of the gradient at step 4 reaches step 0."),  # falls, but not at a rate
    ],
)
def test_a_curve_without_a_rate_is_described_as_it_is(points, words):
    log10 = np.array(points)
    bent = Curve(quantity="cell", steps=np.arange(5), median=log10, lower=log10, upper=log10, runs=1, relative=True)
    assert share_sentence(bent) == words


def test_a_verdict_says_of_which_gradient():
    dies = curve(-10.0)
    names = {"hidden": "gradient of h", "cell": "gradient of c", "cell_path": "gradient of c, cell path alone",
             "inputs": "gradient of x"}  # fmt: skip
    for quantity, name in names.items():
        series = [Series(name="LSTM", network="lstm", curve=replace(dies, quantity=quantity))]
        assert curves_summary(series).startswith(f"**LSTM, {name}: vanishes.**")


def test_every_curve_has_its_verdict_and_its_sentence():
    dies, grows = curve(-10.0), curve(2.0)
    lines = curves_summary(
        [Series(name="RNN", network="rnn", curve=dies), Series(name="GRU", network="gru", curve=grows)]
    ).split("  \n")
    assert lines == [
        f"**RNN, gradient of h: vanishes.** {share_sentence(dies)}",
        f"**GRU, gradient of h: explodes.** {share_sentence(grows)}",
    ]


def test_a_name_is_shown_as_it_stands_and_is_no_picture_of_elsewhere():
    pin = [Series(name="![x](http://a/b.png)", network="rnn", curve=curve(-10.0), style="ghost")]
    assert curves_summary(pin).startswith("**\\!\\[x\\]\\(http\\:\u2060//a/b\\.png\\), gradient of h: ")
    assert curves_summary(pin, escape=str).startswith("**![x](http://a/b.png), gradient of h: ")


def test_verdicts_are_translated():
    use_language("ko")
    try:
        assert len({verdict_word(word) for word in ("vanishes", "survives", "explodes")}) == 3
        assert verdict_word("vanishes") != "vanishes"
    finally:
        use_language("en")


def flow(sizes):
    units = torch.log10(torch.tensor(sizes, dtype=torch.float64))[None, None, None]
    norms = torch.zeros(1, 1, 1)
    return GradientFlow(
        architecture="rnn", log10_hidden=norms, log10_cell=None, log10_cell_path=None, log10_inputs=torch.zeros(0, 1),
        log10_hidden_units=units,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("sizes", "count"),
    [([1.0] * 8, "about 8 of 8"), ([1.0, 0.0, 0.0, 0.0], "about 1 of 4"), ([1e-200, 1e-200, 1e-250], "about 2 of 3")],
)
def test_units_are_counted_by_the_participation_ratio(sizes, count):
    assert f"spread over {count} units" in units_summary(flow(sizes), 0)


def test_no_gradient_and_no_units_are_told():
    assert units_summary(flow([0.0, 0.0]), 0) == "At step 0 no unit receives any gradient."
    without = GradientFlow(
        architecture="rnn", log10_hidden=torch.zeros(1, 1, 1), log10_cell=None, log10_cell_path=None,
        log10_inputs=torch.zeros(0, 1),
    )  # fmt: skip
    with pytest.raises(ValueError, match="measured with units=True"):
        units_summary(without, 0)
