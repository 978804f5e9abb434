"""A tab of a browser without the browser: it speaks Streamlit's own WebSocket.

The readers of bench_load.py are made of them, and so is tests/hostile/test_server.py.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState

#: Bytes of a message: a page's figures have some 300 kB.
LARGEST_MESSAGE = 32_000_000


class Tab:
    """A page that is open.

    Args:
        url: Of the server.
        page: Path of the page, without a slash.
        query: Of its address.
    """

    def __init__(self, url: str, page: str = "", query: str = "") -> None:
        """Open nothing yet."""
        self._url, self._page, self._query = url, page, query
        self._socket: Any = None
        self._values: dict[str, WidgetState] = {}
        self._widgets: dict[str, tuple[str, str]] = {}

    @contextlib.asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """Connect and ask for the page, and leave it in the end."""
        stream = self._url.replace("http", "ws", 1) + "/_stcore/stream"
        subprotocols = [websockets.Subprotocol("streamlit")]
        async with websockets.connect(
            stream, subprotocols=subprotocols, max_size=LARGEST_MESSAGE, compression=None
        ) as self._socket:
            await self._ask("")
            yield

    def has(self, key: str) -> bool:
        """Tell whether a widget is there."""
        return key in self._widgets

    async def change(self, key: str, **value: Any) -> None:
        """Change a widget, as a reader does.

        Args:
            key: The widget's.
            value: The field of Streamlit's ``WidgetState`` that this kind of widget has, and what it is to hold.
        """
        identifier, fragment = self._widgets[key]
        state = WidgetState(id=identifier, **value)
        await self._ask(fragment, state)
        if "trigger_value" not in value:
            self._values[identifier] = state

    async def _ask(self, fragment: str, *changed: WidgetState) -> None:
        states = {state.id: state for state in (*self._values.values(), *changed)}
        message = BackMsg()
        message.rerun_script.page_name, message.rerun_script.query_string = self._page, self._query
        message.rerun_script.fragment_id = fragment
        message.rerun_script.context_info.url = f"{self._url}/{self._page}"
        message.rerun_script.context_info.locale = "en-US"
        message.rerun_script.widget_states.widgets.extend(states.values())
        await self._socket.send(message.SerializeToString())

    async def messages(self, patience: float) -> AsyncIterator[ForwardMsg]:
        """Receive what the server sends, and learn of the widgets.

        Args:
            patience: Seconds without a message.

        Raises:
            TimeoutError: No message came in time.
        """
        while True:
            async with asyncio.timeout(patience):
                message = ForwardMsg.FromString(await self._socket.recv())
            if message.WhichOneof("type") == "delta":
                self._learn(message.delta)
            yield message

    async def run(self, patience: float) -> AsyncIterator[ForwardMsg]:
        """Receive what comes until the run has ended that was asked for.

        Raises:
            TimeoutError: No message came in time.
        """
        async for message in self.messages(patience):
            yield message
            ended = message.WhichOneof("type") == "script_finished"
            if ended and message.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN:
                return

    def _learn(self, delta: Any) -> None:
        part = delta.new_element if delta.WhichOneof("type") == "new_element" else delta.add_block
        kind = part.WhichOneof("type")
        identifier = getattr(getattr(part, kind), "id", "") if kind else ""
        if isinstance(identifier, str) and identifier.count("-") > 1:  # "$$ID-<digest>-<key>"
            self._widgets[identifier.split("-", 2)[2]] = identifier, delta.fragment_id
