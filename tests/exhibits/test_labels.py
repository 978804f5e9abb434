"""What is read at each step: as it is for the diagram, escaped for figures, and nothing for generated signals."""

import lstm_explorer as lx
from lstm_explorer.exhibits.labels import escaped_labels, labels
from lstm_explorer.locales import use_language
from lstm_explorer.runs.experiment import Experiment, OwnTable


def reading(table=None, **settings):
    return Experiment(architecture="rnn", settings=lx.Settings(**settings), table=table)


def test_characters_are_escaped_for_figures_only():
    one = reading(input_kind="text", text="a<b")
    assert labels(one) == ("a", "<", "b")
    assert escaped_labels(one) == ("a", "&lt;", "b")


def test_generated_signals_have_none():
    assert labels(reading(input_kind="noise")) == ()


def test_a_table_s_rows_are_counted():
    table = OwnTable.of([[1.0], [2.0], [4.0]])
    assert labels(reading(table, input_kind="csv", input_size=1)) == ("row 1", "row 2", "row 3")


def test_words_are_translated_and_data_are_not():
    use_language("ko")
    try:
        assert labels(reading(input_kind="digit", sequence_length=1)) != ("pixel row 1, column 1",)
        assert labels(reading(input_kind="sunspots", sequence_length=1)) == ("1700",)
    finally:
        use_language("en")
