"""two_gate_map and length_map against single runs, and what they refuse."""

import math

import numpy as np
import pytest
import torch

import lstm_explorer as lx
from lstm_explorer.core.biases.grids import join_grids

QUANTITIES = ("log10_hidden", "log10_cell", "log10_cell_path")
SETTINGS = lx.Settings(
    sequence_length=19, hidden_size=5, input_size=3, num_layers=2, batch_size=2, num_seeds=2, seed=3, recurrent_gain=3,
    input_bias=-0.4, forget_bias=1, candidate_bias=0.3, output_bias=0.5, reset_bias=0.6, update_bias=0.8,
    dtype="float64",
)  # fmt: skip


def single(settings, architecture, lag=None):
    """Return each quantity's ratio at a lag, ``(R, B)``, of the last layer by seed_flows; by default at step 0."""
    flow = lx.seed_flows(settings, architecture=architecture)
    norms = {name: getattr(flow, name) for name in QUANTITIES}
    steps = settings.sequence_length
    step = 0 if lag is None else steps - lag
    return {name: n[:, -1, step] - n[:, -1, steps] for name, n in norms.items() if n is not None}


@pytest.mark.parametrize("loss", ["last", "every"])
@pytest.mark.parametrize("lag", [1, 7, 19])
@pytest.mark.parametrize(
    ("architecture", "gates"),
    [("lstm", ("forget", "input")), ("lstm", ("output", "forget")), ("gru", ("update", "reset"))],
)
def test_pair_of_biases_is_a_network_with_both(architecture, gates, lag, loss):
    settings = SETTINGS.replace(loss=loss)
    rows, columns = (-2.0, 0.0, 4.0), (-5.0, 1.0)
    grid = lx.two_gate_map(settings, gates=gates, biases=(rows, columns), lag=lag, architecture=architecture)
    assert (grid.architecture, grid.gate, grid.across, grid.lag) == (architecture, *gates, lag)
    assert (grid.biases, grid.positions) == (rows, columns)
    for n, row in enumerate(rows):
        for m, column in enumerate(columns):
            both = settings.replace(**{f"{gates[0]}_bias": row, f"{gates[1]}_bias": column})
            for name, expected in single(both, architecture, lag).items():
                torch.testing.assert_close(getattr(grid, name)[n, m], expected, rtol=1e-9, atol=1e-9)
    assert (grid.log10_cell is None) == (architecture == "gru")
    assert grid.log10_hidden.shape == (3, 2, 2, 2)


@pytest.mark.parametrize("loss", ["last", "every"])
@pytest.mark.parametrize(("architecture", "gate"), [("lstm", "forget"), ("lstm", "input"), ("gru", "update")])
def test_length_is_a_network_that_reads_so_much(architecture, gate, loss):
    settings = SETTINGS.replace(loss=loss)
    grid = lx.length_map(settings, gate=gate, biases=(-1, 2), lengths=(1, 6, 19), architecture=architecture)
    assert (grid.gate, grid.across, grid.positions, grid.lag) == (gate, "length", (1.0, 6.0, 19.0), None)
    for n, bias in enumerate((-1, 2)):
        for m, length in enumerate((1, 6, 19)):
            run = settings.replace(sequence_length=length, **{f"{gate}_bias": bias})
            for name, expected in single(run, architecture).items():
                torch.testing.assert_close(getattr(grid, name)[n, m], expected, rtol=1e-9, atol=1e-9)
    assert grid.ratios("hidden").shape == (2, 3)


def test_ratios_are_medians_over_replicas_and_samples():
    grid = lx.length_map(SETTINGS.replace(num_seeds=3, batch_size=1), biases=(0, 3), lengths=(5, 10))
    np.testing.assert_array_equal(grid.ratios("cell"), grid.log10_cell.median(dim=2).values[..., 0].numpy())
    with pytest.raises(ValueError, match="quantity is 'gates': expected one of"):
        grid.ratios("gates")


def test_grids_of_neighbouring_biases_join_to_one():
    pairs = lx.two_gate_map(SETTINGS, biases=((0, 1, 2), (-1, 0)), lag=5)
    parts = [lx.two_gate_map(SETTINGS, biases=(rows, (-1, 0)), lag=5) for rows in ((0,), (1, 2))]
    lengths = lx.length_map(SETTINGS, biases=(0, 1, 2), lengths=(4, 8))
    rest = [lx.length_map(SETTINGS, biases=rows, lengths=(4, 8)) for rows in ((0, 1), (2,))]
    for whole, joined in ((pairs, join_grids(parts)), (lengths, join_grids(rest))):
        assert (joined.biases, joined.positions, joined.lag) == (whole.biases, whole.positions, whole.lag)
        for name in QUANTITIES:
            torch.testing.assert_close(getattr(joined, name), getattr(whole, name), rtol=1e-11, atol=1e-11)


