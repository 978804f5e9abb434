"""required_bias against the map, closed forms and chrono."""

import math
from dataclasses import replace

import numpy as np
import pytest

import lstm_explorer as lx

SETTINGS = lx.Settings(sequence_length=50, hidden_size=16, num_seeds=5, seed=2)
KEEPING = {"lstm": ("forget", "cell"), "gru": ("update", "hidden")}


@pytest.mark.parametrize(("lag", "share"), [(50, 0.1), (20, 0.9), (50, 1e-6), (1, 0.5)])
@pytest.mark.parametrize("architecture", ["lstm", "gru"])
def test_measured_bias_is_the_smallest_that_keeps_the_share(architecture, lag, share):
    need = lx.required_bias(SETTINGS, lag=lag, share=share, architecture=architecture)
    gate, quantity = KEEPING[architecture]
    assert (need.gate, need.lag, need.share) == (gate, lag, share)

    def ratio(bias):
        flow = lx.seed_flows(SETTINGS.replace(**{f"{gate}_bias": bias}), architecture=architecture)
        norms = getattr(flow, f"log10_{quantity}")[:, -1, :, 0]
        return (norms[:, -1 - lag] - norms[:, -1]).median().item()

    rounding = 1e-4  # float32, the bias entering by another sum
    assert ratio(need.measured) == pytest.approx(need.log10_measured, abs=rounding)
    assert need.log10_measured >= math.log10(share)
    assert -10 < need.measured < 10
    assert ratio(need.measured - 0.01) < math.log10(share) + rounding


def test_network_at_rest_needs_the_bias_of_the_closed_form():
    resting = lx.Settings(hidden_size=2, recurrent_gain=0, input_kind="zeros", dtype="float64")
    for share in (0.511, 0.1, 1e-6):
        need = lx.required_bias(resting, lag=100, share=share)
        assert float(lx.theory.forget_gate(need.closed_form)) ** 100 == pytest.approx(share, rel=1e-12)
        assert need.closed_form <= need.measured <= need.closed_form + 0.01
        assert need.explodes is None
    # sigma(5)^100 = 0.511
    assert lx.required_bias(resting, lag=100, share=0.511).closed_form == pytest.approx(5, abs=2e-3)
    gru = lx.required_bias(resting, lag=100, share=0.1, architecture="gru")
    assert gru.closed_form <= gru.measured <= gru.closed_form + 0.01


def test_other_paths_need_a_smaller_bias_and_may_explode():
    # Plain cells: at H = 64, T = 100 the total is 0.28 at b_f = 2 and 59 at 5; the cell path alone has 3.7e-6 and 0.5
    need = lx.required_bias(lx.Settings(hidden_size=64, num_seeds=5), lag=100, share=0.28)
    assert need.measured == pytest.approx(2, abs=0.3)
    assert need.closed_form > 4
    assert 2.5 < need.explodes <= 5


def test_a_share_that_no_bias_keeps_has_no_answer():
    resting = lx.Settings(hidden_size=2, recurrent_gain=0, input_kind="zeros", sequence_length=2000, dtype="float64")
    need = lx.required_bias(resting, lag=2000, share=0.99)
    assert need.measured is None  # sigma(10)^2000 = 0.913
    assert math.isnan(need.log10_measured)
    assert need.closed_form > 10


def test_the_lowest_bias_may_be_enough():
    need = lx.required_bias(SETTINGS, lag=1, share=1e-12)
    assert need.measured == -10
    assert need.log10_measured >= -12
    # a loss at every step puts its own gradient on the steps before, whatever the bias
    every = lx.required_bias(SETTINGS.replace(loss="every"), lag=50, share=0.1, architecture="gru")
    assert every.measured == -10


def test_chrono_draws_up_to_the_lag():
    need = lx.required_bias(SETTINGS, lag=50)
    assert need.share == 0.1
    assert need.chrono.lowest == 0
    assert need.chrono.highest == pytest.approx(math.log(49))
    assert need.chrono.median == pytest.approx(math.log(25))
    assert float(lx.theory.forget_gate(need.chrono.highest)) == pytest.approx(1 - 1 / 50)
    assert lx.required_bias(SETTINGS, lag=1).chrono.highest == pytest.approx(math.log(2))


@pytest.mark.parametrize("share", [0, 1, -0.1, 2.0])
def test_share_that_is_none_is_refused(share):
    with pytest.raises(ValueError, match=r"share is .*: expected more than 0 and less than 1, such as 0\.1"):
        lx.required_bias(SETTINGS, lag=10, share=share)


def test_architecture_without_gates_and_drawn_biases_are_refused():
    with pytest.raises(ValueError, match="architecture is 'rnn': expected one of 'lstm', 'gru'"):
        lx.required_bias(SETTINGS, lag=10, architecture="rnn")
    with pytest.raises(ValueError, match="draws the bias of the forget gate"):
        lx.required_bias(SETTINGS.replace(recurrent_init="chrono"), lag=10)


def test_an_answer_that_a_larger_bias_undoes_is_said():
    # Wild recurrent weights: the total does not grow with the bias (seen in a review of the page).
    settings = lx.Settings(recurrent_gain=3, seed=5)
    need = lx.required_bias(settings, lag=60, share=0.5)
    ratios = lx.bias_map(settings, biases=(need.measured, need.falls_below)).ratios("cell")[:, -1 - 60]
    assert need.falls_below > need.measured
    assert ratios[0] >= math.log10(0.5) > ratios[1]
    assert lx.required_bias(lx.Settings(), lag=100, share=0.1).falls_below is None


@pytest.mark.parametrize("architecture", ["lstm", "gru"])
def test_each_seed_is_what_that_seed_alone_would_need(architecture):
    need = lx.required_bias(SETTINGS, lag=50, share=0.1, architecture=architecture)
    alone = [
        lx.required_bias(SETTINGS.replace(seed=SETTINGS.seed + replica, num_seeds=1), lag=50, architecture=architecture)
        for replica in range(SETTINGS.num_seeds)
    ]
    # a straight line between biases a quarter apart, against a search to a hundredth
    np.testing.assert_allclose(need.each_seed, [one.measured for one in alone], atol=0.03)


@pytest.mark.parametrize("architecture", ["lstm", "gru", "mingru"])
def test_the_recommended_bias_is_round_and_enough_for_every_seed(architecture):
    need = lx.required_bias(SETTINGS, lag=20, share=0.1, architecture=architecture)
    assert (need.recommended * 4).is_integer()
    quantity = "cell" if architecture == "lstm" else "hidden"
    found = lx.bias_map(SETTINGS, gate=need.gate, biases=(need.recommended,), architecture=architecture)
    norms = getattr(found, f"log10_{quantity}")[0, :, :, 0]
    assert (norms[:, -1 - 20] - norms[:, -1]).min().item() >= -1 - 1e-4


def test_nothing_is_recommended_where_a_seed_has_no_bias_or_where_it_explodes():
    resting = lx.Settings(hidden_size=2, recurrent_gain=0, input_kind="zeros", sequence_length=2000, dtype="float64")
    assert lx.required_bias(resting, lag=2000, share=0.99).recommended is None
    need = lx.required_bias(SETTINGS, lag=20, share=0.1)
    assert replace(need, explodes=need.recommended).recommended is None
    assert replace(need, explodes=need.recommended + 0.25).recommended == need.recommended
