"""The command ``lstm-explorer``: which command runs, what it lists, and what it says when an extra is missing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

import lstm_explorer
from lstm_explorer.__main__ import COMMANDS, main

ROOT = Path(__file__).resolve().parents[1]

#: Runs the command where modules are missing: a name that maps to None cannot be imported, nor found.
WITHOUT = """
import importlib.util, sys
find = importlib.util.find_spec
importlib.util.find_spec = lambda name, *rest: None if name in {missing!r} else find(name, *rest)
from lstm_explorer.__main__ import main
code = main({arguments!r})
print(code, sorted({{'streamlit', 'plotly'}} & set(sys.modules)))
"""


def without(missing: set[str], *arguments: str) -> subprocess.CompletedProcess[str]:
    code = WITHOUT.format(missing=missing, arguments=list(arguments))
    return subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)


@pytest.mark.parametrize(
    ("command", "missing", "line"),
    [
        ("export", {"plotly", "streamlit"}, 'plotly is not installed: pip install "lstm-explorer[export]"'),
        ("export", {"kaleido", "streamlit"}, 'kaleido is not installed: pip install "lstm-explorer[export]"'),
        ("app", {"streamlit"}, 'streamlit is not installed: pip install "lstm-explorer[app]"'),
    ],
)
def test_a_command_without_its_extra_says_what_to_install(command, missing, line):
    done = without(missing, command)
    assert done.stderr == f"lstm-explorer {command}: error: {line}\n"
    assert done.stdout == "1 []\n"


def test_help_needs_no_extra_and_lists_every_command():
    code = "import sys; sys.modules['plotly'] = None; from lstm_explorer.__main__ import main; main(['--help'])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("usage: lstm-explorer ")
    for name, (_module, about) in COMMANDS.items():
        assert f"  {name} " in done.stdout
        assert about.split(";")[0] in " ".join(done.stdout.split())


def test_no_command_prints_the_help(capsys):
    assert main([]) == 2
    assert "commands:" in capsys.readouterr().out


def test_the_version(capsys):
    with pytest.raises(SystemExit) as left:
        main(["--version"])
    assert left.value.code == 0
    assert capsys.readouterr().out == f"{lstm_explorer.__version__}\n"


def test_an_unknown_command_is_refused(capsys):
    with pytest.raises(SystemExit) as left:
        main(["draw", "--out", "a.svg"])
    assert left.value.code == 2
    assert "invalid choice: 'draw'" in capsys.readouterr().err


def test_a_command_gets_what_was_typed_after_it(tmp_path):
    out = tmp_path / "numbers.csv"
    assert main(["export", "--sequence-length", "5", "--architecture", "rnn", "--out", str(out)]) == 0
    assert pd.read_csv(out)["step"].max() == 5


def test_it_runs_as_a_module():
    done = subprocess.run(
        [sys.executable, "-m", "lstm_explorer", "export", "--sequence-length", "0", "--out", "-"],
        cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.startswith("lstm-explorer export: error: sequence_length is 0")
