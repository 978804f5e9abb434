"""Time of a training loop that is watched beside the same loop that is not, in one run.

Run from the root of the repository::

    OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python -m benchmarks.bench_watch

All sides take turns inside one process and one torch thread; what counts is the ratio of processor time, which a busy
machine leaves alone. The loop is the one that is written by hand: a network, a linear layer, Adam, clipping by norm.
Three loops do one optimizer step each in turn: plain, watched and measured at every step, watched and not measured. The
share is what a measurement adds to fifty steps.
"""

from __future__ import annotations

import gc
import itertools
import os
import statistics
import time
from collections.abc import Callable

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import torch
from torch import Tensor, nn

import lstm_explorer as lx

#: One in so many optimizer steps is measured by default; and how many turns there are.
EVERY, ROUNDS = 50, 42
#: Kind, steps, units, samples, layers, and whether a loop of its own calls the network step by step.
CASES = [
    (nn.RNN, 80, 64, 64, 1, False),
    (nn.LSTM, 80, 64, 64, 1, False),
    (nn.GRU, 80, 64, 64, 1, False),
    (nn.LSTM, 50, 32, 32, 1, False),
    (nn.LSTM, 200, 64, 32, 2, False),
    (nn.LSTM, 30, 64, 32, 1, True),
]


class Loop:
    """A training loop of a network, a linear layer and Adam."""

    def __init__(self, kind: type[nn.RNNBase], steps: int, units: int, samples: int, layers: int) -> None:
        """Make everything; the numbers do not matter."""
        torch.manual_seed(0)
        self.model = nn.ModuleDict(
            {"network": kind(2, units, layers, dropout=0.2 * (layers > 1)), "head": nn.Linear(units, 1)}
        )
        self.optimizer = torch.optim.Adam(self.model.parameters())
        self.inputs, self.targets = torch.randn(steps, samples, 2), torch.randn(samples, 1)

    def outputs(self) -> Tensor:
        """Return the last output of the whole sequence, read at once."""
        output: Tensor = self.model["network"](self.inputs)[0][-1]
        return output

    def step(self) -> None:
        """Do one optimizer step."""
        loss = nn.functional.mse_loss(self.model["head"](self.outputs()), self.targets)
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        self.optimizer.zero_grad()


class Decoder(Loop):
    """The same, with the network called once a step."""

    def outputs(self) -> Tensor:
        """Return the last output, read step by step with the state carried on."""
        state = None
        for x in self.inputs.split(1):
            output, state = self.model["network"](x, state)
        return output[-1]


def turns(calls: list[Callable[[], None]]) -> list[list[float]]:
    """Return the seconds of processor time of each call, round by round."""
    for call in calls:
        call()
    gc.collect()
    gc.disable()
    rounds: list[list[float]] = []
    orders = itertools.cycle(
        itertools.permutations(range(len(calls)))
    )  # what runs before leaves its traces in the cache
    for order in itertools.islice(orders, ROUNDS):
        seconds = [0.0] * len(calls)
        for side in order:
            start = time.process_time()
            calls[side]()
            seconds[side] = time.process_time() - start
        rounds.append(seconds)
    gc.enable()
    return rounds


def main() -> None:
    """Print the table."""
    torch.set_num_threads(1)
    print("| T, H, B, layers | network | a step, ms | a measurement, ms | share of the loop | between, of plain |")
    print("|---|---|---:|---:|---:|---:|")
    for kind, steps, units, samples, layers, by_step in CASES:
        loops = [(Decoder if by_step else Loop)(kind, steps, units, samples, layers) for _ in range(3)]
        with lx.watch(loops[1].model, every=1), lx.watch(loops[2].model, every=10**9):
            rounds = turns([loop.step for loop in loops])
        plain = statistics.median(one for one, _, _ in rounds)
        look = statistics.median(watched - one for one, watched, _ in rounds)
        between = statistics.median(other / one for one, _, other in rounds)
        title = f"{kind.__name__}{', step by step' if by_step else ''}"
        print(
            f"| {steps}, {units}, {samples}, {layers} | {title} | {1000 * plain:.1f} | {1000 * look:.1f} "
            f"| {look / plain / EVERY:.1%} | {between:.3f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
