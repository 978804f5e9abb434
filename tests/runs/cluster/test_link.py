"""Pieces of jobs on a real cluster: the same numbers bit for bit, and what becomes of them where something is lost."""

from __future__ import annotations

import os
import signal
import time

import pytest
import torch

pytest.importorskip("distributed", reason="the extra cluster is not installed")

import dask
from distributed import Client, LocalCluster

import lstm_explorer as lx
from lstm_explorer.runs.cluster import link as cluster_link
from lstm_explorer.runs.cluster.link import FailedError, Link, LostError, piece_of
from lstm_explorer.runs.experiment import Experiment, Moment, OwnTable
from lstm_explorer.runs.jacobians import Products
from lstm_explorer.runs.measurements import Flow, Map
from lstm_explorer.runs.training import background, rounds, worker
from lstm_explorer.runs.training.store import VARIABLE, Store
from lstm_explorer.runs.training.worker import Worker
from tests.runs.cluster.here import Named
from tests.runs.sweeps.test_processes import GRID, assert_trained_alone
from tests.runs.training.test_rounds import PAIR, assert_trained_as_here

SETTINGS = lx.Settings(sequence_length=7, hidden_size=5, num_seeds=4)
LSTM = Experiment(architecture="lstm", settings=SETTINGS)


#: Keeps PyTorch's compiler out, which takes seconds to load in each worker.
_PRELOAD = "from lstm_explorer.runs.training.worker import without_compiler; without_compiler()"


class RealCluster:
    """Two processes of this machine, and what kills one."""

    def __init__(self, found, client):
        self.found, self.client, self.address = found, client, client.scheduler.address

    @property
    def pids(self):
        """The processes that work, both of them: of one that was killed and not replaced, another takes the place."""
        end, late = time.monotonic() + 120, time.monotonic() + 20
        while len(pids := list(self.client.run(os.getpid, on_error="ignore").values())) < 2:
            assert time.monotonic() < end
            if time.monotonic() > late:
                self.found.scale(len(self.found.worker_spec) + 1)
                late = end
            time.sleep(0.1)
        return pids


@pytest.fixture(scope="module")
def cluster():
    with (
        dask.config.set({"distributed.comm.timeouts.connect": "120s"}),  # on a machine that has much else to do
        LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=":0", silence_logs=50, preload=[_PRELOAD]
        ) as found,
        Client(found, timeout=120, set_as_default=False) as client,
    ):
        yield RealCluster(found, client)


@pytest.fixture(scope="module")
def link(cluster):
    assert len(cluster.pids) == 2
    one = Link(cluster.address)
    one.count()
    assert (one.workers, one.threads) == (2, 2)
    yield one
    one.close()


def wait(link, future):
    end = time.monotonic() + 60
    while (answer := link.answer(future, 0.2)) is None:
        assert time.monotonic() < end
    return answer


def own_data():
    """Return a job with a table of the reader's own, and one with a network."""
    generator = torch.Generator().manual_seed(3)
    rows = torch.randn(20, SETTINGS.input_size, generator=generator).tolist()
    reading = Experiment(architecture="gru", settings=SETTINGS.replace(input_kind="csv"), table=OwnTable.of(rows))
    network, inputs = LSTM.network, torch.randn(7, 1, SETTINGS.input_size, generator=generator)
    moment = Moment(network=network, inputs=inputs, cotangent=torch.ones(7, 1, 5), digest="own")
    return Flow(experiment=reading), Map(
        experiment=Experiment(architecture="lstm", settings=SETTINGS, moment=moment), gate="forget", biases=(0.0, 2.0)
    )


@pytest.mark.parametrize(
    ("job", "large"),
    [(Map(experiment=LSTM, gate="forget", biases=(-1.0, 0.0, 3.0)), False), *((job, True) for job in own_data())],
    ids=["map", "own table", "own network"],
)
def test_pieces_at_once_are_the_pieces_measured_here(link, monkeypatch, job, large):
    if large:
        monkeypatch.setattr(cluster_link, "_LARGE", 0)
    shared = link.shared(job)
    assert (shared is job) is not large
    futures = [link.submit(piece_of, shared, first, first + 1, None) for first in range(job.total)]
    there = job.join([wait(link, future)[0] for future in futures])
    here = job.join([job.piece(first, first + 1)[0] for first in range(job.total)])
    assert torch.equal(there.log10_hidden, here.log10_hidden)


