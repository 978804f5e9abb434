"""Data as code: what is written is read back exactly, and too much of it is refused."""

import ast

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lstm_explorer.core.inputs.code import MOST_NUMBERS, check_size, cut_windows, listed, quoted, read_windows
from lstm_explorer.core.settings import Settings


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=60))
def test_a_list_of_numbers_is_read_back_exactly(numbers):
    code = listed("numbers = ", numbers, "  # all of them")
    scope = {}
    exec(code, scope)
    assert scope["numbers"] == numbers
    assert max(map(len, code.splitlines())) <= 120


@given(st.text(max_size=400))
def test_a_text_is_read_back_exactly(text):
    assert ast.literal_eval(quoted(text)) == text


@pytest.mark.parametrize("batch_size", [1, 2, 3, 7])
@pytest.mark.parametrize("length", [4, 5, 12, 40])
def test_the_rows_that_are_written_give_every_window(length, batch_size):
    settings = Settings(sequence_length=5, batch_size=batch_size)
    series = torch.arange(length, dtype=torch.float64)[:, None]
    read = read_windows(settings, length)
    scope = {"rows": series[torch.from_numpy(read.rows)], "torch": torch}
    exec(cut_windows(settings, read), scope)
    steps = min(5, length)
    starts = np.linspace(0, length - steps, batch_size).astype(int)
    expected = np.stack([np.arange(start, start + steps) for start in starts], axis=1)
    np.testing.assert_array_equal(scope["inputs"][:, :, 0], expected)
    assert len(read.rows) == len(np.unique(expected))  # no row that nobody reads
    assert read.listed == (batch_size if length > steps and batch_size > 1 else 0)


def test_too_much_data_is_refused_with_what_to_lower():
    check_size(MOST_NUMBERS, Settings())
    with pytest.raises(ValueError, match=r"input_kind='csv' would put 20001 numbers.*lower sequence_length"):
        check_size(MOST_NUMBERS + 1, Settings(input_kind="csv"))
