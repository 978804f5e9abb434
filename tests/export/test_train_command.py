"""The command that trains: what it writes is the run, stopped and resumed too, and bad input is one line."""

from __future__ import annotations

import json
import signal

import pandas as pd
import pytest
import torch
from safetensors.torch import load_file

import lstm_explorer as lx
from lstm_explorer.export import train_command
from lstm_explorer.export.train_command import main
from lstm_explorer.runs.training.files import run_from_bytes, whole_query
from tests.runs.training.test_files import assert_same

SMALL = dict(sequence_length=6, hidden_size=4, batch_size=3, steps=8, measurements=4, samples=2)
TYPED = [word for name, value in SMALL.items() for word in (f"--{name.replace('_', '-')}", str(value))]


def run(*arguments):
    try:
        return main([*map(str, arguments)])
    except SystemExit as left:
        return left.code


def test_it_writes_numbers_weights_and_settings(tmp_path, capsys):
    out = tmp_path / "run"
    assert run("--architecture", "lstm", "gru", "--num-seeds", 2, "--seed", 3, *TYPED, "--out", out) == 0
    names = [f"{network}-{seed}" for network in ("lstm", "gru") for seed in (3, 4)]
    endings = (".parquet", ".csv", ".safetensors", ".pt")
    assert {path.name for path in out.iterdir()} == {
        "settings.json", "figure.html", *(name + ending for name in names for ending in endings)
    }  # fmt: skip
    expected = lx.train(lx.Training(architecture="gru", seed=4, **SMALL))
    assert_same(run_from_bytes((out / "gru-4.parquet").read_bytes()), expected)
    frame = pd.read_csv(out / "gru-4.csv")
    assert frame["value"].tolist() == expected.to_frame()["value"].tolist()
    weights = torch.load(out / "gru-4.pt", weights_only=True)
    expected.model.load_state_dict(weights)
    assert {name: tensor.tolist() for name, tensor in load_file(out / "gru-4.safetensors").items()} == {
        name: tensor.tolist() for name, tensor in weights.items()
    }
    document = json.loads((out / "settings.json").read_bytes())
    assert document["trainings"]["gru-4"] == whole_query(expected.training)
    assert document["versions"]["torch"] == torch.__version__
    printed = capsys.readouterr().err
    assert "GRU, seed 4 [########################] 8/8, loss " in printed
    assert "0:00 left" in printed


def test_ctrl_c_keeps_what_is_done_and_says_how_to_go_on(tmp_path, capsys, monkeypatch):
    out, advance, stop = tmp_path / "run", train_command.Member.advance, [3]
    handler = signal.getsignal(signal.SIGINT)

    def interrupted(member):
        advance(member)
        stop[0] -= 1
        if stop[0] == 0:
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(train_command.Member, "advance", interrupted)
    # Short pieces: each a step or two.
    monkeypatch.setattr("lstm_explorer.runs.training.member.PIECE", 0.0)
    assert run("--architecture", "rnn", "lstm", *TYPED, "--out", out) == 130
    assert f"To go on: lstm-explorer train --resume {out}" in capsys.readouterr().err
    assert len(run_from_bytes((out / "rnn-0.parquet").read_bytes()).loss) == 3
    assert signal.getsignal(signal.SIGINT) is handler
    assert run("--resume", out) == 0
    for name in ("rnn", "lstm"):
        expected = lx.train(lx.Training(architecture=name, **SMALL))
        assert_same(run_from_bytes((out / f"{name}-0.parquet").read_bytes()), expected)
    assert not list(out.glob("*.resume.*"))
    before = (out / "rnn-0.pt").stat().st_mtime_ns
    assert run("--resume", out) == 0
    assert (out / "rnn-0.pt").stat().st_mtime_ns == before


def test_a_folder_with_a_run_is_refused(tmp_path, capsys):
    assert run("--architecture", "rnn", *TYPED, "--out", tmp_path) == 0
    capsys.readouterr()
    assert run("--architecture", "rnn", *TYPED, "--out", tmp_path) == 1
    assert "holds a run already: expected another folder, or --resume" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ([], 2, "one of the arguments --out --resume --gallery is required"),
        (["--out", "x", "--steps", "many"], 2, "argument --steps: invalid int value"),
        (["--out", "x", "--steps", "0"], 1, "steps is 0: expected a whole number from 1"),
        (["--out", "x", "--task", "sums"], 2, "argument --task: invalid choice: 'sums'"),
        (["--out", "x", "--table", __file__], 1, ""),
        (["--resume", "/nowhere"], 1, "/nowhere holds no run: expected a folder that --out made."),
        (["--resume", "x", "--steps", "9"], 1, "--resume goes on as it began: expected it without --steps."),
        (["--resume", "x", "--architecture", "rnn"], 1, "expected it without --architecture."),
    ],
)
def test_bad_input_is_one_line_and_leaves_no_folder(tmp_path, monkeypatch, capsys, arguments, code, message):
    monkeypatch.chdir(tmp_path)
    assert run(*arguments) == code
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_a_damaged_folder_is_one_line(tmp_path, capsys):
    assert run("--architecture", "rnn", *TYPED, "--out", tmp_path) == 0
    (tmp_path / "rnn-0.parquet").write_bytes(b"PAR1")
    capsys.readouterr()
    assert run("--resume", tmp_path) == 1
    assert "damaged" in capsys.readouterr().err
    (tmp_path / "settings.json").write_bytes(b"[]")
    assert run("--resume", tmp_path) == 1
    assert "is damaged or of another version" in capsys.readouterr().err


def test_the_gallery_is_made_by_the_command(tmp_path, monkeypatch, capsys):
    made = []
    monkeypatch.setattr(train_command.gallery, "make", lambda folder, progress: (made.append(folder), progress(1, 24)))
    assert run("--gallery", tmp_path) == 0
    assert made == [tmp_path]
    assert "1 of 24 runs are there" in capsys.readouterr().err
