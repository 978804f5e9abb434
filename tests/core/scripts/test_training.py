"""The program of a training run prints the losses of the run, bit for bit where it does the same arithmetic."""

import subprocess
import sys

import numpy as np
import pytest
from programs import HOSTILE, printed_by

import lstm_explorer as lx
from lstm_explorer.core.scripts.training import MOST_CHARACTERS, to_training_script
from lstm_explorer.core.training.tasks import TASKS

SMALL = lx.Training(sequence_length=9, hidden_size=5, batch_size=4, steps=6, measurements=1, seed=3, forget_bias=1.0)
TABLE = np.random.default_rng(0).normal(size=(60, 3)).cumsum(axis=0)
TEXT = "so viel Heimat in einem Wort, 나 보기가 역겨워 " * 4
CASES = [
    *({"task": name} for name in TASKS),
    *(
        {"architecture": name, "num_layers": layers}
        for name in ("rnn", "gru", "mingru", "minlstm")
        for layers in (1, 2)
    ),
    *({"optimizer": name, "momentum": 0.5, "weight_decay": 0.1} for name in ("adam", "adamw", "sgd", "rmsprop")),
    *({"clipping": name, "clip_at": 0.05} for name in ("norm", "value", "none")),
    *({"truncation": 4, "architecture": name} for name in ("rnn", "lstm", "mingru")),
    {"truncation": 100},
    {"task": "vowels", "dtype": "float64", "truncation": 10},
    {"task": "copy", "architecture": "gru", "truncation": 7},
    {"task": "text", "text": TEXT},
    {"dtype": "float64"},
    {"dtype": "float64", "architecture": "minlstm"},
    {"recurrent_init": "chrono", "chrono_max": 9, "dtype": "float64"},
    {"recurrent_init": "normal", "architecture": "rnn", "nonlinearity": "relu"},
    {"recurrent_init": "orthogonal", "recurrent_gain": 0.7, "split_biases": True, "architecture": "gru"},
    {"task": "digits", "blank_steps": 3, "batch_size": 700},  # a second epoch
    {"task": "csv", "column": 2, "horizon": 4},
]


def table_of(training):
    return TABLE if training.task == "csv" else None


@pytest.mark.parametrize("changes", CASES, ids=lambda changes: "-".join(map(str, changes.values()))[:60])
def test_it_prints_the_losses_of_the_run(changes):
    training = SMALL.replace(**changes)
    run = lx.train(training, table=table_of(training))
    steps, losses = printed_by(to_training_script(training, table=table_of(training))).T
    assert steps.tolist() == list(range(6))
    if training.architecture in ("rnn", "lstm", "gru"):
        np.testing.assert_array_equal(losses, run.loss)
    else:  # unrolled one step after another: sums in another order
        np.testing.assert_allclose(losses, run.loss, rtol=1e-5 if training.dtype == "float32" else 1e-12)


def test_it_ends_where_the_loss_leaves_the_float_range():
    wild = SMALL.replace(
        architecture="rnn", nonlinearity="relu", optimizer="sgd", learning_rate=100.0, clipping="none",
        recurrent_gain=9.0, steps=20,
    )  # fmt: skip
    run, losses = lx.train(wild), printed_by(to_training_script(wild))[:, 1]
    assert len(losses) < 20
    np.testing.assert_array_equal(losses, run.loss[: len(losses)])
    assert np.isnan(run.loss[len(losses) :]).all()


def test_it_needs_only_torch():
    script = to_training_script(SMALL.replace(task="vowels", steps=1))
    forbidden = "import sys; sys.modules.update(dict.fromkeys(['lstm_explorer', 'pandas', 'streamlit']))\n"
    program = script.replace("from __future__ import annotations\n", f"from __future__ import annotations\n{forbidden}")
    done = subprocess.run([sys.executable, "-"], input=program, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.startswith("0 2.")
    assert done.stderr == ""


def test_what_the_reader_wrote_stays_a_text():
    training = SMALL.replace(task="text", text=HOSTILE * 3, sequence_length=5)
    assert len(printed_by(to_training_script(training))) == 6


def test_too_much_data_is_refused():
    table = np.random.default_rng(0).normal(size=(5000, 60))
    with pytest.raises(
        ValueError, match=rf"characters, most of them data: expected at most {MOST_CHARACTERS}. Shorten"
    ):
        to_training_script(SMALL.replace(task="csv"), table=table)


@pytest.mark.parametrize("name", TASKS)
def test_every_shipped_task_fits_into_a_program(name):
    training = lx.Training(task=name, blank_steps=200, sequence_length=20)
    assert len(to_training_script(training, table=table_of(training.replace(task=name)))) < MOST_CHARACTERS
