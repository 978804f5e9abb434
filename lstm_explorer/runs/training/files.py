"""A training run as files: its numbers as Parquet, its tensors as safetensors, written as a whole or not at all.

What is read back is bit for bit what was written. A file that is damaged, or not ours, is a ``ValueError``.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import platform
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import safetensors.torch
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from torch import Tensor

import lstm_explorer
from lstm_explorer.core.record import schema
from lstm_explorer.core.training.measuring import GATE_SUMMARY
from lstm_explorer.core.training.options import Training
from lstm_explorer.core.training.result import TrainingRun
from lstm_explorer.core.training.trainer import Carried

#: What the files are, and their version: raised when an older reader would misunderstand them.
FORMAT, FORMAT_VERSION = "lstm-explorer training", 1

#: Of a compact file: hundredths as whole numbers, of which the outermost stand for what is no number.
_HUNDREDTHS = 100.0
_GATES = tuple(f"memory_gate_{name.replace(' ', '_')}" for name in GATE_SUMMARY)
_PLAIN = ("know_nothing", "chance", "lag", "final_score")
_ROUNDED = "log10 values are stored in hundredths (the largest and the two smallest whole numbers of the column's type "
_ROUNDED += "are inf, -inf and NaN), all others as float32"


def write_file(path: Path, content: bytes) -> None:
    """Write a file as a whole: whoever reads it finds the old content or the new.

    Raises:
        OSError: It cannot be written, because the disk is full for instance; the old file is still there.
    """
    new = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        new.write_bytes(content)
        new.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            new.unlink()
        raise OSError(error.errno, os.strerror(error.errno or 0), str(path)) from error


def whole_query(training: Training) -> dict[str, str]:
    """Return every option of a training as text: a file must not change its meaning when a default does."""
    return {name: field.to_text(getattr(training, name)) for name, field in schema(Training).items()}


def training_from_query(query: Any) -> Training:
    """Return the record that a file holds, exactly.

    Raises:
        ValueError: It is of another version, or no record.
    """
    if not isinstance(query, dict) or not set(query) <= set(schema(Training)):
        raise ValueError("the file's settings are not of this version.")
    parsed = Training.parse_query({name: str(value) for name, value in query.items()})
    if parsed.corrections:
        raise ValueError(f"the file's settings are not legal: {parsed.corrections[0].name}.")
    return parsed.record


def versions() -> dict[str, str]:
    """Return the versions of what computed a run."""
    return {"lstm_explorer": lstm_explorer.__version__, "torch": torch.__version__, "numpy": np.__version__,
            "python": platform.python_version(), "machine": platform.machine()}  # fmt: skip


def run_to_bytes(run: TrainingRun, *, compact: bool = False) -> bytes:
    """Return the numbers of a run as one Parquet file.

    A row is an optimizer step; what is measured now and then, and its gradients over the states 0 to T, is null in the
    other rows. The schema's metadata, under ``lstm-explorer``, is JSON: settings, seed, versions, what one gets by
    knowing nothing.

    Args:
        run: The run, or as much of it as is done; its weights are not written.
        compact: Round log10 values to 0.01 and all others to float32.
    """
    about = {
        "format": FORMAT, "version": FORMAT_VERSION, "training": whole_query(run.training), "seed": run.training.seed,
        "versions": versions(), "references": dict(run.references), "length": run.log10_hidden.shape[1] - 1,
        "precision": _ROUNDED if compact else "full", **{name: getattr(run, name) for name in _PLAIN},
    }  # fmt: skip
    table = pa.table(dict(_columns(run, compact))).replace_schema_metadata({"lstm-explorer": json.dumps(about)})
    small = [f"{name}.list.element" for name in table.column_names if pa.types.is_list(table[name].type)]
    buffer = pa.BufferOutputStream()
    pq.write_table(
        table, buffer, compression="zstd", compression_level=15 if compact else 1, use_dictionary=False,
        write_statistics=False, column_encoding=dict.fromkeys(small, "DELTA_BINARY_PACKED") if compact else None,
    )  # fmt: skip
    return cast(bytes, buffer.getvalue().to_pybytes())


def run_from_bytes(content: bytes) -> TrainingRun:
    """Return the run whose numbers a file of :func:`run_to_bytes` holds, without a model.

    Raises:
        ValueError: The file is damaged, or not of a training run of this version.
    """
    with _no_other_errors("a training run"):
        table = pq.read_table(pa.BufferReader(content))
        about = json.loads((table.schema.metadata or {})[b"lstm-explorer"])
        if (about["format"], about["version"]) != (FORMAT, FORMAT_VERSION):
            raise ValueError("it is of another version.")
        return _run(table, about)


def _columns(run: TrainingRun, compact: bool) -> Iterator[tuple[str, pa.Array]]:
    rows = max(len(run.loss), int(run.steps[-1]) + 1 if len(run.steps) else 0)
    yield "optimizer_step", pa.array(np.arange(rows))
    kind = np.float32 if compact else np.float64
    done, measured = np.arange(len(run.loss)), run.steps
    scalars = {"loss": (done, run.loss), "gradient_norm": (done, run.gradient_norm[:, 0])}
    scalars |= {"gradient_norm_clipped": (done, run.gradient_norm[:, 1]), "score": (measured, run.score)}
    scalars |= {name: (measured, run.forget_gate[:, at]) for at, name in enumerate(_GATES)}
    for name, (steps, values) in scalars.items():
        there = np.zeros(rows, dtype=bool)
        there[steps] = True
        placed = np.zeros(rows, dtype=kind)
        placed[steps] = values
        yield name, pa.array(placed, mask=~there)
    offsets = np.zeros(rows + 1, dtype=np.int32)
    offsets[1:][there] = run.log10_hidden.shape[1]
    offsets = np.cumsum(offsets, dtype=np.int32)
    for name, ratios in run.log10_ratios.items():
        for key, values in ((f"log10_{name}", getattr(run, f"log10_{name}")), (f"log10_{name}_ratio", ratios)):
            flat = _hundredths(values.ravel()) if compact else values.ravel()
            yield key, pa.ListArray.from_arrays(pa.array(offsets), pa.array(flat), mask=pa.array(~there))


def _hundredths(values: NDArray[np.float64]) -> NDArray[Any]:
    """Return log10 values as whole numbers of the smallest type that holds them all."""
    finite = np.isfinite(values)
    whole = np.rint(np.where(finite, values, 0.0) * _HUNDREDTHS)
    kind: type[np.signedinteger[Any]] = np.int16 if np.abs(whole).max(initial=0) < 32_700 else np.int32
    limits = np.iinfo(kind)
    coded = whole.astype(kind)
    coded[values == np.inf], coded[values == -np.inf], coded[np.isnan(values)] = limits.max, limits.min, limits.min + 1
    return coded


def _from_hundredths(coded: NDArray[Any]) -> NDArray[np.float64]:
    if coded.dtype.kind == "f":
        return coded.astype(np.float64)
    limits, values = np.iinfo(coded.dtype), coded / _HUNDREDTHS
    for code, meant in ((limits.max, np.inf), (limits.min, -np.inf), (limits.min + 1, np.nan)):
        values[coded == code] = meant
    return values


def _run(table: pa.Table, about: Mapping[str, Any]) -> TrainingRun:
    there = {name: table[name].combine_chunks().drop_null() for name in table.column_names}

    def numbers(*names: str) -> NDArray[np.float64]:
        return np.stack([there[name].to_numpy().astype(np.float64) for name in names], axis=-1)

    def map_of(name: str) -> NDArray[np.float64] | None:
        if name not in there:
            return None
        values = there[name].flatten().to_numpy(zero_copy_only=False)
        return _from_hundredths(values).reshape(-1, int(about["length"]) + 1)

    steps = table["optimizer_step"].filter(table["score"].is_valid()).to_numpy()
    ratios = {name: map_of(f"log10_{name}_ratio") for name in ("hidden", "cell", "cell_path")}
    run = TrainingRun(
        training=training_from_query(about["training"]), loss=numbers("loss")[:, 0], steps=steps.astype(np.int64),
        gradient_norm=numbers("gradient_norm", "gradient_norm_clipped"), score=numbers("score")[:, 0],
        log10_hidden=cast(NDArray[np.float64], map_of("log10_hidden")), log10_cell=map_of("log10_cell"),
        log10_cell_path=map_of("log10_cell_path"), forget_gate=numbers(*_GATES),
        log10_ratios={name: values for name, values in ratios.items() if values is not None},
        references=dict(about["references"]), **{name: about[name] for name in _PLAIN},
    )  # fmt: skip
    if len(run.log10_hidden) != len(run.steps):
        raise ValueError("its columns do not fit.")
    return run


def until(run: TrainingRun, step: int) -> TrainingRun:
    """Return as much of a run as was done before an optimizer step; all of it at its last."""
    if step == run.training.steps:
        return run
    kept = run.steps < step
    maps: dict[str, Any] = {name: getattr(run, name) for name in ("log10_hidden", "log10_cell", "log10_cell_path")}
    return replace(
        run, loss=run.loss[:step], gradient_norm=run.gradient_norm[:step], steps=run.steps[kept],
        score=run.score[kept], forget_gate=run.forget_gate[kept], final_score=float("nan"),
        log10_ratios={name: values[kept] for name, values in run.log10_ratios.items()},
        **dict[str, Any]((name, None if values is None else values[kept]) for name, values in maps.items()),
    )  # fmt: skip


def tensors_to_bytes(tensors: Mapping[str, Tensor], about: Mapping[str, str] | None = None) -> bytes:
    """Return tensors, such as the weights of a model by their names, as one safetensors file.

    Args:
        tensors: Name to tensor.
        about: The file's metadata, texts by name.
    """
    whole = {name: tensor.detach().contiguous() for name, tensor in tensors.items()}
    return safetensors.torch.save(whole, metadata=dict(about or {}))


def state_dict_bytes(tensors: Mapping[str, Tensor]) -> bytes:
    """Return tensors as a file of PyTorch's own, which ``torch.load(path, weights_only=True)`` reads."""
    buffer = io.BytesIO()
    torch.save(dict(tensors), buffer)
    return buffer.getvalue()


