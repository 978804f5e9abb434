"""Train a network from Python, at once."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from lstm_explorer.core.inputs.kind import TableLike
from lstm_explorer.core.kinds import checks_kinds
from lstm_explorer.core.training.options import Training
from lstm_explorer.core.training.result import TrainingRun, join_runs
from lstm_explorer.core.training.task import HELD_OUT, Batch, Problem, Task
from lstm_explorer.core.training.tasks import TASKS
from lstm_explorer.core.training.trainer import Trainer

#: Optimizer steps between two reports of progress.
_BETWEEN_REPORTS = 20


@checks_kinds
def train(
    training: Training,
    *,
    table: TableLike | None = None,
    batches: Callable[[int], tuple[Tensor, Tensor]] | None = None,
    loss: Callable[[Tensor, Tensor], Tensor] | None = None,
    outputs: int = 1,
    progress: Callable[[int, int, float], object] | None = None,
) -> TrainingRun:
    r"""Train a real network, and measure on the way how much of the loss's gradient reaches every state.

    At step ``k`` the loss :math:`L_k` of batch ``k`` is differentiated by back-propagation through time, its gradient
    is clipped by PyTorch's own function, and the optimizer updates all weights. At ``training.measured_at`` the
    gradient of :math:`L_k` with respect to every hidden and cell state is measured, exact past the float range, before
    the update. Everything is drawn from the seed; the global random state is neither read nor changed.

    Args:
        training: The task, the network, and how it is trained.
        table: Rows of numbers for ``task="csv"``, as :func:`lstm_explorer.read_table` gives in ``values``.
        batches: A task of your own in place of ``training.task``: the number of an optimizer step -> inputs
            ``(T, B, features)`` and targets. The same number must give the same batch; 2^30 gives held-out data.
        loss: Its loss: ``(answers, targets)`` -> a scalar; answers are ``(T, B, outputs)``, one for every step. By
            default the mean squared error.
        outputs: Numbers of an answer of your own task.
        progress: Called every 20 optimizer steps with the steps done, their total, and the last loss.

    Returns:
        Losses, scores, gradients and gates of every measured moment, and the trained network.

    Raises:
        TypeError: An argument is of another kind.
        ValueError: A table is missing or does not suit the task, or a batch is not what was expected.

    Source:
        hochreiter1997, pascanu2013

    Example:
        >>> run = train(Training(architecture="gru", sequence_length=6, hidden_size=4, steps=3, measurements=3))
        >>> run.loss.shape, run.steps.tolist(), run.log10_hidden.shape
        ((3,), [0, 1, 2, 3], (4, 7))
    """
    if batches is None:
        task = TASKS[training.task]
        problem = task.posed(training, table)
    else:
        task, problem = _own(training, batches, loss, outputs)
    trainer, parts = Trainer(training, problem, task), []
    while trainer.step < training.steps:
        parts.append(trainer.advance(min(trainer.step + _BETWEEN_REPORTS, training.steps)))
        if progress is not None:
            progress(trainer.step, training.steps, float(parts[-1].loss[-1]))
    return join_runs(parts)


def _own(
    training: Training,
    batches: Callable[[int], tuple[Tensor, Tensor]],
    loss: Callable[[Tensor, Tensor], Tensor] | None,
    outputs: int,
) -> tuple[Task, Problem]:
    """Return a task of the reader's own, and its problem."""
    loss_of = loss or torch.nn.functional.mse_loss

    def batch(step: int) -> Batch:
        came = batches(step)
        if not (isinstance(came, tuple) and len(came) == 2 and all(isinstance(one, Tensor) for one in came)):
            raise TypeError(
                f"batches({step}) returned a {type(came).__name__}: expected (inputs, targets), two tensors."
            )
        if came[0].ndim != 3:
            raise ValueError(f"batches({step}) gave inputs {tuple(came[0].shape)}: expected (T, B, features).")
        return Batch(*came)

    held_out = batch(HELD_OUT)
    length, _samples, features = held_out.inputs.shape
    problem = Problem(
        features=features, outputs=outputs, length=length, lag=length, batch=batch, held_out=held_out,
        know_nothing=math.nan, chance=math.nan,
    )  # fmt: skip
    task = Task(
        name="own", title="", about="", lag_about="", loss="mse", reads="every", own_loss=loss_of,
        pose=lambda training, table: problem,
    )  # fmt: skip
    return task, problem
