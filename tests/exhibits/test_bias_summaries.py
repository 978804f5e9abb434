"""Every sentence of the page Gate biases is computed from the numbers that are drawn."""

import re

import lstm_explorer as lx
from lstm_explorer.exhibits import biases as exhibits
from lstm_explorer.exhibits import paths as path_exhibits
from lstm_explorer.exhibits.biases_view import BiasesView
from lstm_explorer.runs.direct import DirectRunner

RUNNER = DirectRunner()


def test_every_sentence_has_numbers_and_every_exhibit_is_for_a_reader_without_eyes():
    settings = lx.Settings(sequence_length=12, hidden_size=4)
    builds = [
        *exhibits.MAPS.values(),
        exhibits.required,
        path_exhibits.paths,
        path_exhibits.rates,
        path_exhibits.weights,
    ]
    for build in [*builds, path_exhibits.contributions]:
        exhibit = build(RUNNER, settings, BiasesView())
        assert re.search(r"\d", exhibit.summary)
        assert exhibit.summary in exhibit.alt
        assert exhibit.how_to_read.endswith(".")
