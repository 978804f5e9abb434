"""Every sentence says what the numbers say."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

import lstm_explorer as lx
from lstm_explorer.core.diagnosis.weights import layer_weights
from lstm_explorer.exhibits.your_network_words import (
    biases_summary,
    clipping_sentence,
    layer_name,
    mend_sentences,
    reach_summary,
    truncation_sentence,
    units_sentence,
)


def diagnosis(kind, *, needs_lag=30, share=0.01, change=lambda network: None, mend=True, **options):
    torch.manual_seed(0)
    network = kind(2, 6, **options)
    with torch.no_grad():
        change(network)
    return lx.diagnose(network, torch.randn(40, 2, 2), needs_lag=needs_lag, share=share, mend=mend)


def open_gate(network):
    network.bias_ih_l0[6:12] = 9.0


def huge(network):
    network.weight_hh_l0 *= 12


def test_what_vanishes_and_how_far_it_reaches():
    one = diagnosis(nn.GRU, mend=False)
    says = reach_summary(one, 0)
    assert says.startswith("**Over 30 steps it vanishes:**")
    assert f"is left at lag {one.half_life()}," in says
    assert f"up to lag {one.reach(0.01)}" in says
    assert "Of a fresh network of the same size" in says
    kept = diagnosis(nn.GRU, change=open_gate)
    assert "half of the gradient arrives as far back as was measured, 40 steps" in reach_summary(kept, 0)


def test_the_mend_is_said_or_why_there_is_none():
    one = diagnosis(nn.GRU)
    says = mend_sentences(one, has_bias=True)
    assert f"**{one.mend.added:+.2f}** on the bias of the update gate z" in says
    assert "input gate" not in says
    assert "Nothing to mend" in mend_sentences(diagnosis(nn.GRU, change=open_gate), has_bias=True)
    assert "plain RNN has no gate" in mend_sentences(diagnosis(nn.RNN), has_bias=True)
    assert "bias=False" in mend_sentences(diagnosis(nn.GRU, bias=False), has_bias=False)
    exploding = diagnosis(nn.RNN, nonlinearity="relu", change=huge, needs_lag=3, mend=False)
    assert exploding.verdict == "explodes"
    assert mend_sentences(exploding, has_bias=True).startswith("It explodes: ")
    unmended = diagnosis(nn.GRU, mend=False)
    assert "even with 8 added" in mend_sentences(unmended, has_bias=True)
    both = copy.copy(one)
    object.__setattr__(
        both,
        "mend",
        lx.Mend(gate="update", added=3, lower=3, upper=np.inf, log10_share=-1, log10_most=0, input_added=-3),
    )
    assert "(+3.00 to more than 8 in the middle half" in mend_sentences(both, has_bias=True)
    assert both.mend.to_dict()["upper"] is None
    assert "The input gate is closed as far (-3.00)" in mend_sentences(both, has_bias=True)


def test_whether_clipping_and_truncation_would_help():
    vanishing, kept = diagnosis(nn.GRU), diagnosis(nn.GRU, change=open_gate)
    assert "would not help" in clipping_sentence(vanishing)
    exploding = diagnosis(nn.RNN, nonlinearity="relu", change=huge, needs_lag=3, mend=False)
    assert exploding.log10_shares().max() > 1
    assert "**Clipping** would help" in clipping_sentence(exploding)
    assert f"longer than {vanishing.reach(0.01)} steps brings nothing" in truncation_sentence(vanishing)
    assert "has to be longer than 30 steps" in truncation_sentence(kept)


def test_layers_biases_and_units():
    torch.manual_seed(0)
    first, back = layer_weights(nn.LSTM(2, 4, bidirectional=True))
    assert (layer_name(first), layer_name(back)) == ("layer 1", "layer 1, backward direction")
    open_bias = first.biases["forget"].fill_(3.0)
    assert open_bias.mean() == 3
    says = biases_summary(first, "lstm")
    assert "between 3.00 and 3.00" in says
    assert "95% is kept per step, and half is gone after 14.3 steps" in says  # FACTS: sigma(3), half-life 14.27
    assert "has no gate" in biases_summary(layer_weights(nn.RNN(2, 4))[0], "rnn")
    assert units_sentence(diagnosis(nn.GRU, change=open_gate), 0).startswith("6 of 6 units")
    assert units_sentence(diagnosis(nn.GRU, mend=False), 0).startswith("0 of 6 units")


@pytest.mark.parametrize("kind", [nn.LSTM, nn.GRU])
def test_nothing_at_all_that_arrives_can_be_said_too(kind):
    def cut(network):
        for weight in (network.weight_hh_l0, network.weight_ih_l0):
            weight.zero_()
        network.bias_ih_l0[6:12] = -1e4

    one = diagnosis(kind, change=cut, mend=False)
    assert "vanishes" in reach_summary(one, 0)
    assert units_sentence(one, 0)
    assert one.to_dict()["log10_share"] is None
