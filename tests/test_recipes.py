"""The recipes of CONTRIBUTING.md, followed to the letter on a copy of the package: adding is local.

What is added is then asked for everywhere the app, the command line and Python offer it.
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

#: A new network: one gate, which reads the hidden state, between the old state and a tanh of the new input.
LEAKY = '''
"""A leaky unit: h' = z * h + (1 - z) * tanh(g)."""

from typing import NamedTuple

import torch
from torch import Tensor

from lstm_explorer.core.architectures.architecture import Architecture, ClosedForm, Gate, Quantity, State
from lstm_explorer.core.architectures.own_network import OwnNetwork
from lstm_explorer.core.architectures.parameters import affine
from lstm_explorer.core.architectures.stages import gate_stage
from lstm_explorer.core.gate_theory import log10_cell_path, required_forget_bias


class LeakyGates(NamedTuple):
    update: Tensor
    candidate: Tensor


def step(parameters, state, x):
    """Advance the leaky unit one step."""
    preactivation = affine(x, parameters.weight_ih, parameters.bias_ih) + affine(
        state, parameters.weight_hh, parameters.bias_hh
    )
    update, candidate = preactivation.chunk(2, dim=-1)
    gates = LeakyGates(torch.sigmoid(update), torch.tanh(candidate))
    return gates.update * state + (1 - gates.update) * gates.candidate, gates


class Leaky(OwnNetwork):
    blocks, step, recurrent = 2, staticmethod(step), True


def closed_forms(settings, parameters, inputs):
    return [ClosedForm("theory, leaky", float(log10_cell_path(settings.update_bias, 1)), "hidden")]


UPDATE = Gate("update", "z", "update gate z", keeps=1, chrono=1)

ARCHITECTURE = Architecture(
    name="leaky", title="Leaky", rank=9, module=Leaky, step=step, gates=(UPDATE, Gate("candidate", "g", "g", "tanh")),
    gates_type=LeakyGates, states=(State("hidden", "h", "hidden state h"),),
    log10_kept=lambda biases: log10_cell_path(biases["update"], 1),
    required=lambda lag, share, biases: float(required_forget_bias(lag, share)),
    closed_forms=closed_forms,
    quantities=(Quantity("hidden", "h_t", "hidden state", "the state."),),
    values=lambda before, gates, after: {"hidden": after["hidden"]},
    stages=(gate_stage(UPDATE, label="update", title="Update", text="It keeps."),),
    step_summary="At step {step} it leaks.",
    script_step="""\\
def step(weights, h, x):
    weight_ih, weight_hh, bias_ih, bias_hh = weights
    z, g = (x @ weight_ih.T + bias_ih + h @ weight_hh.T + bias_hh).chunk(2, dim=1)
    z = torch.sigmoid(z)
    return z * h + (1 - z) * torch.tanh(g)""",
    colour="slate",
)
'''

#: A new input: a ramp.
RAMP = '''
"""A ramp from 0 to 1."""

import torch

from lstm_explorer.core.inputs.kind import InputSource, Kind


def make(settings, rows):
    ramp = torch.linspace(0, 1, settings.sequence_length)
    return ramp[:, None, None].repeat(1, settings.batch_size, settings.features)


def script(settings, rows):
    return InputSource(
        f"inputs = torch.linspace(0, 1, {settings.sequence_length})[:, None, None]"
        f".repeat(1, {settings.batch_size}, {settings.features})"
    )


