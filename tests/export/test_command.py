"""The command line: what it writes is the core's, and bad input is one line."""

import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

import lstm_explorer as lx
from lstm_explorer.core.gradients.summaries import summarise
from lstm_explorer.export.command import main, make_parser

ROOT = Path(__file__).resolve().parents[2]
TABLE = ROOT / "lstm_explorer" / "data" / "sunspots.csv"


def run(*arguments):
    try:
        return main([*map(str, arguments)])
    except SystemExit as left:
        return left.code


def test_every_option_of_the_settings_reaches_the_measurement(tmp_path):
    out = tmp_path / "numbers.csv"
    options = ["--architecture", "lstm", "--sequence-length", 20, "--forget-bias", 2, "--num-seeds", 3]
    assert run(*options, "--quantity", "cell_path", "--measure", "absolute", "--out", out) == 0
    settings = lx.Settings(sequence_length=20, forget_bias=2, num_seeds=3)
    expected = summarise(lx.seed_flows(settings, architecture="lstm"), "cell_path", relative=False)
    table = pd.read_csv(out)
    assert table[table["kind"] == "measured"]["log10_median"].tolist() == expected.median.tolist()


def test_a_settings_file_of_the_app_is_read_and_options_beside_it_win(tmp_path):
    file, out = tmp_path / "settings.json", tmp_path / "out.json"
    assert run("--sequence-length", 15, "--hidden-size", 4, "--scale", "linear", "--out", file) == 0
    assert run("--settings", file, "--sequence-length", 9, "--out", out) == 0
    document = json.loads(out.read_bytes())
    assert document["settings"] == {**json.loads(file.read_bytes())["settings"], "sequence_length": 9}
    assert document["view"] == {"scale": "linear"}


def test_a_table_of_one_s_own(tmp_path):
    table, out = tmp_path / "table.csv", tmp_path / "out.json"
    table.write_text("a,b\n" + "".join(f"{n},{n * n}\n" for n in range(12)))
    assert run("--table", table, "--architecture", "rnn", "--out", out) == 0
    document = json.loads(out.read_bytes())
    assert document["settings"]["input_kind"] == "csv"
    assert document["results"][0]["step"][-1] == 12


@pytest.mark.parametrize("figure", ["gradients", "journey", "units"])
def test_every_figure_as_a_live_page(tmp_path, figure):
    out = tmp_path / f"{figure}.html"
    network = ["--architecture", "gru"] if figure == "units" else []
    assert run("--figure", figure, *network, "--sequence-length", 8, "--out", out) == 0
    assert b"Plotly.newPlot(" in out.read_bytes()


def test_a_script_goes_to_standard_output(capfdbinary):
    assert run("--architecture", "gru", "lstm", "--format", "py", "--sequence-length", 8, "--out", "-") == 0
    written = capfdbinary.readouterr().out
    assert b"import torch" in written
    assert b"torch.nn.GRU(" in written
    assert b"torch.nn.LSTM(" in written


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--sequence-length", "many"], 2, "argument --sequence-length: invalid int value: 'many'"),
        (["--sequence-length", "0"], 1, "sequence_length is 0: expected a whole number from 1"),
        (["--figure", "units"], 1, "--figure units is of one network: expected --architecture"),
        (["--figure", "by_hand", "--format", "py"], 1, "a script is of one network: by_hand is of 0"),
        (["--out", "picture.gif"], 1, "--out ends in .gif: expected one of png"),
        (["--out", "/nowhere/at/all.csv"], 1, "/nowhere/at/all.csv: No such file or directory"),
        (["--settings", "/nowhere.json"], 1, "/nowhere.json: No such file or directory"),
        (["--settings", __file__], 1, "This is no JSON file"),
        (["--table", __file__, "--architecture", "rnn"], 1, "error: "),
        (["--figure", "bias_map", "--gate", "reset"], 1, "gate is 'reset': expected one of 'input', 'forget'"),
        (
            ["--figure", "two_gates", "--gate", "input", "--other", "input"],
            1,
            "--other is input: expected another gate",
        ),
        (["--figure", "two_gates", "--memory", "500"], 1, "--memory is 500: expected at most --sequence-length, 100"),
        (["--figure", "paths", "--architecture", "gru"], 1, "expected --architecture with one of lstm"),
        (["--figure", "required_bias", "--share", "2"], 1, "share is 2.0: expected a number from 0.001 to 0.9"),
        (["--input-kind", "csv", "--out", "-", "--format", "csv"], 1, "table is None"),
        (["--layer", "9"], 1, "layer is 9"),
        (["--layer", "3"], 1, "--layer is 3: expected at most 1, as --num-layers says"),
        (["--figure", "cell", "--architecture", "gru", "--depth", "2"], 1, "--depth is 2: expected at most 1"),
        (["--figure", "cell", "--architecture", "rnn", "--unit", "99"], 1, "--unit is 99: expected at most 31"),
        (["--figure", "traces", "--architecture", "rnn", "--step", "999"], 1, "--step is 999: expected at most 100"),
        (["--figure", "gate_map", "--architecture", "gru", "--part", "forget"], 1, "--part is forget: expected one of"),
        (["--figure", "cell", "--architecture", "rnn", "--stage", "forget"], 1, "--stage is forget: expected one of"),
        (["--step", "5"], 1, "--step is not of --figure gradients: expected it with cell, traces, gate_map"),
        (["--figure", "journey", "--scale", "log"], 1, "--scale is not of --figure journey"),
        (["--decimal", "comma"], 1, "--decimal says how a table is written: expected it with --table"),
        (["--table", TABLE, "--input-size", "3"], 1, "--input-size is 3: expected it without --table"),
        (["--table", TABLE, "--input-kind", "sine"], 1, "--input-kind is sine: expected it without --table"),
        (["--nonsense"], 2, "unrecognized arguments: --nonsense"),
    ],
)
def test_bad_input_is_one_clear_line(capsys, monkeypatch, tmp_path, arguments, code, message):
    monkeypatch.chdir(tmp_path)
    assert run(*arguments) == code
    said = capsys.readouterr().err
    assert message in said
    assert said.count("\n") == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "note"),
    [
        (["--architecture", "gru", "--quantity", "cell"], "No cell state: GRU. The hidden state is drawn instead."),
        (["--architecture", "gru", "--forget-bias", "2"], "--forget-bias changes nothing here"),
        (["--chrono-max", "50"], "--chrono-max changes nothing here"),
        (["--digit", "4", "--language", "ko"], "--digit: 여기서는 아무것도 바꾸지 않습니다"),
        (["--figure", "traces", "--architecture", "rnn", "--num-seeds", "5"], "--num-seeds changes nothing here"),
    ],
)
def test_what_changes_nothing_is_noted(capsys, tmp_path, arguments, note):
    assert run("--sequence-length", 6, *arguments, "--out", tmp_path / "a.csv") == 0
    said = capsys.readouterr().err
    assert f"lstm-explorer export: note: {note}" in said
    assert said.count("note:") == 1


