"""bias_map against one network a bias, closed forms and published numbers."""

import copy
import math

import numpy as np
import pytest
import torch

import lstm_explorer as lx
from lstm_explorer.core import theory
from lstm_explorer.core.biases import sweeps as module
from lstm_explorer.core.biases.maps import join_maps

QUANTITIES = ("log10_hidden", "log10_cell", "log10_cell_path")
BIASES = (-4.0, -0.5, 0.0, 1.25, 6.0)
GATES = [("lstm", gate) for gate in ("input", "forget", "candidate", "output")]
GATES += [("gru", gate) for gate in ("reset", "update", "candidate")]
# every other gate's bias counts, so none is zero
SETTINGS = lx.Settings(
    sequence_length=23, hidden_size=5, input_size=3, num_layers=2, batch_size=2, num_seeds=3, seed=9, recurrent_gain=3,
    input_bias=-0.4, forget_bias=1, candidate_bias=0.3, output_bias=0.5, reset_bias=0.6, update_bias=0.8,
    dtype="float64",
)  # fmt: skip
#: Zero weights and zero inputs: the gates are their biases alone.
RESTING = lx.Settings(sequence_length=100, hidden_size=2, recurrent_gain=0, input_kind="zeros", dtype="float64")


@pytest.mark.parametrize("loss", ["last", "every"])
@pytest.mark.parametrize("split", [False, True])
@pytest.mark.parametrize(("architecture", "gate"), GATES)
def test_entry_is_a_network_with_that_bias(architecture, gate, split, loss):
    settings = SETTINGS.replace(loss=loss, split_biases=split)
    found = lx.bias_map(settings, gate=gate, biases=BIASES, architecture=architecture)
    assert (found.architecture, found.gate, found.biases) == (architecture, gate, BIASES)
    for n, bias in enumerate(BIASES):
        flow = lx.seed_flows(settings.replace(**{f"{gate}_bias": bias}), architecture=architecture)
        for name in QUANTITIES:
            if architecture == "gru" and name != "log10_hidden":
                assert getattr(found, name) is None
                continue
            # the bias enters by another sum, and so do the T steps of rounding
            torch.testing.assert_close(getattr(found, name)[n], getattr(flow, name)[:, -1], rtol=1e-9, atol=1e-9)


