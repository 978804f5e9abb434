"""What the registry says of every exhibit is what the exhibit does."""

import pytest

import lstm_explorer as lx
from lstm_explorer.core.record import schema
from lstm_explorer.exhibits.registry import EXHIBITS
from lstm_explorer.runs.direct import DirectRunner

SETTINGS = lx.Settings(sequence_length=12, hidden_size=4)


@pytest.mark.parametrize("name", EXHIBITS)
def test_every_exhibit_is_made_under_its_name(name):
    entry = EXHIBITS[name]
    short = {"sequence_length": 20} if entry.page == "your_network" else {}
    exhibit = entry.build(DirectRunner(), SETTINGS, entry.view(**short))
    assert exhibit.name == name
    assert type(exhibit.view) is entry.view or name in ("journey",)
    assert exhibit.draw("dark").layout.template.layout.paper_bgcolor


@pytest.mark.parametrize(
    ("name", "network"), [(name, one) for name, entry in EXHIBITS.items() for one in entry.networks]
)
def test_every_exhibit_is_of_the_networks_that_it_names(name, network):
    entry = EXHIBITS[name]
    field = schema(entry.view).get(entry.chosen_by)
    chosen = {entry.chosen_by: (network,) if field and field.kind is tuple else network} if entry.chosen_by else {}
    exhibit = entry.build(DirectRunner(), SETTINGS, entry.view(**chosen))
    assert {one.architecture for one in exhibit.experiments} == {network}


def test_no_exhibit_is_called_like_a_setting_since_both_are_keys_of_the_page():
    for name, entry in EXHIBITS.items():
        assert name not in {**schema(lx.Settings), **schema(entry.view)}
