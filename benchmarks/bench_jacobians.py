"""Time of the steps' Jacobians, of the spectra of their products, and of Lyapunov exponents, beside what they rest on.

Run from the root of the repository::

    OPENBLAS_NUM_THREADS=1 python -m benchmarks.bench_jacobians

All sides take turns inside one process and one torch thread, and what counts is its processor time. The steps'
Jacobians stand beside ``vmap(jacrev)`` of the step, the spectra beside the plain matrix products alone, and beside what
LAPACK takes for one QR, or for the singular values, of as many matrices: what all singular values at every lag take
where nothing leaves the float range. A map of 625 networks stands beside the same networks one after another.
"""

from __future__ import annotations

import functools
import os
import statistics
import time
from collections.abc import Callable

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import torch
from torch import Tensor

import lstm_explorer as lx
from lstm_explorer.core.architectures import Network, Parameters, architecture_of
from lstm_explorer.core.architectures.lstm import LSTMState

SHAPES = ((200, 32), (200, 64), (1000, 32))
ROUNDS = 7


def by_jacrev(network: Network, inputs: Tensor) -> Callable[[], Tensor]:
    """Return ``vmap(jacrev)`` of the record's step at all states, which are there already."""
    record, trajectory = architecture_of(network), lx.unroll(network, inputs)
    weights, step = Parameters.of(network.all_weights[0]).map(Tensor.double), record.step_of(network)
    parts = [getattr(trajectory, state.name)[0, :-1, 0].double() for state in record.states]
    sizes = [part.shape[-1] for part in parts]

    def one(state: Tensor, x: Tensor) -> Tensor:
        split = state[None].split(sizes, dim=-1)
        after, _ = step(weights, LSTMState(*split) if len(split) > 1 else split[0], x[None])
        return torch.cat(after if isinstance(after, tuple) else (after,), dim=-1)[0]

    jacobians = torch.func.vmap(torch.func.jacrev(one))
    states, x = torch.cat(parts, dim=-1), inputs[:, 0].double()
    return lambda: jacobians(states, x)


def plain_products(jacobians: np.ndarray) -> Callable[[], object]:
    """Return the products alone, in one buffer after another."""
    rows = [np.eye(jacobians.shape[-1]), np.eye(jacobians.shape[-1])]

    def run() -> None:
        for k, one in enumerate(jacobians):
            np.matmul(rows[k % 2], one, out=rows[1 - k % 2])

    return run


def times(calls: list[Callable[[], object]]) -> list[list[float]]:
    """Return the seconds of every call in every round, the calls taking turns."""
    for call in calls:
        call()
    found: list[list[float]] = [[] for _ in calls]
    for _ in range(ROUNDS):
        for call, seconds in zip(calls, found, strict=True):
            start = time.process_time()
            call()
            seconds.append(time.process_time() - start)
    return found


def ratio(ones: list[float], others: list[float]) -> float:
    """Return the median of the ratio of each round."""
    return statistics.median(a / b for a, b in zip(ones, others, strict=True))


def steps() -> None:
    """Print the steps' Jacobians beside ``vmap(jacrev)``."""
    print(f"{'T, H':>10} {'network':>8} {'jacrev ms':>10} {'ours ms':>8} {'jacrev/ours':>12}")
    for length, size in SHAPES:
        settings = lx.Settings(sequence_length=length, hidden_size=size)
        for name in ("rnn", "lstm", "gru", "mingru"):
            network, inputs = lx.build_network(name, settings), lx.make_inputs(settings)
            theirs, ours = times([by_jacrev(network, inputs), lambda n=network, x=inputs: lx.step_jacobians(n, x)])
            print(
                f"{f'{length}, {size}':>10} {name:>8} {statistics.median(theirs) * 1e3:10.1f} "
                f"{statistics.median(ours) * 1e3:8.2f} {ratio(theirs, ours):12.1f}"
            )


def spectra() -> None:
    """Print flows and exponents beside the plain products, and beside LAPACK's QR and singular values."""
    print(f"\n{'T, H':>10} {'network':>8} {'S':>4} {'products':>9} {'LAPACK: QR':>11} {'svdvals':>8} "
          f"{'jacobian_flow':>14} {'lyapunov':>9} {'largest':>8}   (us a step; times the products)")  # fmt: skip
    for length, size in SHAPES:
        settings = lx.Settings(sequence_length=length, hidden_size=size)
        for name in ("rnn", "lstm", "gru"):
            network, inputs = lx.build_network(name, settings), lx.make_inputs(settings)
            jacobians = lx.step_jacobians(network.double(), inputs.double())[:, 0]
            network, inputs = network.float(), inputs.float()
            sides = times(
                [
                    plain_products(jacobians.numpy()),
                    lambda j=jacobians: torch.linalg.qr(j),
                    lambda j=jacobians: torch.linalg.svdvals(j),
                    lambda n=network, x=inputs: lx.jacobian_flow(n, x),
                    lambda n=network, x=inputs: lx.lyapunov_exponents(n, x),
                    lambda n=network, x=inputs: lx.lyapunov_exponents(n, x, count=1),
                ]
            )
            shown = [f"{statistics.median(side) / length * 1e6:.0f}; {ratio(side, sides[0]):.1f}" for side in sides]
            print(f"{f'{length}, {size}':>10} {name:>8} {jacobians.shape[-1]:>4}  " + "   ".join(shown), flush=True)


def maps() -> None:
    """Print maps of 25 x 25 networks side by side beside the same networks one after another."""
    across = {
        "rnn": ("recurrent_gain", "input_scale"), "lstm": ("forget_bias", "recurrent_gain"),
        "gru": ("update_bias", "recurrent_gain"),
    }  # fmt: skip
    print(f"\n{'T, H':>10} {'network':>8} {'map s':>7} {'one by one s':>13} {'ratio':>6}")
    for length, size in SHAPES:
        settings = lx.Settings(sequence_length=length, hidden_size=size)
        for name, axes in across.items():
            values = {axis: tuple(0.1 + 0.12 * k for k in range(25)) for axis in axes}
            whole = functools.partial(lx.phase_map, settings, across=values, architecture=name)
            own, each = times([whole, alone(settings, name)])
            one_by_one = [625 * seconds for seconds in each]
            print(
                f"{f'{length}, {size}':>10} {name:>8} {statistics.median(own):7.2f} "
                f"{statistics.median(one_by_one):13.2f} {ratio(one_by_one, own):6.1f}",
                flush=True,
            )


def alone(settings: lx.Settings, name: str) -> Callable[[], object]:
    """Return the measurement of the largest exponent of one network of the map."""
    network, inputs = lx.build_network(name, settings), lx.make_inputs(settings)
    return lambda: lx.lyapunov_exponents(network, inputs, count=1)


def main() -> None:
    """Run everything."""
    torch.set_num_threads(1)
    steps()
    spectra()
    maps()


if __name__ == "__main__":
    main()