def test_a_worker_is_warmed_once_while_nobody_waits(link):
    warm = dict(link._warm)
    link.count()
    assert link._warm == warm
    assert len(warm) == 2
    assert all(future.result(60) is None for future in warm.values())


def test_what_carries_a_state_waits_for_it_on_the_workers(link):
    job, before, futures = Products(experiment=LSTM), None, []
    for first in range(0, 6, 2):
        before = link.submit(piece_of, job, first, first + 2, before)
        futures.append(before)
    carried = None
    for first, future in zip(range(0, 6, 2), futures, strict=True):
        piece, carried = job.piece(first, first + 2, carried)
        assert torch.equal(wait(link, future)[0].log10_singular_values, piece.log10_singular_values)


def test_a_piece_that_fails_and_workers_of_another_version_say_so(link, monkeypatch):
    with pytest.raises(FailedError, match="invalid literal"):
        wait(link, link.submit(int, "x"))
    monkeypatch.setattr(cluster_link.lstm_explorer, "__version__", "0.0")
    with pytest.raises(FailedError, match=r"the server has lstm-explorer 0\.0, torch .*, this worker lstm-explorer \d"):
        wait(link, link.submit(int, "1"))


def test_real_workers_train_a_group(tmp_path, link, monkeypatch):
    monkeypatch.setenv(VARIABLE, str(tmp_path / "runs"))
    monkeypatch.setattr(background, "_have_a_worker", lambda store: None)
    monkeypatch.setattr(worker, "warm_up", lambda: None)
    store = Store()
    monkeypatch.setattr(rounds, "scheduler", lambda: Named(link))
    monkeypatch.setattr(rounds, "_AWAY", 0.05)
    longer = tuple(training.replace(steps=60) for training in PAIR)
    group = background.start(longer)
    monkeypatch.setattr(worker.Member, "advance", lambda member: pytest.fail("trained here"))
    Worker(store).serve(idle=0.01)
    assert_trained_as_here(group, longer)
    assert background.status(group).workers == 2


def test_what_is_let_go_of_is_dropped(link, cluster):
    futures = [link.submit(time.sleep, 0.3) for _ in range(4)]
    keys = {future.key for future in futures}
    end = time.monotonic() + 30
    while cluster.client.run_on_scheduler(_known, keys) != keys:  # they are on their way
        assert time.monotonic() < end
        time.sleep(0.02)
    del futures
    end = time.monotonic() + 30
    while cluster.client.run_on_scheduler(_known, keys):
        assert time.monotonic() < end
        time.sleep(0.02)


def _known(keys, dask_scheduler):
    return keys & set(dask_scheduler.tasks)


def test_a_cluster_gives_the_same_numbers_also_where_a_worker_is_killed(cluster):
    killed, pids = [], cluster.pids

    def kill_one(progress):
        if not killed:
            killed.append(pids[0])
            os.kill(pids[0], signal.SIGKILL)

    frame = lx.sweep(GRID, executor=cluster.client, progress=kill_one)
    assert killed
    assert_trained_alone(frame)


def test_a_scheduler_that_ends_is_an_error_at_once(monkeypatch):
    monkeypatch.setattr(cluster_link, "ANSWERS_WITHIN", 1.0)
    with LocalCluster(n_workers=0, dashboard_address=":0", silence_logs=50) as cluster:
        link = Link(cluster.scheduler_address)
        link.count()
        assert (link.workers, link.threads) == (0, 0)
        future = link.submit(int, "1")
        assert link.answer(future) is None
    began = time.monotonic()
    with pytest.raises(LostError):
        wait(link, future)
    assert time.monotonic() - began < 10
    link.close()
