"""No dead control: what a page leaves enabled changes a number or a note, and what changes nothing says why."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from streamlit.testing.v1 import AppTest

import lstm_explorer as lx
from lstm_explorer.core.architectures import ARCHITECTURES
from lstm_explorer.core.reading import unread
from lstm_explorer.core.record import schema
from lstm_explorer.core.settings import Settings
from lstm_explorer.runs.direct import DirectRunner
from lstm_explorer.runs.experiment import Experiment
from lstm_explorer.runs.measurements import Flow
from lstm_explorer.ui.presets import preset_options

ENTRY = Path(__file__).resolve().parents[2] / "streamlit_app.py"
SMALL = lx.Settings(sequence_length=8, hidden_size=4, input_size=3)
OTHERS = {
    "sequence_length": 6, "hidden_size": 5, "input_size": 4, "num_layers": 2, "batch_size": 2, "seed": 5,
    "num_seeds": 2, "dtype": "float64", "loss": "every", "nonlinearity": "relu", "recurrent_init": "chrono",
    "recurrent_gain": 1.7, "chrono_max": 50, "input_kind": "sine", "input_scale": 2.0, "text": "hello over there",
    "digit": 7, "input_bias": 1.25, "forget_bias": 1.25, "candidate_bias": 1.25, "output_bias": 1.25,
    "reset_bias": 1.25, "update_bias": 1.25,
}  # fmt: skip
#: Changes nothing by design; the lab says so beneath it (tests/pages/test_gradients.py).
SAID_ELSEWHERE = {"split_biases", "recurrent_init"}


def measured(architecture, settings):
    flow = DirectRunner().run(Flow(experiment=Experiment(architecture=architecture, settings=settings)))
    return [getattr(flow, name).double() for name in ("log10_hidden", "log10_inputs")]


def alike(some, others):
    return all(
        one.shape == other.shape and torch.allclose(one, other, atol=1e-5, equal_nan=True)
        for one, other in zip(some, others, strict=True)
    )


def opened(page, **query):
    at = AppTest.from_file(str(ENTRY), default_timeout=60)
    at.switch_page(f"pages/{page}.py")
    at.query_params.update(query)
    for folded in ("weights", "input"):
        at.session_state[f"{folded}_settings_open"] = True
    return at.run()


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("kind", ["noise", "zeros", "text", "digit"])
def test_a_setting_that_counts_as_read_changes_the_numbers_and_no_other_does(architecture, kind):
    assert set(OTHERS) | SAID_ELSEWHERE == set(schema(Settings))
    for code in ("pytorch", "chrono"):
        changes = preset_options(SMALL)[code][1]
        settings = SMALL.replace(input_kind=kind, **changes)
        before = measured(architecture, settings)
        for name in OTHERS.keys() - SAID_ELSEWHERE:
            if getattr(settings, name) == OTHERS[name]:
                continue
            after = measured(architecture, settings.replace(**{name: OTHERS[name]}))
            assert alike(before, after) == (name in unread(architecture, settings)), (name, changes)


@pytest.mark.parametrize(
    ("page", "name", "query"),
    [
        ("start", "forget_bias", {"recurrent_init": "chrono"}),
        ("inside", "forget_bias", {"recurrent_init": "chrono"}),
        ("inside", "input_bias", {"recurrent_init": "chrono"}),
        ("inside", "input_scale", {"input_kind": "zeros"}),
        ("gradients", "input_scale", {"input_kind": "zeros"}),
        ("biases", "memory", {"topic": "paths"}),
    ],
)
def test_what_changes_nothing_is_disabled_and_says_why(page, name, query):
    at = opened(page, **query)
    captions = [caption.value for caption in at.caption]
    assert at.slider(key=name).disabled
    assert any(text.startswith(("Chrono draws this bias", "Zeros are zeros", "For the map over")) for text in captions)
    assert not at.slider(key="recurrent_gain" if page != "biases" else "forget_bias").disabled


def test_both_vectors_and_a_chrono_without_gates_are_noted():
    captions = [caption.value for caption in opened("gradients", split_biases="1").caption]
    assert any("computes the same as before" in text for text in captions)
    captions = [caption.value for caption in opened("gradients", recurrent_init="chrono", networks="rnn").caption]
    assert any("no network here has one" in text for text in captions)
