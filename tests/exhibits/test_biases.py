"""The exhibits of the page Gate biases: what they say and draw is what the core measures, and what is known of it."""

import math
import re

import numpy as np
import pytest

import lstm_explorer as lx
from lstm_explorer.exhibits import biases as exhibits
from lstm_explorer.exhibits import paths as path_exhibits
from lstm_explorer.exhibits.bias_view import BiasesView, gate_of, other_gate, quantity_of
from lstm_explorer.export.command import PlainBench
from lstm_explorer.figures.paths import by_lag, factors, plot_paths, plot_rates, shares, taken_over
from lstm_explorer.figures.weights import plot_contributions, plot_weight_gradients
from lstm_explorer.ui.biases import PUZZLE

BENCH = PlainBench()


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


def test_the_map_says_what_the_core_measures_at_the_reader_s_bias():
    settings = lx.Settings(forget_bias=5.0)
    exhibit = exhibits.lag_map(BENCH, settings, BiasesView())
    flow = lx.gradient_flow(lx.build_network("lstm", settings), lx.make_inputs(settings))
    arrives = 10 ** float(flow.log10_cell[0, 0, 0] - flow.log10_cell[0, -1, 0])
    assert f"{arrives:.0f}×" in exhibit.says
    assert "**explodes**" in exhibit.says
    assert exhibits.explosion(BENCH, settings, BiasesView()) == pytest.approx(math.log10(arrives), abs=1e-4)


def test_the_opposite_input_bias_ends_the_explosion():
    settings = lx.Settings(forget_bias=5.0, num_seeds=5)
    assert exhibits.explosion(BENCH, settings, BiasesView()) is not None
    back = settings.replace(input_bias=-5.0)
    assert exhibits.explosion(BENCH, back, BiasesView()) is None
    grid = exhibits.gates_map(BENCH, settings, BiasesView(across="gate")).numbers()
    at = grid[(grid.forget_bias == 5) & (grid.input_bias == -5)]
    assert 10 ** float(at.log10_ratio_cell.iloc[0]) == pytest.approx(0.5, rel=0.25)  # FACTS: about 0.5 at b_i = -5


def test_an_own_bias_between_the_rows_has_a_row_of_its_own():
    exhibit = exhibits.lag_map(BENCH, lx.Settings(forget_bias=1.13, sequence_length=20), BiasesView())
    assert "**At your bias of 1.13**" in exhibit.says
    assert 1.13 in set(exhibit.numbers()["bias"])


def test_a_gate_that_the_network_lacks_becomes_the_one_that_keeps():
    view = BiasesView(network="gru", gate="forget", other="output")
    assert (gate_of(view), other_gate(view)) == ("update", "reset")
    assert quantity_of(view.replace(path="cell_path")) == "hidden"
    assert other_gate(BiasesView(gate="input", other="input")) == "forget"


@pytest.mark.parametrize("across", ["lag", "gate", "length"])
@pytest.mark.parametrize(
    "settings", [lx.Settings(input_kind="digit", digit=3), lx.Settings(input_kind="text", text="안녕")]
)
def test_an_input_with_a_length_of_its_own_is_mapped_as_long_as_it_is(settings, across):
    settings = settings.replace(hidden_size=3)
    exhibit = exhibits.MAPS[across](BENCH, settings, BiasesView(across=across))
    steps = len(lx.make_inputs(settings))
    assert exhibit.numbers()["lag"].max() == steps
    assert exhibits.required(BENCH, settings, BiasesView(memory=100)) is not None


def test_required_bias_is_drawn_where_the_curves_reach_the_wanted_share():
    exhibit = exhibits.required(BENCH, lx.Settings(), BiasesView(memory=100, share=0.511))
    table = exhibit.numbers()
    assert f"{5:.2f}" in exhibit.says  # FACTS: sigma(5)^100 = 0.511
    curve = table.set_index("bias")["log10_measured"]
    found = float(table["measured_bias"].iloc[0])
    below, above = curve[curve.index < found].iloc[-1], curve[curve.index >= found].iloc[0]
    assert below < math.log10(0.511) <= above
    for theme in ("light", "dark"):
        marks = [trace for trace in exhibit.draw(theme).data if trace.mode == "markers"]
        assert marks[0].x[0] == pytest.approx(5.0, abs=0.01)
        assert marks[1].x[0] == pytest.approx(found)


