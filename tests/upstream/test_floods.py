"""Replies that bring ever more of what is no body, over real sockets: refused, and then gone."""

import asyncio
import contextlib
import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from tests.wall.asking import CALM

from infway.kernel.chat import HttpCall
from infway.kernel.clock import system_clock
from infway.kernel.errors import UpstreamFailed
from infway.kernel.faults import Fault
from infway.upstream.client import Client
from infway.upstream.http1 import Connection
from infway.upstream.sign import Signer

OK = b"HTTP/1.1 200 OK\r\n"
BODY = OK + b"transfer-encoding: chunked\r\n\r\n2\r\n{}\r\n"
FLOODS = {
    "one header": (OK + b"x: ", b"a" * 8192),
    "many headers": (OK, b"x: y\r\n" * 2000),
    "many interim replies": (b"", b"HTTP/1.1 103 Early Hints\r\nx: y\r\n\r\n" * 300),
    "one trailer": (BODY + b"0\r\nx: ", b"a" * 8192),
    "many trailers": (BODY + b"0\r\n", b"x: y\r\n" * 2000),
}
PATIENCE = 10.0  # seconds in which all of this is known, or a test hangs


@asynccontextmanager
async def flooding(begin: bytes, more: bytes) -> AsyncIterator[str]:
    """Answer every request with a beginning, and then with more of the same without an end."""
    answered: list[asyncio.Task[None] | None] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answered.append(asyncio.current_task())
        with contextlib.suppress(ConnectionError):
            await reader.readuntil(b"{}")
            writer.write(begin)
            while True:
                writer.write(more)
                await writer.drain()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with asyncio.timeout(PATIENCE):
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
        server.close()
        await asyncio.gather(*filter(None, answered))  # it ends where its socket is closed


async def fault_of(client: Client, url: str) -> Fault | None:
    call = HttpCall(upstream="up", url=url, headers={}, body=b"{}")
    try:
        await (await client.send(call, CALM)).read()
    except UpstreamFailed as failed:
        return failed.failure.fault
    return None


@pytest.mark.parametrize("flood", FLOODS)
async def test_a_flood_that_is_no_body_ends_the_connection(flood: str) -> None:
    client = Client(Signer({}), system_clock().monotonic)
    async with flooding(*FLOODS[flood]) as url:
        assert await fault_of(client, url) is Fault.TOO_LARGE
    await client.close()


def connections() -> int:
    return sum(isinstance(one, Connection) for one in gc.get_objects())


async def test_what_came_of_a_flood_does_not_wait_for_the_collector() -> None:
    gc.collect()
    before = connections()
    client = Client(Signer({}), system_clock().monotonic)
    gc.disable()
    try:
        async with flooding(*FLOODS["many headers"]) as url:
            await fault_of(client, url)
        assert connections() == before
    finally:
        gc.enable()
    await client.close()
