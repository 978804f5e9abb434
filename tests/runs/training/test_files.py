"""Files of training runs: what is read back is what was written, and nothing else is taken for it."""

from __future__ import annotations

import dataclasses
import json
import math
import resource

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

import lstm_explorer as lx
from lstm_explorer.core.training.tasks import TASKS
from lstm_explorer.core.training.trainer import Trainer
from lstm_explorer.runs.training import files

SMALL = dict(sequence_length=6, hidden_size=4, batch_size=3, steps=8, measurements=4, samples=2)


def trainer_of(training, carried=None):
    task = TASKS[training.task]
    return Trainer(training, task.pose(training, None), task, carried)


def assert_same(run, other, **tolerance):
    for field in dataclasses.fields(lx.TrainingRun):
        ours, theirs = getattr(run, field.name), getattr(other, field.name)
        if field.name == "log10_ratios":
            assert list(ours) == list(theirs)
            for name in ours:
                np.testing.assert_allclose(ours[name], theirs[name], **(tolerance or {"rtol": 0}))
        elif isinstance(theirs, np.ndarray):
            assert (ours.dtype, ours.shape) == (theirs.dtype, theirs.shape)
            np.testing.assert_allclose(ours, theirs, **(tolerance or {"rtol": 0}))
        elif field.name != "model":
            assert ours == theirs or (math.isnan(ours) and math.isnan(theirs))


@pytest.mark.parametrize("architecture", ["rnn", "lstm", "gru"])
def test_a_run_reads_back_bit_for_bit(architecture):
    run = lx.train(lx.Training(architecture=architecture, **SMALL))
    back = files.run_from_bytes(files.run_to_bytes(run))
    assert back.model is None
    assert_same(back, run)


def test_a_part_of_a_run_reads_back_and_before_the_first_step_too():
    trainer = trainer_of(lx.Training(**SMALL))
    for last in (0, 1, 5):
        part = trainer.advance(last)
        assert_same(files.run_from_bytes(files.run_to_bytes(part)), part)


def test_what_is_no_number_reads_back_and_far_past_the_range_of_floats():
    run = lx.train(lx.Training(**SMALL))
    run.log10_hidden[0, :4] = -np.inf, np.inf, np.nan, -1234.567
    run.loss[2] = np.nan
    assert_same(files.run_from_bytes(files.run_to_bytes(run)), run)
    back = files.run_from_bytes(files.run_to_bytes(run, compact=True))
    assert_same(back, run, rtol=1e-6, atol=0.005001)
    assert back.log10_hidden[0, 3] == -1234.57


def test_the_compact_file_says_what_was_rounded_and_is_smaller():
    run = lx.train(lx.Training(**SMALL | {"steps": 60, "measurements": 60, "sequence_length": 40}))
    compact = files.run_to_bytes(run, compact=True)
    assert len(compact) < len(files.run_to_bytes(run)) / 2
    about = json.loads(pq.read_schema(pa.BufferReader(compact)).metadata[b"lstm-explorer"])
    assert "hundredths" in about["precision"]
    assert about["seed"] == 0
    assert about["versions"]["torch"] == torch.__version__
    assert about["training"] == files.whole_query(run.training)


def test_any_reader_of_parquet_understands_the_file(tmp_path):
    run = lx.train(lx.Training(**SMALL))
    files.write_file(tmp_path / "run.parquet", files.run_to_bytes(run))
    frame = pq.read_table(tmp_path / "run.parquet").to_pandas()
    assert frame["loss"].dropna().tolist() == run.loss.tolist()
    measured = frame[frame["score"].notna()]
    assert measured["optimizer_step"].tolist() == run.steps.tolist()
    assert np.array_equal(np.stack(measured["log10_hidden"]), run.log10_hidden)


@pytest.mark.parametrize("optimizer", ["adam", "adamw", "sgd", "rmsprop"])
@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_a_run_resumed_from_a_file_is_the_run_at_once(optimizer, momentum):
    training = lx.Training(optimizer=optimizer, momentum=momentum, **SMALL)
    begun = trainer_of(training)
    first = begun.advance(5)
    carried = begun.carried()
    back = files.carried_from_bytes(files.carried_to_bytes(carried, training), training)
    assert back.optimizer["param_groups"] == carried.optimizer["param_groups"]
    assert back.optimizer["state"].keys() == carried.optimizer["state"].keys()
    resumed = trainer_of(training, back)
    joined = lx.core.training.result.join_runs([first, resumed.advance(8)])
    whole = lx.train(training)
    assert_same(joined, whole)
    for name, tensor in whole.model.state_dict().items():
        assert torch.equal(tensor, resumed.model.state_dict()[name])


def test_until_is_what_was_done_by_then():
    trainer = trainer_of(lx.Training(**SMALL))
    first = trainer.advance(5)
    whole = lx.core.training.result.join_runs([first, trainer.advance(8)])
    assert_same(files.until(whole, 5), first)
    assert files.until(whole, 8) is whole


def broken(content):
    """Yield a file cut short, with a hole, with other bytes, and files of others."""
    yield from (b"", b"PAR1", content[: len(content) // 2], b"[]" * 200, content[:-3])
    yield content[:20] + bytes(40) + content[60:]
    yield files.tensors_to_bytes({"weight": torch.zeros(3)})
    other = pa.BufferOutputStream()
    pq.write_table(pa.table({"loss": [1.0]}), other)
    yield other.getvalue().to_pybytes()
    for about in ('{"format": 3}', "[]", "7", "no json"):
        other = pa.BufferOutputStream()
        pq.write_table(pa.table({"loss": [1.0]}).replace_schema_metadata({"lstm-explorer": about}), other)
        yield other.getvalue().to_pybytes()


def test_damaged_and_foreign_files_are_refused():
    training = lx.Training(**SMALL)
    run = lx.train(training)
    for content in broken(files.run_to_bytes(run)):
        with pytest.raises(ValueError, match="damaged"):
            files.run_from_bytes(content)
    trainer = trainer_of(training)
    trainer.advance(2)
    for content in broken(files.carried_to_bytes(trainer.carried(), training)):
        with pytest.raises(ValueError, match="damaged"):
            files.carried_from_bytes(content, training)


def test_what_belongs_to_another_training_is_refused():
    training = lx.Training(**SMALL)
    content = files.carried_to_bytes(trainer_of(training).carried(), training)
    with pytest.raises(ValueError, match="of another training"):
        files.carried_from_bytes(content, training.replace(seed=1))
    for query in ({"seed": "x"}, {"future_option": "1"}, []):
        with pytest.raises(ValueError, match="settings are not"):
            files.training_from_query(query)


def test_a_full_disk_leaves_the_old_file(tmp_path):
    path = tmp_path / "run.parquet"
    files.write_file(path, b"old")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        with pytest.raises(OSError, match=r"run\.parquet"):
            files.write_file(path, bytes(2000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_keeps_its_meaning_when_a_default_changes(monkeypatch):
    training = lx.Training(seed=3, text="e = mc²")
    query = files.whole_query(training)
    assert query["steps"] == str(lx.Training().steps)
    assert files.training_from_query(query) == training
    assert files.training_from_query(query | {"steps": "1500"}).steps == 1500
