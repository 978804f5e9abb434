"""A diagnosis says what gradient_flow measures, and a mend does what it promises: measured on the mended network."""

import copy
import json

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.utils import prune

import lstm_explorer as lx
from lstm_explorer.core.architectures.mingru import MinGRU
from lstm_explorer.core.diagnosis import mending
from lstm_explorer.core.diagnosis.diagnose import fresh_flows

LAG, SHARE = 60, 0.05


def data(features=3, samples=5, steps=80):
    return torch.randn(steps, samples, features, generator=torch.Generator().manual_seed(0))


def made(kind, **options):
    torch.manual_seed(1)
    return kind(3, 8, 2, **options)


def median_shares(network, inputs):
    """Return log10 of the median share of what remembers, by lag, from the public measurement alone."""
    flow = lx.gradient_flow(network, inputs)
    norms = flow.log10_hidden if flow.log10_cell is None else flow.log10_cell
    shares = (norms[-1] - norms[-1, -1:]).flip(0).double().numpy()
    return np.quantile(shares, 0.5, axis=1, method="nearest")


@pytest.mark.parametrize("kind", [nn.RNN, nn.LSTM, nn.GRU, MinGRU])
def test_what_is_said_is_what_is_measured(kind):
    network, inputs = made(kind), data()
    diagnosis = lx.diagnose(network, inputs, needs_lag=LAG, share=SHARE, mend=False)
    expected = median_shares(network, inputs)
    np.testing.assert_allclose(diagnosis.log10_shares(), expected, rtol=1e-6)
    assert diagnosis.log10_share == diagnosis.log10_shares()[LAG]
    half = diagnosis.half_life()
    assert expected[:half].min() >= np.log10(0.5) > expected[half]
    assert diagnosis.reach(SHARE) == np.flatnonzero(expected < np.log10(SHARE))[0] - 1
    assert not diagnosis.arrives
    assert diagnosis.verdict == "vanishes"
    frame = diagnosis.to_frame()
    rows = frame[(frame["quantity"] == diagnosis.memory) & (frame["layer"] == 1)]
    np.testing.assert_allclose(rows["log10_share"], expected, rtol=1e-6)
    assert json.loads(json.dumps(diagnosis.to_dict()))["layers"][1]["half_life"] == half


@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize(("kind", "gate"), [(nn.LSTM, "forget"), (nn.GRU, "update")])
def test_a_mended_network_lets_the_share_arrive(kind, gate, batch_first):
    network, inputs = made(kind, batch_first=batch_first), data()
    given = inputs.transpose(0, 1) if batch_first else inputs
    before = copy.deepcopy(network.state_dict())
    mend = lx.diagnose(network, given, needs_lag=LAG, share=SHARE).mend
    assert mend.gate == gate
    assert mend.lower <= mend.added <= mend.upper or mend.input_added
    assert all(torch.equal(before[name], tensor) for name, tensor in network.state_dict().items())
    mended = copy.deepcopy(network)
    changed = lx.mended_biases(network, mend)
    mended.load_state_dict({**network.state_dict(), **changed})
    came = median_shares(mended, given)
    assert came[LAG] >= np.log10(SHARE)
    assert came[LAG] == pytest.approx(mend.log10_share, abs=1e-4)
    assert set(changed) == {"bias_ih_l0", "bias_ih_l1"}
    pasted = {"network": copy.deepcopy(network), "torch": torch}
    exec(lx.mending_lines(network, mend), pasted)
    for name, tensor in pasted["network"].state_dict().items():
        torch.testing.assert_close(tensor, mended.state_dict()[name])


def test_a_little_less_would_not_do():
    network, inputs = made(nn.GRU), data()
    mend = lx.diagnose(network, inputs, needs_lag=LAG, share=SHARE).mend
    less = copy.deepcopy(network)
    with torch.no_grad():
        for bias in (less.bias_ih_l0, less.bias_ih_l1):
            bias[8:16] += mend.added - 0.13  # the finest step that is tried
    assert median_shares(less, inputs)[LAG] < np.log10(SHARE)


def test_where_the_forget_gate_alone_does_not_do_the_input_gate_is_closed_too():
    network, inputs = made(nn.LSTM), data()
    alone = lx.bias_map(network, inputs, biases=(0, 2, 4, 8)).log10_cell[:, 0]
    shares = (alone - alone[:, -1:]).quantile(0.5, dim=-1)[:, -1 - LAG]
    assert (shares < np.log10(SHARE)).all()
    mend = lx.diagnose(network, inputs, needs_lag=LAG, share=SHARE).mend
    assert mend.input_added == -mend.added < 0
    assert not mend.explodes
    lines = lx.mending_lines(network, mend)
    assert "# forget gate" in lines
    assert "# input gate" in lines


