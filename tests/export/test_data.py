"""Tables and the JSON document against the core's own numbers."""

import dataclasses
import io
import json
import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import settings as budget
from hypothesis import strategies as st

import lstm_explorer as lx
from lstm_explorer.core.errors import ExplainedError
from lstm_explorer.core.gradients.summaries import summarise
from lstm_explorer.exhibits.registry import EXHIBITS
from lstm_explorer.export import data

SETTINGS = lx.Settings(sequence_length=30, hidden_size=8, num_seeds=3)


@pytest.fixture(scope="module")
def exhibit(exhibit_of):
    return exhibit_of("gradients", SETTINGS, networks=("rnn", "lstm", "gru"), quantity="cell", measure="absolute")


@pytest.mark.parametrize("network", ["rnn", "lstm", "gru"])
@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_tables_read_back_exactly_as_the_core_measured(exhibit, network, kind):
    if kind == "csv":
        table = pd.read_csv(io.BytesIO(data.to_csv(exhibit)))
    else:
        table = pd.read_parquet(io.BytesIO(data.to_parquet(exhibit)))
    rows = table[(table["architecture"] == network) & (table["kind"] == "measured")]
    quantity = "cell" if network == "lstm" else "hidden"
    expected = summarise(lx.seed_flows(SETTINGS, architecture=network), quantity, relative=False)
    assert set(rows["quantity"]) == {quantity}
    np.testing.assert_array_equal(rows["log10_median"], expected.median)
    np.testing.assert_array_equal(rows["log10_upper_quartile"], expected.upper)
    np.testing.assert_array_equal(rows["step"], np.arange(31))
    np.testing.assert_array_equal(rows["lag"], 30 - np.arange(31))


def test_json_holds_settings_results_versions_and_seed(exhibit):
    document = json.loads(data.to_json(exhibit))
    lstm = next(result for result in document["results"] if result["name"] == "LSTM")
    expected = summarise(lx.seed_flows(SETTINGS, architecture="lstm"), "cell", relative=False).median
    assert lstm["log10_median"] == expected.tolist()
    assert lx.Settings(**document["settings"]) == SETTINGS
    assert document["seed"] == 0
    assert document["versions"]["torch"].startswith("2.13")


def test_zero_gradients_are_written_and_not_lost(exhibit_of):
    dead = exhibit_of("gradients", lx.Settings(sequence_length=5, recurrent_gain=0.0), networks=("rnn",))
    table = pd.read_csv(io.BytesIO(data.to_csv(dead)))
    assert (table[table["kind"] == "measured"]["log10_median"].iloc[:-1] == -np.inf).all()
    result = json.loads(data.to_json(dead))["results"][0]
    assert result["log10_median"] == ["-inf"] * 5 + [0.0]
    assert "Infinity" not in data.to_json(dead).decode()


def test_the_document_opens_the_same_view(exhibit):
    settings, view = data.read_settings(data.to_json(exhibit), "gradients")
    assert (settings, view) == (exhibit.settings, exhibit.view)


def test_of_a_long_document_the_results_are_not_read(exhibit):
    spelled = exhibit.settings.replace(text=', "results": [')
    text = data.to_json(dataclasses.replace(exhibit, settings=spelled))
    results = text.rindex(b'"results": [')
    assert data.read_settings(text[:results] + b'"results": [' + b"?" * 1_000_000, "gradients") == (
        spelled,
        exhibit.view,
    )


def test_plain_settings_are_read_too():
    assert data.read_settings('{"sequence_length": 7}', "journey")[0] == lx.Settings(sequence_length=7)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "This is no JSON file"),
        ("[]", "The settings are a list"),
        ('{"format": "lstm-explorer", "version": 2}', r"The file is lstm-explorer 2: .* reads lstm-explorer 1"),
        ('{"format": [], "version": {}}', r"The file is \[\] {}: .* reads lstm-explorer 1"),
        ("[" * 100_000, "nested too deeply: expected a file of the Download button"),
        ('{"a":' * 100_000, "nested too deeply: expected a file of the Download button"),
        ('{"seed": ' + "9" * 5000 + "}", "This is no JSON file"),
        ('{"seed": 1, "seed": 2}', "seed stands in this JSON twice"),
        ("[" + "[]," * 400_000 + "[]]", "more than 1 MB beside its results"),
        ('{"settings": ["' + "[]," * 400_000 + '[]], "results": []}', "more than 1 MB beside its results"),
        ('{"sequence_lenth": 3}', "Unknown settings: sequence_lenth"),
        ('{"format": "lstm-explorer", "version": 1, "settings": 3}', "The settings are a int"),
        (
            '{"format": "lstm-explorer", "version": 1, "settings": {}, "figure": "gradients", "view": {"scale": "x"}}',
            "scale is 'x': expected one of 'log', 'linear'",
        ),
    ],
)
def test_nonsense_is_refused_with_what_was_expected(text, message):
    with pytest.raises(ExplainedError, match=message):
        data.read_settings(text, "gradients")


def test_a_version_as_a_text_is_that_version():
    document = '{"format": "lstm-explorer", "version": "1", "settings": {"sequence_length": 7}}'
    assert data.read_settings(document, "journey")[0] == lx.Settings(sequence_length=7)


LEAVES = [None, True, 0.5, 7, 10**4000, "x" * 10_000, "\ud800", "lstm-explorer", "noise"]
KEYS = ["format", "version", "settings", "view", "figure", "seed", "text", "networks", "zz"]
JSON = st.recursive(
    st.one_of(st.sampled_from(LEAVES), st.floats(), st.text(max_size=5)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(KEYS), inner)),
    max_leaves=8,
)


@budget(max_examples=100, deadline=None)
@given(JSON)
def test_any_json_is_settings_or_a_short_reason(document):
    try:
        reason = f"{data.read_settings(json.dumps(document), 'gradients')[0].seed}"
    except (ValueError, TypeError) as error:
        reason = str(error)
    reason.encode()
    assert len(reason) < 900


def test_a_name_that_is_a_formula_stands_as_a_text_in_the_table(exhibit_of):
    one = exhibit_of("gradients", lx.Settings(sequence_length=5, hidden_size=2), networks=("rnn",))
    numbers = one.numbers().replace({"name": {"RNN": "=cmd|' /C calc'!A0"}})
    table = data.to_csv(dataclasses.replace(one, numbers=lambda: numbers)).decode("utf-8-sig")
    assert "\"'=cmd|' /C calc'!A0\"" in table or "\n'=cmd|' /C calc'!A0," in table
    assert not re.search(r"(?m)^[=+@-]", table)


def test_a_value_beyond_its_limit_is_named():
    with pytest.raises(ValueError, match="sequence_length is 0: expected a whole number from 1"):
        data.read_settings('{"sequence_length": 0}', "gradients")


@pytest.mark.parametrize("name", EXHIBITS)
def test_every_exhibit_has_its_numbers_in_every_form(exhibit_of, name):
    one = exhibit_of(name, lx.Settings(sequence_length=6, hidden_size=3))
    table = one.numbers()
    pd.testing.assert_frame_equal(pd.read_parquet(io.BytesIO(data.to_parquet(one))), table, check_dtype=False)
    assert list(pd.read_csv(io.BytesIO(data.to_csv(one)), encoding="utf-8-sig").columns) == list(table.columns)
    results = json.loads(data.to_json(one))["results"]
    assert sum(max(len(v) for v in result.values() if isinstance(v, list)) for result in results) == len(table)
