"""Networks that learn: the data drawn are the runs', and the cursor moves nothing but itself and what it points at."""

import itertools

import numpy as np
import plotly.graph_objects as go
import pytest
from made_runs import KNOW_NOTHING, made_run

from lstm_explorer.figures.theme import theme_of
from lstm_explorer.figures.training import plot_training, training_spec

RUNS = [made_run("rnn", learns_at=None), made_run("lstm"), made_run("gru", learns_at=20)]


def traces(figure, kind, **where):
    return [one for one in figure.data if one.type == kind and all(getattr(one, k) == v for k, v in where.items())]


def test_each_network_has_a_map_with_a_column_per_measurement_and_a_row_per_lag():
    figure = plot_training(RUNS)
    maps = traces(figure, "heatmap")
    assert [one.name for one in maps] == ["RNN", "LSTM", "GRU"]
    for drawn, run in zip(maps, RUNS, strict=True):
        shares = run.ratios("cell" if drawn.name == "LSTM" else "hidden")[:, ::-1].T
        assert list(drawn.x) == list(run.steps)
        np.testing.assert_allclose(drawn.customdata, shares, rtol=1e-6)
        np.testing.assert_allclose(drawn.z, np.clip(shares, drawn.zmin, drawn.zmax), rtol=1e-6)


def test_full_colour_where_all_of_the_gradient_arrives():
    (drawn,) = traces(plot_training([made_run("gru")]), "heatmap")
    own = theme_of("light").networks["gru"]
    at_one = next(colour for place, colour in drawn.colorscale if drawn.zmin + place * (drawn.zmax - drawn.zmin) == 0)
    assert at_one.upper() == own


def test_the_loss_is_drawn_as_it_was_and_smoothed_with_the_level_of_knowing_nothing():
    figure = plot_training([RUNS[1]])
    raw, smooth, level = traces(figure, "scatter", xaxis="x")[:3]
    np.testing.assert_array_equal(raw.y, RUNS[1].loss)
    np.testing.assert_array_equal(smooth.y, RUNS[1].smooth_loss)
    assert set(level.y) == {KNOW_NOTHING}
    assert figure.layout.yaxis.type == "log"


def test_several_seeds_are_a_median_and_a_band():
    runs = [made_run("gru", learns_at=at, seed=seed) for seed, at in enumerate((10, 50, 90))]
    lower, upper, median = traces(plot_training(runs), "scatter", xaxis="x")[:3]
    assert upper.fill == "tonexty"
    np.testing.assert_array_equal(median.y, runs[1].smooth_loss)
    assert (lower.y <= median.y).all()
    assert (median.y <= upper.y).all()


def norms(**options):
    run = made_run("rnn", **options)
    run.gradient_norm[40:, 0] = 100.0
    return [one for one in plot_training([run]).data if one.xaxis == "x4" and one.name != "cursor"]


def test_the_norm_is_drawn_before_clipping_with_the_level_at_which_it_is_clipped():
    norm, level = norms(clip_at=1.5)
    assert max(norm.y) == 100
    assert (level.name, set(level.y)) == ("clipped above 1.5", {1.5})
    nothing = next(one for one in plot_training([made_run("rnn")]).data if one.name == "knowing nothing")
    assert level.line.dash != nothing.line.dash
    (alone,) = norms(clipping="none")
    assert max(alone.y) == 100
    before, after = norms(clipping="value")
    assert (max(before.y), max(after.y)) == (100, 1)


def test_a_network_without_gates_has_no_line_among_the_gates():
    alone = plot_training([RUNS[0]])
    assert "memory gate" not in " ".join(note.text for note in alone.layout.annotations)
    together = plot_training(RUNS)
    (gate,) = [note for note in together.layout.annotations if "memory gate" in note.text]
    assert gate.font.color == theme_of("light").text


@pytest.mark.parametrize("at", [0, 1, 57, 60, 100, None])
def test_the_cursor_stands_at_the_nearest_measurement_and_says_what_arrives_there(at):
    figure = plot_training(RUNS, at=at)
    stands = {100 if at is None else 5 * round(at / 5)}
    assert {x for one in figure.data if one.name == "cursor" for x in one.x} == stands
    words = [one.text[0] for one in figure.data if one.name == "arrives"]
    assert "lag 20" in words[0]
    assert ("1.0×10⁻¹⁰" in words[1]) == (stands < {60} or max(stands) < 60)
    assert figure.layout.sliders[0].active == max(stands) // 5


def test_every_frame_moves_cursor_words_and_curves_and_nothing_else():
    figure = plot_training(RUNS)
    moved = {figure.data[index].name for index in figure.frames[0].traces}
    assert moved == {"cursor", "arrives", "RNN", "LSTM", "GRU"}
    assert [frame.name for frame in figure.frames] == [str(step) for step in RUNS[0].steps]
    for frame in figure.frames:
        lines = [part for part in frame.data if part.x is not None and len(part.x) == 2]
        assert {x for part in lines for x in part.x} == {int(frame.name)}
        curves = frame.data[-3:]
        expected = RUNS[1].ratios("cell")[int(frame.name) // 5, ::-1]
        np.testing.assert_allclose(np.array(curves[1].y, float), expected, atol=0.006)
    assert [step.args[0][0] for step in figure.layout.sliders[0].steps] == [frame.name for frame in figure.frames]


def test_a_picture_that_is_redrawn_every_second_has_no_slider_and_no_frames():
    spec = training_spec([made_run(done=30)], playable=False)
    assert not spec["frames"]
    assert not spec["layout"]["sliders"]
    figure = go.Figure(spec)
    assert figure.layout.xaxis.range == (0, 100)  # the axis does not move while the run goes on


def test_nothing_that_arrives_is_blank_and_said_to_be_none():
    run = made_run("rnn")
    run.log10_ratios["hidden"][:, :5] = -np.inf
    figure = plot_training([run])
    (drawn,) = traces(figure, "heatmap")
    assert (np.asarray(drawn.z)[-5:] == drawn.zmin).all()
    assert "<b>0</b>" in next(one.text[0] for one in figure.data if one.name == "arrives")


def test_panels_do_not_overlap_and_use_the_height():
    figure = plot_training(RUNS)
    domains = sorted(tuple(figure.layout[f"yaxis{n if n > 1 else ''}"].domain) for n in range(1, 9))
    assert all(first[1] < second[0] for first, second in itertools.pairwise(domains))
    assert domains[0][0] == pytest.approx(0.0)
    assert domains[-1][1] == pytest.approx(1.0)


def test_nothing_to_draw_is_refused():
    with pytest.raises(ValueError, match="at least one run"):
        plot_training([])
