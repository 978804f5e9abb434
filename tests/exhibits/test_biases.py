"""The exhibits of the page Gate biases: what they say and draw is what the core measures, and what is known of it."""

import math
import re

import pytest

import lstm_explorer as lx
from lstm_explorer.exhibits import biases as exhibits
from lstm_explorer.exhibits.biases_view import BiasesView
from lstm_explorer.runs.direct import DirectRunner

RUNNER = DirectRunner()


def test_the_map_says_what_the_core_measures_at_the_reader_s_bias():
    settings = lx.Settings(forget_bias=5.0)
    exhibit = exhibits.lag_map(RUNNER, settings, BiasesView())
    flow = lx.gradient_flow(lx.build_network("lstm", settings), lx.make_inputs(settings))
    arrives = 10 ** float(flow.log10_cell[0, 0, 0] - flow.log10_cell[0, -1, 0])
    assert f"{arrives:.0f}×" in exhibit.summary
    assert "**explodes**" in exhibit.summary
    assert exhibits.explosion(RUNNER, settings, BiasesView()) == pytest.approx(math.log10(arrives), abs=1e-4)


def test_the_opposite_input_bias_ends_the_explosion():
    settings = lx.Settings(forget_bias=5.0, num_seeds=5)
    assert exhibits.explosion(RUNNER, settings, BiasesView()) is not None
    back = settings.replace(input_bias=-5.0)
    assert exhibits.explosion(RUNNER, back, BiasesView()) is None
    grid = exhibits.gates_map(RUNNER, settings, BiasesView(across="gate")).numbers()
    at = grid[(grid.forget_bias == 5) & (grid.input_bias == -5)]
    assert 10 ** float(at.log10_ratio_cell.iloc[0]) == pytest.approx(0.5, rel=0.25)  # plain cells: about 0.5


def test_an_own_bias_between_the_rows_has_a_row_of_its_own():
    exhibit = exhibits.lag_map(RUNNER, lx.Settings(forget_bias=1.13, sequence_length=20), BiasesView())
    assert "**At your bias of 1.13**" in exhibit.summary
    assert 1.13 in set(exhibit.numbers()["bias"])


@pytest.mark.parametrize("across", ["lag", "gate", "length"])
@pytest.mark.parametrize(
    "settings", [lx.Settings(input_kind="digit", digit=3), lx.Settings(input_kind="text", text="안녕")]
)
def test_an_input_with_a_length_of_its_own_is_mapped_as_long_as_it_is(settings, across):
    settings = settings.replace(hidden_size=3)
    exhibit = exhibits.MAPS[across](RUNNER, settings, BiasesView(across=across))
    steps = len(lx.make_inputs(settings))
    assert exhibit.numbers()["lag"].max() == steps
    assert exhibits.required(RUNNER, settings, BiasesView(memory=100)) is not None


def test_required_bias_is_drawn_where_the_curves_reach_the_wanted_share():
    exhibit = exhibits.required(RUNNER, lx.Settings(num_seeds=5), BiasesView(memory=100, share=0.511))
    table = exhibit.numbers()
    assert "**The formula** says 5.0:" in exhibit.summary  # sigma(5)^100 = 0.511
    curve = table.set_index("bias")["log10_measured"]
    found = float(table["measured_bias"].iloc[0])
    below, above = curve[curve.index < found].iloc[-1], curve[curve.index >= found].iloc[0]
    assert below < math.log10(0.511) <= above
    for theme in ("light", "dark"):
        marks = [trace for trace in exhibit.draw(theme).data if "markers" in trace.mode]
        assert marks[0].x[0] == pytest.approx(5.0, abs=0.01)
        assert min(marks[1].x) <= found <= max(marks[1].x)


def test_one_network_says_too_little_so_the_bias_is_that_of_several_seeds():
    need = exhibits.needed(RUNNER, lx.Settings(), BiasesView(memory=100))
    assert len(need.each_seed) == 5
    summary = exhibits.required(RUNNER, lx.Settings(), BiasesView(memory=100)).summary
    assert summary.startswith(f"**Take {need.recommended:g}** for the forget gate f: on each of 5 seeds")


@pytest.mark.parametrize("settings", [lx.Settings(), lx.Settings(hidden_size=64, seed=3, num_seeds=3)])
def test_the_first_bias_that_explodes_is_one_number(settings):
    named = [
        re.search(r"explodes\*\*[^.]* is ([\d.]+):", exhibit.summary)[1]
        for exhibit in (
            exhibits.lag_map(RUNNER, settings, BiasesView()),
            exhibits.required(RUNNER, settings, BiasesView(memory=0)),
        )
    ]
    drawn = exhibits.required(RUNNER, settings, BiasesView(memory=0)).draw("light")
    shaded = min(shape.x0 for shape in drawn.layout.shapes if shape.type == "rect")
    assert float(named[0]) == float(named[1]) == shaded


def test_filling_both_vectors_is_twice_the_bias():
    settings = lx.Settings(forget_bias=1.0)
    exhibit = exhibits.effective(RUNNER, settings, BiasesView())
    both = exhibit.experiments[1].settings
    network = lx.build_network("lstm", both)
    block = slice(settings.hidden_size, 2 * settings.hidden_size)
    assert set(network.bias_ih_l0[block].tolist()) == {1.0} == set(network.bias_hh_l0[block].tolist())
    assert "**2**" in exhibit.summary
    assert "**2**" in exhibits.effective(RUNNER, lx.Settings(), BiasesView()).summary  # of no bias at all: shown of 1
