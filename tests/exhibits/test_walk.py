"""The walk's equations carry this step's numbers, for every architecture that has a walk."""

import re

import pytest
import torch

import lstm_explorer as lx
from lstm_explorer.core.architectures import ARCHITECTURES
from lstm_explorer.exhibits.walk import walk
from lstm_explorer.figures.cell import cell_values
from lstm_explorer.figures.theme import theme_of
from lstm_explorer.locales import use_language

SETTINGS = lx.Settings(hidden_size=4, sequence_length=6, dtype="float64")
STAGES = [(name, stage.name) for name, record in ARCHITECTURES.items() for stage in record.stages]


def values_of(architecture, unit):
    trajectory = lx.unroll(lx.build_network(architecture, SETTINGS), lx.make_inputs(SETTINGS))
    return cell_values(trajectory, step=5, unit=unit)


@pytest.mark.parametrize("unit", [0, None])
@pytest.mark.parametrize(("architecture", "stage"), STAGES)
def test_every_stage_is_whole_latex(architecture, stage, unit):
    values = values_of(architecture, unit)
    step = walk(architecture, stage, values, units=None if unit == 0 else 4)
    for latex in (step.equation, step.numbers):
        assert not re.search(r"<\w+\||\[[+^]?\w+\]", latex)  # no marker is left
        assert latex.count("{") == latex.count("}")
    assert step.title
    assert step.text


def test_a_gates_line_shows_the_preactivation_that_gave_it():
    values = values_of("lstm", 0)
    step = walk("lstm", "forget", values)
    inside = float(re.search(r"\\sigma\((.*?)\)", step.numbers)[1])
    assert torch.sigmoid(torch.tensor(inside)).item() == pytest.approx(values["forget"], abs=2e-3)
    assert rf"\textcolor{{{theme_of('light').gates['forget']}}}{{f_t}}" in step.equation


def test_the_sum_is_the_sum():
    values = values_of("lstm", 0)
    numbers = walk("lstm", "update", values).numbers
    kept, written, cell = (float(part.strip("() ")) for part in re.split(r"[+=]", numbers)[-3:])
    assert kept + written == pytest.approx(cell, abs=2e-3)
    plain = walk("lstm", "update", values).plain
    shown = re.match(r"cₜ = (\S+) × \(?([^ )]+)\)? \+ (\S+) × \(?([^ )]+)\)? =", plain)
    f, c, i, g = (float(one.replace("−", "-")) for one in shown.groups())
    assert (f, i) == (pytest.approx(values["forget"], rel=5e-3), pytest.approx(values["input"], rel=5e-3))
    assert f * c == pytest.approx(values["kept"], rel=1e-2)
    assert i * g == pytest.approx(values["written"], rel=1e-2)


@pytest.mark.parametrize("units", [None, 4])
@pytest.mark.parametrize(("architecture", "stage"), STAGES)
def test_on_paper_there_is_no_latex(architecture, stage, units):
    plain = walk(architecture, stage, values_of(architecture, None if units else 0), units=units).plain
    assert not re.search(r"[\\{}<>_^]|textcolor", plain)


def test_a_gate_at_the_end_of_its_range_shows_a_dot():
    values = {**values_of("lstm", 0), "forget": 1.0}
    assert r"\sigma(\cdot)" in walk("lstm", "forget", values).numbers


def test_means_have_bars_and_words_are_translated():
    assert r"\overline{" in walk("gru", "new", values_of("gru", None), units=4).numbers
    use_language("ko")
    try:
        assert walk("rnn", "rewrite", values_of("rnn", 0)).title != "The only stage: everything is rewritten"
    finally:
        use_language("en")


def test_an_unknown_stage_is_refused():
    with pytest.raises(ValueError, match="stage is 'forget': expected one of reset, update, candidate, new"):
        walk("gru", "forget", {})


VALUES = {"forget": 0.75, "input": 0.25, "candidate": -0.5, "output": 0.5, "kept": 0.3, "written": -0.125,
          "cell": 0.175, "cell_before": 0.4, "hidden": 0.08}  # fmt: skip


def test_the_walk_writes_the_step_s_sum():
    assert walk("lstm", "update", VALUES).plain == "cₜ = 0.75 × 0.4 + 0.25 × (−0.5) = 0.3 + (−0.125) = 0.175"
    forget = walk("lstm", "forget", VALUES)
    assert r"\sigma(1.1)" in forget.numbers  # log(0.75 / 0.25)
    assert "#A02C72" in forget.equation  # the forget gate's colour, as in the diagram


def test_the_walk_says_that_a_mean_is_a_mean():
    assert walk("lstm", "update", VALUES, units=32).numbers.startswith(r"\overline{c_t} = \overline{")
    assert r"\sigma(" not in walk("lstm", "forget", VALUES, units=32).numbers


def test_an_unknown_stage_is_refused_by_name():
    with pytest.raises(ValueError, match="stage is 'peephole': expected one of forget, candidate, input"):
        walk("lstm", "peephole", VALUES)
