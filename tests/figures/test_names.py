"""The names of networks, gates and states: the same words everywhere, and every gate and state has one."""

import pytest

from lstm_explorer.core.architectures import ARCHITECTURES
from lstm_explorer.figures.names import gate_name, network_name, network_names, parts
from lstm_explorer.locales import use_language


def test_networks_are_offered_in_the_lesson_s_order():
    assert list(network_names().items()) == [
        ("rnn", "RNN"), ("lstm", "LSTM"), ("gru", "GRU"), ("mingru", "minGRU"), ("minlstm", "minLSTM"),
    ]  # fmt: skip
    assert network_names("gru", "rnn") == {"rnn": "RNN", "gru": "GRU"}


def test_gates_and_states_have_their_word_and_letter():
    assert gate_name("forget", "lstm") == "forget gate f"
    assert gate_name("candidate", "lstm") == "candidate g"
    assert gate_name("candidate", "gru") == "candidate n"
    assert gate_name("hidden", "rnn") == "hidden state h"


def test_the_gate_that_keeps_comes_first_and_the_state_that_remembers_before_the_others():
    assert parts("lstm") == ("forget", "input", "candidate", "output", "cell", "hidden")
    assert parts("gru") == ("update", "reset", "candidate", "hidden")
    assert parts("rnn") == ("hidden",)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_every_part_of_every_network_has_a_name_of_its_own_in_both_languages(name):
    english = [gate_name(part, name) for part in parts(name)]
    use_language("ko")
    try:
        korean = [gate_name(part, name) for part in parts(name)]
        assert network_name(name) == ARCHITECTURES[name].title  # never translated
    finally:
        use_language("en")
    assert len(set(english)) == len(english) == len(set(korean))
    assert not set(english) & set(korean)


def test_what_a_network_lacks_has_no_name():
    with pytest.raises(KeyError, match="forget"):
        gate_name("forget", "gru")
    with pytest.raises(ValueError, match="architecture is 'tcn'"):
        network_name("tcn")