def tensors_from_bytes(content: bytes) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Return the tensors of a safetensors file, and its metadata.

    Raises:
        ValueError: The file is damaged, or no safetensors file.
    """
    with _no_other_errors("weights"):
        tensors = {name: tensor.clone() for name, tensor in safetensors.torch.load(content).items()}
        header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
        return tensors, dict(header.get("__metadata__", {}))


def carried_to_bytes(carried: Carried, training: Training) -> bytes:
    """Return what a piece of a run passes on to the next as one safetensors file: weights, optimizer and step."""
    state: dict[str, dict[str, Any]] = {str(key): dict(one) for key, one in carried.optimizer["state"].items()}
    tensors = {f"weights/{name}": tensor for name, tensor in carried.weights.items()}
    for key, one in state.items():
        tensors |= {f"optimizer/{key}/{name}": value for name, value in one.items() if isinstance(value, Tensor)}
        state[key] = {name: value for name, value in one.items() if not isinstance(value, Tensor)}
    about = {
        "format": FORMAT, "version": FORMAT_VERSION, "training": whole_query(training), "step": carried.step,
        "lost": carried.lost, "param_groups": carried.optimizer["param_groups"], "state": state,
        "versions": versions(),
    }  # fmt: skip
    return tensors_to_bytes(tensors, {"lstm-explorer": json.dumps(about)})


def carried_from_bytes(content: bytes, training: Training) -> Carried:
    """Return what a file of :func:`carried_to_bytes` passes on, bit for bit.

    Args:
        content: The file.
        training: What is trained.

    Raises:
        ValueError: The file is damaged, or of another training.
    """
    tensors, metadata = tensors_from_bytes(content)
    with _no_other_errors("a training run to be resumed"):
        about = json.loads(metadata["lstm-explorer"])
        if (about["format"], about["version"]) != (FORMAT, FORMAT_VERSION):
            raise ValueError("it is of another version.")
        if training_from_query(about["training"]) != training:
            raise ValueError("it is of another training.")
        state: dict[int, dict[str, Any]] = {int(key): dict(one) for key, one in about["state"].items()}
        weights = {}
        for name, tensor in tensors.items():
            kind, _, rest = name.partition("/")
            if kind == "weights":
                weights[rest] = tensor
            else:
                key, _, rest = rest.partition("/")
                state[int(key)][rest] = tensor
        groups = [{name: _tuple(value) for name, value in one.items()} for one in about["param_groups"]]
        return Carried(int(about["step"]), weights, {"state": state, "param_groups": groups}, bool(about["lost"]))


def _tuple(value: Any) -> Any:
    """Return pairs of numbers such as Adam's betas, which JSON knows as lists only, as PyTorch has them."""
    return tuple(value) if isinstance(value, list) and all(isinstance(one, float) for one in value) else value


@contextlib.contextmanager
def _no_other_errors(what: str) -> Iterator[None]:
    """Turn whatever a damaged or foreign file leads to into a ValueError."""
    try:
        yield
    except (
        ValueError, KeyError, IndexError, TypeError, AttributeError, OverflowError, OSError, RecursionError,
        pa.ArrowException, SafetensorError,
    ) as error:  # fmt: skip
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise ValueError(f"this is no file of {what}, or it is damaged: {reason}") from error
