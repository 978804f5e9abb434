"""Would clipping have helped? Every case has its own honest answer, with the numbers of the core."""

from dataclasses import replace

import numpy as np
import pytest

import lstm_explorer as lx
from lstm_explorer.core.gradients.summaries import Curve
from lstm_explorer.exhibits.clipping_words import clipping_summary, truncation_summary
from lstm_explorer.figures.formatting import percent, scientific

EXPLODES, VANISHES = {"recurrent_gain": 4.0, "sequence_length": 60}, {"recurrent_gain": 1.0, "sequence_length": 60}
#: The weights' gradient leaves float32 altogether; only the squares of its numbers do.
OVERFLOWS, SQUARES = {"recurrent_gain": 8.0, "sequence_length": 300}, {"recurrent_gain": 4.0, "sequence_length": 300}


def measured(changes, **options):
    settings = lx.Settings(**changes)
    network, inputs = lx.build_network("rnn", settings), lx.make_inputs(settings)
    return lx.clipped_gradient(network, inputs, **options), lx.plain_backward(network, inputs)


@pytest.mark.parametrize(
    ("changes", "options", "optimizer", "verdict", "answer"),
    [
        (EXPLODES, {}, "sgd", "explodes", "**It bounds the optimizer's step**, and no more: what each time step adds"),
        (
            EXPLODES,
            {},
            "adam",
            "explodes",
            "**It hardly changes the optimizer's step**, whatever it does",
        ),
        (EXPLODES, {"clipping": "value"}, "sgd", "explodes", "**It bounds the optimizer's step and bends it**: "),
        (VANISHES, {}, "sgd", "vanishes", "**No.** What each time step adds is multiplied by the same number"),
        (VANISHES, {"clip_at": 1e3}, "sgd", "vanishes", "And no clipping brings back what has vanished."),
        (VANISHES, {"clip_at": 1e3, "clipping": "value"}, "sgd", "vanishes", "and no number of it is above 1000"),
        ({**VANISHES, "sequence_length": 2}, {"clip_at": 0.1}, "sgd", "survives", "**It only shortens the gradient**"),
        (OVERFLOWS, {}, "sgd", "explodes", "**Too late: float32 has overflowed already.** Of the 1344 numbers"),
        (SQUARES, {}, "sgd", "explodes", "clip_grad_norm_ divides by infinity, and nothing is left."),
        (
            SQUARES,
            {"clipping": "value"},
            "sgd",
            "explodes",
            "optimizer's step and bends it**: 100% of the numbers",
        ),
    ],
)
def test_every_case_has_its_answer(changes, options, optimizer, verdict, answer):
    found, backward = measured(changes, **options)
    says = clipping_summary(found, backward, lag=changes["sequence_length"], optimizer=optimizer)
    head, step, why = says.split("  \n")
    assert head.startswith(f"**RNN, gradient of h at lag {changes['sequence_length']}: {verdict}.** ")
    assert answer in why
    assert ("SGD" if optimizer == "sgd" else "Adam") in step


@pytest.mark.parametrize(("lag", "step"), [(60, 1), (59, 1), (10, 50)])
def test_the_three_numbers_are_those_of_the_core(lag, step):
    found, backward = measured(EXPLODES, clipping="value", clip_at=0.1)
    head, change, _ = clipping_summary(found, backward, lag=lag, optimizer="sgd").split("  \n")
    before, after = (norms[0].double() for norms in (found.log10_steps_before, found.log10_steps_after))
    assert f"step {step} adds {scientific(before[step - 1])} without clipping and {scientific(after[step - 1])}" in head
    shares = [percent(float(norms[step - 1] - norms[-1])) for norms in (before, after)]
    assert f"; of what the last step adds that is {shares[0]}, and {shares[1]} with it." in head
    sgd = found.own.optimizer_steps["sgd"]
    words = f"keeps {percent(np.log10(sgd.length))} of its length and turns by {sgd.degrees:.1f}°"
    assert words in change
    assert sgd.degrees > 10


def test_by_norm_the_share_of_the_last_step_stays():
    found, backward = measured(EXPLODES)
    share = percent((found.log10_steps_before[0, 0] - found.log10_steps_before[0, -1]).item())
    assert f"that is {share}, with or without." in clipping_summary(found, backward, lag=60, optimizer="sgd")


def test_what_float32_makes_of_an_overflow_is_said_beside_float64():
    found, backward = measured(OVERFLOWS)
    _, step, why = clipping_summary(found, backward, lag=300, optimizer="sgd").split("  \n")
    assert step.startswith("In float32 there is no step of SGD to compare. In float64, the first step of SGD keeps ")
    assert "1344 are infinite or NaN before clipping, and 1344 after it. A step with that destroys the weights" in why
    some = replace(found, own=replace(found.own, not_finite_before=3, not_finite_after=0))
    says = clipping_summary(some, backward, lag=300, optimizer="sgd")
    assert "3 are infinite or NaN before clipping, and 0 after it. What is left points where the bound is" in says


def curve(*log10):
    median = np.array(log10)
    return Curve(
        quantity="hidden", steps=np.arange(len(median)), median=median, lower=median, upper=median, runs=1,
        relative=True,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("lag", "verdict", "says"),
    [
        (1, "survives", "Up to there nothing changes: 50% arrives at lag 1; at lag 2 it would be 10%."),
        (2, "vanishes", "Without the cut 10% would arrive there."),
        (3, "vanishes", "Without the cut 10% would arrive there, and 3.2% at lag 3."),
    ],
)
def test_truncation_says_where_it_cuts_and_what_would_have_arrived(lag, verdict, says):
    whole, cut = curve(-1.5, -1.0, np.log10(0.5), 0.0), curve(-np.inf, -np.inf, np.log10(0.5), 0.0)
    found = truncation_summary("gru", whole, cut, lag=lag)
    assert found.startswith(f"**GRU, gradient of h at lag {lag}: {verdict}.** From lag 2 on exactly nothing")
    assert found.endswith(says)


def test_a_truncation_that_cuts_nothing_says_so():
    whole = curve(-1.0, -0.5, 0.0)
    assert truncation_summary("rnn", whole, whole, lag=2) == (
        "**RNN, gradient of h at lag 2: survives.** Nothing is cut: 10% arrives at lag 2, with the truncation "
        "or without."
    )
