"""The runs that travel with the package."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import lstm_explorer as lx
from lstm_explorer.core.training.options import TrainingOptions, trainings_of
from lstm_explorer.core.training.presets import PRESETS
from lstm_explorer.runs.training import gallery

SMALL = dict(sequence_length=6, hidden_size=4, batch_size=3, steps=8, measurements=4, samples=2)


def test_every_preset_is_held():
    held = gallery.trainings()
    for preset in PRESETS.values():
        assert set(trainings_of(TrainingOptions(**preset.changes), preset.networks)) <= held.keys()
    several = [one for one in held if one == lx.Training(architecture="gru", seed=one.seed)]
    assert sorted(one.seed for one in several) == [0, 1, 2]
    assert sum(held.values()) == 6


def test_what_is_made_is_found_by_its_record(tmp_path, monkeypatch):
    wanted = {lx.Training(architecture="rnn", **SMALL): False, lx.Training(architecture="lstm", **SMALL): True}
    (tmp_path / "old.parquet").write_bytes(b"")
    (tmp_path / "README.md").write_bytes(b"")
    monkeypatch.setattr(gallery, "ProcessPoolExecutor", Here)
    done = []
    gallery.make(tmp_path, wanted=wanted, progress=lambda *numbers: done.append(numbers))
    assert done == [(0, 2), (1, 2), (2, 2)]
    assert len(list(tmp_path.iterdir())) == 4
    monkeypatch.setattr(gallery, "_FOLDER", tmp_path)
    gallery._find.cache_clear()
    for training, kept in wanted.items():
        run, found = lx.train(training), gallery.find(training)
        np.testing.assert_allclose(found.log10_hidden, run.log10_hidden, atol=0.005001)
        assert found is gallery.find(training)
        weights = gallery.weights(training)
        assert (weights is not None) == kept
        assert weights is None or all(torch.equal(weights[name], one) for name, one in run.model.state_dict().items())
    assert gallery.find(lx.Training(architecture="rnn", forget_bias=2, **SMALL)).training in wanted
    assert gallery.find(lx.Training(architecture="lstm", forget_bias=2, **SMALL)) is None
    gallery.make(tmp_path, wanted=wanted, progress=lambda *numbers: done.append(numbers))
    assert done[3:] == [(2, 2)]
    gallery._find.cache_clear()


class Here:
    """Does at once what a pool would."""

    def __init__(self, *arguments, **options):
        pass

    def __enter__(self):
        return self

    def __exit__(self, *error):
        pass

    map = staticmethod(map)


@pytest.mark.parametrize("training", gallery.trainings(), ids=gallery.file_name)
def test_what_is_shipped_is_whole(training):
    run = gallery.find(training)
    assert run is not None
    assert len(run.loss) == training.steps
    assert tuple(run.steps) == training.measured_at or np.isnan(run.loss[-1])


def test_the_gallery_is_small():
    files = [path for path in gallery._FOLDER.iterdir() if path.suffix in (".parquet", ".safetensors")]
    assert sum(path.stat().st_size for path in files) < 1_500_000
    assert {path.stem for path in files} == set(map(gallery.file_name, gallery.trainings()))


def runs_of(code, **options):
    preset = PRESETS[code]
    trainings = trainings_of(TrainingOptions(**{**preset.changes, **options}), preset.networks)
    return {training.architecture: gallery.find(training) for training in trainings}


def arriving(run, step):
    """Return log10 of what reached the lag that the task needs at the last measurement up to a step."""
    quantity = "cell" if run.training.architecture == "lstm" else "hidden"
    row = int(np.searchsorted(run.steps, step, side="right")) - 1
    return run.ratios(quantity)[row, ::-1][min(run.lag, run.log10_hidden.shape[1] - 1)]


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_over_80_steps_the_plain_rnn_knows_nothing_and_the_gru_learns(seed):
    runs = runs_of("gated", seed=seed)
    assert runs["rnn"].learnt_at is None
    assert runs["rnn"].smooth_loss[200:].min() > 0.75 * runs["rnn"].know_nothing
    assert runs["gru"].learnt_at < 400
    assert arriving(runs["gru"], 0) < -10
    assert arriving(runs["gru"], 1000) > -1


def test_the_lstm_learns_when_its_gradient_arrives():
    run = runs_of("gated")["lstm"]
    assert 800 < run.learnt_at < 950
    assert arriving(run, run.learnt_at - 120) < -10
    assert arriving(run, run.learnt_at + 100) > -0.5


def test_a_larger_forget_bias_starts_open_closes_and_learns_no_earlier():
    run = runs_of("bias")["lstm"]
    assert arriving(run, 0) > 0
    assert min(arriving(run, step) for step in range(0, 600, 10)) < -2
    assert run.learnt_at > 0.9 * runs_of("gated")["lstm"].learnt_at


def test_the_other_presets_show_what_their_notes_say():
    assert all(run.learnt_at is not None for run in runs_of("both").values())
    assert {name for name, run in runs_of("long").items() if run.learnt_at is not None} == {"gru"}
    explodes, clipped = runs_of("explodes")["rnn"], runs_of("clipped")["rnn"]
    assert explodes.loss.max() > 1000
    assert np.isneginf(arriving(explodes, explodes.training.steps))
    assert clipped.learnt_at is not None
    for run in runs_of("truncated").values():
        assert run.learnt_at is None
        assert np.isneginf(run.log10_hidden[:, :-11]).all()
    scores = {code: {name: run.final_score for name, run in runs_of(code).items()} for code in ("digits", "blanks")}
    assert min(scores["digits"].values()) > 0.7
    assert [name for name, score in scores["blanks"].items() if score > 0.4] == ["gru"]


@pytest.mark.parametrize("architecture", ["rnn", "lstm", "gru"])
def test_running_it_again_gives_the_losses_that_are_shipped(architecture):
    training = lx.Training(architecture=architecture, sequence_length=10, steps=600)
    again = lx.train(training.replace(steps=15, measurements=1))
    np.testing.assert_allclose(gallery.find(training).loss[:15], again.loss, rtol=1e-4)
