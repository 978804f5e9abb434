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
