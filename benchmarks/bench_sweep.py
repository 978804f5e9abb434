"""What a sweep adds to a cell's own time, how well it uses several workers, and what a scheduler holds of a large grid.

Run from the root of the repository, where the extra ``cluster`` is installed::

    OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python -m benchmarks.bench_sweep

Overhead: seconds between the first cell and the last, each of which is almost nothing, beside the same jobs in a loop.
Busy: the share of the workers' time in which they measure. Efficiency: cells a second beside those of one worker, for
each worker, or each core where these are fewer. The time until the first cells are done, in which processes start,
is in neither. Memory: of the scheduler's process.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psutil
from distributed import Client, LocalCluster

import lstm_explorer as lx
from lstm_explorer.runs.cluster.workers import Cluster
from lstm_explorer.runs.sweeps.measured import measured
from lstm_explorer.runs.sweeps.processes import Processes, Workers
from lstm_explorer.runs.sweeps.sweep import Sweep

TINY = {"sequence_length": 4, "hidden_size": 2, "input_size": 2}
#: About 0.2 s of one thread.
SOLID = {"sequence_length": 1000, "hidden_size": 64, "batch_size": 32}
CELLS, SOLID_CELLS, MANY = 500, 40, 100_000


def grid(settings: dict[str, int], count: int) -> lx.Grid:
    """Return so many cells of a survival."""
    return lx.Grid(measure="survival", settings=settings, grid={"seed": {"from": 0, "count": count}})


def alone(cells: lx.Grid) -> float:
    """Return seconds of a cell in a loop, the median."""
    times = []
    for cell in cells.cells():
        start = time.perf_counter()
        measured(cell.job)
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def swept(cells: lx.Grid, workers: Workers, warm: int) -> tuple[float, float]:
    """Return seconds between two cells of a sweep into a folder, and those that workers needed for one.

    Counted from when so many are done to the last.
    """
    with tempfile.TemporaryDirectory() as out, closing(Sweep(cells, Path(out)).run(workers)) as done:
        for _ in range(warm):
            next(done)
        start, inside = time.perf_counter(), []
        for one in done:
            inside.append(one.found.seconds)
            last = time.perf_counter()  # what ends after it is no cell's
    return (last - start) / len(inside), statistics.mean(inside)


@contextmanager
def cluster(workers: int) -> Iterator[Client]:
    """Yield the client of a cluster of processes here."""
    with (
        LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=None, silence_logs=50) as here,
        Client(here) as client,
    ):
        yield client


def both(cells: lx.Grid, workers: int) -> dict[str, tuple[float, float]]:
    """Return what :func:`swept` does, of processes and of a cluster."""
    of_processes = swept(cells, Processes(workers), 4 * workers)
    with cluster(workers) as client:
        return {"processes": of_processes, "Dask": swept(cells, Cluster(client), 4 * workers)}


def scheduler_memory(feed: Callable[[Client], object]) -> tuple[float, float]:
    """Return MB of a scheduler's process before and after it was fed."""
    rss = lambda: psutil.Process().memory_info().rss / 1e6  # noqa: E731 - it is sent there
    with cluster_of_processes() as client:
        # The scheduler loads the package, PyTorch included, with the first cell.
        client.submit(measured, next(grid(TINY, 1).cells()).job).result()
        before = client.run_on_scheduler(rss)
        feed(client)
        return before, client.run_on_scheduler(rss)


@contextmanager
def cluster_of_processes() -> Iterator[Client]:
    """Yield the client of a scheduler in a process of its own, with two workers."""
    import subprocess

    port, quiet = "8603", {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    scheduler = subprocess.Popen(["dask", "scheduler", "--port", port, "--no-dashboard"], **quiet)
    address = f"tcp://127.0.0.1:{port}"
    words = ["dask", "worker", address, "--nthreads", "1", "--nworkers", "2", "--no-dashboard"]
    workers = subprocess.Popen(words, env=os.environ | {"PYTHONPATH": os.getcwd()}, **quiet)
    try:
        with Client(address, timeout=30) as client:
            client.wait_for_workers(2)
            yield client
    finally:
        workers.terminate()
        workers.wait()
        scheduler.terminate()
        scheduler.wait()


def in_windows(client: Client) -> None:
    """Sweep a large grid, and say how much the scheduler held on the way."""
    start, most = time.perf_counter(), 0
    with closing(Sweep(grid(TINY, MANY)).run(Cluster(client))) as done:
        for one in done:
            if one.done % 1000 == 0:
                most = max(most, tasks_in(client))
    print(
        f"in windows: at most {most} tasks held, {MANY / (time.perf_counter() - start):.0f} cells a second", flush=True
    )


def all_at_once(client: Client) -> None:
    """Submit a large grid whole, as one might."""
    executor = client.get_executor(pure=False)
    futures = [executor.submit(measured, cell.job) for cell in grid(TINY, MANY).cells()]
    print(f"all at once: {tasks_in(client)} tasks held", flush=True)
    del futures


def tasks_in(client: Client) -> int:
    """Return how many tasks a scheduler holds."""
    return client.run_on_scheduler(lambda dask_scheduler: len(dask_scheduler.tasks))


def main() -> None:
    """Print all tables; any argument leaves out the memory, which takes minutes."""
    cores = len(os.sched_getaffinity(0))
    tiny = grid(TINY, CELLS)
    print(f"A tiny cell in a loop: {1000 * alone(tiny):.2f} ms\n")
    print("| one worker | ms a cell | of which measuring | overhead |\n|---|---:|---:|---:|")
    for name, (took, inside) in both(tiny, 1).items():
        print(f"| {name} | {1000 * took:.2f} | {1000 * inside:.2f} | {1000 * (took - inside):.2f} |", flush=True)
    solid, first = grid(SOLID, SOLID_CELLS), {}
    print(f"\nA cell in a loop: {alone(solid):.3f} s; {cores} cores\n")
    print("| workers | | s a cell | busy | efficiency |\n|---|---|---:|---:|---:|")
    for workers in (1, 2, 4):
        for name, (took, inside) in both(solid, workers).items():
            one = first.setdefault(name, took)
            said = f"{took:.3f} | {inside / took / workers:.2f} | {one / took / min(workers, cores):.2f}"
            print(f"| {workers} | {name} | {said} |", flush=True)
    if len(sys.argv) == 1:
        print(f"\nA scheduler and {MANY:,} cells\n")
        for feed in (in_windows, all_at_once):
            before, after = scheduler_memory(feed)
            print(f"{feed.__name__}: {before:.0f} MB before, {after:.0f} MB after", flush=True)


if __name__ == "__main__":
    main()