def test_closing_the_input_gate_undoes_the_explosion():
    # With plain cells: at b_f = 5 and T = 100 the total falls from about 59 to about 0.5 as b_i goes from 0 to -5
    grid = lx.two_gate_map(lx.Settings(hidden_size=64, num_seeds=20), biases=((1, 5), (-5, 0)), lag=100)
    ratios = grid.ratios("cell")
    np.testing.assert_allclose(ratios[1], np.log10([0.5, 59]), atol=math.log10(3), rtol=0)
    assert ratios[0, 1] < -6


def test_lengths_of_the_cell_path_are_powers_of_the_forget_gate():
    resting = lx.Settings(hidden_size=2, recurrent_gain=0, input_kind="zeros", dtype="float64")
    grid = lx.length_map(resting, biases=(-2, 0, 3), lengths=(1, 10, 2000))
    expected = lx.theory.log10_cell_path(np.array([[-2], [0], [3]]), [1, 10, 2000])
    np.testing.assert_allclose(grid.ratios("cell_path"), expected, rtol=1e-12)


# --- what is refused ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lag", "error", "match"),
    [
        (0, ValueError, "lag is 0: expected 1 to 19, the steps of this sequence"),
        (-3, ValueError, "lag is -3: expected 1 to 19"),
        (20, ValueError, "lag is 20: expected 1 to 19, the steps of this sequence; lengthen the sequence"),
        (True, TypeError, "lag is True: expected a whole number"),
        (5.0, TypeError, "lag is 5.0: expected a whole number"),
        (math.nan, TypeError, "lag is nan"),
        (None, TypeError, "lag is None"),
    ],
)
def test_wrong_lag_is_refused(lag, error, match):
    with pytest.raises(error, match=match):
        lx.two_gate_map(SETTINGS, biases=((0, 1), (0, 1)), lag=lag)
    with pytest.raises(error, match=match):
        lx.required_bias(SETTINGS, lag=lag)


def test_numpy_numbers_are_whole_numbers_too():
    grid = lx.two_gate_map(SETTINGS, biases=(np.arange(2), np.arange(3)), lag=np.int64(4))
    assert grid.log10_cell.shape == (2, 3, 2, 2)


def test_lag_is_measured_by_the_inputs_own_length():
    with pytest.raises(ValueError, match="lag is 65: expected 1 to 64, the steps of this sequence"):
        lx.two_gate_map(lx.Settings(input_kind="digit", sequence_length=500), biases=((0,), (0,)), lag=65)


@pytest.mark.parametrize(
    ("gates", "biases", "match"),
    [
        (("forget", "forget"), ((0,), (0,)), "expected two different gates; for one there is bias_map"),
        (("forget",), ((0,), (0,)), r"gates is \('forget',\): expected two different gates"),
        (("forget", "input", "output"), ((0,), (0,)), "expected two different gates"),
        (("forget", "input"), ((0,),), "biases is .*: expected two sequences, one for each gate"),
        (("forget", "input"), ((0,), (0,), (0,)), "expected two sequences, one for each gate"),
        (("forget", "update"), ((0,), (0,)), "gate is 'update': expected one of 'input', 'forget'"),
        (("forget", "input"), ((0, 1), (1, 0)), r"biases is \(1, 0\): expected ascending numbers"),
    ],
)
def test_wrong_pairs_are_refused(gates, biases, match):
    with pytest.raises(ValueError, match=match):
        lx.two_gate_map(SETTINGS, gates=gates, biases=biases, lag=5)


def test_gate_whose_biases_chrono_draws_is_refused():
    chrono = SETTINGS.replace(recurrent_init="chrono")
    with pytest.raises(ValueError, match="draws the bias of the input gate"):
        lx.two_gate_map(chrono, gates=("output", "input"), biases=((0,), (0,)), lag=5)
    with pytest.raises(ValueError, match="draws the bias of the forget gate"):
        lx.length_map(chrono, biases=(0,), lengths=(5,))
