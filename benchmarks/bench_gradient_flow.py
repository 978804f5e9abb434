"""Time and memory of gradient_flow beside the fused network's own forward and backward pass, in one run.

Run from the root of the repository::

    OPENBLAS_NUM_THREADS=1 python -m benchmarks.bench_gradient_flow

Both sides alternate inside one process and one torch thread, so that a busy or throttled machine slows both; what
counts is the ratio. Peak memory is taken in fresh processes, one a measurement.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from unittest.mock import patch

import torch
from torch import nn

from lstm_explorer.core.architectures import ARCHITECTURES as RECORDS
from lstm_explorer.core.architectures import Network, layer_parameters
from lstm_explorer.core.architectures.lstm import LSTMState
from lstm_explorer.core.engine import engines
from lstm_explorer.core.gradients.any_cell import cell_gradient_flow
from lstm_explorer.core.gradients.flow import gradient_flow

ARCHITECTURES = {"lstm": nn.LSTM, "rnn": nn.RNN, "gru": nn.GRU}
SHAPES = [(100, 32, 1), (200, 64, 8), (1000, 64, 16)]  # T, H, B
INPUT_SIZE = 8


def make(architecture: str, steps: int, hidden_size: int, batch_size: int) -> tuple[Network, torch.Tensor]:
    """Return a float32 network and its inputs."""
    torch.manual_seed(0)
    return ARCHITECTURES[architecture](INPUT_SIZE, hidden_size), torch.randn(steps, batch_size, INPUT_SIZE)


def fused(network: Network, inputs: torch.Tensor) -> Callable[[], None]:
    """Return a call of the network's own forward and backward pass."""

    def call() -> None:
        output, _ = network(inputs)
        output[-1].sum().backward()
        network.zero_grad()

    return call


def lstm_cell_loop(network: Network, inputs: torch.Tensor) -> Callable[[], None]:
    """Return a call of what everyone writes: nn.LSTMCell unrolled in Python, retain_grad at every step."""
    cell = nn.LSTMCell(network.input_size, network.hidden_size)
    weights = {name: getattr(network, f"{name}_l0") for name, _ in cell.named_parameters()}
    cell.load_state_dict({name: weight.detach() for name, weight in weights.items()})

    def call() -> None:
        state = tuple(torch.zeros(inputs.shape[1], network.hidden_size, requires_grad=True) for _ in range(2))
        states = []
        for x in inputs:
            state = cell(x, state)
            for part in state:
                part.retain_grad()
            states.append(state)
        state[0].sum().backward()
        cell.zero_grad()
        [(h.grad.norm(dim=-1), None if c.grad is None else c.grad.norm(dim=-1)) for h, c in states]

    return call


def any_cell(network: Network, inputs: torch.Tensor) -> Callable[[], object]:
    """Return a call of cell_gradient_flow on the LSTM's step."""
    step, start = lstm_step(network, inputs)
    return lambda: cell_gradient_flow(step, start, inputs)


def lstm_step(network: Network, inputs: torch.Tensor) -> tuple[Callable[..., LSTMState], LSTMState]:
    """Return the LSTM's step, as its record has it, and a state of zeros."""
    parameters, zeros = layer_parameters(network, 0), torch.zeros(inputs.shape[1], network.hidden_size)
    return lambda state, x: RECORDS["lstm"].step(parameters, state, x)[0], LSTMState(zeros, zeros)


def same_step_loop(network: Network, inputs: torch.Tensor) -> Callable[[], None]:
    """Return a call of that step unrolled in Python, retain_grad at every step: what it takes without us."""
    step, start = lstm_step(network, inputs)

    def call() -> None:
        state = LSTMState(*(part.clone().requires_grad_() for part in start))
        states = []
        for x in inputs:
            state = step(state, x)
            for part in state:
                part.retain_grad()
            states.append(state)
        state.hidden.sum().backward()
        [(h.grad.norm(dim=-1), None if c.grad is None else c.grad.norm(dim=-1)) for h, c in states]

    return call


def by_record(network: Network, inputs: torch.Tensor) -> Callable[[], object]:
    """Return a call of gradient_flow by the generic engine, as if there were no compiled one."""

    def call() -> object:
        with patch.object(engines, "COMPILED", {}):
            return gradient_flow(network, inputs)

    return call


def interleaved(calls: list[Callable[[], object]], rounds: int) -> list[list[float]]:
    """Return the seconds of every call in every round, the calls taking turns."""
    for _ in range(3):
        for call in calls:
            call()
    times: list[list[float]] = [[] for _ in calls]
    for _ in range(rounds):
        for call, seconds in zip(calls, times, strict=True):
            start = time.perf_counter()
            call()
            seconds.append(time.perf_counter() - start)
    return times


