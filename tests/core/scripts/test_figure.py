"""The program of a whole figure against the engine: every quantity and layer, as the curve is drawn.

Tolerances as in test_experiment.py, for the same reasons.
"""

import ast
import contextlib
import csv
import io
import subprocess
import sys

import numpy as np
import pytest
import torch
from programs import printed_rows

import lstm_explorer as lx
from lstm_explorer.core.architectures import ARCHITECTURES
from lstm_explorer.core.gradients.summaries import summarise
from lstm_explorer.core.record import schema
from lstm_explorer.core.scripts import DrawnAxes, DrawnCurve, DrawnLine, to_figure_script

TOLERANCE = {"float32": 1e-3, "float64": 1e-8}
BIASES = {"input_bias": -0.7, "forget_bias": 1.3, "candidate_bias": 0.4, "reset_bias": 0.6, "update_bias": -0.9}
SMALL = lx.Settings(sequence_length=10, hidden_size=5, input_size=3, dtype="float64", **BIASES)
MANY = SMALL.replace(num_seeds=3, batch_size=2)
TABLE = np.random.default_rng(0).normal(size=(40, 3))
AXES = DrawnAxes(x="step", x_title="step t", y_title="share of ‖dL/dh$_{t}$‖", y_range=(-9.5, 1.0), scale="log")
LOOK = {"color": "#0072B2", "linestyle": "--"}
HOSTILE = "\"\"\"'''\n# \r\u2028\\\x00 {0} $size '); raise SystemExit(3) #\\'\"; 안녕"


def curve(architecture, settings, quantity="hidden", **others):
    return DrawnCurve(architecture=architecture, settings=settings, quantity=quantity, look=LOOK,
                      **{"name": architecture, **others})  # fmt: skip


def check(*curves):
    """Assert that program and engine agree on every curve, in this order."""
    rows = iter(printed_rows(to_figure_script(curves, AXES)))
    for one in curves:
        flow = lx.seed_flows(one.settings, architecture=one.architecture, table=one.table)
        expected = summarise(flow, one.quantity, layer=one.layer, relative=one.relative)
        mine = [next(rows) for _step in expected.steps]
        assert {(row["name"], row["quantity"]) for row in mine} == {(one.name, one.quantity)}
        assert [int(row["step"]) for row in mine] == expected.steps.tolist()
        assert [int(row["lag"]) for row in mine] == (expected.steps[-1] - expected.steps).tolist()
        columns = {"median": expected.median, "lower_quartile": expected.lower, "upper_quartile": expected.upper}
        for column, numbers in columns.items():
            came = [float(row[f"log10_{column}"]) for row in mine]
            np.testing.assert_allclose(came, numbers, rtol=0, atol=TOLERANCE[one.settings.dtype])
    assert list(rows) == []


@pytest.mark.parametrize(
    ("relative", "layer", "loss", "dtype"),
    [(True, 0, "last", "float32"), (False, 1, "every", "float64"), (True, -1, "last", "float64")],
)
def test_every_network_and_quantity_in_one_program(relative, layer, loss, dtype):
    settings = MANY.replace(num_layers=3, loss=loss, dtype=dtype)
    pairs = [(name, quantity) for name in ARCHITECTURES for quantity in ("hidden", "inputs")]
    pairs += [("lstm", "cell"), ("lstm", "cell_path")]
    check(*(curve(name, settings, quantity, layer=layer, relative=relative) for name, quantity in pairs))


def test_every_experiment_keeps_its_own_settings():
    check(
        curve("rnn", SMALL.replace(dtype="float32")),
        curve("rnn", SMALL.replace(nonlinearity="relu", sequence_length=9)),
        curve("lstm", MANY.replace(forget_bias=5, split_biases=True, loss="every", seed=7), "cell", name='a, "b"'),
        curve("lstm", SMALL.replace(dtype="float32", recurrent_init="chrono", num_layers=2), "cell_path", layer=0),
        curve("gru", SMALL.replace(input_kind="text", text=HOSTILE), relative=False, name="$size '; 안녕"),
    )


@pytest.mark.parametrize("kind", schema(lx.Settings)["input_kind"].options)
def test_every_input_is_written_once_for_all_that_read_it(kind):
    settings = MANY.replace(input_kind=kind, seed=175)
    table = TABLE if kind == "csv" else None
    curves = [curve(name, settings, table=table) for name in ("rnn", "lstm")]
    check(*curves)
    assert to_figure_script(curves, AXES).count("def inputs_") == 1


@pytest.mark.parametrize("bias", [-8, 8])
def test_a_gradient_far_outside_the_range_of_a_float(bias):
    settings = lx.Settings(sequence_length=420, hidden_size=4, forget_bias=bias, recurrent_gain=1e-5, num_layers=2)
    check(*(curve("lstm", settings, quantity, layer=0) for quantity in ("cell", "cell_path", "inputs")))
    explodes = settings.replace(sequence_length=400, recurrent_init="identity", recurrent_gain=10, input_kind="zeros")
    check(curve("rnn", explodes.replace(num_layers=1)))


