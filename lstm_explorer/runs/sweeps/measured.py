"""What a cell comes to: its job done in one go on one thread, and the result as rows of a table."""

from __future__ import annotations

import functools
import time
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch

from lstm_explorer.core.biases.maps import BiasMap
from lstm_explorer.core.escape import one_line
from lstm_explorer.core.gradients.result import GradientFlow
from lstm_explorer.core.gradients.summaries import Quantity, summarise
from lstm_explorer.core.training.result import TrainingRun
from lstm_explorer.runs.job import Job

Rows = list[dict[str, Any]]

#: Longest message that is kept of an error.
_LONGEST = 500
#: Points of a loss curve that are kept: a grid has many of them.
_POINTS = 60


class Measured(NamedTuple):
    """A cell's rows, how long it took, and what went wrong, if something did."""

    rows: Rows
    seconds: float
    error: str | None


def measured(job: Job[Any]) -> Measured:
    """Do a job whole, on one thread of PyTorch: another number of threads may round otherwise.

    An error is part of the answer: one cell that fails leaves the others alone.

    Args:
        job: What is done.
    """
    if torch.get_num_threads() != 1:
        torch.set_num_threads(1)
    began = time.perf_counter()
    try:
        result, _carried = job.piece(0, job.total)
        return Measured(rows_of(result), time.perf_counter() - began, None)
    except Exception as error:  # whatever it is, it belongs to this cell
        return failed(error, time.perf_counter() - began)


def failed(error: BaseException, seconds: float = 0.0) -> Measured:
    """Return what is kept of a cell that fails."""
    kind = "" if isinstance(error, ValueError) else f"{type(error).__name__}: "
    return Measured([], seconds, one_line(f"{kind}{error}".removesuffix(": "), _LONGEST))


@functools.singledispatch
def rows_of(result: Any) -> Rows:
    """Return a result as rows: a training run, shares of the gradient, a bias map, or what has a table of its own.

    Args:
        result: What a job gives.

    Raises:
        TypeError: It has no table.
    """
    if not callable(getattr(result, "to_frame", None)):
        raise TypeError(f"the job gives a {type(result).__name__}: expected one with a table, to_frame().")
    frame: pd.DataFrame = result.to_frame()
    return [{str(name): value for name, value in row.items()} for row in frame.to_dict("records")]


@rows_of.register
def _of_training(run: TrainingRun) -> Rows:
    """Return one row per gradient: what survives the task's lag before the first step, beside what training came to.

    The mean loss of the last 25 optimizer steps, evenly along the run, is ``loss_curve``, after ``loss_steps`` of them.
    """
    at = run.log10_hidden.shape[1] - 1 - run.lag
    steps = np.unique(np.linspace(1, len(run.loss), _POINTS).round().astype(int))
    outcome = {
        "learnt_at": run.learnt_at,
        "loss": float(run.smooth_loss[-1]),
        "score": run.final_score,
        "know_nothing": run.know_nothing,
        "loss_steps": steps.tolist(),
        "loss_curve": [float(f"{loss:.4g}") for loss in run.smooth_loss[steps - 1]],
    }
    return [
        {
            "quantity": name,
            "lag": run.lag,
            **outcome,
            "log10_share_before": float(run.ratios(name)[0, at]),
            "log10_share_after": float(run.ratios(name)[-1, at]),
        }
        for name in run.log10_ratios
    ]


@rows_of.register
def _of_flow(flow: GradientFlow) -> Rows:
    """Return one row per gradient: the share that arrives at the first step, its median and quartiles over replicas."""
    names: list[Quantity] = ["hidden", "cell", "cell_path"]
    curves = [summarise(flow, name) for name in names if getattr(flow, f"log10_{name}") is not None]
    return [
        {
            "quantity": curve.quantity,
            "lag": int(curve.steps[-1]),
            "log10_share": float(curve.median[0]),
            "log10_share_lower": float(curve.lower[0]),
            "log10_share_upper": float(curve.upper[0]),
        }
        for curve in curves
    ]


@rows_of.register
def _of_bias_map(found: BiasMap) -> Rows:
    """Return one row per gradient and bias: the share that arrives at the first step."""
    names: list[Any] = [name for name in ("hidden", "cell", "cell_path") if getattr(found, f"log10_{name}") is not None]
    return [
        {
            "quantity": name,
            "lag": found.log10_hidden.shape[2] - 1,
            f"{found.gate}_bias": bias,
            "log10_share": float(share),
        }
        for name in names
        for bias, share in zip(found.biases, found.ratios(name)[:, 0], strict=True)
    ]
