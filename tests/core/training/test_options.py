"""Options: what an address holds, what is read when, and where a run is measured."""

import pytest

from lstm_explorer.core.record import described, schema
from lstm_explorer.core.settings import NetworkSettings, Settings
from lstm_explorer.core.training.options import Training, TrainingOptions
from lstm_explorer.core.training.tasks import TASKS


def test_an_address_round_trips():
    training = Training(task="copy", architecture="gru", optimizer="sgd", momentum=0.5, steps=7, forget_bias=3)
    assert Training.from_query(training.to_query()) == training
    assert hash(Training.from_query(training.to_query())) == hash(training)
    assert Training().to_query() == {}


@pytest.mark.parametrize(
    ("changes", "name", "is_read"),
    [
        ({}, "sequence_length", True),
        ({"task": "digits"}, "sequence_length", False),
        ({"task": "digits"}, "blank_steps", True),
        ({}, "momentum", False),
        ({"optimizer": "sgd"}, "momentum", True),
        ({"optimizer": "adamw"}, "weight_decay", True),
        ({"clipping": "none"}, "clip_at", False),
        ({"task": "csv"}, "column", True),
        ({"task": "co2"}, "horizon", True),
    ],
)
def test_what_is_read_depends_on_the_others(changes, name, is_read):
    assert Training(**changes).reads(name) is is_read


@pytest.mark.parametrize(
    ("steps", "measurements", "expected"),
    [(10, 5, (0, 2, 4, 6, 8, 10)), (3, 100, (0, 1, 2, 3)), (7, 2, (0, 4, 7)), (1, 1, (0, 1))],
)
def test_measured_evenly_from_the_first_to_the_last(steps, measurements, expected):
    assert Training(steps=steps, measurements=measurements).measured_at == expected


def test_the_network_s_settings_are_those_that_both_records_share():
    training = Training(hidden_size=5, forget_bias=2.0, recurrent_init="chrono", chrono_max=30, dtype="float64")
    settings = training.network_settings(3)
    for name in schema(NetworkSettings):
        assert getattr(settings, name) == getattr(training, name)
    assert settings.input_size == settings.features == 3


def test_both_records_have_every_field_of_the_networks_and_their_limits():
    shared = schema(NetworkSettings)
    for record in (Settings, TrainingOptions):
        assert list(schema(record))[: len(shared)] == list(shared)
    for name, field in shared.items():
        assert schema(Settings)[name] == field
        assert schema(Training)[name].options == field.options
        if field.limits is not None:  # what a run allows, a network allows
            low, high = schema(Training)[name].limits
            assert field.checked(low) == low
            assert field.checked(high) == high


def test_every_option_is_described():
    assert set(described(Training)) == set(schema(Training))
    assert described(Training)["sequence_length"].startswith("Steps T of the tasks")  # its own, not the base's
    assert described(Training)["num_layers"] == described(Settings)["num_layers"]


def test_every_task_that_is_named_is_there():
    assert set(TASKS) <= set(schema(Training)["task"].options)
    assert list(TASKS) == [name for name in schema(Training)["task"].options if name in TASKS]
