"""The first picture: the curves that its slider brings are those that the settings themselves would give."""

import numpy as np
import pytest

import lstm_explorer as lx
from lstm_explorer.core.gradients.summaries import summarise
from lstm_explorer.exhibits.journey import SLIDER_BIASES, journey
from lstm_explorer.exhibits.view import View
from lstm_explorer.runs.direct import DirectRunner


def made(**settings):
    return journey(DirectRunner(), lx.Settings(**settings), View())


def figure(**settings):
    return made(**settings).draw("light")


def shown_at(drawn, label):
    """Return what each trace shows when the slider stands at a label."""
    (frame,) = [one for one in drawn.frames if one.name == f"at {label}"]
    return {drawn.data[index].name: trace for index, trace in zip(frame.traces, frame.data, strict=True)}


@pytest.mark.parametrize("bias", [-1.0, 0.0, 5.0])
def test_a_position_of_the_slider_is_a_measurement_of_that_bias(bias):
    drawn = figure(sequence_length=60, forget_bias=2.5, num_seeds=3)
    shown = shown_at(drawn, f"{bias:g}")
    flow = lx.seed_flows(lx.Settings(sequence_length=60, forget_bias=bias, num_seeds=3), architecture="lstm")
    for name, quantity in (("LSTM", "cell"), ("LSTM, cell path alone", "cell_path")):
        np.testing.assert_allclose(shown[name].y, summarise(flow, quantity).median, atol=7e-3)
    theory = next(trace for name, trace in shown.items() if name.startswith("theory"))
    rate = float(lx.theory.log10_cell_path(bias, 1))
    np.testing.assert_allclose(theory.y, rate * (60 - np.array(theory.x)), atol=0.02)


def test_the_slider_stands_where_the_settings_are_also_between_its_own_positions():
    for bias in (2.5, 1.1, -5.0):
        slider = figure(sequence_length=20, forget_bias=bias).layout.sliders[0]
        assert slider.steps[slider.active].label == f"{bias:g}"
        assert len(slider.steps) == len(SLIDER_BIASES) + (bias not in SLIDER_BIASES)


@pytest.mark.parametrize(
    "settings",
    [{"recurrent_init": "chrono"}, {"sequence_length": 2000, "hidden_size": 64}],
    ids=["the bias is drawn", "too much work"],
)
def test_without_curves_for_it_there_is_no_slider(settings):
    assert not figure(**settings).layout.sliders


def test_all_positions_of_the_slider_share_the_frames():
    parts = [made(sequence_length=60, forget_bias=float(bias)).still for bias in SLIDER_BIASES]
    assert len({(part.job, part.options) for part in parts}) == 1
