"""The sentences say the numbers of the sweep, and what a network does not read is said so."""

import pytest

import lstm_explorer as lx
from lstm_explorer.exhibits.sweep_words import curves_summary, map_summary, outcomes_summary, place_words
from lstm_explorer.figures import plot_sweep_map
from lstm_explorer.runs.sweeps.table import from_bytes
from tests.sweep_tables import run, runs, written


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    return from_bytes(written(tmp_path_factory.mktemp("sweep"), runs()))


def test_who_learns_and_with_what_most_do(table):
    assert map_summary(lx.sweep_map(table)) == (
        "**RNN**: 1 of 6 runs learn, whatever the bias of the forget gate, which it does not read. "
        "**LSTM**: 9 of 12 runs learn, most with bias of the forget gate 2: 6 of 6."
    )
    assert map_summary(lx.sweep_map(table, axes=("", "seed", ""), only={"architecture": "lstm"})) == (
        "9 of 12 runs learn."
    )


def test_other_numbers_are_said_with_their_places(table):
    said = map_summary(lx.sweep_map(table, "log10_share_before"))
    assert "from **1.0×10⁻²¹** (RNN, forget bias 0, T \\= 20 steps)" in said
    assert "to **77%** (LSTM, forget bias 2, T \\= 10 steps)" in said


def test_a_sweep_without_a_run_says_so(tmp_path):
    rows = run("rnn", 10, 0.0, 0, None, -1.0, error="no memory")
    assert map_summary(lx.sweep_map(from_bytes(written(tmp_path, rows)))) == "No run of this sweep is done yet."


def test_curves_say_who_ends_lowest(table):
    lstm = lx.sweep_curves(table, "forget_bias", only={"architecture": "lstm", "sequence_length": 20})
    assert curves_summary(lstm, "forget_bias") == (
        "The loss ends lowest with forget bias 0: 0.1, and 0 of 3 runs learn."
    )
    one = lx.sweep_curves(table, "forget_bias", only={"architecture": "rnn", "sequence_length": 10})
    assert curves_summary(one, "forget_bias") == "The loss ends at 0.1, and 1 of 3 runs learn."


@pytest.mark.parametrize(
    ("learners", "others", "says"),
    [
        ((-1, -2), (-8, -9), "in **100%** of all such pairs"),
        ((-1, -8), (-2, -9), "in **75%** of all such pairs, more of the learner's gradient survived before training; "
                             "50% would be chance. It tells who learns."),
        ((-1, -9), (-2, -8), "50% would be chance. It does not tell who learns."),
        ((-8, -9), (-1, -2), "It points the wrong way."),
    ],
)  # fmt: skip
def test_pairs_are_counted_and_judged(tmp_path, learners, others, says):
    rows = [
        row
        for seed, (share, learnt) in enumerate([(one, 5) for one in learners] + [(one, None) for one in others])
        for row in run("lstm", 10, 0.0, seed, learnt, share)
    ]
    table = from_bytes(written(tmp_path, rows, seed=[0, 1, 2, 3]))
    assert says in outcomes_summary(lx.sweep_outcomes(table))


def test_pairs_alike_are_said_apart(table):
    assert "Among pairs alike in network, sequence length T (steps) it is **" in outcomes_summary(
        lx.sweep_outcomes(table)
    )


def test_where_all_learn_there_is_nothing_to_tell(tmp_path):
    table = from_bytes(written(tmp_path, run("lstm", 10, 0.0, 0, 5, -1.0)))
    assert outcomes_summary(lx.sweep_outcomes(table)).startswith("Of these runs 1 of 1 learn: nothing tells")


def test_places_are_named_as_everywhere():
    assert place_words({"architecture": "gru", "seed": 3, "sequence_length": 50, "update_bias": -1.0}) == (
        "GRU, seed 3, T = 50 steps, update bias −1"
    )


def test_a_text_that_somebody_wrote_into_a_file_stays_words(tmp_path):
    evil = "[x](javascript:alert(1)) <b>![y](http://z) **bold**"
    rows = [row | {"text": text} for text in (evil, "b") for row in run("rnn", 10, 0.0, 0, None, -1.0)]
    table = from_bytes(written(tmp_path, rows, text=[evil, "b"]))
    said = map_summary(lx.sweep_map(table, axes=("text", "sequence_length", ""), value="loss"))
    assert r"\[x\]\(javascript\:" in said
    assert "<b>" not in said.replace(r"\<", "")
    figure = plot_sweep_map(lx.sweep_map(table, axes=("text", "sequence_length", "")))
    assert not any("<b>!" in text for text in figure.layout.yaxis.ticktext)
