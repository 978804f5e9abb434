"""Hostile addresses over the real server, by Streamlit's own WebSocket: each page stands, and no part of it failed.

By hand, as it takes some minutes: ``LSTM_EXPLORER_HOSTILE=1000 pytest tests/hostile/test_server.py``.
"""

from __future__ import annotations

import asyncio
import itertools
import os
from pathlib import Path

import pytest
from addresses import mutated
from app_server import running
from streamlit.proto.Alert_pb2 import Alert

from benchmarks.tab import Tab

TRIED = int(os.environ.get("LSTM_EXPLORER_HOSTILE", "0"))
#: Seconds that a page may take: it measures what the address asks for.
PATIENCE = 120.0


def memory(pid: int) -> float:
    """Return what a process holds, in MB."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) / 1000 for line in lines if line.startswith("VmRSS"))


async def wrong_with(url: str, page: str, query: str) -> list[str]:
    """Open an address in a session of its own; return what is wrong with the page."""
    wrong, stands = [], False
    tab = Tab(url, "" if page == "start" else page, query.encode(errors="replace").decode())
    async with asyncio.timeout(PATIENCE), tab.opened():
        async for message in tab.run(PATIENCE):
            element = message.delta.new_element
            stands |= element.heading.tag == "h1"
            if element.WhichOneof("type") == "exception":
                wrong.append(f"exception: {element.exception.message}")
            if element.alert.format == Alert.ERROR and "could not be drawn" in element.alert.body:
                wrong.append("a part could not be drawn")
    return wrong if stands else [*wrong, "blank page"]


@pytest.mark.skipif(not TRIED, reason="by hand: LSTM_EXPLORER_HOSTILE says how many addresses are opened")
@pytest.mark.timeout(0)
def test_every_page_stands(tmp_path):
    found, took = {}, []
    with running(environment={"LSTM_EXPLORER_RUNS": str(tmp_path)}) as (url, process):
        asyncio.run(wrong_with(url, "start", ""))
        before = memory(process.pid)
        for page, query in itertools.islice(mutated(1), TRIED):
            try:
                wrong = asyncio.run(wrong_with(url, page, query))
            except Exception as error:
                wrong = [repr(error)]
            if wrong:
                found[f"/{page}?{query[:500]}"] = wrong
        took = memory(process.pid) - before
    assert found == {}
    assert took < 300, "MB more than before: what was measured is kept for a while, and nothing else"
