"""When a run has learnt, and its table."""

import math

import numpy as np
import pytest

from lstm_explorer.core.training.options import Training
from lstm_explorer.core.training.result import COLUMNS, TrainingRun, join_runs
from lstm_explorer.core.training.run import train

RUN = train(Training(sequence_length=4, hidden_size=3, batch_size=2, steps=6, measurements=3, samples=2))


def with_losses(*losses, know_nothing=1.0):
    numbers = {name: getattr(RUN, name) for name in TrainingRun.__dataclass_fields__}
    return TrainingRun(**{**numbers, "loss": np.array(losses), "know_nothing": know_nothing})


@pytest.mark.parametrize(
    ("losses", "learnt"),
    [
        ([1.0] * 100, None),
        ([0.1] * 100, 0),
        ([0.5] * 100, None),  # half is not below half
        # 25 steps of 0 after 100 of 1: the mean of the last 25 is below one half from the 13th zero on.
        ([1.0] * 100 + [0.0] * 100, 112),
        # Up again for 20 steps (a mean of 20/25), down for good 13 steps after that.
        ([1.0] * 50 + [0.0] * 50 + [1.0] * 20 + [0.0] * 60, 50 + 50 + 20 + 12),
        ([1.0] * 50 + [0.0] * 50 + [1.0] * 2 + [0.0] * 60, 62),  # two bad steps are smoothed away
        ([1.0] * 50 + [0.0] * 100 + [1.0] * 30, None),  # forgotten at the end
        ([0.0] * 50 + [math.nan] * 10, None),
        ([math.inf] + [0.0] * 50, None),
    ],
)
def test_learnt_is_below_half_of_knowing_nothing_from_then_on(losses, learnt):
    assert with_losses(*losses).learnt_at == learnt


def test_a_task_without_a_line_is_never_said_to_be_learnt():
    assert with_losses(0.0, 0.0, know_nothing=math.nan).learnt_at is None


def test_the_smooth_loss_is_the_mean_of_the_last_25():
    losses = np.arange(60.0)
    smooth = with_losses(*losses).smooth_loss
    assert smooth[0] == 0.0
    assert smooth[10] == 5.0
    assert smooth[59] == pytest.approx(losses[35:].mean())


def test_the_table_holds_every_number():
    frame = RUN.to_frame()
    assert tuple(frame.columns) == COLUMNS
    assert frame.query("quantity == 'loss'")["value"].tolist() == RUN.loss.tolist()
    assert frame.query("quantity == 'held_out_error'")["optimizer_step"].tolist() == RUN.steps.tolist()
    assert frame.query("quantity == 'gradient_norm_clipped'")["value"].tolist() == RUN.gradient_norm[:, 1].tolist()
    gates = frame.query("quantity == 'memory_gate_upper_quartile'")["value"]
    assert gates.tolist() == RUN.forget_gate[:, 3].tolist()
    assert frame.query("quantity == 'loss'")["lag"].isna().all()
    for name in ("hidden", "cell", "cell_path"):
        for suffix, numbers in (("", getattr(RUN, f"log10_{name}")), ("_ratio", RUN.ratios(name))):
            rows = frame[frame["quantity"] == f"log10_{name}{suffix}"]
            wide = rows.pivot_table(index="optimizer_step", columns="lag", values="value").to_numpy()
            np.testing.assert_array_equal(wide[:, ::-1], numbers)
    assert set(frame["architecture"]) == {"lstm"}


def test_ratios_are_relative_to_the_last_step():
    for name in ("hidden", "cell"):
        np.testing.assert_array_equal(RUN.ratios(name)[:, -1], 0.0)
    with pytest.raises(ValueError, match="quantity is 'memory': expected one of 'hidden', 'cell', 'cell_path'"):
        RUN.ratios("memory")
    gru = train(Training(architecture="gru", sequence_length=4, hidden_size=3, batch_size=2, steps=1))
    with pytest.raises(ValueError, match="expected one of 'hidden', which the GRU has"):
        gru.ratios("cell")


def test_a_run_without_weights_says_so():
    numbers = {name: getattr(RUN, name) for name in TrainingRun.__dataclass_fields__}
    with pytest.raises(ValueError, match=r"this run has no weights, only its numbers: expected a run that lx\.train"):
        _ = TrainingRun(**{**numbers, "model": None}).network
    assert RUN.network is RUN.model.network


def test_one_piece_is_the_run():
    assert join_runs([RUN]) is RUN