RAMP = Kind(name="ramp", title="a ramp", make=make, script=script)
'''

ASKED = """
import contextlib, io, torch
from pathlib import Path
from streamlit.testing.v1 import AppTest
import lstm_explorer as lx
from lstm_explorer.__main__ import main
from lstm_explorer.figures import plot_gradient_flow

sizes = {"sequence_length": 12, "hidden_size": 4, "num_layers": 2}
settings = lx.Settings(**sizes, dtype="float64", input_kind="ramp", update_bias=1)
assert lx.Settings.from_query(settings.to_query()) == settings
network, inputs = lx.build_network("leaky", settings), lx.make_inputs(settings).requires_grad_()
network(inputs)[0][-1].sum().backward()
flow = lx.gradient_flow(network, inputs)
assert torch.allclose(flow.log10_inputs, inputs.grad.norm(dim=-1).log10(), atol=1e-9)
printed = io.StringIO()
with contextlib.redirect_stdout(printed):
    exec(lx.to_script(settings, architecture="leaky"), {})
by_hand = torch.tensor([float(line.split()[1]) for line in printed.getvalue().splitlines()], dtype=torch.float64)
assert torch.allclose(by_hand, flow.log10_hidden[-1, :, 0], atol=1e-8), (by_hand, flow.log10_hidden[-1, :, 0])
assert lx.bias_map(settings, gate="update", biases=(0, 3), architecture="leaky").log10_hidden.shape == (2, 1, 13, 1)
assert lx.required_bias(lx.Settings(), lag=20, share=0.1, architecture="leaky").measured is not None
assert plot_gradient_flow(flow).data[0].name == "Leaky, hidden state"
assert main(["export", "--architecture", "leaky", "--input-kind", "ramp", "--out", "leaky.csv"]) == 0
assert "Leaky" in Path("leaky.csv").read_text()
for page, query in (("gradients", {"networks": "leaky", "input_kind": "ramp"}), ("biases", {"network": "leaky"})):
    at = AppTest.from_file("streamlit_app.py", default_timeout=120)
    at.switch_page(f"pages/{page}.py")
    at.query_params.update(query)
    at.run()
    assert not at.exception and not at.error and not at.warning, (page, at.error, at.warning)
    assert "Leaky" in " ".join(element.value for element in at.markdown)
print("everything is there")
"""


def in_line(path, old, new):
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """A copy of the app with a new architecture and a new input, each added as CONTRIBUTING.md says."""
    copy = tmp_path_factory.mktemp("house")
    ignored = shutil.ignore_patterns("__pycache__")
    for name in ("lstm_explorer", "pages", ".streamlit"):
        shutil.copytree(ROOT / name, copy / name, ignore=ignored)
    shutil.copy(ROOT / "streamlit_app.py", copy)
    core = copy / "lstm_explorer" / "core"
    (core / "architectures" / "leaky.py").write_text(LEAKY, encoding="utf-8")
    (core / "inputs" / "ramp.py").write_text(RAMP, encoding="utf-8")
    in_line(core / "settings.py", '"sunspots", "csv"]', '"sunspots", "csv", "ramp"]')
    in_line(core / "inputs" / "__init__.py", "SUNSPOTS, CSV)", "SUNSPOTS, CSV, RAMP)")
    in_line(
        core / "inputs" / "__init__.py",
        "from lstm_explorer.core.inputs.text",
        "from lstm_explorer.core.inputs.ramp import RAMP\nfrom lstm_explorer.core.inputs.text",
    )
    return copy


def test_a_new_architecture_and_a_new_input_are_everywhere(house):
    done = subprocess.run([sys.executable, "-c", ASKED], cwd=house, capture_output=True, text=True, timeout=280)
    assert "everything is there" in done.stdout, done.stderr[-3000:]


def test_the_recipes_name_the_files_that_are_touched():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    recipes = dict(re.findall(r"^### A new (\w[\w ]*)\n(.*?)(?=^##|\Z)", text, re.DOTALL | re.MULTILINE))
    kinds = {"architecture", "input", "task", "setting", "figure", "page", "chapter", "export format", "string"}
    assert set(recipes) == kinds
    for name, recipe in recipes.items():
        named = re.findall(r"`((?:lstm_explorer|tests|pages)/[\w/.<>]+)`", recipe)
        assert named, name
        for path in named:
            folder = re.sub(r"/[^/]*<.*", "", path)
            assert (ROOT / folder).exists(), f"{name}: {path}"