def test_exact_zeros_and_their_missing_ratios():
    # A gain of zero cuts every way back; a ReLU that is shut lets nothing through at the last step either.
    check(curve("rnn", MANY.replace(recurrent_gain=0, num_layers=2), layer=0, relative=False))
    shut = MANY.replace(nonlinearity="relu", input_scale=0, num_layers=2)
    check(curve("rnn", shut, layer=0), curve("rnn", shut, layer=0, relative=False))
    # One unit: of some seeds it is shut, so that no quartile of their ratios says anything.
    some = MANY.replace(nonlinearity="relu", hidden_size=1, num_seeds=8, num_layers=2)
    last = lx.seed_flows(some, architecture="rnn").log10_hidden[:, 0, -1]
    assert 0 < (last == -np.inf).sum() < last.numel()
    check(curve("rnn", some, layer=0))


def test_it_imports_what_it_uses_and_its_lines_are_short():
    for curves in ([curve("rnn", SMALL)], [curve("mingru", SMALL), curve("gru", SMALL.replace(input_kind="sine"))]):
        script = to_figure_script(curves, AXES)
        nodes = list(ast.walk(ast.parse(script)))
        roots = {alias.name.partition(".")[0] for node in nodes if isinstance(node, ast.Import) for alias in node.names}
        used = {node.id for node in nodes if isinstance(node, ast.Name)}
        assert roots - {"matplotlib", "logging"} == {"torch", "csv", "sys", "math"} & used
        assert max(len(line) for line in script.splitlines() if "from_query" not in line) <= 120


@pytest.mark.parametrize(
    "axes", [AXES, DrawnAxes(x="lag", x_title="lag", y_title="‖dL‖", y_range=(-9, 1), scale="linear")]
)
def test_it_draws_what_it_prints(axes, tmp_path, monkeypatch):
    pytest.importorskip("matplotlib")
    from matplotlib.figure import Figure

    drawn = []
    monkeypatch.setattr(Figure, "savefig", lambda figure, name: drawn.append((figure, name)))
    curves = [curve("rnn", MANY.replace(recurrent_gain=0), relative=False, name="_$x"), curve("lstm", MANY, "cell")]
    script = to_figure_script(curves, axes, [DrawnLine(name="theory", log10_rate=-0.1, look={"color": "#777777"})])
    with contextlib.redirect_stdout(io.TextIOWrapper(io.BytesIO())) as printed, torch.random.fork_rng():
        exec(compile(script, "script.py", "exec"), {"__name__": "__main__"})
        torch.set_default_dtype(torch.float32)
    printed.flush()
    rows = list(csv.DictReader(io.StringIO(printed.buffer.getvalue().decode())))
    ((figure, name),) = drawn
    (panel,) = figure.axes
    assert (name, figure.get_size_inches()[0]) == ("figure.pdf", 3.5)
    assert (panel.get_xlabel(), panel.get_ylabel()) == (axes.x_title, axes.y_title)
    lines = panel.get_lines()
    assert [line.get_label() for line in lines] == [r" _\$x", " lstm", " theory"]
    assert (lines[1].get_color(), lines[1].get_linestyle()) == ("#0072B2", "--")
    mine = [row for row in rows if row["name"] == "lstm"]
    log10 = np.array([float(row["log10_median"]) for row in mine])
    np.testing.assert_allclose(lines[1].get_xdata(), [int(row[axes.x]) for row in mine])
    np.testing.assert_allclose(lines[1].get_ydata(), log10 if axes.scale == "log" else 10**log10, atol=1e-9)
    if_zero = np.nan if axes.scale == "log" else 0.0  # of a gradient of exactly zero
    assert lines[0].get_ydata()[0] == pytest.approx(if_zero, nan_ok=True)
    assert len(panel.collections) == 2


def test_as_a_program_of_its_own_it_leaves_a_drawing(tmp_path):
    pytest.importorskip("matplotlib")
    file = tmp_path / "script.py"
    file.write_text(to_figure_script([curve("lstm", MANY, "cell", name="LSTM 안녕")], AXES), encoding="utf-8")
    done = subprocess.run([sys.executable, "-W", "error", file], capture_output=True, check=True, cwd=tmp_path)
    assert done.stderr == b""
    assert "LSTM 안녕,cell,0,10," in done.stdout.decode()
    assert (tmp_path / "figure.pdf").read_bytes().startswith(b"%PDF")


def test_what_cannot_be_measured_is_refused():
    with pytest.raises(ValueError, match="architecture is 'tcn'"):
        to_figure_script([curve("tcn", SMALL)], AXES)
    with pytest.raises(ValueError, match="table is None"):
        to_figure_script([curve("rnn", SMALL.replace(input_kind="csv"))], AXES)
