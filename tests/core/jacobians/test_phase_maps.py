"""phase_map against lyapunov_exponents of every network alone, and the edge of chaos against mean-field theory."""

import math

import numpy as np
import pytest
import torch
from torch import nn

import lstm_explorer as lx
from lstm_explorer.core.architectures.mingru import MinGRU
from lstm_explorer.core.jacobians.phase_maps import join_phase_maps

SMALL = lx.Settings(sequence_length=30, hidden_size=6, input_size=2, dtype="float64", num_seeds=2, batch_size=3)
ACROSS = {
    "rnn": {"recurrent_gain": (0.5, 1.3), "input_scale": (0.0, 0.7, 2.0)},
    "lstm": {"forget_bias": (-1.0, 4.0), "recurrent_gain": (0.2, 1.0, 3.0)},
    "gru": {"input_scale": (0.5, 2.0), "update_bias": (0.0, 3.0)},
}


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("name", list(ACROSS))
def test_every_value_of_the_map_is_that_of_its_own_network(name, layers):
    settings = SMALL.replace(num_layers=layers, recurrent_init="orthogonal")
    found = lx.phase_map(settings, across=ACROSS[name], architecture=name, skip=5)
    (first, rows), (second, columns) = ACROSS[name].items()
    assert (found.axes, found.positions) == ((first, second), (rows, columns))
    for i, row in enumerate(rows):
        for j, column in enumerate(columns):
            for r in range(2):
                own = settings.replace(**{first: row, second: column}, seed=r, num_seeds=1)
                network, inputs = lx.build_network(name, own), lx.make_inputs(own)
                exact = lx.lyapunov_exponents(network, inputs, count=1, skip=5)[:, 0]
                torch.testing.assert_close(found.exponents[i, j, r], exact, rtol=1e-8, atol=1e-10)


def test_a_network_of_ones_own_is_multiplied_and_added_to():
    torch.manual_seed(0)
    lstm, inputs = nn.LSTM(2, 4).double(), torch.randn(20, 2, 2, dtype=torch.float64)
    before = [weight.clone() for weight in lstm.parameters()]
    found = lx.phase_map(lstm, inputs, across={"recurrent_gain": (1.0, 2.0), "output_bias": (-1.0, 0.0)})
    assert all(map(torch.equal, before, lstm.parameters()))
    torch.testing.assert_close(found.exponents[0, 1, 0], lx.lyapunov_exponents(lstm, inputs, count=1)[:, 0])
    with torch.no_grad():
        lstm.weight_hh_l0.mul_(2)
        lstm.bias_hh_l0[12:].sub_(1)
    torch.testing.assert_close(found.exponents[1, 0, 0], lx.lyapunov_exponents(lstm, inputs, count=1)[:, 0])


def test_no_direction_is_missed_because_the_first_unit_is_dead_or_nothing_recurs():
    settings = lx.Settings(recurrent_init="identity", nonlinearity="relu")
    found = lx.phase_map(settings, across={"recurrent_gain": (1.0,), "input_scale": (1.0,)})
    every = lx.lyapunov_exponents(lx.build_network("rnn", settings), lx.make_inputs(settings))
    assert found.median[0, 0] == pytest.approx(float(every[0, 0]), abs=0.02)
    found = lx.phase_map(
        lx.Settings(), across={"forget_bias": (0.0, 8.0), "recurrent_gain": (0.0,)}, architecture="lstm"
    )
    kept = np.log(1 / (1 + np.exp(-8.0)))  # without recurrent weights the forget gate is all there is
    assert found.median[1, 0] == pytest.approx(kept, abs=0.02)
    assert found.median[0, 0] == pytest.approx(math.log(0.5), abs=0.15)


def test_maps_in_pieces_are_one_map(monkeypatch):
    across = {"recurrent_gain": (0.5, 1.0, 2.0), "input_scale": (0.5, 1.0)}
    whole = lx.phase_map(SMALL, across=across)
    monkeypatch.setattr("lstm_explorer.core.jacobians.phase_maps._NUMBERS_AT_ONCE", 100)  # two networks at a time
    parts = [lx.phase_map(SMALL, across={**across, "recurrent_gain": gains}) for gains in ((0.5, 1.0), (2.0,))]
    joined = join_phase_maps(parts)
    assert joined.positions == whole.positions
    torch.testing.assert_close(joined.exponents, whole.exponents)
    frame = joined.to_frame()
    row = frame.query("recurrent_gain == 2 and input_scale == 0.5 and replica == 1 and sample == 2")
    assert row["largest_exponent"].tolist() == [float(whole.exponents[2, 0, 1, 2])]