def _rounds(steps: int, batch_size: int) -> int:
    return max(9, 20_000 // (steps * batch_size))


def _ours(network: Network, inputs: torch.Tensor) -> Callable[[], object]:
    return lambda: gradient_flow(network, inputs)


def time_ratios() -> None:
    """Print gradient_flow against the fused forward and backward."""
    print(f"{'T, H, B':>14} {'network':>8} {'N':>4} {'fused ms':>9} {'ours ms':>9} {'ratio':>6}")
    for shape in SHAPES:
        for architecture in ARCHITECTURES:
            network, inputs = make(architecture, *shape)
            rounds = _rounds(shape[0], shape[2])
            theirs, ours = interleaved([fused(network, inputs), _ours(network, inputs)], rounds)
            ratio = statistics.median(b / a for a, b in zip(theirs, ours, strict=True))
            first, second = (statistics.median(seconds) * 1e3 for seconds in (theirs, ours))
            print(f"{shape!s:>14} {architecture:>8} {rounds:>4} {first:9.2f} {second:9.2f} {ratio:6.2f}")


def time_cell_loop() -> None:
    """Print how many times faster gradient_flow is than nn.LSTMCell with retain_grad."""
    network, inputs = make("lstm", *SHAPES[0])
    loop, ours = interleaved([lstm_cell_loop(network, inputs), _ours(network, inputs)], 60)
    ratio = statistics.median(a / b for a, b in zip(loop, ours, strict=True))
    print(f"\nnn.LSTMCell + retain_grad at {SHAPES[0]}: {statistics.median(loop) * 1e3:.1f} ms, {ratio:.1f} times ours")


def time_any_step() -> None:
    """Print what any step costs beside the compiled engine and beside loops with retain_grad, on the LSTM's step."""
    sides = {
        "compiled": _ours,
        "any cell": any_cell,
        "generic engine": by_record,
        "LSTMCell loop": lstm_cell_loop,
        "loop of the step": same_step_loop,
    }
    print(f"\n{'T, H, B':>14}" + "".join(f"{side + ' ms':>21}" for side in sides) + f"{'any / loop of step':>20}")
    for shape in SHAPES:
        network, inputs = make("lstm", *shape)
        times = interleaved([side(network, inputs) for side in sides.values()], 12 if shape[0] < 1000 else 5)
        cells = "".join(f"{statistics.median(seconds) * 1e3:21.1f}" for seconds in times)
        print(f"{shape!s:>14}{cells}{statistics.median(a / b for a, b in zip(times[1], times[4], strict=True)):20.2f}")


def time_records() -> None:
    """Print gradient_flow of networks that have only a record beside their own forward and backward."""
    print(f"\n{'T, H, B':>14} {'network':>8} {'its own ms':>11} {'ours ms':>9} {'ratio':>6}")
    for shape in SHAPES[:2]:
        for name, record in RECORDS.items():
            if name in engines.COMPILED:
                continue
            torch.manual_seed(0)
            network, inputs = record.module(INPUT_SIZE, shape[1]), torch.randn(shape[0], shape[2], INPUT_SIZE)
            theirs, ours = interleaved([fused(network, inputs), _ours(network, inputs)], 20)
            ratio = statistics.median(b / a for a, b in zip(theirs, ours, strict=True))
            first, second = (statistics.median(seconds) * 1e3 for seconds in (theirs, ours))
            print(f"{shape!s:>14} {name:>8} {first:11.1f} {second:9.1f} {ratio:6.2f}")


def time_growth() -> None:
    """Print microseconds a step from T = 100 to 2000, H = 32, B = 1."""
    print(f"\n{'us a step, T =':>16}" + "".join(f"{steps:>8}" for steps in (100, 200, 500, 1000, 2000)))
    for architecture in ARCHITECTURES:
        cells = []
        for steps in (100, 200, 500, 1000, 2000):
            network, inputs = make(architecture, steps, 32, 1)
            (seconds,) = interleaved([_ours(network, inputs)], 30)
            cells.append(f"{statistics.median(seconds) / steps * 1e6:8.2f}")
        print(f"{architecture:>16}" + "".join(cells))


def peak_memory(architecture: str, shape: tuple[int, int, int], side: str) -> float:
    """Return the MiB by which the peak resident memory of this process grows in two calls (Linux only)."""
    network, inputs = make(architecture, *shape)
    small = make(architecture, 2, shape[1], shape[2])[1]
    both = {"fused": fused, "ours": _ours}
    both[side](network, small)()  # libraries load and threads start before the count
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts again from here
    before = _resident("VmRSS")
    for _ in range(2):
        both[side](network, inputs)()
    return (_resident("VmHWM") - before) / 1024


def _resident(field: str) -> int:
    """Return the present (VmRSS) or peak (VmHWM) resident memory in KiB; ru_maxrss would count the parent's too."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(field))


def memory() -> None:
    """Print peak memory beside the fused network's."""
    print(f"\n{'T, H, B':>14} {'network':>8} {'fused MiB':>10} {'ours MiB':>9}")
    for shape in SHAPES[1:]:
        for architecture in ARCHITECTURES:
            sides = []
            for side in ("fused", "ours"):
                arguments = ["--memory", json.dumps([architecture, shape, side])]
                command = [sys.executable, "-m", "benchmarks.bench_gradient_flow", *arguments]
                sides.append(float(subprocess.run(command, capture_output=True, text=True, check=True).stdout))
            print(f"{shape!s:>14} {architecture:>8} {sides[0]:10.1f} {sides[1]:9.1f}")


def main() -> None:
    """Run everything, or one memory measurement for the parent process."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--memory", type=json.loads, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    if arguments.memory:
        architecture, shape, side = arguments.memory
        print(peak_memory(architecture, tuple(shape), side))
        return
    for part in (time_ratios, time_cell_loop, time_any_step, time_records, time_growth, memory):
        part()


if __name__ == "__main__":
    main()
