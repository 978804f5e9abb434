"""The program of a figure prints the measured rows of its table, and is told how its curves look."""

import re

import numpy as np
import pytest
from programs import printed_rows

import lstm_explorer as lx
from lstm_explorer.exhibits.gradients import GradientsView, gradients
from lstm_explorer.export.figure_script import figure_script, has_figure_script
from lstm_explorer.figures import curves, theme
from lstm_explorer.locales import use_language
from lstm_explorer.runs.direct import DirectRunner
from lstm_explorer.runs.experiment import Experiment, OwnTable

SHORT = lx.Settings(sequence_length=12, hidden_size=5, num_seeds=3, batch_size=2)
PINS = [
    Experiment(architecture="lstm", settings=SHORT.replace(forget_bias=3), name="=LSTM, b_f = 3"),
    Experiment(architecture="rnn", settings=SHORT.replace(sequence_length=7, dtype="float64"), name="short"),
]


def check(exhibit, table=None):
    """Assert that the program prints the measured rows, and return it."""
    program = figure_script(exhibit, table=table)
    rows, numbers = printed_rows(program), exhibit.numbers()
    measured = numbers[numbers["kind"] == "measured"]
    assert [row["name"].removeprefix("'") for row in rows] == measured["name"].tolist()
    assert [row["quantity"] for row in rows] == measured["quantity"].tolist()
    for column in ("step", "lag", "log10_median", "log10_lower_quartile", "log10_upper_quartile"):
        came = [float(row[column]) for row in rows]
        # float32, whose curves the engine keeps in float32 too: see tests/core/scripts/test_experiment.py.
        np.testing.assert_allclose(came, measured[column], rtol=0, atol=1e-3, err_msg=column)
    return program


@pytest.mark.parametrize(
    ("view", "changes"),
    [
        ({}, {"num_seeds": 1, "batch_size": 1}),
        ({"networks": ("gru",), "theory": False}, {}),
        ({"networks": ("lstm", "minlstm"), "measure": "absolute", "quantity": "cell", "against": "lag"}, {}),
        ({"networks": ("lstm",), "quantity": "cell_path", "layer": 1}, {"num_layers": 2, "loss": "every"}),
        ({"networks": ("gru", "lstm"), "quantity": "inputs", "scale": "linear"}, {"num_layers": 2}),
    ],
)
def test_gradient_flow_with_its_pins(view, changes):
    check(gradients(DirectRunner(), SHORT.replace(**changes), GradientsView(**view), PINS))


@pytest.mark.parametrize("name", ["journey", "effective_bias"])
def test_every_other_figure_of_curves(exhibit_of, name):
    check(exhibit_of(name, SHORT.replace(recurrent_gain=0.9)))


def test_the_readers_own_table():
    table = np.random.default_rng(0).normal(size=(9, 2))
    settings = SHORT.replace(input_kind="csv", input_size=2)
    check(gradients(DirectRunner(OwnTable.of(table)), settings, GradientsView(), PINS), table)


def test_curves_have_the_colours_dashes_and_marks_of_the_figure(exhibit_of):
    exhibit = gradients(DirectRunner(), SHORT, GradientsView(against="lag"), PINS)
    program = figure_script(exhibit)
    scope = {}
    exec(program[program.index("axes = ") : program.index("def unroll(")], scope)
    looks = [eval(look) for look in re.findall(r'"look": (\{.*\}),', program)][: len(exhibit.series)]
    light = theme.THEMES["light"]
    assert [look["color"] for look in looks] == [series.colour(light) for series in exhibit.series]
    assert [look["linestyle"] for look in looks] == ["-", "-", "--", ":"]
    assert [look.get("marker") for look in looks] == [None, None, "o", "s"]
    assert [line["name"] for line in scope["lines"]] == [line.name for line in exhibit.theory]
    assert scope["axes"]["y_title"] == "surviving share of ‖dL/dh$_{t}$‖"
    assert (scope["axes"]["x"], scope["axes"]["x_title"]) == ("lag", "lag (steps back from the last one)")


def test_every_look_of_a_pin_and_of_theory_is_known(exhibit_of):
    pins = [PINS[0].replace(seed=seed) for seed in range(len(curves._GHOSTS))]
    tiny = SHORT.replace(sequence_length=2, hidden_size=1)
    view = GradientsView(networks=("rnn", "lstm", "gru", "mingru", "minlstm"))
    assert figure_script(gradients(DirectRunner(), tiny, view, pins))


def test_it_speaks_korean_where_the_figure_does(exhibit_of):
    use_language("ko")
    try:
        assert "남은 기울기의 비율" in figure_script(exhibit_of("journey", SHORT))
    finally:
        use_language("en")


def test_figures_without_curves_have_none(exhibit_of):
    assert not has_figure_script(exhibit_of("units_rnn", SHORT))
