"""Real series and tables: standardised over their whole length."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import settings as budget
from hypothesis import strategies as st

from lstm_explorer.core.datasets import load_sunspots
from lstm_explorer.core.inputs import make_inputs
from lstm_explorer.core.settings import Settings


def test_sunspots_are_standardised_over_the_whole_series():
    whole = make_inputs(Settings(input_kind="sunspots", sequence_length=309, dtype="float64"))[:, 0, 0].numpy()
    assert whole.mean() == pytest.approx(0, abs=1e-12)
    assert whole.std() == pytest.approx(1, abs=1e-12)
    assert np.corrcoef(whole, load_sunspots()["sunspots"])[0, 1] == pytest.approx(1, abs=1e-12)
    part = make_inputs(Settings(input_kind="sunspots", sequence_length=50, batch_size=3, dtype="float64"))[
        :, :, 0
    ].numpy()
    for sample, start in enumerate((0, 129, 259)):
        np.testing.assert_allclose(part[:, sample], whole[start : start + 50], rtol=0, atol=1e-12)


def test_csv_columns_are_standardised_each_and_constant_ones_are_zeros():
    table = pd.DataFrame({"a": [1.0, 2.0, 3.0], "flat": [0.1] * 3, "b": [1e6, 0.0, -1e6]})
    inputs = make_inputs(Settings(input_kind="csv", input_size=3, dtype="float64"), table=table)[:, 0].numpy()
    side = math.sqrt(1.5)
    np.testing.assert_allclose(inputs, [[-side, 0, side], [0, 0, 0], [side, 0, -side]], rtol=0, atol=1e-12)


@budget(max_examples=60, deadline=None)
@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=12))
@example([1.7e308, -1.7e308, 0.0])
@example([5e-324, 0.0])
@example([1.0, 1.0 + 2**-52])
def test_any_finite_column_standardises_to_mean_0_and_deviation_1_or_zeros(column):
    rows = np.array(column)[:, None]
    settings = Settings(input_kind="csv", input_size=1, dtype="float64", sequence_length=12)
    values = make_inputs(settings, table=rows)[:, 0, 0].numpy()
    assert values.mean() == pytest.approx(0, abs=1e-9)
    assert values.std() == pytest.approx(float(len(set(column)) > 1), abs=1e-9)
