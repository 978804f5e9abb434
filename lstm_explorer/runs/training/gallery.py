"""The runs that are shipped with the package: every preset's, so that the picture is there before anything is trained.

``lstm-explorer train --gallery lstm_explorer/data/gallery`` makes them anew.
"""

from __future__ import annotations

import functools
import hashlib
import json
import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from importlib import resources
from pathlib import Path

import torch
from torch import Tensor

from lstm_explorer.core.training.options import Training, TrainingOptions, trainings_of
from lstm_explorer.core.training.presets import PRESETS
from lstm_explorer.core.training.result import TrainingRun
from lstm_explorer.core.training.run import train
from lstm_explorer.runs.training.cost import seconds
from lstm_explorer.runs.training.files import (
    run_from_bytes,
    run_to_bytes,
    tensors_from_bytes,
    tensors_to_bytes,
    whole_query,
    write_file,
)

#: Presets of which every network is trained with several seeds, and those whose first seed's weights are shipped.
_SEVERAL_SEEDS, WITH_WEIGHTS = {"gated": 3}, ("gated", "digits")
_FOLDER = resources.files("lstm_explorer").joinpath("data", "gallery")


def find(training: Training) -> TrainingRun | None:
    """Return the shipped run of a training, without weights; None where there is none.

    Options that the network does not read make no difference; the run's own record has them at their defaults.

    Args:
        training: What would be trained.
    """
    return _find(training.essential())


def weights(training: Training) -> dict[str, Tensor] | None:
    """Return the weights that the shipped run of a training ended with; None where they are not shipped.

    Args:
        training: What would be trained.
    """
    path = _FOLDER.joinpath(f"{file_name(training.essential())}.safetensors")
    return tensors_from_bytes(path.read_bytes())[0] if path.is_file() else None


def file_name(training: Training) -> str:
    """Return the name of a run's files, without their ending."""
    query = json.dumps(training.to_query(), sort_keys=True)
    return f"{training.task}-{training.architecture}-{hashlib.sha256(query.encode()).hexdigest()[:12]}"


def trainings() -> dict[Training, bool]:
    """Return what the gallery holds, and whether its weights are shipped."""
    wanted: dict[Training, bool] = {}
    for name, preset in PRESETS.items():
        for training in trainings_of(TrainingOptions(**preset.changes), preset.networks):
            wanted[training] = wanted.get(training, False) or name in WITH_WEIGHTS
            for seed in range(1, _SEVERAL_SEEDS.get(name, 1)):
                wanted.setdefault(training.replace(seed=seed), False)
    return wanted


def make(
    folder: Path, *, processes: int = 2, wanted: dict[Training, bool] | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> None:  # fmt: skip
    """Train what the gallery holds and is not there yet, and remove what it does not hold any more.

    Args:
        folder: Where the files are written.
        processes: How many train at once.
        wanted: What it is to hold, and whether with weights; by default :func:`trainings`.
        progress: Called with the runs that are done and their total.
    """
    wanted = trainings() if wanted is None else wanted
    folder.mkdir(parents=True, exist_ok=True)
    names = {file_name(training) for training in wanted}
    for path in folder.iterdir():
        if path.suffix in (".parquet", ".safetensors") and path.stem not in names:
            path.unlink()
    missing = [(training, kept) for training, kept in wanted.items() if not _made(folder, training)]
    missing.sort(key=lambda one: -seconds(one[0]))  # the longest first: none is left alone at the end
    done = len(wanted) - len(missing)
    progress(done, len(wanted))
    # Spawned: a process that was forked beside PyTorch's threads may hang.
    with ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("spawn")) as pool:
        for _ in pool.map(_make_one, [folder] * len(missing), *zip(*missing, strict=True) if missing else ([], [])):
            done += 1
            progress(done, len(wanted))


def _made(folder: Path, training: Training) -> bool:
    path = folder / f"{file_name(training)}.parquet"
    return path.exists() and run_from_bytes(path.read_bytes()).training == training


def _make_one(folder: Path, training: Training, with_weights: bool) -> None:
    torch.set_num_threads(1)
    run = train(training)
    if with_weights and run.model is not None:
        content = tensors_to_bytes(run.model.state_dict(), {"training": json.dumps(whole_query(training))})
        write_file(folder / f"{file_name(training)}.safetensors", content)
    write_file(folder / f"{file_name(training)}.parquet", run_to_bytes(run, compact=True))


@functools.lru_cache(maxsize=32)
def _find(training: Training) -> TrainingRun | None:
    path = _FOLDER.joinpath(f"{file_name(training)}.parquet")
    if not path.is_file():
        return None
    run = run_from_bytes(path.read_bytes())
    return run if run.training == training else None
