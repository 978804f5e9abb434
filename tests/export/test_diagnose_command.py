"""The command says what lx.diagnose says; its exit status is of use to a CI; bad input is one line."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import lstm_explorer as lx
from lstm_explorer.export.diagnose_command import main
from tests.own_files import TwoNetworks, checkpoint


@pytest.fixture
def files(tmp_path):
    (tmp_path / "one.pt").write_bytes(checkpoint())
    (tmp_path / "two.pt").write_bytes(checkpoint(TwoNetworks))
    (tmp_path / "bad.pt").write_bytes(b"nothing")
    rows = np.random.default_rng(0).standard_normal((50, 3))
    np.savetxt(tmp_path / "mine.csv", rows, delimiter=",", header="a,b,c", comments="")
    return tmp_path


def run(*arguments):
    try:
        return main([*map(str, arguments)])
    except SystemExit as left:
        return left.code


def test_the_numbers_are_those_of_the_function(files, capsys):
    assert run(files / "one.pt", "--json", "--samples", 2, "--needs-lag", 15, "--seed", 4) == 1
    printed = json.loads(capsys.readouterr().out)
    network = lx.load_network(files / "one.pt").network
    inputs = lx.make_inputs(lx.Settings(sequence_length=30, batch_size=2, input_size=3, seed=4))
    expected = lx.diagnose(network, inputs, needs_lag=15).to_dict()
    assert {name: printed[name] for name in expected} == json.loads(json.dumps(expected))
    assert printed["network"] == "LSTM(3, 6)"


def test_the_exit_status_says_whether_enough_arrives(files, capsys):
    assert run(files / "one.pt", "--needs-lag", 1) == 0
    assert run(files / "one.pt", "--needs-lag", 40) == 1
    assert run(files / "one.pt", "--sequence-length", 20) == 0  # nothing was asked for
    assert run(files / "one.pt", "--needs-lag", 40, "--share", 1e-30) == 0
    assert "Over 40 steps it vanishes" in capsys.readouterr().out


def test_a_table_of_the_reader_s_is_read_as_a_whole(files, capsys):
    assert run(files / "one.pt", "--data", files / "mine.csv", "--needs-lag", 45, "--json") == 1
    assert json.loads(capsys.readouterr().out)["steps"] == 50


def test_the_mended_file_is_the_file_with_only_biases_changed(files, capsys):
    out = files / "better.pt"
    assert run(files / "two.pt", "--module", "decoder", "--needs-lag", 20, "--mended", out) == 1
    before, after = (torch.load(path, weights_only=True) for path in (files / "two.pt", out))
    changed = [name for name in before if not torch.equal(before[name], after[name])]
    assert changed == ["decoder.bias_ih_l0"]
    assert run(out, "--module", "decoder", "--needs-lag", 20) == 0
    printed = capsys.readouterr().out
    assert "for name, bias in model.decoder.named_parameters():" in printed
    assert "Nothing to mend" in printed


def test_a_table_is_read_as_it_is(files, capsys):
    arguments = (files / "one.pt", "--data", files / "mine.csv", "--needs-lag", 45, "--json")
    assert run(*arguments) == 1
    rows = torch.tensor(np.loadtxt(files / "mine.csv", delimiter=",", skiprows=1), dtype=torch.float32)[:, None]
    expected = lx.diagnose(lx.load_network(files / "one.pt").network, rows, needs_lag=45)
    assert json.loads(capsys.readouterr().out)["log10_share"] == pytest.approx(expected.log10_share, abs=1e-5)
    assert run(*arguments, "--standardise") == 1
    assert json.loads(capsys.readouterr().out)["log10_share"] != pytest.approx(expected.log10_share, abs=1e-5)


def test_lines_that_reach_the_network_and_none_for_keras(files, capsys):
    (files / "stack.pt").write_bytes(checkpoint(lambda: nn.ModuleDict({"stack": nn.ModuleList([nn.GRU(2, 4)])})))
    assert run(files / "stack.pt", "--needs-lag", 30) == 1
    printed = capsys.readouterr().out
    assert 'model.get_submodule("stack.0").named_parameters()' in printed
    model = nn.ModuleDict({"stack": nn.ModuleList([nn.GRU(2, 4)])})
    lines = printed[printed.index("with torch.no_grad") : printed.index("gate\n") + 5]
    exec(lines, {"torch": torch, "model": model})
    keras = Path(__file__).resolve().parents[1] / "data/checkpoints/model.keras"
    assert run(keras, "--module", "gated", "--needs-lag", 30) == 1
    assert "named_parameters" not in capsys.readouterr().out


def test_an_explosion_is_not_what_a_ci_wants(files, capsys):
    network = nn.LSTM(2, 8)
    with torch.no_grad():
        network.weight_hh_l0 *= 6
        network.bias_ih_l0[8:16] = 6.0
    torch.save(network.state_dict(), files / "wild.pt")
    assert run(files / "wild.pt", "--needs-lag", 30, "--seed", 1) == 1
    printed = capsys.readouterr().out
    assert "explodes" in printed
    assert "Nothing to mend" not in printed


def test_it_speaks_korean(files, capsys):
    assert run(files / "one.pt", "--language", "ko", "--needs-lag", 20) == 1
    assert "망각 게이트" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["missing.pt"], "missing.pt"),
        (["bad.pt"], "of no known format"),
        (["two.pt"], "several networks: encoder: LSTM(3, 6, num_layers=2, bidirectional=True); decoder"),
        (["two.pt", "--module", "decoda"], "Did you mean 'decoder'?"),
        (["one.pt", "--needs-lag", "0"], "needs_lag is 0"),
        (["one.pt", "--share", "5"], "write 1% as 0.01"),
        (["one.pt", "--needs-lag", "90", "--sequence-length", "20"], "--needs-lag is 90: expected at most 20"),
        (["one.pt", "--data", "mine.csv", "--text", "a"], "expected one of the two"),
        (["two.pt", "--module", "decoder", "--data", "mine.csv"], "3"),
        (["one.pt", "--needs-lag", "1", "--mended", "x.pt"], "nothing was written"),
        (["one.pt", "--needs-lag", "40", "--mended", "two.pt"], "exists: expected a new file"),
        (["one.pt", "--decimal", "comma"], "expected it with --table"),
    ],
)
def test_what_is_wrong_is_one_line(files, capsys, monkeypatch, arguments, message):
    monkeypatch.chdir(files)
    assert run(*arguments) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert "Traceback" not in error


def test_a_plain_rnn_has_nothing_to_mend(files, capsys):
    (files / "rnn.pt").write_bytes(checkpoint(lambda: nn.RNN(2, 4)))
    assert run(files / "rnn.pt") == 0
    assert "A plain RNN has no gate to open" in capsys.readouterr().out
