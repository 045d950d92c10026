"""The benchmark's own client: raw sockets, so that what it adds to a time is small and constant."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from time import perf_counter
from typing import cast

import httptools

from bench.failure import UnmeasuredError

WAIT_S = 20.0


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds from the write of a request to the first and to the last byte of the reply's body."""

    first_s: float
    whole_s: float


class Connection(asyncio.Protocol):
    """One keep-alive connection that carries one request at a time."""

    def __init__(self) -> None:
        self._begun: asyncio.Future[float] | None = None
        self._ended: asyncio.Future[Times] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's own is no subclass

    def send(self, request: bytes) -> tuple[asyncio.Future[float], asyncio.Future[Times]]:
        """Writes a request; the futures are done at the first body byte and at the reply's end."""
        loop = asyncio.get_running_loop()
        self._begun, self._ended = loop.create_future(), loop.create_future()
        self._parser = httptools.HttpResponseParser(self)
        self._sent = perf_counter()
        self._transport.write(request)
        return self._begun, self._ended

    @property
    def open(self) -> bool:
        """False once either side has closed it."""
        return not self._transport.is_closing()

    def close(self) -> None:
        self._transport.close()

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_body(self, body: bytes) -> None:
        if self._begun is not None and not self._begun.done():
            status = self._parser.get_status_code()
            if status == 200:
                self._begun.set_result(perf_counter() - self._sent)
            else:
                self._fail(f"status {status}: {body[:300].decode(errors='replace')}")

    def on_message_complete(self) -> None:
        if self._begun is not None and self._ended is not None and not self._ended.done():
            whole = perf_counter() - self._sent
            self._ended.set_result(Times(first_s=self._begun.result(), whole_s=whole))

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail(f"the connection was closed: {exc}")

    def _fail(self, why: str) -> None:
        for waiting in (self._begun, self._ended):
            if waiting is not None and not waiting.done():
                waiting.set_exception(UnmeasuredError(why))
                waiting.exception()  # whoever still waits sees it; nobody waiting is no warning


async def connect(port: int) -> Connection:
    """An open connection to a loopback port."""
    loop = asyncio.get_running_loop()
    return (await loop.create_connection(Connection, "127.0.0.1", port))[1]


async def open_loop(port: int, request: bytes, *, per_second: int, seconds: int) -> list[Times]:
    """Requests at fixed moments, whatever becomes of the earlier ones.

    A time starts at the write, so lateness of this client's own timer is not in it.
    """
    loop = asyncio.get_running_loop()
    idle = [await connect(port) for _ in range(64)]
    opened, pending = list(idle), list[asyncio.Future[Times]]()
    start = loop.time()
    try:
        for number in range(per_second * seconds):
            await asyncio.sleep(max(0.0, start + number / per_second - loop.time()))
            connection = next((one for one in _popped(idle) if one.open), None)
            if connection is None:
                connection = await connect(port)
                opened.append(connection)
            ended = connection.send(request)[1]
            ended.add_done_callback(lambda _, free=connection: idle.append(free))  # type: ignore[misc]  # mypy cannot infer a lambda's default
            pending.append(ended)
        return await asyncio.wait_for(asyncio.gather(*pending), WAIT_S)
    except TimeoutError as late:
        raise UnmeasuredError(f"replies were still missing after {WAIT_S:g} s") from late
    finally:
        for connection in opened:
            connection.close()


@contextlib.asynccontextmanager
async def open_streams(port: int, request: bytes, count: int) -> AsyncIterator[None]:
    """Holds `count` streams open that have each brought their first bytes."""
    held: list[Connection] = []
    try:
        while len(held) < count:
            batch = [await connect(port) for _ in range(min(50, count - len(held)))]
            held += batch
            begun = [connection.send(request)[0] for connection in batch]
            await _all_begun(begun)
        yield
    finally:
        for connection in held:
            connection.close()


async def _all_begun(begun: list[asyncio.Future[float]]) -> None:
    try:
        await asyncio.wait_for(asyncio.gather(*begun), WAIT_S)
    except TimeoutError as late:
        raise UnmeasuredError(f"streams did not begin within {WAIT_S:g} s") from late


def _popped(idle: list[Connection]) -> Iterator[Connection]:
    while idle:
        yield idle.pop()