def test_filling_both_vectors_is_twice_the_bias():
    settings = lx.Settings(forget_bias=1.0)
    exhibit = exhibits.effective(BENCH, settings, BiasesView())
    both = exhibit.experiments[1].settings
    network = lx.build_network("lstm", both)
    block = slice(settings.hidden_size, 2 * settings.hidden_size)
    assert set(network.bias_ih_l0[block].tolist()) == {1.0} == set(network.bias_hh_l0[block].tolist())
    assert "**2**" in exhibit.says
    assert "**2**" in exhibits.effective(BENCH, lx.Settings(), BiasesView()).says  # of no bias at all: shown of 1


def test_the_keras_puzzle_first_sigma_of_one_then_the_other_path():
    flows = lx.path_flows(lx.Settings(**PUZZLE))
    total, alone = factors(flows.total), factors(flows.cell_alone)
    assert total[0] == pytest.approx(sigmoid(1), abs=0.02)  # the issue: 0.735
    assert np.median(total[len(total) // 2 : -1]) == pytest.approx(0.85, abs=0.02)  # the issue: 0.85
    np.testing.assert_allclose(alone, sigmoid(1), atol=0.02)
    lag = taken_over(flows)
    ratio = by_lag(flows.total) - by_lag(flows.cell_alone)
    assert ratio[lag] > math.log10(2) >= ratio[:lag].max()
    assert f"From {lag} steps back on" in path_exhibits.rates(BENCH, lx.Settings(**PUZZLE), BiasesView()).says


def test_paths_and_shares_are_drawn_as_measured():
    flows = lx.path_flows(lx.Settings(sequence_length=15, forget_bias=1.0, num_seeds=3, batch_size=2))
    for through, names in (("only", 6), ("without", 6), ("split", 5)):
        figure = plot_paths(flows, through=through)
        assert len(figure.data) == names
    np.testing.assert_allclose(sum(shares(flows).values()), 1.0, atol=1e-5)
    drawn = {trace.name: np.asarray(trace.y) for trace in plot_paths(flows).data}
    expected = np.quantile(
        (flows.total - flows.total[:, -1:]).permute(1, 0, 2).flatten(1), 0.5, axis=1, method="nearest"
    )
    np.testing.assert_allclose(drawn["total"], expected[::-1], rtol=1e-5)
    assert plot_rates(flows, gate=0.5).data[0].y[0] == 0.5


def test_weights_look_fine_while_states_do_not():
    exhibit = path_exhibits.weights(BENCH, lx.Settings(sequence_length=200), BiasesView(weights_of="rnn"))
    table = exhibit.numbers().groupby(["quantity", "length"])["log10_norm"].max()
    assert table["hidden"].iloc[-1] - table["hidden"].iloc[0] < -40
    assert abs(table["weight_hh"].iloc[-1] - table["weight_hh"].iloc[0]) < 1.5
    assert len(exhibit.draw("light").data) == 2  # one block of weights, and the states
    found = lx.step_contributions(lx.Settings(sequence_length=9), architecture="gru")
    assert [trace.name for trace in plot_contributions(found).data] == ["reset gate r", "update gate z", "candidate n"]
    assert len(plot_weight_gradients(lx.weight_gradients(lx.Settings(), lengths=(3, 9)), theme="dark").data) == 5


def test_every_sentence_has_numbers_and_every_exhibit_is_for_a_reader_without_eyes():
    settings = lx.Settings(sequence_length=12, hidden_size=4)
    builds = [
        *exhibits.MAPS.values(),
        exhibits.required,
        path_exhibits.paths,
        path_exhibits.rates,
        path_exhibits.weights,
    ]
    for build in [*builds, path_exhibits.contributions]:
        exhibit = build(BENCH, settings, BiasesView())
        assert re.search(r"\d", exhibit.says)
        assert exhibit.says in exhibit.alt
        assert exhibit.read.endswith(".")
