"""An address means what the sweep at hand has: other axes, values and cells give way, and nothing is an error."""

import pytest

import lstm_explorer as lx
from lstm_explorer.exhibits.sweeps_view import (
    NONE,
    SweepsView,
    axes_of,
    cell_of,
    only_of,
    place_of,
    shown_of,
    with_only,
)
from lstm_explorer.runs.sweeps.table import from_bytes
from tests.sweep_tables import runs, written


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    return from_bytes(written(tmp_path_factory.mktemp("sweep"), runs()))


@pytest.mark.parametrize(
    ("asked", "axes"),
    [
        ({}, ("forget_bias", "sequence_length", "architecture")),
        ({"up": "seed"}, ("seed", "sequence_length", "architecture")),
        ({"up": "sequence_length"}, ("sequence_length", "forget_bias", "architecture")),
        ({"up": NONE, "beside": NONE}, ("", "sequence_length", "")),
        ({"beside": "forget_bias"}, ("architecture", "sequence_length", "forget_bias")),
        ({"across": "architecture"}, ("forget_bias", "architecture", "sequence_length")),
        ({"across": "seed", "up": "seed", "beside": "seed"}, ("forget_bias", "seed", "architecture")),
        ({"across": NONE, "up": "hidden_size"}, ("forget_bias", "sequence_length", "architecture")),
    ],
)
def test_axes_are_as_asked_where_the_sweep_has_them(table, asked, axes):
    found = axes_of(SweepsView(**asked), table)
    assert found == axes
    lx.sweep_map(table, axes=found)


def test_what_is_mapped_is_something_that_the_sweep_has(table):
    assert shown_of(SweepsView(shown="score"), table) == "score"
    assert shown_of(SweepsView(shown="largest_exponent"), table) == "learnt"


def test_other_settings_have_one_value_or_all(table):
    view = SweepsView(only="seed:2,forget_bias:0.0,nothing:1,:,,seed")
    assert only_of(view, table) == {"seed": 2}
    assert only_of(SweepsView(only="seed:9"), table) == {}
    assert with_only(view, table, "seed", 1) == "seed:1"
    assert with_only(view, table, "seed", None) == ""
    assert only_of(SweepsView(only=with_only(view, table, "seed", 0)), table) == {"seed": 0}


def test_the_cell_is_the_one_asked_for_or_an_undecided_one(table):
    found = lx.sweep_map(table)
    assert place_of(SweepsView(), found) == (0, 0, 0)  # a third of the runs learn
    assert place_of(SweepsView(at_beside=1, at_up=1, at_across=1), found) == (1, 1, 1)
    assert place_of(SweepsView(at_beside=7, at_up=1), found) == (0, 1, 0)
    assert cell_of(SweepsView(at_beside=1, at_across=1, only="seed:2"), table, found) == {
        "architecture": "lstm", "forget_bias": 0.0, "sequence_length": 20, "seed": 2,
    }  # fmt: skip
