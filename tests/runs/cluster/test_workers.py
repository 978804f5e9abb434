"""A real cluster of processes of this machine: the same numbers, and a worker that is killed loses nothing."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import threading
import time

import pytest

pytest.importorskip("distributed", reason="the extra cluster is not installed")

import lstm_explorer as lx
from lstm_explorer.runs.cluster import workers as cluster_workers
from lstm_explorer.runs.cluster.workers import connect
from tests.runs.sweeps.test_processes import GRID, assert_trained_alone


def test_a_cluster_gives_the_same_numbers_also_where_a_worker_is_killed(cluster):
    killed, pids = [], cluster.pids

    def kill_one(progress):
        if not killed:
            killed.append(pids[0])
            os.kill(pids[0], signal.SIGKILL)

    frame = lx.sweep(GRID, executor=cluster.client, progress=kill_one)
    assert killed
    assert_trained_alone(frame)


@pytest.mark.parametrize("answer", [None, b"", b"HTTP/1.1 400 Bad Request\r\n\r\n"])
def test_a_scheduler_that_does_not_answer_is_one_line(monkeypatch, answer):
    """Nobody is there, or somebody who says nothing, or something else than a scheduler does."""
    monkeypatch.setattr(cluster_workers, "ANSWERS_WITHIN", 0.5)

    def serve():
        with contextlib.suppress(OSError), server.accept()[0] as caller:
            caller.send(answer)
            time.sleep(1)

    with contextlib.closing(socket.socket()) as server:
        server.bind(("127.0.0.1", 0))
        if answer is not None:
            server.listen()
            threading.Thread(target=serve, daemon=True).start()
        address = f"tcp://127.0.0.1:{server.getsockname()[1]}"
        began = time.monotonic()
        with pytest.raises(ValueError, match=f"no scheduler answers at {address}: start one with 'dask scheduler'"):
            connect(address)
    assert time.monotonic() - began < 5
