"""What the commands share: an option for every field, and errors of one line."""

from __future__ import annotations

import pytest

import lstm_explorer as lx
from lstm_explorer.core.errors import ExplainedError
from lstm_explorer.core.record import schema
from lstm_explorer.core.tables import TableReading
from lstm_explorer.export.arguments import Parser, add_fields, flag_of, given_fields, one_line_errors, table_of


def test_every_field_is_an_option_and_only_what_was_typed_counts():
    parser = Parser(prog="x")
    add_fields(parser, lx.Settings, skip=("seed",))
    options = parser.parse_args(["--forget-bias", "2", "--no-split-biases", "--recurrent-init", "identity"])
    assert given_fields(options, lx.Settings) == {
        "forget_bias": 2.0, "split_biases": False, "recurrent_init": "identity"
    }  # fmt: skip
    text = parser.format_help()
    assert all(flag_of(name) in text for name in schema(lx.Settings) if name != "seed")
    assert "--seed" not in text


def test_an_error_of_the_parser_is_one_line(capsys):
    with pytest.raises(SystemExit) as left:
        Parser(prog="x").parse_args(["--what"])
    assert left.value.code == 2
    assert capsys.readouterr().err == "x: error: unrecognized arguments: --what\n"


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ExplainedError("it is {what}", {"what": "so"}), "it is so"),
        (FileNotFoundError(2, "No such file", "a.csv"), "a.csv: No such file"),
        (ValueError("two\nlines"), "two lines"),
        (MemoryError(), "not enough memory: lower --sequence-length, --hidden-size, --batch-size or --num-seeds."),
        (KeyboardInterrupt(), "stopped."),
    ],
)
def test_what_fails_is_one_line_of_its_command(capsys, error, line):
    with one_line_errors("train") as failed:
        raise error
    assert len(failed) == 1
    assert capsys.readouterr().err == f"lstm-explorer train: error: {line}\n"


def test_a_table_is_read_and_how_it_was_understood_is_said(tmp_path):
    (tmp_path / "table.csv").write_text("a;b\n1,5;2\n3;4\n")
    parser, notes = Parser(prog="x"), []
    parser.add_argument("--table", type=lambda name: tmp_path / name)
    add_fields(parser, TableReading)
    rows = table_of(parser.parse_args(["--table", "table.csv"]), notes.append)
    assert rows.to_numpy().tolist() == [[1.5, 2.0], [3.0, 4.0]]
    assert notes[0].startswith("Read as ")
    assert table_of(parser.parse_args([]), notes.append) is None
    first = next(name for name in schema(TableReading))
    text = schema(TableReading)[first].options[0] if schema(TableReading)[first].options else "x"
    with pytest.raises(ValueError, match="expected it with --table"):
        table_of(parser.parse_args([flag_of(first), text]), notes.append)
