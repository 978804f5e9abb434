"""Time and memory of a map of gate biases beside one gradient_flow for every bias and seed, in one run.

Run from the root of the repository::

    OPENBLAS_NUM_THREADS=1 python -m benchmarks.bench_bias_map

Both sides alternate inside one process and one torch thread; what counts is the ratio. The map builds its networks and
inputs inside the clock. The separate calls are measured both ways: ``calls`` alone, on networks that are there already,
and ``built too``, which is what it takes to make the same map by hand. Peak memory is taken in a fresh process, above
what it holds once everything is loaded.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import torch

import lstm_explorer as lx
from lstm_explorer.core.architectures import Network

BIASES = tuple(np.linspace(-4, 6, 41).tolist())
SETTINGS = lx.Settings(sequence_length=200, hidden_size=32, num_seeds=5)
GATES = {"lstm": "forget", "gru": "update"}
ROUNDS = 9


def separately(architecture: str, *, build: bool) -> Callable[[], object]:
    """Return a call of gradient_flow for every bias and every seed, building the networks too or beforehand."""
    replicas = [
        SETTINGS.replace(num_seeds=1, seed=seed, **{f"{GATES[architecture]}_bias": bias})
        for bias in BIASES
        for seed in range(SETTINGS.num_seeds)
    ]

    def built() -> list[tuple[Network, torch.Tensor]]:
        return [(lx.build_network(architecture, one), lx.make_inputs(one)) for one in replicas]

    runs = built()
    return lambda: [lx.gradient_flow(network, inputs) for network, inputs in (built() if build else runs)]


def together(architecture: str) -> Callable[[], object]:
    """Return a call of bias_map."""
    return lambda: lx.bias_map(SETTINGS, gate=GATES[architecture], biases=BIASES, architecture=architecture)


def fused(architecture: str, *, batched: bool) -> Callable[[], object]:
    """Return PyTorch's own forward and backward passes for as many runs, one by one or a seed's biases as a batch.

    What its batching gains is what a map can gain at the most.
    """
    seeds = [SETTINGS.replace(num_seeds=1, seed=seed) for seed in range(SETTINGS.num_seeds)]
    runs = [(lx.build_network(architecture, one), lx.make_inputs(one)) for one in seeds]
    copies = 1 if batched else len(BIASES)
    wide = [(network, x.expand(-1, len(BIASES), -1).contiguous() if batched else x) for network, x in runs * copies]
    return lambda: [network(x)[0][-1].sum().backward() for network, x in wide]


def interleaved(calls: list[Callable[[], object]]) -> list[list[float]]:
    """Return the seconds of every call in every round, the calls taking turns."""
    for call in calls:
        call()
    times: list[list[float]] = [[] for _ in calls]
    for _ in range(ROUNDS):
        for call, seconds in zip(calls, times, strict=True):
            start = time.perf_counter()
            call()
            seconds.append(time.perf_counter() - start)
    return times


def peak_memory(architecture: str, part: str) -> float:
    """Return the MiB by which the peak resident memory of this process grows in two calls (Linux only)."""
    if part == "map":
        call = together(architecture)
    else:
        call = {"paths": lambda: lx.path_flows(SETTINGS), "steps": lambda: lx.step_contributions(SETTINGS)}[part]
    lx.bias_map(SETTINGS.replace(sequence_length=2, num_seeds=1), gate=GATES[architecture], biases=(0.0,),
                architecture=architecture)  # libraries load before the count  # fmt: skip
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts again from here
    before = _resident("VmRSS")
    for _ in range(2):
        call()
    return (_resident("VmHWM") - before) / 1024


def _resident(field: str) -> int:
    """Return the present (VmRSS) or peak (VmHWM) resident memory in KiB; ru_maxrss would count the parent's too."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(field))


def _in_fresh_process(architecture: str, part: str) -> float:
    command = [sys.executable, "-m", "benchmarks.bench_bias_map", "--memory", architecture, part]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def maps() -> None:
    """Print the map beside separate calls."""
    runs = len(BIASES) * SETTINGS.num_seeds
    print(f"{len(BIASES)} biases x {SETTINGS.num_seeds} seeds, T = 200, H = 32; medians of {ROUNDS} rounds")
    header = f"{'network':>8} {f'{runs} calls s':>12} {'built too s':>12} {'map s':>7} {'calls/map':>10}"
    print(f"{header} {'built/map':>10} {'memory MiB':>11} {'fused: 1/41':>12} {'map/fused':>10}")
    for architecture in GATES:
        calls = [separately(architecture, build=build) for build in (False, True)]
        peers = [fused(architecture, batched=batched) for batched in (False, True)]
        *theirs, ours, one_by_one, batched = interleaved([*calls, together(architecture), *peers])
        ratios = [_ratio(side, ours) for side in theirs]
        seconds = [statistics.median(side) for side in (*theirs, ours)]
        memory = _in_fresh_process(architecture, "map")
        print(
            f"{architecture:>8} {seconds[0]:12.3f} {seconds[1]:12.3f} {seconds[2]:7.3f} {ratios[0]:10.1f} "
            f"{ratios[1]:10.1f} {memory:11.1f} {_ratio(one_by_one, batched):12.1f} {_ratio(ours, batched):10.1f}"
        )


def _ratio(ones: list[float], others: list[float]) -> float:
    return statistics.median(a / b for a, b in zip(ones, others, strict=True))


def paths() -> None:
    """Print the gradient by path and the steps' contributions beside gradient flows of the same seeds."""
    print(f"\n{'LSTM, 5 seeds':>24} {'seed_flows ms':>14} {'ours ms':>8} {'ratio':>6} {'memory MiB':>11}")
    flows = lambda: lx.seed_flows(SETTINGS, architecture="lstm")  # noqa: E731 - one of the calls
    calls = {"path_flows": ("paths", lx.path_flows), "step_contributions": ("steps", lx.step_contributions)}
    for name, (part, measure) in calls.items():
        theirs, ours = interleaved([flows, lambda measure=measure: measure(SETTINGS)])
        ratio = _ratio(ours, theirs)
        first, second = (statistics.median(seconds) * 1e3 for seconds in (theirs, ours))
        memory = _in_fresh_process("lstm", part)
        print(f"{name:>24} {first:14.1f} {second:8.1f} {ratio:6.1f} {memory:11.1f}")


def main() -> None:
    """Run everything, or one memory measurement for the parent process."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--memory", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    if arguments.memory:
        print(peak_memory(*arguments.memory))
        return
    maps()
    paths()


if __name__ == "__main__":
    main()