def test_where_it_would_explode_the_input_gate_is_closed_too(monkeypatch):
    torch.manual_seed(2)
    network, inputs = nn.LSTM(3, 32), data(samples=3, steps=100)
    with torch.no_grad():
        network.weight_hh_l0 *= 1.5
    alone = lx.diagnose(network, inputs, needs_lag=90, share=0.9).mend
    assert alone.log10_most > np.log10(1.5)
    assert not alone.input_added
    monkeypatch.setattr(mending, "EXPLODES_ABOVE", 1.5)
    both = lx.diagnose(network, inputs, needs_lag=90, share=0.9).mend
    assert both.input_added == -both.added < 0
    assert not both.explodes


def test_a_gate_that_keeps_when_it_is_low_is_lowered():
    torch.manual_seed(0)
    network, inputs = MinGRU(3, 8), data()
    mend = lx.diagnose(network, inputs, needs_lag=LAG, share=SHARE).mend
    assert mend.added < 0
    mended = copy.deepcopy(network)
    mended.load_state_dict({**network.state_dict(), **lx.mended_biases(network, mend)})
    assert median_shares(mended, inputs)[LAG] >= np.log10(SHARE)


def test_where_nothing_can_be_mended_nothing_is_said():
    inputs = data()
    assert lx.diagnose(made(nn.RNN), inputs, needs_lag=LAG).mend is None
    assert lx.diagnose(made(nn.LSTM, bias=False), inputs, needs_lag=LAG).mend is None
    kept = made(nn.GRU)
    kept.load_state_dict(
        {**kept.state_dict(), "bias_ih_l1": torch.cat([torch.zeros(8), torch.full((8,), 9.0), torch.zeros(8)])}
    )
    diagnosis = lx.diagnose(kept, inputs, needs_lag=LAG)
    assert diagnosis.arrives
    assert diagnosis.mend is None
    with pytest.raises(ValueError, match="made with bias=False"):
        lx.mended_biases(
            made(nn.LSTM, bias=False), lx.Mend(gate="forget", added=1, lower=1, upper=1, log10_share=0, log10_most=0)
        )


def directions(network, inputs):
    """Return log10 of the share of each direction of the last layer, sample and lag, from the public measurement."""
    flow = lx.gradient_flow(network, inputs)
    norms = flow.log10_hidden if flow.log10_cell is None else flow.log10_cell
    return (norms[-2:] - norms[-2:, -1:]).flip(1).double().numpy()


@pytest.mark.parametrize("options", [{}, {"proj_size": 4}])
def test_of_both_directions_the_worse_one_counts_and_is_mended(options):
    torch.manual_seed(0)
    network, inputs = nn.LSTM(3, 8, 2, bidirectional=True, **options), data()
    diagnosis = lx.diagnose(network, inputs, needs_lag=LAG, share=SHARE)
    worse = np.quantile(directions(network, inputs)[:, LAG].min(axis=0), 0.5, method="nearest")
    assert diagnosis.log10_share == pytest.approx(worse, abs=1e-5)
    changed = lx.mended_biases(network, diagnosis.mend)
    assert set(changed) == {f"bias_ih_l{layer}{end}" for layer in (0, 1) for end in ("", "_reverse")}
    mended = copy.deepcopy(network)
    mended.load_state_dict({**network.state_dict(), **changed})
    after = lx.diagnose(mended, inputs, needs_lag=LAG, share=SHARE)
    assert after.arrives
    assert after.log10_share == pytest.approx(diagnosis.mend.log10_share, abs=1e-4)


@pytest.mark.parametrize("forgetful", ["", "_reverse"])
def test_a_direction_that_forgets_is_not_hidden_by_the_other(forgetful):
    torch.manual_seed(0)
    network, inputs = nn.LSTM(3, 8, bidirectional=True), data()
    with torch.no_grad():
        for end in ("", "_reverse"):
            getattr(network, f"bias_ih_l0{end}")[8:16] = -6.0 if end == forgetful else 6.0
            getattr(network, f"bias_ih_l0{end}")[:8] = -6.0
    diagnosis = lx.diagnose(network, inputs, needs_lag=LAG, share=SHARE)
    assert not diagnosis.arrives
    assert diagnosis.weakest == ["", "_reverse"].index(forgetful)
    assert diagnosis.mend is None or diagnosis.mend.added > 3


