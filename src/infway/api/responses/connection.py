"""One WebSocket from its opening to its end: messages wait their turn, and are answered one by one.

Its client's leaving ends what is under way at once; a stop of the gateway lets it end first.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import NamedTuple

from infway.api.exchange import ClientLeftError, Message, Receive, Send
from infway.api.intake import goes_on
from infway.kernel.clock import Clock
from infway.kernel.errors import CallerError, GatewayError

_GOING_AWAY = 1001  # close codes of RFC 6455, section 7.4, and of its registry
_RESTART = 1012
_MINUTE = 60


class Limits(NamedTuple):
    """What one connection may do. `size`: bytes of a message, and of those that wait together.

    `idle`: seconds without a message while nothing is answered. `age`: seconds after which no
    further message is taken; an hour, as at OpenAI. `waiting`: messages that wait their turn.
    """

    size: int
    idle: float
    age: float = 60.0 * _MINUTE
    waiting: int = 64


class Refused(NamedTuple):
    """A message that is not answered. `lane`: the name that its client gave the turn."""

    error: GatewayError
    lane: str | None = None


class Work(NamedTuple):
    """What is done with messages: `answer` one, or `refuse` it; `lane` reads its name alone."""

    answer: Callable[[bytes], Awaitable[None]]
    refuse: Callable[[Refused], Awaitable[None]]
    lane: Callable[[bytes], str | None]


class Connection:
    """An accepted WebSocket."""

    def __init__(
        self, receive: Receive, send: Send, work: Work, limits: Limits, clock: Clock
    ) -> None:
        self._receive = receive
        self._send = send
        self._work = work
        self._limits = limits
        self._clock = clock
        self._ends = clock.monotonic() + limits.age
        # refusals wait too; where as many do as messages may, the client is no longer listened to
        self._waiting: asyncio.Queue[bytes | Refused | None] = asyncio.Queue(2 * limits.waiting)
        self._held = 0  # messages that wait
        self._filled = 0  # bytes of them
        self._draining = False

    async def serve(self) -> None:
        """Answer what comes until either side ends it."""
        hearing = asyncio.create_task(self._hear())
        answering = asyncio.create_task(self._answer())
        both = hearing, answering
        try:
            await _first_of(both, answering)
        finally:
            for task in both:
                task.cancel()
            await asyncio.gather(*both, return_exceptions=True)
        for task in both:
            if not task.cancelled():
                task.result()

    async def _hear(self) -> None:
        """Take messages until the client leaves; nobody else listens for that."""
        with suppress(ClientLeftError):
            while (message := await self._receive())["type"] != "websocket.disconnect":
                if message["type"] == "websocket.drain":
                    self._draining = True
                    await self._waiting.put(None)
                else:
                    await self._waiting.put(self._taken(message))

    def _taken(self, message: Message) -> bytes | Refused:
        """Return a message, refused where there is no room for it.

        The refusal waits its turn as well: the events of another one are not to be torn apart.
        """
        text: str | None = message.get("text")
        data: bytes = text.encode() if text is not None else message["bytes"]
        most = self._limits.size
        if len(data) > most:
            said = f"The message is larger than {most} bytes."
            return Refused(CallerError(413, "payload_too_large", said), self._work.lane(data))
        if self._held >= self._limits.waiting or self._filled + len(data) > most:
            said = "Too many requests wait on this connection: wait for the end of a response."
            error = CallerError(429, "concurrent_requests_exceeded", said)
            return Refused(error, self._work.lane(data))
        self._held += 1
        self._filled += len(data)
        return data

    async def _answer(self) -> None:
        """Answer one message after the other."""
        with suppress(ClientLeftError):
            try:
                while (one := await self._next()) is not None:
                    if isinstance(one, Refused):
                        await self._work.refuse(one)
                    else:
                        await self._work.answer(one)
            except asyncio.CancelledError as ended:
                if not goes_on(ended):
                    raise
                await self._close(_RESTART, "the gateway stops")

    async def _next(self) -> bytes | Refused | None:
        """Return what comes next, None where the connection was closed instead."""
        one: bytes | Refused | None = None
        left = max(0.0, self._ends - self._clock.monotonic())
        with suppress(TimeoutError):
            async with asyncio.timeout(min(self._limits.idle, left)):
                one = await self._waiting.get()
        if isinstance(one, bytes):
            self._held -= 1
            self._filled -= len(one)
        if self._draining:
            await self._close(_RESTART, "the gateway stops")
            return None
        if self._clock.monotonic() >= self._ends:
            minutes = round(self._limits.age / _MINUTE)
            said = f"A connection lasts {minutes} minutes. Open another one to go on."
            error = CallerError(400, "websocket_connection_limit_reached", said)
            lane = self._work.lane(one) if isinstance(one, bytes) else None
            await self._work.refuse(Refused(error, lane))
            await self._close(_GOING_AWAY, "too old")
            return None
        if one is None:
            await self._close(_GOING_AWAY, "idle")
        return one

    async def _close(self, code: int, reason: str) -> None:
        with suppress(OSError):
            await self._send({"type": "websocket.close", "code": code, "reason": reason})


async def _first_of(tasks: Sequence[asyncio.Task[None]], answering: asyncio.Task[None]) -> None:
    """Wait until one of the tasks is over; what ends an answer reaches it, with the reason."""
    while True:
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError as ended:
            if not goes_on(ended):
                raise
            answering.cancel(*ended.args)
        else:
            return
