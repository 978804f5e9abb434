"""Who asks a scheduler that is none is told in one line; what real workers do is in test_link.py."""

from __future__ import annotations

import contextlib
import socket
import threading
import time

import pytest

pytest.importorskip("distributed", reason="the extra cluster is not installed")

from lstm_explorer.runs.cluster import workers as cluster_workers
from lstm_explorer.runs.cluster.workers import connect


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
