"""The generated programs against the engine: two ways to the same numbers that share no code.

Tolerances, in log10. float64: 1e-8; rounding grows with the number of steps but stays near 1e-10, and half a unit of
the last printed digit is 5e-11. float32: 1e-3; the two add up in another order, the steps after it amplify a relative
difference of 1e-7 in a state, and the engine's curves are float32 themselves, where 1740 has a unit of 1.2e-4. RNNs
that saturate in float32 are left out: their slope 1 - h^2 is then rounding noise.
"""

import ast
import subprocess
import sys

import numpy as np
import pytest
from programs import HOSTILE, numbers, printed_by

import lstm_explorer as lx
from lstm_explorer.core.architectures import ARCHITECTURES
from lstm_explorer.core.gradients.summaries import summarise
from lstm_explorer.core.inputs.code import MOST_NUMBERS
from lstm_explorer.core.record import schema
from lstm_explorer.core.scripts import to_script
from lstm_explorer.core.settings import Settings

TOLERANCE = {"float32": 1e-3, "float64": 1e-8}
BIASES = {
    "input_bias": -0.7,
    "forget_bias": 1.3,
    "candidate_bias": 0.4,
    "output_bias": -0.2,
    "reset_bias": 0.6,
    "update_bias": -0.9,
}
#: Small enough that a program takes some 10 ms.
SMALL = lx.Settings(sequence_length=30, hidden_size=7, input_size=3, dtype="float64", **BIASES)
TABLE = np.random.default_rng(0).normal(size=(50, 3)) ** 3 + [1e6, 0, 0]


def measured(settings, architecture, table=None):
    """Return what the engine measures: step, hidden and, of an LSTM, cell."""
    flow = lx.seed_flows(settings, architecture=architecture, table=table)
    quantities = ("hidden", "cell") if architecture == "lstm" else ("hidden",)
    curves = [summarise(flow, quantity, relative=False) for quantity in quantities]
    return np.stack([curves[0].steps, *(curve.median for curve in curves)], axis=1)


def check(settings, architecture, table=None):
    """Assert that program and engine agree, and return the numbers."""
    expected = measured(settings, architecture, table)
    actual = printed_by(to_script(settings, architecture=architecture, table=table))
    np.testing.assert_allclose(actual, expected, rtol=0, atol=TOLERANCE[settings.dtype])
    return actual


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("split_biases", [False, True])
@pytest.mark.parametrize("init", schema(Settings)["recurrent_init"].options)
def test_every_initialisation(init, split_biases, dtype, architecture):
    settings = SMALL.replace(recurrent_init=init, split_biases=split_biases, dtype=dtype, recurrent_gain=1.2, seed=3)
    check(settings, architecture)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("init", ["pytorch", "keras", "chrono"])
def test_layers_draw_one_after_another(init, architecture):
    check(SMALL.replace(num_layers=3, recurrent_init=init, split_biases=True, recurrent_gain=0.9), architecture)


@pytest.mark.parametrize(("architecture", "dtype"), [("rnn", "float64"), ("lstm", "float32"), ("gru", "float64")])
@pytest.mark.parametrize(("batch_size", "num_seeds"), [(1, 1), (4, 1), (1, 2), (3, 3)])
@pytest.mark.parametrize("kind", schema(Settings)["input_kind"].options)
def test_every_input(kind, batch_size, num_seeds, architecture, dtype):
    settings = SMALL.replace(
        input_kind=kind, batch_size=batch_size, num_seeds=num_seeds, dtype=dtype, input_scale=0.7, seed=175
    )
    check(settings, architecture, TABLE if kind == "csv" else None)


@pytest.mark.parametrize("kind", ["text", "digit", "csv"])
@pytest.mark.parametrize("batch_size", [1, 3])
def test_data_shorter_than_the_sequence_ends_it(kind, batch_size):
    settings = SMALL.replace(sequence_length=500, input_kind=kind, batch_size=batch_size, text="cafe\u0301 au lait")
    rows = check(settings, "gru", TABLE if kind == "csv" else None)
    assert len(rows) - 1 == {"text": 12, "digit": 64, "csv": 50}[kind]


