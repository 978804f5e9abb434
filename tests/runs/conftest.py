"""A real cluster of two processes of this machine, for all tests that need one."""

from __future__ import annotations

import os
import time

import pytest

#: Keeps PyTorch's compiler out, which takes seconds to load in each worker.
_PRELOAD = "from lstm_explorer.runs.training.worker import without_compiler; without_compiler()"


class RealCluster:
    """Its address and its client, and what kills a worker."""

    def __init__(self, client):
        self.client, self.address = client, client.scheduler.address

    @property
    def pids(self):
        """The processes that work, both of them: one that was killed is replaced, but not a third time."""
        end = time.monotonic() + 60
        while len(pids := list(self.client.run(os.getpid, on_error="ignore").values())) < 2:
            assert time.monotonic() < end
            time.sleep(0.1)
        return pids


@pytest.fixture(scope="package")
def cluster():
    pytest.importorskip("distributed", reason="the extra cluster is not installed")
    import dask
    from distributed import Client, LocalCluster

    with (
        dask.config.set({"distributed.comm.timeouts.connect": "120s"}),  # on a machine that has much else to do
        LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=":0", silence_logs=50, preload=[_PRELOAD]
        ) as found,
        Client(found, timeout=120, set_as_default=False) as client,
    ):
        yield RealCluster(client)
