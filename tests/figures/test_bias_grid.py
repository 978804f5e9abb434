"""Maps over two things: the reader's mark, the line of opposites, and an axis of lengths."""

import numpy as np

import lstm_explorer as lx
from lstm_explorer.figures.bias_grid import plot_bias_grid


def test_a_grid_of_two_gates_has_the_line_of_opposites_and_the_reader_s_mark():
    settings = lx.Settings(sequence_length=12)
    grid = lx.two_gate_map(settings, biases=((-2, 0, 3), (-4, 0, 1)), lag=12)
    figure = plot_bias_grid(grid, at=(0, 1))
    line, mark = figure.data[-2:]
    np.testing.assert_array_equal(np.asarray(line.x) + np.asarray(line.y), 0)
    assert (tuple(line.y), tuple(mark.x), tuple(mark.y)) == ((-1, 3), (1,), (0,))
    assert len(
        plot_bias_grid(lx.two_gate_map(settings, gates=("forget", "output"), biases=((0, 1), (0, 1)), lag=3)).data
    )


def test_lengths_stand_on_a_logarithmic_axis_under_their_own_numbers():
    grid = lx.length_map(lx.Settings(), biases=(0, 2), lengths=(10, 20, 100))
    axis = plot_bias_grid(grid, at=(0, 100)).layout.xaxis
    np.testing.assert_allclose(axis.tickvals, [1.0, np.log10(20), 2.0])
    assert list(axis.ticktext) == ["10", "20", "100"]


def test_the_first_rows_of_a_map_that_is_still_measured_are_drawn():
    for biases in ((-8.0,), (-8.0, -7.5)):
        grid = lx.two_gate_map(lx.Settings(sequence_length=9), biases=(biases, (0, 1)), lag=9)
        assert len(plot_bias_grid(grid).layout.images) == 1
