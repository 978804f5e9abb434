"""The lines, run on real networks."""

import math
import re

import numpy as np
import pytest
import torch
from torch import nn

import lstm_explorer as lx
from lstm_explorer.core.biases.lines import chrono_lines, run_bias_lines
from lstm_explorer.core.networks.build import effective_biases
from lstm_explorer.locales import use_language

SETTINGS = lx.Settings(sequence_length=50, hidden_size=16, num_seeds=5, seed=2)
CASES = [("lstm", gate) for gate in ("input", "forget", "candidate", "output")]
CASES += [("gru", gate) for gate in ("reset", "update", "candidate")]
CLASSES = {"lstm": nn.LSTM, "gru": nn.GRU}
ORDER = {"lstm": ("input", "forget", "candidate", "output"), "gru": ("reset", "update", "candidate")}


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize(("architecture", "gate"), CASES)
def test_lines_set_one_gate_of_every_layer_and_direction(architecture, gate, bidirectional):
    network = CLASSES[architecture](3, 4, num_layers=3, bidirectional=bidirectional)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    exec(lx.bias_lines(1.5, gate=gate, architecture=architecture, network="net"), {"torch": torch, "net": network})
    rows = slice(4 * ORDER[architecture].index(gate), 4 * (ORDER[architecture].index(gate) + 1))
    touched = 0
    for name, after in network.state_dict().items():
        expected = before[name].clone()
        if name.startswith("bias"):
            expected[rows] = 1.5 if name.startswith("bias_ih") else 0.0
            touched += 1
        assert torch.equal(after, expected), name
    assert touched == 2 * 3 * (2 if bidirectional else 1)
    assert all(weight.requires_grad for weight in network.parameters())


@pytest.mark.parametrize(("architecture", "gate"), CASES)
def test_lines_give_the_network_that_was_measured(architecture, gate):
    settings = lx.Settings(sequence_length=12, hidden_size=4, num_layers=2, dtype="float64")
    network = lx.build_network(architecture, settings)
    exec(lx.bias_lines(2.25, gate=gate, architecture=architecture), {"torch": torch, architecture: network})
    flow = lx.gradient_flow(network, lx.make_inputs(settings))
    found = lx.bias_map(settings, gate=gate, biases=(2.25,), architecture=architecture)
    torch.testing.assert_close(flow.log10_hidden[-1], found.log10_hidden[0, 0], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(("architecture", "gate"), CASES)
def test_run_lines_reads_back_every_layer(architecture, gate):
    lines = lx.bias_lines(-3, gate=gate, architecture=architecture)
    settings = lx.Settings(hidden_size=6, num_layers=4)
    read = run_bias_lines(lines, settings, gate=gate, architecture=architecture)
    np.testing.assert_array_equal(read, np.full((4, 6), -3, dtype=np.float32))
    # what it reads is the network's: the mistake of filling both vectors shows
    doubled = lines.replace("= 0.0", "= -3.0")
    assert doubled != lines
    np.testing.assert_array_equal(run_bias_lines(doubled, settings, gate=gate, architecture=architecture), read * 2)


@pytest.mark.parametrize("bias", [math.nan, math.inf, -math.inf])
def test_lines_of_no_number_are_refused(bias):
    with pytest.raises(ValueError, match=r"bias is .*: expected a finite number"):
        lx.bias_lines(bias)


def test_lines_of_a_gate_that_is_not_there_are_refused():
    with pytest.raises(ValueError, match="gate is 'update': expected one of 'input', 'forget'"):
        lx.bias_lines(1, gate="update")
    with pytest.raises(ValueError, match="architecture is 'rnn'"):
        lx.bias_lines(1, gate="hidden", architecture="rnn")
    for name in ("", "my.lstm", "model['rnn']"):
        assert f"in {name or 'lstm'}.named_parameters()" in lx.bias_lines(1, network=name)


@pytest.mark.parametrize("architecture", ["mingru", "minlstm"])
def test_the_lines_for_one_bias_vector_speak_of_no_second(architecture):
    gate = "update" if architecture == "mingru" else "forget"
    lines = lx.bias_lines(1.5, gate=gate, architecture=architecture)
    assert "bias_hh" not in lines
    assert (run_bias_lines(lines, SETTINGS, gate=gate, architecture=architecture) == 1.5).all()


def test_running_the_lines_leaves_pytorchs_random_numbers_alone():
    before = torch.get_rng_state()
    run_bias_lines(lx.bias_lines(1.5), SETTINGS, gate="forget", architecture="lstm")
    assert torch.equal(torch.get_rng_state(), before)


def test_chrono_needs_a_gate_to_draw():
    with pytest.raises(ValueError, match="architecture is 'rnn': expected one with a gate that keeps"):
        chrono_lines(50, architecture="rnn")


def test_lines_of_several_gates_set_them_all():
    lstm = nn.LSTM(3, 4, num_layers=2)
    exec(lx.bias_lines({"input": -4.46, "forget": 2.5}), {"torch": torch, "lstm": lstm})
    for layer in range(2):
        biases = effective_biases(lstm, layer)
        assert biases["input"].tolist() == pytest.approx([-4.46] * 4)
        assert biases["forget"].tolist() == [2.5] * 4
    with pytest.raises(ValueError, match="bias is empty: expected at least one gate"):
        lx.bias_lines({})


def test_comments_are_in_the_running_language():
    use_language("ko")
    try:
        korean = lx.bias_lines(1.5)
    finally:
        use_language("en")
    code = [line.split("  #")[0] for line in korean.splitlines()]
    assert code == [line.split("  #")[0] for line in lx.bias_lines(1.5).splitlines()]
    assert all(re.search("[가-힣]", line.split("  #")[1]) for line in korean.splitlines() if "  #" in line)
