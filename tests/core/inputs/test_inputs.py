"""make_inputs against its promises: distributions, alignment of windows, and streams that do not repeat."""

import math

import numpy as np
import pandas as pd
import pytest
import torch

from lstm_explorer.core.inputs import INPUTS, input_length, make_inputs, step_labels
from lstm_explorer.core.record import schema
from lstm_explorer.core.settings import Settings

OWN_LENGTH = {"text": 4, "digit": 64, "sunspots": 309, "csv": 10}
TABLE = np.arange(20.0).reshape(10, 2) ** 2


def table_for(kind: str) -> np.ndarray | None:
    return TABLE if kind == "csv" else None


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind", schema(Settings)["input_kind"].options)
@pytest.mark.parametrize("length", [1, 3, 500])
def test_shape_dtype_and_scale(kind, dtype, length):
    settings = Settings(input_kind=kind, sequence_length=length, batch_size=3, input_size=2, dtype=dtype, text="cafe")
    inputs = make_inputs(settings, table=table_for(kind))
    assert inputs.shape == (min(length, OWN_LENGTH.get(kind, length)), 3, settings.features)
    assert inputs.dtype == getattr(torch, dtype)
    tripled = make_inputs(settings.replace(input_scale=3), table=table_for(kind))
    assert torch.equal(tripled, 3 * inputs)
    assert len(step_labels(settings, table=table_for(kind))) == len(inputs)


@pytest.mark.parametrize("kind", schema(Settings)["input_kind"].options)
def test_global_random_state_is_neither_changed_nor_read(kind):
    settings = Settings(input_kind=kind, input_size=2, batch_size=2)
    torch.manual_seed(1)
    np.random.seed(1)
    before = torch.get_rng_state(), np.random.get_state()[1].tolist()
    first = make_inputs(settings, table=table_for(kind))
    assert torch.equal(torch.get_rng_state(), before[0])
    assert np.random.get_state()[1].tolist() == before[1]
    torch.manual_seed(2)
    assert torch.equal(make_inputs(settings, table=table_for(kind)), first)


def test_labels_say_what_is_read():
    assert step_labels(Settings(input_kind="digit"))[9] == "pixel row 2, column 2"
    assert step_labels(Settings(input_kind="sunspots", sequence_length=2)) == ["1700", "1701"]
    assert step_labels(Settings(input_kind="csv", input_size=2), table=TABLE)[-1] == "row 10"
    assert step_labels(Settings(input_kind="noise", sequence_length=3)) == ["", "", ""]


def test_labels_can_be_translated():
    korean = {INPUTS["digit"].label: "{row}행 {column}열"}
    assert step_labels(Settings(input_kind="digit", sequence_length=1), translate=lambda text: korean[text]) == [
        "1행 1열"
    ]


@pytest.mark.parametrize("function", [make_inputs, step_labels])
@pytest.mark.parametrize(
    ("kind", "table", "message"),
    [
        ("csv", None, "pass table="),
        ("noise", TABLE, "input_kind='noise': expected \"csv\", or leave table out"),
        ("csv", TABLE[:, 0], r"shape \(10,\): expected \(rows, columns\)"),
        ("csv", TABLE[:0], r"shape \(0, 2\): expected"),
        ("csv", np.array([[1.0, 2.0], [math.nan, 1.0]]), "not finite in row 2, column 1"),
        ("csv", pd.DataFrame({"a": ["x"], "b": [1]}), "not numbers .*expected numeric columns"),
        ("csv", np.ones((4, 3)), r"3 columns: expected input_size=2; replace\(input_size=3\)"),
    ],
)
def test_wrong_tables_are_refused_with_the_mend(function, kind, table, message):
    with pytest.raises(ValueError, match=message):
        function(Settings(input_kind=kind, input_size=2), table=table)


@pytest.mark.parametrize("steps", [1, 7, 400])
@pytest.mark.parametrize("kind", INPUTS)
def test_the_length_is_known_without_making_the_inputs(kind, steps):
    settings = Settings(input_kind=kind, sequence_length=steps, input_size=2, text="abba")
    table = TABLE if INPUTS[kind].reads_table else None
    assert input_length(settings, table=table) == len(make_inputs(settings, table=table))


def test_every_kind_of_input_has_a_record():
    assert tuple(INPUTS) == schema(Settings)["input_kind"].options
