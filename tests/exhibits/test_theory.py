"""The closed forms beside a measured curve: of which network, with which rate, and none where there is none."""

import math

import pytest

import lstm_explorer as lx
from lstm_explorer.core.architectures import ARCHITECTURES
from lstm_explorer.exhibits.theory import theory_lines
from lstm_explorer.locales import use_language
from lstm_explorer.runs.direct import DirectRunner
from lstm_explorer.runs.experiment import Experiment

SETTINGS = lx.Settings(sequence_length=10, hidden_size=4, forget_bias=2.0, update_bias=-1.5, input_bias=0.5)


def sigma(bias):
    return 1 / (1 + math.exp(-bias))


def lines_of(name, *, bounds=False, **changes):
    experiment = Experiment(architecture=name, settings=SETTINGS.replace(**changes))
    return theory_lines(DirectRunner(), experiment, bounds=bounds)


@pytest.mark.parametrize(
    ("name", "rate", "quantity"),
    [
        ("lstm", sigma(2.0), "cell_path"),
        ("gru", sigma(-1.5), "hidden"),
        ("mingru", 1 - sigma(-1.5), "hidden"),
        ("minlstm", sigma(2.0) / (sigma(2.0) + sigma(0.5)), "hidden"),
    ],
)
def test_the_rate_is_what_the_biases_alone_keep(name, rate, quantity):
    (line,) = lines_of(name, bounds=True)
    assert 10**line.log10_rate == pytest.approx(rate)
    assert line.about == (name, quantity)


def test_the_rnn_s_upper_bound_is_drawn_where_it_is_wanted():
    (prediction,) = lines_of("rnn")
    predicted, bound = lines_of("rnn", bounds=True)
    assert predicted == prediction
    assert prediction.log10_rate < bound.log10_rate
    assert prediction.dash != bound.dash
    assert {prediction.about, bound.about} == {("rnn", "hidden")}


@pytest.mark.parametrize("name", [name for name, record in ARCHITECTURES.items() if record.gates])
def test_chrono_has_no_single_line(name):
    assert lines_of(name, recurrent_init="chrono") == []


def test_where_the_runner_gives_nothing_there_is_no_line():
    class Refusing:
        table = None

        def run(self, job):
            return None

    assert theory_lines(Refusing(), Experiment(architecture="lstm", settings=SETTINGS)) == []


def test_names_are_translated():
    english = lines_of("lstm")[0].name
    use_language("ko")
    try:
        assert lines_of("lstm")[0].name != english
    finally:
        use_language("en")
