"""The surface of a map: its colours and contours are the map's numbers."""

import base64
import io

import numpy as np
import torch
from PIL import Image

import lstm_explorer as lx
from lstm_explorer.core import theory
from lstm_explorer.figures.bias_map import plot_bias_map
from lstm_explorer.figures.surface import levels
from lstm_explorer.figures.theme import THEMES

BIASES = tuple(np.arange(-2.0, 6.01, 0.25).tolist())


LIGHT = THEMES["light"]


STEPS = 60


def closed_map(gain=0.0):
    """A map whose every ratio is known: sigma(b)^k, times 10^(gain * k)."""
    lag = np.arange(STEPS + 1)
    log10 = theory.log10_cell_path(np.array(BIASES)[:, None], lag) + gain * lag
    norms = torch.from_numpy(log10[:, None, ::-1, None].copy())
    return lx.BiasMap(
        architecture="lstm", gate="forget", biases=BIASES, log10_hidden=norms, log10_cell=norms, log10_cell_path=norms
    )


def pixels(figure):
    source = figure.layout.images[0].source.partition(",")[2]
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(source))))[::-1].astype(int)  # row 0 is the lowest bias


def rgb(colour):
    return np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)])


def test_contours_run_where_the_ratio_has_that_value():
    figure = plot_bias_map(closed_map(), settings=lx.Settings())
    drawn = {trace.name: trace for trace in figure.data if trace.name}
    for level in levels():
        trace = drawn[level.name]
        lag, bias = np.asarray(trace.x, dtype=float), np.asarray(trace.y, dtype=float)
        there = np.isfinite(lag)
        assert there.any() == (level.log10 < 0)  # nothing explodes on this map
        # A contour is a chain of straight pieces between the map's own points: exact where it crosses a grid line.
        on_grid = there & (np.isin(bias, BIASES) | np.isin(lag, np.arange(STEPS + 1)))
        wanted = lag[on_grid] * theory.log10_cell_path(bias[on_grid], 1)
        np.testing.assert_allclose(wanted, level.log10, rtol=0.03)


def test_colours_are_full_where_all_survives_blank_where_nothing_does_and_another_hue_where_more_does():
    image = pixels(plot_bias_map(closed_map(), settings=lx.Settings()))
    full = rgb(LIGHT.networks["lstm"])
    np.testing.assert_allclose(image[:, 0], np.tile(full, (len(image), 1)), atol=3)  # lag 0: all of it
    assert np.abs(image[0, -1] - full).sum() > 200  # b = -2 after 60 steps
    exploding = pixels(plot_bias_map(closed_map(gain=0.1), settings=lx.Settings()))
    np.testing.assert_allclose(exploding[-1, -1], rgb(LIGHT.explosion), atol=3)