def test_a_table_in_two_ways_is_asked_and_its_answer_counts(capsys, tmp_path):
    table, out = tmp_path / "table.csv", tmp_path / "out.json"
    table.write_text("a;b\n" + "".join(f"{n},250;{n},125\n" for n in range(1, 12)))
    assert run("--table", table, "--architecture", "rnn", "--out", out) == 1
    assert "1,250 can be 1250 or 1.25, and nothing in the file says which" in capsys.readouterr().err
    assert run("--table", table, "--decimal", "comma", "--architecture", "rnn", "--out", out) == 0
    assert "note: Read as UTF-8, ; between columns, decimal comma, names in line 1." in capsys.readouterr().err


def test_the_notes_of_a_table_are_said(capsys, tmp_path):
    table = tmp_path / "table.csv"
    table.write_text("a,b\n" + "".join(f"{n},{'' if n == 5 else n * n}\n" for n in range(12)))
    assert run("--table", table, "--architecture", "rnn", "--out", tmp_path / "a.csv") == 0
    assert "note: Gaps filled by straight lines" in capsys.readouterr().err


def test_no_browser_is_one_clear_line(capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("BROWSER_PATH", "/nowhere/chromium")
    assert run("--sequence-length", 5, "--out", tmp_path / "a.svg") == 1
    assert "There is no Chrome or Chromium" in capsys.readouterr().err


def test_long_work_says_how_far_it_is(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr("lstm_explorer.export.command._QUIET", 0.0)
    monkeypatch.setattr("lstm_explorer.runs.direct._WORK_BETWEEN_REPORTS", 1)
    assert run("--architecture", "rnn", "--num-seeds", 4, "--sequence-length", 5, "--out", tmp_path / "a.csv") == 0
    assert "RNN: 3 of 4 seeds measured" in capsys.readouterr().err


def test_help_names_every_setting_and_teaches():
    text = make_parser().format_help()
    for name in lx.Settings.__dataclass_fields__:
        assert f"--{name.replace('_', '-')}" in text
    assert "Forget gate of LSTM and minLSTM, effective." in text
    assert "lstm-explorer export --sequence-length 200" in text


def test_it_runs_as_a_module_without_streamlit():
    code = (
        "import sys; from lstm_explorer.export.command import main;"
        "main(['--sequence-length', '5', '--architecture', 'rnn', '--format', 'csv', '--out', '-']);"
        "print('streamlit' in sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stderr.splitlines()[-1] == "False", "above it a slow machine says how far it is"
    assert subprocess.run([sys.executable, "-m", "lstm_explorer"], cwd=ROOT, capture_output=True).returncode == 2


@pytest.mark.parametrize("figure", ["cell", "traces", "gate_map"])
def test_the_inside_of_a_cell_is_written_too(tmp_path, figure):
    out = tmp_path / "inside.csv"
    assert run("--figure", figure, "--architecture", "lstm", "--sequence-length", 6, "--step", 4, "--out", out) == 0
    assert set(pd.read_csv(out)["step"]) >= {1, 2, 3, 4, 5, 6}
    assert run("--figure", figure, "--architecture", "lstm", "--sequence-length", 6, "--out", tmp_path / "a.html") == 0
