"""The maps of a gate's bias: their colours, contours and rows are the map's numbers, and closed forms where known."""

import numpy as np
import pytest
import torch

import lstm_explorer as lx
from lstm_explorer.core import theory
from lstm_explorer.figures.bias_map import plot_bias_map, row_of

BIASES = tuple(np.arange(-2.0, 6.01, 0.25).tolist())
STEPS = 60


def closed_map(gain=0.0):
    """A map whose every ratio is known: sigma(b)^k, times 10^(gain * k)."""
    lag = np.arange(STEPS + 1)
    log10 = theory.log10_cell_path(np.array(BIASES)[:, None], lag) + gain * lag
    norms = torch.from_numpy(log10[:, None, ::-1, None].copy())
    return lx.BiasMap(
        architecture="lstm", gate="forget", biases=BIASES, log10_hidden=norms, log10_cell=norms, log10_cell_path=norms
    )


def test_every_frame_is_a_row_of_the_map_with_its_closed_form():
    settings = lx.Settings(sequence_length=30, dtype="float64")
    measured = lx.bias_map(settings, biases=(-1.0, 0.5, 3.0))
    figure = plot_bias_map(measured, settings=settings, bias=0.4)
    lag = np.arange(31)
    assert figure.layout.sliders[0].active == 1
    for frame, bias in zip(figure.frames, measured.biases, strict=True):
        assert frame.name == f"{bias:g}"
        cursor, total, path, closed = (np.asarray(part.y, dtype=float) for part in frame.data)
        np.testing.assert_array_equal(cursor, [bias, bias])
        flow = lx.gradient_flow(lx.build_network("lstm", settings.replace(forget_bias=bias)), lx.make_inputs(settings))
        for drawn, norms in ((total, flow.log10_cell), (path, flow.log10_cell_path)):
            expected = (norms[-1, :, 0] - norms[-1, -1, 0]).numpy()[::-1]
            np.testing.assert_allclose(drawn, expected, atol=1e-5)
        np.testing.assert_allclose(closed, lag * theory.log10_cell_path(bias, 1), rtol=1e-6)
    moved = [figure.data[at] for at in figure.frames[0].traces]
    assert [np.asarray(trace.y).shape for trace in moved] == [(2,), (31,), (31,), (31,)]
    np.testing.assert_allclose(moved[1].y, figure.frames[1].data[1].y)  # at rest it shows the row it was asked for


@pytest.mark.parametrize("changes", [{"loss": "every"}, {"num_layers": 2}])
def test_there_is_no_closed_form_where_it_does_not_hold(changes):
    settings = lx.Settings(sequence_length=10, **changes)
    figure = plot_bias_map(lx.bias_map(settings, biases=(0, 1)), settings=settings)
    assert not any("σ" in (trace.name or "") for trace in figure.data)


def test_closed_form_of_another_gate_s_map_is_that_of_the_forget_bias():
    settings = lx.Settings(sequence_length=10, forget_bias=2.0)
    figure = plot_bias_map(lx.bias_map(settings, gate="input", biases=(-1, 1)), settings=settings)
    for frame in figure.frames:
        np.testing.assert_allclose(frame.data[-1].y, np.arange(11) * theory.log10_cell_path(2.0, 1), rtol=1e-6)


def test_what_is_pointed_at_is_the_map_s_own_number():
    measured = closed_map()
    figure = plot_bias_map(measured, settings=lx.Settings(), quantity="cell_path")
    pointed = next(trace for trace in figure.data if trace.type == "heatmap")
    np.testing.assert_allclose(pointed.z, measured.ratios("cell_path")[:, ::-1], rtol=1e-5)
    assert pointed.opacity == 0


def test_a_long_map_is_drawn_with_a_bounded_number_of_columns():
    settings = lx.Settings(sequence_length=1500, hidden_size=4)
    figure = plot_bias_map(lx.bias_map(settings, biases=(0, 1)), settings=settings)
    columns = np.asarray(next(trace for trace in figure.data if trace.type == "heatmap").x)
    assert len(columns) <= 161
    assert columns[-1] == 1500


def test_the_first_rows_of_a_map_that_is_still_measured_are_drawn():
    settings = lx.Settings(sequence_length=9)
    for biases in ((-8.0,), (-8.0, -7.5)):
        figure = plot_bias_map(lx.bias_map(settings, biases=biases), settings=settings)
        assert len(figure.frames) == len(biases)


def test_numbers_past_the_float_range_are_drawn():
    settings = lx.Settings(sequence_length=500, hidden_size=4)
    for bias in (-10.0, 100.0):
        figure = plot_bias_map(lx.bias_map(settings, biases=(bias - 1, bias)), settings=settings, theme="dark")
        assert np.isfinite(figure.layout.yaxis2.range).all()


def test_the_nearest_row_is_taken():
    assert [row_of((0.0, 1.0, 5.0), bias) for bias in (None, -3, 0.6, 4)] == [1, 0, 1, 2]


def test_unknown_quantity_and_theme_are_refused():
    measured = lx.bias_map(lx.Settings(sequence_length=5), biases=(0, 1), architecture="gru", gate="update")
    with pytest.raises(ValueError, match="quantity is 'cell'"):
        plot_bias_map(measured, settings=lx.Settings(), quantity="cell")
    with pytest.raises(ValueError, match="theme is 'blue'"):
        plot_bias_map(measured, settings=lx.Settings(), theme="blue")