def test_entry_is_a_single_gradient_flow():
    found = lx.bias_map(SETTINGS, biases=(2.0,))
    single = SETTINGS.replace(forget_bias=2, seed=10, num_seeds=1)
    flow = lx.gradient_flow(lx.build_network("lstm", single), lx.make_inputs(single))
    torch.testing.assert_close(found.log10_cell[0, 1], flow.log10_cell[-1], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("architecture", ["lstm", "gru"])
def test_float32_map_is_of_float32_networks(architecture):
    gate, single = "forget" if architecture == "lstm" else "update", SETTINGS.replace(dtype="float32")
    found = lx.bias_map(single, gate=gate, biases=(0, 3), architecture=architecture)
    flow = lx.seed_flows(single.replace(**{f"{gate}_bias": 3}), architecture=architecture)
    assert found.log10_hidden.dtype == torch.float32
    # 23 steps of float32 rounding in the forward pass
    torch.testing.assert_close(found.log10_hidden[1], flow.log10_hidden[:, -1], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("numbers", [1, 23 * 2 * 5 * 2, 10**9])
def test_passes_of_any_size_give_the_same_map(monkeypatch, numbers):
    expected = lx.bias_map(SETTINGS, biases=BIASES)
    monkeypatch.setattr(module, "_NUMBERS_AT_ONCE", numbers)
    found = lx.bias_map(SETTINGS, biases=BIASES)
    for name in QUANTITIES:
        assert getattr(found, name).shape == (5, 3, 24, 2)
        torch.testing.assert_close(getattr(found, name), getattr(expected, name), rtol=1e-11, atol=1e-11)


def test_maps_of_neighbouring_biases_join_to_one():
    whole = lx.bias_map(SETTINGS, biases=BIASES)
    joined = join_maps([lx.bias_map(SETTINGS, biases=part) for part in (BIASES[:2], BIASES[2:3], BIASES[3:])])
    assert (joined.biases, joined.gate) == (BIASES, "forget")
    for name in QUANTITIES:
        torch.testing.assert_close(getattr(joined, name), getattr(whole, name), rtol=1e-11, atol=1e-11)
    gru = join_maps([lx.bias_map(SETTINGS, gate="update", biases=(b,), architecture="gru") for b in (0, 1)])
    assert gru.log10_cell is None
    assert gru.log10_hidden.shape == (2, 3, 24, 2)


def test_own_input_lengths_and_tables_are_read():
    rows = np.random.default_rng(0).standard_normal((12, 3))
    settings = SETTINGS.replace(input_kind="csv", sequence_length=100)
    found = lx.bias_map(settings, biases=(0, 2), table=rows)
    flow = lx.seed_flows(settings.replace(forget_bias=2), architecture="lstm", table=rows)
    assert found.log10_cell.shape == (2, 3, 13, 2)
    torch.testing.assert_close(found.log10_cell[1], flow.log10_cell[:, -1], rtol=1e-9, atol=1e-9)


def test_network_at_rest_keeps_a_power_of_the_forget_gate():
    biases = (-30.0, -8.0, 0.0, 1.0, 2.0, 5.0, 40.0)
    found = lx.bias_map(RESTING, biases=biases)
    lags = np.arange(100, -1, -1)
    expected = theory.log10_cell_path(np.array(biases)[:, None], lags)
    for quantity in ("cell", "cell_path"):
        np.testing.assert_allclose(found.ratios(quantity), expected, rtol=1e-12, atol=1e-12)
    # sigma(1)^100, and the other powers of the forget gate
    assert 10 ** found.ratios("cell_path")[3, 0] == pytest.approx(2.4843785557240e-14, rel=1e-10)
    np.testing.assert_allclose(10 ** found.ratios("cell")[[2, 4, 5], 0], [7.89e-31, 3.07e-6, 0.511], rtol=2e-3)


def test_network_at_rest_has_the_published_half_lives():
    # after the half-life half is left, on the map as by the closed form
    found = lx.bias_map(RESTING.replace(sequence_length=200), biases=range(6))
    for bias, published in zip(range(6), [1.00, 2.21, 5.46, 14.27, 38.19, 103.2], strict=True):
        crossing = np.interp(math.log10(0.5), found.ratios("cell_path")[bias], np.arange(200, -1, -1.0))
        assert crossing == pytest.approx(published, rel=3e-3)


@pytest.mark.parametrize("gate", ["update", "reset"])
def test_gru_at_rest_keeps_a_power_of_its_update_gate(gate):
    # candidate and state are zero, so z is all there is; the reset gate changes nothing
    found = lx.bias_map(RESTING, gate=gate, biases=(-3.0, 0.0, 2.0), architecture="gru")
    kept = np.array([-3.0, 0.0, 2.0]) if gate == "update" else np.zeros(3)
    expected = theory.log10_cell_path(kept[:, None], np.arange(100, -1, -1))
    np.testing.assert_allclose(found.ratios("hidden"), expected, rtol=1e-12, atol=1e-12)


def test_published_ratios_and_the_way_back_from_an_explosion():
    # Computed with plain PyTorch cells: medians of 5 seeds at H = 64, T = 100; 20 seeds here, hence the factor of 3
    settings = lx.Settings(hidden_size=64, num_seeds=20)
    found = lx.bias_map(settings, biases=(1, 2, 5))
    for quantity, published in (("cell", [6e-8, 0.28, 59]), ("cell_path", [2.5e-14, 3.7e-6, 0.50])):
        np.testing.assert_allclose(found.ratios(quantity)[:, 0], np.log10(published), atol=math.log10(3), rtol=0)
    back = lx.bias_map(settings.replace(forget_bias=5), gate="input", biases=(-5, 0))
    np.testing.assert_allclose(back.ratios("cell")[:, 0], np.log10([0.5, 59]), atol=math.log10(3), rtol=0)
    # with b_i = -b_f the total is nearly the cell path
    assert back.ratios("cell")[0, 0] == pytest.approx(back.ratios("cell_path")[0, 0], abs=0.1)


def test_published_ratio_of_chrono_initialisation():
    # Computed with plain PyTorch cells: T = T_max = 100, total ratio 0.20
    settings = lx.Settings(hidden_size=64, num_seeds=20, recurrent_init="chrono", chrono_max=100)
    flow = lx.seed_flows(settings, architecture="lstm")
    ratio = (flow.log10_cell[:, 0, 0, 0] - flow.log10_cell[:, 0, -1, 0]).median().item()
    assert ratio == pytest.approx(math.log10(0.20), abs=math.log10(1.5))
    # the gates that chrono leaves alone may be swept
    swept = lx.bias_map(settings, gate="candidate", biases=(0.0,))
    torch.testing.assert_close(swept.log10_cell[0], flow.log10_cell[:, -1], rtol=1e-4, atol=1e-4)


def test_ratios_are_medians_relative_to_the_last_step():
    found = lx.bias_map(SETTINGS, biases=(0, 3))
    runs = (found.log10_cell - found.log10_cell[:, :, -1:]).transpose(1, 2).flatten(2).numpy()  # 6 runs
    ratios = found.ratios("cell")
    assert ratios.shape == (2, 24)
    assert ratios[:, -1].tolist() == [0, 0]
    between = np.sort(runs)[..., [2, 3]]
    assert ((ratios == between[..., 0]) | (ratios == between[..., 1])).all()
    with pytest.raises(ValueError, match=r"quantity is 'cells': expected one of 'cell', 'cell_path', 'hidden'.*LSTM"):
        found.ratios("cells")
    gru = lx.bias_map(SETTINGS, gate="update", biases=(0,), architecture="gru")
    with pytest.raises(ValueError, match="quantity is 'cell': expected one of 'hidden', the states of the GRU"):
        gru.ratios("cell")


def test_frame_holds_the_numbers_of_the_result():
    found = lx.bias_map(SETTINGS, gate="input", biases=BIASES)
    frame = found.to_frame()
    columns = ["architecture", "gate", "bias", "quantity", "replica", "step", "lag", "sample", "log10_norm"]
    assert list(frame) == columns
    assert len(frame) == 3 * 5 * 3 * 24 * 2
    row = frame.query("bias == 1.25 and quantity == 'cell_path' and replica == 2 and step == 4 and sample == 1").iloc[0]
    assert (row["architecture"], row["gate"], row["lag"]) == ("lstm", "input", 19)
    assert row["log10_norm"] == found.log10_cell_path[3, 2, 4, 1].item()


# --- what is refused ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("biases", "error", "match"),
    [
        ((), ValueError, "biases is empty: expected at least one number, such as"),
        ((1, 0), ValueError, r"biases is \(1, 0\): expected ascending numbers, each once; sort them first"),
        ((0, 1, 1), ValueError, "ascending numbers, each once"),
        ((0, math.nan), ValueError, "expected finite numbers from -100 to 100"),
        ((math.nan,), ValueError, "expected finite numbers from -100 to 100"),
        ((0, math.inf), ValueError, "expected finite numbers from -100 to 100"),
        ((-100.5, 0), ValueError, "expected finite numbers from -100 to 100"),
        (3.0, TypeError, r"biases is 3.0: expected a sequence of numbers, such as \(0, 1, 2\)"),
        (("a", "b"), TypeError, "expected a sequence of numbers"),
        ("012", TypeError, "expected a sequence of numbers"),
        (None, TypeError, "biases is None: expected a sequence of numbers"),
    ],
)
def test_wrong_biases_are_refused(biases, error, match):
    with pytest.raises(error, match=match):
        lx.bias_map(lx.Settings(), biases=biases)
    with pytest.raises(error, match=match):
        lx.length_map(lx.Settings(), biases=biases, lengths=(10, 20))
    with pytest.raises(error, match=match):
        lx.two_gate_map(lx.Settings(), biases=((0, 1), biases), lag=10)


@pytest.mark.parametrize(
    ("architecture", "gate", "match"),
    [
        ("lstm", "update", "gate is 'update': expected one of 'input', 'forget', 'candidate', 'output'.*LSTM"),
        ("gru", "forget", "gate is 'forget': expected one of 'reset', 'update', 'candidate'.*GRU"),
        ("rnn", "hidden", "architecture is 'rnn': expected one of .*; nothing else has gates"),
        ("tcn", "forget", "architecture is 'tcn'"),
    ],
)
def test_gate_that_the_architecture_lacks_is_refused(architecture, gate, match):
    with pytest.raises(ValueError, match=match):
        lx.bias_map(lx.Settings(), gate=gate, biases=(0, 1), architecture=architecture)


@pytest.mark.parametrize(("architecture", "gate"), [("lstm", "forget"), ("lstm", "input"), ("gru", "update")])
def test_gate_whose_biases_chrono_draws_is_refused(architecture, gate):
    settings = lx.Settings(recurrent_init="chrono")
    with pytest.raises(ValueError, match=f"draws the bias of the {gate} gate for every unit: expected another init"):
        lx.bias_map(settings, gate=gate, biases=(0, 1), architecture=architecture)


@pytest.mark.parametrize(("kind", "gate"), [(torch.nn.LSTM, "forget"), (torch.nn.GRU, "update")])
def test_what_is_added_to_a_bias_is_added_to_that_of_every_unit_and_layer(kind, gate):
    torch.manual_seed(3)
    network, inputs = kind(2, 3, num_layers=2).double(), torch.randn(5, 1, 2, dtype=torch.float64)
    cotangent = torch.randn(5, 1, 3, dtype=torch.float64)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    result = lx.bias_map(network, inputs, gate=gate, biases=(-1.0, 0.0, 2.5), cotangent=cotangent)
    assert result.biases == (-1.0, 0.0, 2.5)
    row = {"forget": slice(3, 6), "update": slice(3, 6)}[gate]
    for at, added in enumerate(result.biases):
        changed = copy.deepcopy(network)
        with torch.no_grad():
            changed.bias_ih_l0[row] += added
            changed.bias_ih_l1[row] += added
        flow = lx.gradient_flow(changed, inputs, cotangent=cotangent)
        torch.testing.assert_close(result.log10_hidden[at, 0], flow.log10_hidden[-1])
        if flow.log10_cell is not None:
            torch.testing.assert_close(result.log10_cell_path[at, 0], flow.log10_cell_path[-1])
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())
