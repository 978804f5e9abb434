"""Every format an exhibit can become: its name, its type, and that it is made."""

import json

import pytest

import lstm_explorer as lx
from lstm_explorer.export.files import FORMATS, ExportOptions, file_name, has_script, make, resolutions
from lstm_explorer.export.paper import SHEETS, Paper

#: How a file of each format that needs no browser begins.
BEGINS = {"html": b"<!DOCTYPE html>", "csv": b"\xef\xbb\xbf", "parquet": b"PAR1", "json": b"{", "py": b"# Prints"}


@pytest.fixture
def exhibit(exhibit_of):
    return exhibit_of("gradients", lx.Settings(sequence_length=12, hidden_size=3), networks=("rnn", "lstm"))


@pytest.mark.parametrize("kind", BEGINS)
def test_a_file_is_of_its_format(exhibit, kind):
    assert make(exhibit, ExportOptions(format=kind)).startswith(BEGINS[kind])


def test_the_formats_that_need_a_browser_are_the_images():
    assert {kind for kind, file in FORMATS.items() if file.drawn} == set(FORMATS) - set(BEGINS)


def test_names_say_what_is_inside(exhibit):
    names = {
        "png": "lstm-explorer-gradients-T12-column-4x.png", "svg": "lstm-explorer-gradients-T12-column.svg",
        "csv": "lstm-explorer-gradients-T12.csv", "py": "lstm-explorer-gradients-T12.py",
    }  # fmt: skip
    for kind, name in names.items():
        options = ExportOptions(format=kind, paper=Paper(size="column"), scale=4.0)
        assert file_name(exhibit, options) == name


def test_without_curves_a_script_is_of_the_one_network(exhibit_of):
    settings, options = lx.Settings(sequence_length=12, hidden_size=3), ExportOptions(format="py")
    units = exhibit_of("units_gru", settings)
    assert make(units, options).decode() == lx.to_script(settings, architecture="gru")
    assert file_name(units, options) == "lstm-explorer-gru-T12.py"
    with pytest.raises(ValueError, match="a script is of one network: by_hand is of 0"):
        make(exhibit_of("by_hand"), options)


def test_json_names_the_figure(exhibit):
    assert json.loads(make(exhibit, ExportOptions(format="json")))["figure"] == "gradients"


def test_a_poster_is_offered_at_the_resolutions_that_its_pixels_allow():
    assert {size: resolutions(size)[-1] for size in SHEETS} == {"slide": 4, "column": 4, "page": 4, "poster": 2}


def test_a_program_is_offered_where_there_is_one(exhibit_of, exhibit):
    settings = lx.Settings(sequence_length=12, hidden_size=3)
    assert has_script(exhibit)
    assert has_script(exhibit_of("products", settings))
    assert has_script(exhibit_of("exponents", settings, networks=("gru",)))
    several = exhibit_of("exponents", settings, networks=("rnn", "gru"))
    assert not has_script(several)
