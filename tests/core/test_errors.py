"""An explained error is its sentence in English, and keeps what a translation needs."""

import copy
import json
import pickle
import tempfile

import pytest

from lstm_explorer.core import errors
from lstm_explorer.core.errors import ExplainedError, reason_of
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


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (OSError(28, "No space left on device", "/srv/app/runs/x"), "No space left on device"),
        (PermissionError(13, "/srv/app/runs is not a folder of this user"), "Permission denied"),
        (OSError("Not a gzipped file"), "Not a gzipped file"),
        (ValueError("it is of another cell."), "it is of another cell."),
        (EOFError(), "EOFError"),
    ],
)
def test_a_reason_names_no_folder_of_the_server(error, says):
    assert str(reason_of(error)) == says


def test_where_there_is_no_temporary_folder_none_is_named(monkeypatch):
    monkeypatch.setattr(tempfile, "_candidate_tempdir_list", lambda: ["/srv/app"])
    with pytest.raises(OSError, match="/srv/app") as caught:
        tempfile._get_default_tempdir()
    assert str(reason_of(caught.value)) == "No such file or directory"


def test_a_reason_is_said_in_the_language_of_its_sentence(monkeypatch):
    error = ExplainedError("Not kept: {reason}.", {"reason": reason_of(OSError(28, ""))})
    assert json.dumps(error.values) == '{"reason": "No space left on device"}'
    monkeypatch.setattr(errors, "translated", {"No space left on device": "kein Platz"}.__getitem__)
    assert str(error) == "Not kept: kein Platz."
