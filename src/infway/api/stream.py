"""The streamed reply: its head as late as possible, and a comment in every silence."""

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Self

from infway.api.errors import Header
from infway.api.exchange import Exchange
from infway.api.talk import COMMENT


class EventStream:
    """Writes one SSE reply. The head goes out with the first bytes, or the first comment.

    `heartbeat`: seconds of silence after which a comment keeps the connection alive. `comment`:
    its bytes.
    """

    def __init__(
        self,
        exchange: Exchange,
        heartbeat: float,
        head: Callable[[], list[Header]],
        comment: bytes = COMMENT,
    ) -> None:
        self._exchange = exchange
        self._heartbeat = heartbeat
        self._head = head
        self._words = comment
        self._loop = asyncio.get_running_loop()
        self._last = self._loop.time()
        self._timer: asyncio.TimerHandle | None = None
        self._comment: asyncio.Task[None] | None = None
        self._is_writing = False

    def __enter__(self) -> Self:
        self._timer = self._loop.call_later(self._heartbeat, self._beat)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._comment is not None:
            self._comment.cancel()

    def _beat(self) -> None:
        now = self._loop.time()
        quiet = now - self._last
        if self._is_writing:
            quiet = 0.0  # who reads slowly hears that the line is open
        elif quiet >= self._heartbeat - 0.001:
            self._comment = self._loop.create_task(self._say())
            quiet = 0.0
        self._timer = self._loop.call_later(self._heartbeat - quiet, self._beat)

    async def _say(self) -> None:
        await self.write(self._words)
        self._comment = None  # a task that is over is half a KiB

    async def write(self, data: bytes) -> None:
        """Send bytes, after the head if nothing was sent yet."""
        if not self._exchange.started:
            await self._exchange.start(200, self._head())
        self._last = self._loop.time()
        self._is_writing = True
        await self._exchange.send({"type": "http.response.body", "body": data, "more_body": True})
        self._is_writing = False

    async def end(self, data: bytes) -> None:
        """Send the last bytes."""
        if not self._exchange.started:
            await self._exchange.start(200, self._head())
        await self._exchange.send({"type": "http.response.body", "body": data})
