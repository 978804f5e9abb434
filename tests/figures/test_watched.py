"""A watched training as maps: the data drawn are the numbers that were measured."""

import numpy as np
import pytest
import torch
from torch import nn

import lstm_explorer as lx
from lstm_explorer.figures import plot_training, plot_watched
from lstm_explorer.figures.theme import theme_of


@pytest.fixture(scope="module")
def watched():
    torch.manual_seed(0)
    model = nn.ModuleDict({"a": nn.LSTM(2, 4), "b": nn.GRU(2, 3, bidirectional=True)})
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with lx.watch(model, every=3) as watched:
        for _ in range(4):
            inputs = torch.randn(5, 2, 2)
            (model["a"](inputs)[0][-1].sum() + model["b"](inputs)[1].sum()).backward()
            optimizer.step()
    return watched


def test_each_network_and_direction_has_a_map_of_its_shares(watched):
    figure = plot_watched(watched)
    expected = [*watched.shares("a").values(), *watched.shares("b").values()]
    assert len(figure.data) == len(expected) == 3
    for drawn, (steps, shares) in zip(figure.data, expected, strict=True):
        assert list(drawn.x) == list(steps) == [0, 3]
        assert list(drawn.y) == list(range(6))
        np.testing.assert_allclose(drawn.customdata, shares.T, rtol=1e-6)
        np.testing.assert_allclose(drawn.z, np.clip(shares.T, drawn.zmin, drawn.zmax), rtol=1e-6)
    assert [one.text.split(":")[0] for one in figure.layout.annotations] == [
        "<b>a, LSTM</b>", "<b>b, GRU, forward</b>", "<b>b, GRU, backward</b>",
    ]  # fmt: skip
    assert figure.layout.yaxis3.title.text == "lag"
    assert figure.layout.xaxis3.title.text == "optimizer step"


def test_one_network_another_gradient_and_the_dark(watched):
    (drawn,) = plot_watched(watched, "a", quantity="cell_path", theme="dark").data
    np.testing.assert_allclose(drawn.customdata, watched.shares("a", "cell_path")[""][1].T, rtol=1e-6)
    own = theme_of("dark").networks["lstm"]
    assert own in [colour.upper() for _, colour in drawn.colorscale]
    assert len(plot_watched(watched, quantity="cell").data) == 1  # the GRU has none


def test_the_function_of_trainings_draws_the_same(watched):
    assert plot_training(watched, theme="dark") == plot_watched(watched, theme="dark")


def test_what_is_not_there_is_refused(watched):
    with pytest.raises(ValueError, match="nothing to draw: expected at least one measurement"):
        plot_watched(lx.watch(nn.LSTM(2, 3)))
    with pytest.raises(ValueError, match="module is 'c': expected one of 'a', 'b'"):
        plot_watched(watched, "c")
    with pytest.raises(ValueError, match="quantity is 'cell': expected one of 'hidden', which b has"):
        plot_watched(watched, "b", quantity="cell")
