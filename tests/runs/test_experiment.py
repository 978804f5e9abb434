"""Experiments: equal where their results are, and steps known without making the inputs."""

import numpy as np
import pandas as pd
import pytest
import torch

import lstm_explorer as lx
from lstm_explorer.core.architectures import ARCHITECTURES
from lstm_explorer.core.reading import unread
from lstm_explorer.core.record import schema
from lstm_explorer.runs.experiment import Experiment, Moment, OwnTable

ROWS = pd.DataFrame({"load": [1.0, 4.0, 9.0], "price": [2.0, 3.0, 5.0]})
SMALL = {"sequence_length": 6, "hidden_size": 3, "input_size": 2, "dtype": "float64"}

#: A legal value of each setting that is not its default.
OTHERS = {
    "sequence_length": 7, "hidden_size": 4, "input_size": 3, "num_layers": 2, "batch_size": 2, "seed": 1,
    "num_seeds": 2, "dtype": "float32", "loss": "every", "nonlinearity": "relu", "recurrent_init": "keras",
    "recurrent_gain": 1.5, "chrono_max": 50, "input_bias": 1.0, "forget_bias": 1.0, "candidate_bias": 1.0,
    "output_bias": 1.0, "reset_bias": 1.0, "update_bias": 1.0, "split_biases": True, "input_kind": "sine",
    "input_scale": 2.0, "text": "other words", "digit": 4,
}  # fmt: skip


def flow(architecture, settings):
    return lx.seed_flows(settings, architecture=architecture).log10_hidden


@pytest.mark.parametrize("base", [{}, {"recurrent_init": "chrono"}, {"input_kind": "text"}, {"input_kind": "digit"}])
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_what_is_called_unread_changes_nothing_and_the_rest_something(architecture, base):
    """The one place that says who reads a setting, against the measurement itself."""
    assert set(OTHERS) == set(schema(lx.Settings))
    settings = lx.Settings(**SMALL, **base, forget_bias=0.25, update_bias=-0.25)
    before, idle = flow(architecture, settings), unread(architecture, settings)
    for name, value in OTHERS.items():
        after = flow(architecture, settings.replace(**{name: value}))
        if name in idle:
            assert after.shape == before.shape
            assert (after == before).all(), name
        elif name not in ("split_biases", "sequence_length", "input_scale", "candidate_bias"):
            assert after.shape != before.shape or not (after == before).all(), name


def test_a_setting_that_is_not_read_makes_no_other_experiment():
    one = Experiment(architecture="rnn", settings=lx.Settings(forget_bias=5.0, digit=7))
    other = Experiment(architecture="rnn", settings=lx.Settings(update_bias=2.0, chrono_max=30))
    assert one.essential() == other.essential()
    assert one.essential() != Experiment(architecture="lstm", settings=lx.Settings()).essential()


def test_a_name_makes_no_other_experiment():
    settings = lx.Settings()
    named = Experiment(architecture="gru", settings=settings, name="mine")
    assert named == Experiment(architecture="gru", settings=settings)
    assert hash(named) == hash(Experiment(architecture="gru", settings=settings))
    assert Experiment(architecture="gru", settings=settings).name == "GRU"


def test_a_table_is_its_numbers_and_is_dropped_where_nobody_reads_it():
    reading = lx.Settings(input_kind="csv", input_size=2)
    table, same = OwnTable.of(ROWS), OwnTable.of(ROWS.to_numpy())
    assert Experiment(architecture="rnn", settings=reading, table=table) == Experiment(
        architecture="rnn", settings=reading, table=same
    )
    assert OwnTable.of(ROWS) != OwnTable.of(ROWS * 2)
    assert OwnTable.of(np.zeros((2, 3))) != OwnTable.of(np.zeros((3, 2)))
    assert Experiment(architecture="rnn", settings=lx.Settings(), table=table).table is None


def test_steps_are_those_of_the_inputs():
    reading = lx.Settings(input_kind="csv", input_size=2)
    assert Experiment(architecture="rnn", settings=reading, table=OwnTable.of(ROWS)).steps == 3
    assert Experiment(architecture="rnn", settings=reading.replace(input_size=8), table=OwnTable.of(ROWS)).steps == 3
    assert Experiment(architecture="rnn", settings=reading).steps == 100  # before there is a table
    assert Experiment(architecture="rnn", settings=lx.Settings(input_kind="digit")).steps == 64


def test_an_unknown_architecture_is_refused():
    with pytest.raises(ValueError, match="architecture is 'tcn': expected one of"):
        Experiment(architecture="tcn", settings=lx.Settings())


def test_a_moment_of_another_architecture_is_dropped():
    lstm, inputs = torch.nn.LSTM(2, 3), torch.zeros(4, 1, 2)
    moment = Moment(network=lstm, inputs=inputs, cotangent=torch.ones(4, 1, 3), digest="1")
    kept, dropped = (Experiment(architecture=name, settings=lx.Settings(), moment=moment) for name in ("lstm", "gru"))
    assert (kept.network, kept.steps) == (lstm, 4)
    assert dropped.moment is None
    assert kept != Experiment(architecture="lstm", settings=lx.Settings())
    key = kept.without_rows()
    assert key == kept
    assert key.moment.inputs.numel() == 0