def test_rows_between_the_windows_are_not_written():
    table = np.random.default_rng(1).normal(size=(30_000, 3))
    settings = SMALL.replace(input_kind="csv", sequence_length=5, batch_size=3)
    assert len(to_script(settings, table=table).split("series = [")[1].split("]")[0].split(",")) == 3 * 3 * 5 + 1
    check(settings, "rnn", table)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("nonlinearity", ["tanh", "relu"])
@pytest.mark.parametrize("num_layers", [1, 2])
@pytest.mark.parametrize(("batch_size", "num_seeds"), [(1, 1), (2, 3)])
def test_loss_of_every_step(batch_size, num_seeds, num_layers, nonlinearity, architecture):
    check(
        SMALL.replace(
            loss="every",
            nonlinearity=nonlinearity,
            num_layers=num_layers,
            batch_size=batch_size,
            num_seeds=num_seeds,
        ),
        architecture,
    )


@pytest.mark.parametrize("runs", [2, 3, 4, 5, 6, 8])
def test_the_median_is_the_same_one_of_the_runs(runs):
    check(SMALL.replace(num_seeds=runs, sequence_length=8), "rnn")
    check(SMALL.replace(batch_size=runs, sequence_length=8), "lstm")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_gradient_far_below_the_range_of_a_float(dtype):
    # Next to no way through the gates: sigmoid(-8)^500 = 10^-1737 along the cell is what is left.
    settings = lx.Settings(sequence_length=500, forget_bias=-8, recurrent_gain=1e-5, dtype=dtype)
    assert check(settings, "lstm")[0, 2] == pytest.approx(-1740, abs=20)


