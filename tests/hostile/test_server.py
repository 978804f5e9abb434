"""Hostile addresses over the real server, by Streamlit's own WebSocket: each page stands, and no part of it failed.

By hand, as it takes some minutes: ``LSTM_EXPLORER_HOSTILE=1000 pytest tests/hostile/test_server.py``.
"""

from __future__ import annotations

import asyncio
import itertools
import os
from pathlib import Path

import pytest
import websockets
from addresses import mutated
from app_server import running
from streamlit.proto.Alert_pb2 import Alert
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

TRIED = int(os.environ.get("LSTM_EXPLORER_HOSTILE", "0"))
#: Seconds that a page may take: it measures what the address asks for.
PATIENCE = 120.0


def memory(pid: int) -> float:
    """Return what a process holds, in MB."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) / 1000 for line in lines if line.startswith("VmRSS"))


def question(url: str, page: str, query: str) -> bytes:
    """Return what a browser sends that opens an address."""
    message = BackMsg()
    message.rerun_script.page_name = "" if page == "start" else page
    message.rerun_script.query_string = query.encode(errors="replace").decode()
    message.rerun_script.context_info.url = f"{url}/{page}"
    return message.SerializeToString()


async def wrong_with(url: str, page: str, query: str) -> list[str]:
    """Open an address in a session of its own; return what is wrong with the page."""
    wrong, stands = [], False
    stream = url.replace("http", "ws", 1) + "/_stcore/stream"
    async with (
        asyncio.timeout(PATIENCE),
        websockets.connect(stream, subprotocols=["streamlit"], max_size=None, compression=None) as socket,
    ):
        await socket.send(question(url, page, query))
        while True:
            answer = ForwardMsg.FromString(await socket.recv())
            ended = answer.WhichOneof("type") == "script_finished"
            if ended and answer.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN:
                return wrong if stands else [*wrong, "blank page"]
            element = answer.delta.new_element
            stands |= element.heading.tag == "h1"
            if element.WhichOneof("type") == "exception":
                wrong.append(f"exception: {element.exception.message}")
            if element.alert.format == Alert.ERROR and "could not be drawn" in element.alert.body:
                wrong.append("a part could not be drawn")


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
