"""How the cell diagrams write numbers."""

import pytest

from lstm_explorer.figures.cell_svg import number


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        *((0.0, "0"), (-0.0, "0"), (0.99951, "1.00"), (-0.05555, "−0.056"), (0.00999, "0.010"), (12.34, "12.3")),
        *((999.4, "999"), (999.9, "1.0×10³"), (-0.000999, "−1.0×10⁻³"), (1e-300, "1.0×10⁻³⁰⁰")),
    ],
)
def test_numbers_have_two_or_three_digits(value, shown):
    assert number(value) == shown
