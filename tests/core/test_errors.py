"""An explained error is its sentence in English, and keeps what a translation needs."""

import copy
import pickle

from lstm_explorer.core.errors import ExplainedError
from lstm_explorer.core.tables import MESSAGES, TableError


def test_template_and_values_stay_apart():
    error = ExplainedError("{came:.1f} of {limit}", {"came": 2.25, "limit": 3})
    assert str(error) == "2.2 of 3"
    assert (error.template, error.values) == ("{came:.1f} of {limit}", {"came": 2.25, "limit": 3})
    assert isinstance(error, ValueError)


def test_it_survives_a_copy_and_another_process():
    error = TableError(MESSAGES["few_rows"], {"came": 1})
    for again in (copy.copy(error), pickle.loads(pickle.dumps(error))):
        assert type(again) is TableError
        assert str(again) == str(error) == "Rows of values in the file: 1. Expected at least 2; add rows."
