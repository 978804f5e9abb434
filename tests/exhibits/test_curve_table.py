"""Curves as a table: one row per curve and step, measured or theory."""

import numpy as np

from lstm_explorer.core.gradients.summaries import Curve
from lstm_explorer.exhibits.curve_table import curve_numbers
from lstm_explorer.figures.curves import Series, TheoryLine

CURVE = Curve(
    quantity="cell", steps=np.arange(3), median=np.array([-np.inf, -2.0, 0.0]), lower=np.array([-9.0, -3.0, 0.0]),
    upper=np.array([-1.0, -1.5, 0.0]), runs=5, relative=True,
)  # fmt: skip


def test_a_curve_s_rows_are_its_numbers():
    table = curve_numbers([Series(name="mine", network="lstm", curve=CURVE)], [])
    assert table["step"].tolist() == [0, 1, 2]
    assert table["lag"].tolist() == [2, 1, 0]
    assert table["log10_median"].tolist() == [-np.inf, -2.0, 0.0]
    assert table["log10_lower_quartile"].tolist() == [-9.0, -3.0, 0.0]
    assert table["log10_upper_quartile"].tolist() == [-1.0, -1.5, 0.0]
    for column, value in {
        "name": "mine", "kind": "measured", "architecture": "lstm", "quantity": "cell", "runs": 5, "relative": True,
    }.items():  # fmt: skip
        assert set(table[column]) == {value}


def test_theory_s_rows_are_powers_of_its_rate_over_the_same_steps():
    theory = TheoryLine(name="tenth", log10_rate=-1.0, about=("lstm", "cell_path"))
    table = curve_numbers([Series(name="mine", network="lstm", curve=CURVE)], [theory])
    rows = table[table["kind"] == "theory"]
    assert rows["log10_median"].tolist() == [-2.0, -1.0, 0.0]
    assert rows["lag"].tolist() == [2, 1, 0]
    assert set(rows["quantity"]) == {"cell_path"}
    assert set(rows["runs"]) == {0}
    assert len(table) == 6
