"""Time of a training step beside the plain PyTorch loop, and of the measuring beside the whole run, in one run.

Run from the root of the repository::

    OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python -m benchmarks.bench_training

Both sides alternate inside one process and one torch thread, some optimizer steps each; what counts is the ratio of
processor time, which a busy machine leaves alone. The plain loop is what one writes by hand: the same module, linear
layer, optimizer, clipping and batches, and ``loss.item()`` for a curve. The minimal networks, which PyTorch does not
have, are unrolled in it step by step.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import torch
from torch import Tensor, nn

import lstm_explorer as lx
from lstm_explorer.core.architectures import ARCHITECTURES, Parameters
from lstm_explorer.core.training.model import Model
from lstm_explorer.core.training.task import Problem
from lstm_explorer.core.training.tasks import TASKS
from lstm_explorer.core.training.trainer import Trainer

#: Optimizer steps that each side does before it is the other's turn, and how many turns there are.
STEPS, ROUNDS = 10, 9
CASES = [
    {"sequence_length": 80},
    {"sequence_length": 50, "batch_size": 32, "hidden_size": 32},
    {"sequence_length": 20, "clipping": "value"},
]


def plain_loop(training: lx.Training, problem: Problem) -> Callable[[], object]:
    """Return a call that does some optimizer steps as one writes them by hand."""
    model = Model(training, problem.features, problem.outputs, "last")
    module, head = model.network, model.head
    parameters = list(model.parameters())
    optimizer, done, losses = torch.optim.Adam(parameters, lr=training.learning_rate), iter(range(10**9)), []
    record = ARCHITECTURES[training.architecture]

    def last_hidden(inputs: Tensor) -> Tensor:
        if record.fused:
            return module(inputs)[0][-1]
        weights = Parameters(*module.all_weights[0])
        h = inputs.new_zeros(inputs.shape[1], training.hidden_size)
        for x in inputs:
            h, _ = record.step(weights, h, x)
        return h

    def steps() -> None:
        for _ in range(STEPS):
            inputs, targets, _ = problem.batch(next(done))
            optimizer.zero_grad()
            loss = nn.functional.mse_loss(head(last_hidden(inputs)), targets)
            loss.backward()
            if training.clipping == "norm":
                nn.utils.clip_grad_norm_(parameters, training.clip_at)
            else:
                nn.utils.clip_grad_value_(parameters, training.clip_at)
            optimizer.step()
            losses.append(loss.item())

    return steps


def ours(training: lx.Training, problem: Problem) -> Callable[[], object]:
    """Return a call that does some optimizer steps of a run that is not measured on the way."""
    trainer = Trainer(training.replace(steps=10**6, measurements=1), problem, TASKS[training.task])
    trainer.advance(1)  # the first step is measured
    return lambda: trainer.advance(trainer.step + STEPS)


def ratio(training: lx.Training) -> tuple[float, float, float]:
    """Return milliseconds a step of the plain loop and of ours, and the median of the rounds' ratios."""
    problem = TASKS[training.task].posed(training)
    calls = [plain_loop(training, problem), ours(training, problem)]
    for call in calls:
        call()
    rounds: list[list[float]] = []
    for turn in range(ROUNDS):
        seconds = [0.0, 0.0]
        for side in (0, 1) if turn % 2 else (1, 0):
            start = time.process_time()
            calls[side]()
            seconds[side] = time.process_time() - start
        rounds.append(seconds)
    plain, own = (1000 * statistics.median(side) / STEPS for side in zip(*rounds, strict=True))
    return plain, own, statistics.median(own / plain for plain, own in rounds)


def measuring(training: lx.Training) -> tuple[float, float]:
    """Return milliseconds of a measurement with its scoring, and its share of the steps' time in the default run."""
    task = TASKS[training.task]
    trainer = Trainer(training.replace(steps=10**6, measurements=1), task.posed(training), task)
    trainer.advance(1)
    looks, steps = [], []
    for _ in range(ROUNDS):
        start = time.process_time()
        trainer.advance(trainer.step + STEPS)
        steps.append((time.process_time() - start) / STEPS)
        trainer._measured_at = frozenset([trainer.step])
        start = time.process_time()
        trainer.advance(trainer.step + 1)
        looks.append(time.process_time() - start - steps[-1])
    look, step = statistics.median(looks), statistics.median(steps)
    return 1000 * look, look * len(training.measured_at) / (step * training.steps)


def main() -> None:
    """Print both tables."""
    torch.set_num_threads(1)
    print("| options | network | plain ms | ours ms | ratio |\n|---|---|---:|---:|---:|")
    for changes in CASES:
        for name, record in ARCHITECTURES.items():
            plain, own, times = ratio(lx.Training(architecture=name, **changes))
            said = ", ".join(f"{option} {value}" for option, value in changes.items())
            print(f"| {said} | {record.title} | {plain:.2f} | {own:.2f} | {times:.2f} |", flush=True)
    print("\n| network | a measurement, ms | share of the default run |\n|---|---:|---:|")
    for name, record in ARCHITECTURES.items():
        look, share = measuring(lx.Training(architecture=name))
        print(f"| {record.title} | {look:.1f} | {share:.1%} |", flush=True)


if __name__ == "__main__":
    main()