@pytest.mark.parametrize("loss", ["last", "every"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_gradient_far_above_the_range_of_a_float(dtype, loss):
    # tanh has slope 1 at zero: every step multiplies by 10 exactly. Every step: 10^400 + 10^399 + ... + 10.
    settings = lx.Settings(sequence_length=400, recurrent_init="identity", recurrent_gain=10, dtype=dtype, loss=loss)
    rows = check(settings.replace(input_kind="zeros"), "rnn")
    summed = {"last": 1.0, "every": 1 / 0.9}[loss]
    assert rows[0, 1] == pytest.approx(400 + np.log10(summed * np.sqrt(32)), abs=1e-9)


@pytest.mark.parametrize(("architecture", "input_scale"), [("rnn", 1), ("lstm", 80)])
def test_samples_far_apart_do_not_share_a_scale(architecture, input_scale):
    # The first window is silent, the second one so loud that its gates and tanh let hardly any gradient through.
    table = np.concatenate([np.zeros(500), np.tile([1.0, -1.0], 250)])[:, None]
    settings = lx.Settings(sequence_length=500, hidden_size=7, input_size=1, batch_size=2, input_kind="csv")
    settings = settings.replace(recurrent_init="identity", recurrent_gain=3, input_scale=input_scale, dtype="float64")
    silent, loud = lx.seed_flows(settings, architecture=architecture, table=table).log10_hidden[0, 0, 0]
    assert silent - loud > 350
    check(settings, architecture, table)


def test_an_exploding_relu_network():
    settings = lx.Settings(
        sequence_length=450,
        recurrent_init="identity",
        recurrent_gain=10,
        nonlinearity="relu",
        input_kind="impulse",
        input_scale=1e-290,
        dtype="float64",
    )
    assert check(settings, "rnn")[0, 1] > 400


@pytest.mark.parametrize("architecture", ["rnn", "lstm"])
def test_a_gradient_of_exactly_zero_is_minus_infinity(architecture):
    rows = check(SMALL.replace(recurrent_gain=0, batch_size=2), architecture)
    assert (rows[:-2, 1] == -np.inf).all()
    assert np.isfinite(rows[-1]).all()


def test_gates_shut_to_the_smallest_floats():
    # sigmoid(-100) is 4e-44, which float32 has no digits for: derivatives are taken in float64.
    check(lx.Settings(sequence_length=40, output_bias=-100, forget_bias=2), "lstm")


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_default_settings_agree_and_make_a_short_program(architecture):
    check(lx.Settings(), architecture)
    lines = to_script(lx.Settings(), architecture=architecture).splitlines()
    assert len(lines) <= 70
    assert lines[0].startswith('# Prints "step log10_hidden')
    assert str(lx.Settings().to_query()) in lines[1]


@pytest.mark.parametrize(
    ("settings", "architecture"),
    [
        (lx.Settings(), "lstm"),
        (SMALL.replace(num_seeds=2, batch_size=2, input_kind="sine", recurrent_init="normal", num_layers=2), "gru"),
        (SMALL.replace(input_kind="text", text=HOSTILE, dtype="float32"), "rnn"),
    ],
    ids=["default", "everything", "hostile text"],
)
def test_as_a_program_of_its_own(settings, architecture, tmp_path):
    file = tmp_path / "script.py"
    file.write_text(to_script(settings, architecture=architecture), encoding="utf-8")
    # -I: neither this folder nor the environment's, so that only what is installed can be imported.
    done = subprocess.run([sys.executable, "-I", file], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stderr == ""
    tolerance = TOLERANCE[settings.dtype]
    np.testing.assert_allclose(numbers(done.stdout), measured(settings, architecture), rtol=0, atol=tolerance)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("kind", schema(Settings)["input_kind"].options)
@pytest.mark.parametrize("init", schema(Settings)["recurrent_init"].options)
def test_it_imports_nothing_but_torch_and_math_and_uses_what_it_imports(init, kind, architecture):
    settings = SMALL.replace(recurrent_init=init, input_kind=kind, num_seeds=2, batch_size=2)
    script = to_script(settings, architecture=architecture, table=TABLE if kind == "csv" else None)
    nodes = list(ast.walk(ast.parse(script)))
    assert not [node for node in nodes if isinstance(node, ast.ImportFrom)]
    imported = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    used = {node.id for node in nodes if isinstance(node, ast.Name)}
    assert imported == {"torch", "math"} & used
    made_from, *others = script.splitlines()[1:]
    assert str(settings.to_query()) in made_from
    assert max(map(len, others)) <= 120


@pytest.mark.parametrize("text", [HOSTILE, HOSTILE * 30, "\u202e", "'", '"', "\\"])
def test_text_stays_text(text):
    settings = SMALL.replace(input_kind="text", text=text, sequence_length=5000)
    script = to_script(settings)
    script.encode("utf-8")
    # Imports, default dtype, then the two literals; what follows is the program for a harmless text.
    imported, dtype, sentence, vectors, *code = ast.parse(script).body
    assert ast.literal_eval(sentence.value) == text
    assert set(ast.literal_eval(vectors.value)) == set(text)
    harmless = ast.parse(to_script(settings.replace(text="harmless"))).body
    assert list(map(ast.dump, [imported, dtype, *code])) == list(map(ast.dump, [*harmless[:2], *harmless[4:]]))


def test_too_much_data_is_refused_with_the_mend():
    table = np.random.default_rng(0).normal(size=(MOST_NUMBERS + 1, 1))
    settings = SMALL.replace(input_kind="csv", input_size=1, sequence_length=MOST_NUMBERS + 1)
    with pytest.raises(ValueError, match=r"would put 20001 numbers .* at most 20000; lower sequence_length"):
        to_script(settings, table=table)
    assert to_script(settings.replace(sequence_length=MOST_NUMBERS), table=table)
    with pytest.raises(ValueError, match="input_kind='text' would put 35170"):
        to_script(lx.Settings(input_kind="text", input_size=1301))


def test_what_cannot_be_measured_is_refused():
    with pytest.raises(ValueError, match="architecture is 'tcn': expected one of 'rnn', 'lstm', 'gru'"):
        to_script(SMALL, architecture="tcn")
    with pytest.raises(ValueError, match="table is None with input_kind"):
        to_script(SMALL.replace(input_kind="csv"))
    with pytest.raises(ValueError, match="table came with input_kind='noise'"):
        to_script(SMALL, table=TABLE)
    with pytest.raises(ValueError, match="seed is 2147483648"):
        to_script(SMALL.replace(seed=2**31 - 1, num_seeds=2))
