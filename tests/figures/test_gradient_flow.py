"""The figures hold the numbers of the results, name their axes, and wear one set of colours."""

import math

import numpy as np
import pytest

import lstm_explorer as lx
from lstm_explorer.core.gradients.summaries import summarise
from lstm_explorer.figures.axes import FLOAT32_FLOOR, FlowAxes
from lstm_explorer.figures.curves import Series, TheoryLine
from lstm_explorer.figures.gradient_flow import plot_gradient_flow
from lstm_explorer.figures.theme import THEMES
from lstm_explorer.figures.units import plot_unit_heatmap

SETTINGS = lx.Settings(sequence_length=40, num_seeds=4, hidden_size=8)


@pytest.fixture(scope="module")
def flows():
    return {name: lx.seed_flows(SETTINGS, architecture=name, units=True) for name in ("rnn", "lstm", "gru")}


def series(flow, quantity="hidden", **options):
    return Series(
        name=flow.architecture, network=flow.architecture, curve=summarise(flow, quantity, **options), style="solid"
    )


def trace(figure, name):
    (found,) = [one for one in figure.data if one.name == name]
    return found


def test_traces_are_the_medians_of_the_result(flows):
    figure = plot_gradient_flow([series(flows["rnn"]), series(flows["gru"])])
    for name in ("rnn", "gru"):
        norms = flows[name].log10_hidden[:, -1, :, 0].double().numpy()
        expected = np.quantile(norms - norms[:, -1:], 0.5, axis=0, method="nearest")
        np.testing.assert_array_equal(trace(figure, name).y, expected)
        np.testing.assert_array_equal(trace(figure, name).x, np.arange(41))


def test_the_band_is_between_the_quartiles(flows):
    figure = plot_gradient_flow([series(flows["rnn"])])
    curve = summarise(flows["rnn"])
    band = trace(figure, "rnn, quartiles")
    np.testing.assert_array_equal(band.y, np.concatenate([curve.upper, curve.lower[::-1]]))
    assert (curve.lower <= curve.median).all()
    assert (curve.median <= curve.upper).all()
    assert (curve.lower < curve.upper).any()


def test_lag_turns_the_time_axis_round(flows):
    figure = plot_gradient_flow([series(flows["lstm"])], axes=FlowAxes(against="lag"))
    np.testing.assert_array_equal(trace(figure, "lstm").x, np.arange(41)[::-1])
    assert "lag" in figure.layout.xaxis.title.text


def test_linear_axis_holds_the_norms_themselves(flows):
    curve = summarise(flows["gru"], relative=False)
    figure = plot_gradient_flow([series(flows["gru"], relative=False)], axes=FlowAxes(scale="linear"))
    np.testing.assert_allclose(trace(figure, "gru").y, 10.0**curve.median, rtol=1e-12)
    assert figure.layout.yaxis.title.text == "gradient norm ‖dL/dh<sub>t</sub>‖"


def test_theory_is_a_straight_line_through_one_at_the_last_step(flows):
    rate = math.log10(0.5)
    line = TheoryLine(name="half", log10_rate=rate, about=("rnn", "hidden"))
    drawn = trace(plot_gradient_flow([series(flows["rnn"])], theory=[line]), "half")
    np.testing.assert_allclose(drawn.y, rate * (40 - np.asarray(drawn.x)), rtol=1e-12)
    assert drawn.line.dash == "dash"
    assert line.half_life == pytest.approx(1.0)


def test_a_bare_flow_draws_everything_it_has(flows):
    names = [one.name for one in plot_gradient_flow(flows["lstm"]).data if one.showlegend is not False]
    assert names == ["LSTM, hidden state", "LSTM, cell state", "LSTM, cell path alone"]


def test_exact_zero_is_a_gap_that_is_explained():
    settings = lx.Settings(sequence_length=5, input_kind="zeros", nonlinearity="relu")
    figure = plot_gradient_flow([series(lx.seed_flows(settings, architecture="rnn"))])
    assert np.isnan(trace(figure, "rnn").y[:-1]).all()
    assert any("exactly 0" in (note.text or "") for note in figure.layout.annotations)


def test_float32_floor_is_marked_where_the_axis_reaches_it():
    deep = plot_gradient_flow([series(lx.seed_flows(lx.Settings(sequence_length=300), architecture="rnn"))])
    assert [shape.y0 for shape in deep.layout.shapes] == [FLOAT32_FLOOR]
    assert pytest.approx(math.log10(2**-126)) == FLOAT32_FLOOR
    assert not plot_gradient_flow([series(lx.seed_flows(SETTINGS, architecture="rnn"))]).layout.shapes


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_networks_keep_their_colours(flows, theme):
    figure = plot_gradient_flow([series(flow) for flow in flows.values()], theme=theme)
    for name in flows:
        assert trace(figure, name).line.color == THEMES[theme].networks[name]
    assert figure.layout.template.layout.paper_bgcolor == THEMES[theme].background


# --- refused --------------------------------------------------------------------------------------------------------


def test_nothing_to_draw_and_unknown_theme_are_refused(flows):
    with pytest.raises(ValueError, match="nothing to draw"):
        plot_gradient_flow([])
    with pytest.raises(ValueError, match="'sepia': expected 'light' or 'dark'"):
        plot_gradient_flow(flows["rnn"], theme="sepia")
    with pytest.raises(ValueError, match="units=True"):
        plot_unit_heatmap(lx.seed_flows(SETTINGS, architecture="rnn"))