def test_what_leaves_the_float_range_is_a_gap_and_what_is_lost_is_minus_infinity():
    relu = lx.Settings(sequence_length=300, nonlinearity="relu", hidden_size=4, recurrent_init="identity")
    found = lx.phase_map(relu.replace(input_kind="impulse"), across={"recurrent_gain": (1, 100), "input_scale": (0, 1)})
    assert found.median[0, 0] == -math.inf  # no unit is ever active
    assert found.median[0, 1] == pytest.approx(0.0, abs=1e-3)  # what an active unit holds stays
    assert math.isnan(found.median[1, 1])


@pytest.mark.parametrize("nonlinearity", ["tanh", "relu"])
def test_on_the_edge_of_chaos_theory_expects_no_growth(nonlinearity):
    settings = lx.Settings(hidden_size=64, recurrent_init="normal", nonlinearity=nonlinearity)
    edge = lx.phase_map(settings, across={"recurrent_gain": (1.0,), "input_scale": (1.0,)}).edge
    assert edge.min() >= 0
    for gain, scale in edge[::20]:
        own = settings.replace(recurrent_gain=float(gain), input_scale=float(scale))
        field = lx.theory.mean_field_of(lx.build_network("rnn", own), lx.make_inputs(own))
        assert field.rate == pytest.approx(1.0, abs=1e-4)
    turned = lx.phase_map(settings, across={"input_scale": (1.0,), "recurrent_gain": (1.0,)}).edge
    assert np.array_equal(turned, edge[:, ::-1])


def test_the_edge_of_a_network_with_biases_begins_where_they_alone_drive_it():
    torch.manual_seed(0)
    rnn, inputs = nn.RNN(2, 50).double(), torch.randn(40, 1, 2, dtype=torch.float64) + 0.5
    edge = lx.phase_map(rnn, inputs, across={"recurrent_gain": (1.0,), "input_scale": (1.0,)}).edge
    for gain, scale in edge[::20]:
        changed = nn.RNN(2, 50).double()
        changed.load_state_dict(rnn.state_dict())
        with torch.no_grad():
            changed.weight_hh_l0.mul_(float(gain))
        assert lx.theory.mean_field_of(changed, float(scale) * inputs).rate == pytest.approx(1.0, abs=1e-4)


def test_gates_and_other_axes_have_no_edge():
    gains = {"recurrent_gain": (1.0,)}
    assert lx.phase_map(SMALL, across=gains | {"forget_bias": (1.0,)}, architecture="lstm").edge is None
    identity = SMALL.replace(recurrent_init="identity")  # no random weights, as the theory takes them to be
    assert lx.phase_map(identity, across=gains | {"input_scale": (1.0,)}).edge is None
    assert lx.phase_map(SMALL.replace(num_layers=2), across=gains | {"input_scale": (1.0,)}).edge is None
    assert len(lx.phase_map(SMALL.replace(input_kind="zeros"), across=gains | {"input_scale": (1.0,)}).edge) == 0


@pytest.mark.parametrize(
    ("across", "architecture", "message"),
    [
        ({"recurrent_gain": (1,)}, "rnn", "expected values of two of recurrent_gain, input_scale."),
        ({"recurrent_gain": (1,), "forget_bias": (1,)}, "gru", "two of recurrent_gain, input_scale, reset_bias"),
        ({"recurrent_gain": (), "input_scale": (1,)}, "rnn", "recurrent_gain is empty: expected at least one number"),
        ({"recurrent_gain": (2, 1), "input_scale": (1,)}, "rnn", "expected ascending numbers"),
        ({"recurrent_gain": (1,), "input_scale": (-1,)}, "rnn", "input_scale is .*from 0 to 1000"),
        ({"recurrent_gain": (1,), "input_scale": (1,)}, "mingru", "expected one with recurrent weights"),
    ],
)
def test_what_cannot_be_swept_is_said(across, architecture, message):
    with pytest.raises(ValueError, match=message):
        lx.phase_map(SMALL, across=across, architecture=architecture)


def test_networks_that_cannot_be_swept_are_refused():
    across, inputs = {"recurrent_gain": (1.0,), "input_scale": (1.0,)}, torch.zeros(4, 1, 2)
    for network in (nn.GRU(2, 3, bidirectional=True), nn.LSTM(2, 3, proj_size=2)):
        with pytest.raises(ValueError, match="expected one direction, proj_size=0"):
            lx.phase_map(network, inputs, across=across)
    with pytest.raises(ValueError, match="skip is 4: expected 0 to 3"):
        lx.phase_map(nn.RNN(2, 3), inputs, across=across, skip=4)
    with pytest.raises(ValueError, match="so there is no gain"):
        lx.phase_map(MinGRU(2, 3), inputs, across=across)