def test_a_layer_that_is_fed_at_both_ends_reaches_only_as_far_as_it_does_all_the_way():
    torch.manual_seed(0)
    network = nn.LSTM(3, 8, 2, bidirectional=True)
    diagnosis = lx.diagnose(network, data(steps=150), needs_lag=75, mend=False)
    shares = diagnosis.log10_shares(layer=0)
    assert shares[-1] > -1  # the other direction's end feeds it there
    assert shares[75] < -5
    assert diagnosis.reach(0.01, 0) < 40
    assert diagnosis.half_life(0) < 40


def test_lags_count_from_the_last_step_that_the_loss_reaches():
    network, inputs = made(nn.LSTM), data()
    with torch.no_grad():
        network.bias_ih_l1[8:16] = 4.0
    cotangent = torch.zeros(80, 5, 8)
    cotangent[70] = 1.0
    late = lx.diagnose(network, inputs, needs_lag=50, cotangent=cotangent, mend=False)
    expected = lx.diagnose(network, inputs[:71], needs_lag=50, mend=False)
    assert late.log10_share == pytest.approx(expected.log10_share, abs=1e-5)
    assert late.half_life() == expected.half_life()


def test_samples_of_other_lengths_have_an_end_of_their_own():
    network, inputs = made(nn.GRU), data(samples=3)
    packed = nn.utils.rnn.pack_padded_sequence(inputs, [80, 75, 62])
    diagnosis = lx.diagnose(network, packed, needs_lag=LAG, share=SHARE)
    alone = [median_shares(network, inputs[:length, b : b + 1])[LAG] for b, length in enumerate((80, 75, 62))]
    assert diagnosis.log10_share == pytest.approx(np.median(alone), abs=1e-5)
    mended = copy.deepcopy(network)
    mended.load_state_dict({**network.state_dict(), **lx.mended_biases(network, diagnosis.mend)})
    assert lx.diagnose(mended, packed, needs_lag=LAG, share=SHARE).arrives
    too_far = lx.diagnose(network, packed, needs_lag=78, share=SHARE, mend=False)  # one sample alone is as long
    assert too_far.log10_share == pytest.approx(median_shares(network, inputs[:, :1])[78], abs=1e-5)


def test_biases_that_are_made_of_others_are_refused():
    network = made(nn.LSTM)
    mend = lx.Mend(gate="forget", added=1, lower=1, upper=1, log10_share=0, log10_most=0)
    prune.random_unstructured(network, "bias_ih_l0", amount=0.3)
    for change in (lx.mended_biases, lx.mending_lines):
        with pytest.raises(ValueError, match="bias_ih_l0 is made of other parameters"):
            change(network, mend)


def test_fresh_networks_are_pytorch_s_own_of_that_seed():
    network, inputs = made(nn.GRU), data()
    state = torch.random.get_rng_state()
    flows = fresh_flows(network, inputs, None, (3, 4))
    assert torch.equal(torch.random.get_rng_state(), state)
    torch.manual_seed(4)
    expected = lx.gradient_flow(nn.GRU(3, 8, 2), inputs)
    assert torch.equal(flows.log10_hidden[1], expected.log10_hidden)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"needs_lag": 0}, "needs_lag is 0: expected 1 to 80"),
        ({"needs_lag": 81}, "give longer ones"),
        ({"needs_lag": 5, "share": 0.0}, "share is 0.0: expected a number above 0"),
        ({"needs_lag": 5, "share": 10.0}, "write 1% as 0.01"),
    ],
)
def test_what_does_not_fit_is_refused(given, message):
    with pytest.raises(ValueError, match=message):
        lx.diagnose(made(nn.GRU), data(), **given)


def test_samples_that_are_too_short_say_nothing_about_what_is_needed():
    network, inputs = made(nn.GRU), data(samples=3)
    packed = nn.utils.rnn.pack_padded_sequence(inputs, [80, 80, 20])
    mend = lx.diagnose(network, packed, needs_lag=LAG, share=SHARE).mend
    alike = lx.diagnose(network, inputs[:, :2], needs_lag=LAG, share=SHARE).mend
    assert np.isfinite(mend.upper)
    assert (mend.added, mend.lower, mend.upper) == (alike.added, alike.lower, alike.upper)
